// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/decode.c: registers, entries and records, bit by bit. */
#include <kunit/test.h>

#include "decode.h"

/* As read on a healthy host: TES, RTPS, QIES, IRES, IRTPS; IR and EIM */
static const struct vg_vtd_regs vtd_healthy = {
	.cap = 0x00d2008c22260286,
	.ecap = 0x0000000000f00f5a,
	.irta = 0x0000000001400f0f | BIT_ULL(11),
	.gsts = 0xc7000000,
	.fectl = 0,
	.fedata = 0x21,
	.feaddr = 0xfee01004,
};

static struct vg_vtd_state vtd(const struct vg_vtd_regs *regs)
{
	struct vg_vtd_state state;

	/* What was there before must not show. */
	memset(&state, 0xff, sizeof(state));
	vg_decode_vtd(regs, &state);
	return state;
}

static void vtd_registers(struct kunit *test)
{
	struct vg_vtd_regs regs = vtd_healthy;
	struct vg_vtd_state state = vtd(&regs);

	KUNIT_EXPECT_TRUE(test, state.readable);
	KUNIT_EXPECT_TRUE(test, state.translation);
	KUNIT_EXPECT_TRUE(test, state.intremap);
	KUNIT_EXPECT_FALSE(test, state.compat_irq);
	KUNIT_EXPECT_TRUE(test, state.eim);
	KUNIT_EXPECT_FALSE(test, state.fault_nmi);
	KUNIT_EXPECT_FALSE(test, state.fault_masked);
	KUNIT_EXPECT_EQ(test, state.irt, 0x01400000);
	KUNIT_EXPECT_EQ(test, state.irt_entries, 65536);

	regs.irta = 0x00000ffffffff000;
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.eim);
	KUNIT_EXPECT_EQ(test, state.irt, 0x00000ffffffff000);
	KUNIT_EXPECT_EQ(test, state.irt_entries, 2);
}

static void vtd_status(struct kunit *test)
{
	struct vg_vtd_regs regs = vtd_healthy;
	struct vg_vtd_state state;
	int bit;

	/* Each fact rests on its own bit, and on no other. */
	for (bit = 0; bit < 32; bit++) {
		regs.irta = 0;
		regs.gsts = BIT(bit);
		state = vtd(&regs);
		KUNIT_EXPECT_EQ(test, state.translation, bit == 31);
		KUNIT_EXPECT_EQ(test, state.intremap, bit == 25);
		KUNIT_EXPECT_EQ(test, state.compat_irq, bit == 23);

		regs.gsts = ~0U ^ BIT(bit);
		state = vtd(&regs);
		KUNIT_EXPECT_EQ(test, state.translation, bit != 31);
		KUNIT_EXPECT_EQ(test, state.intremap, bit != 25);
		KUNIT_EXPECT_EQ(test, state.compat_irq, bit != 23);
	}

	/* Compatibility format is blocked in extended mode whatever CFIS says. */
	regs = vtd_healthy;
	regs.gsts |= BIT(23);
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.compat_irq);
	regs.irta &= ~BIT_ULL(11);
	state = vtd(&regs);
	KUNIT_EXPECT_TRUE(test, state.compat_irq);

	/* What the unit can't do it doesn't do. */
	regs = vtd_healthy;
	regs.ecap &= ~BIT_ULL(3);
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.intremap);
	regs.ecap = BIT_ULL(3);
	state = vtd(&regs);
	KUNIT_EXPECT_TRUE(test, state.intremap);
}

static void vtd_not_there(struct kunit *test)
{
	struct vg_vtd_regs regs;
	struct vg_vtd_state state;

	memset(&regs, 0, sizeof(regs));
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);
	memset(&regs, 0xff, sizeof(regs));
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);

	/* One register that isn't there is enough. */
	regs = vtd_healthy;
	regs.cap = ~0ULL;
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);
	regs = vtd_healthy;
	regs.ecap = ~0ULL;
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);
	regs = vtd_healthy;
	regs.gsts = ~0U;
	state = vtd(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);
}

struct message {
	const char *name;
	u64 address;
	u32 data;
	bool nmi;
	bool nowhere;
};

/* Messages both vendors' fault events can be: mode in data 10:8, vector 7:0 */
static const struct message messages[] = {
	{ "fixed", 0xfee00000, 0x021, false, false },
	{ "lowest priority", 0xfee0100c, 0x1fe, false, false },
	{ "SMI", 0xfee00000, 0x200, true, false },
	{ "reserved mode", 0xfee00000, 0x321, true, false },
	{ "NMI", 0xfee00000, 0x400, true, false },
	{ "NMI with a vector", 0xfee00000, 0x4021 | 0x400, true, false },
	{ "INIT", 0xfee00000, 0x500, true, false },
	{ "another reserved mode", 0xfee00000, 0x621, true, false },
	{ "ExtINT", 0xfee00000, 0x700, true, false },
	{ "last APIC address", 0xfeeffffc, 0x021, false, false },
	{ "first vector", 0xfee00000, 0x010, false, false },
	{ "vector below the first", 0xfee00000, 0x00f, false, true },
	{ "never programmed", 0, 0, false, true },
	{ "memory", 0x12345000, 0x021, false, true },
	{ "just below the APICs", 0xfedffffc, 0x021, false, true },
	{ "just above the APICs", 0xfef00000, 0x021, false, true },
	{ "NMI into memory", 0x12345000, 0x400, true, true },
};

KUNIT_ARRAY_PARAM_DESC(message, messages, name);

static void vtd_fault_event(struct kunit *test)
{
	const struct message *m = test->param_value;
	struct vg_vtd_regs regs = vtd_healthy;
	struct vg_vtd_state state;

	regs.feaddr = m->address;
	regs.fedata = m->data;
	state = vtd(&regs);
	KUNIT_EXPECT_EQ(test, state.fault_nmi, m->nmi);
	KUNIT_EXPECT_EQ(test, state.fault_masked, m->nowhere);

	/* An x2APIC destination's upper bits change nothing. */
	regs.feuaddr = 0x00000100;
	state = vtd(&regs);
	KUNIT_EXPECT_EQ(test, state.fault_nmi, m->nmi);
	KUNIT_EXPECT_EQ(test, state.fault_masked, m->nowhere);

	/* A masked NMI is still one: whoever unmasks it sends it. */
	regs.fectl = BIT(31);
	state = vtd(&regs);
	KUNIT_EXPECT_EQ(test, state.fault_nmi, m->nmi);
	KUNIT_EXPECT_TRUE(test, state.fault_masked);

	/* Pending is not masked. */
	regs.fectl = BIT(30);
	state = vtd(&regs);
	KUNIT_EXPECT_EQ(test, state.fault_masked, m->nowhere);
}

static void irte(struct kunit *test)
{
	struct vg_irte entry;
	u64 svt;

	vg_decode_irte(0, 0, &entry);
	KUNIT_EXPECT_FALSE(test, entry.present);
	KUNIT_EXPECT_FALSE(test, entry.verified);
	KUNIT_EXPECT_EQ(test, entry.sid, 0);

	/* SVT is bits 83:82, SQ 81:80, SID 79:64. */
	for (svt = 0; svt < 4; svt++) {
		vg_decode_irte(1, svt << 18 | 0x3abcd, &entry);
		KUNIT_EXPECT_TRUE(test, entry.present);
		KUNIT_EXPECT_EQ(test, entry.verified, svt == 1 || svt == 2);
		KUNIT_EXPECT_EQ(test, entry.sid, 0xabcd);
	}

	/* Everything but P; everything but SVT */
	vg_decode_irte(~1ULL, ~0ULL, &entry);
	KUNIT_EXPECT_FALSE(test, entry.present);
	vg_decode_irte(~0ULL, ~(3ULL << 18), &entry);
	KUNIT_EXPECT_FALSE(test, entry.verified);

	/* Posted format: bit 15 of the low word; same SVT and SID */
	vg_decode_irte(BIT_ULL(15) | 1, 0x1234567800040208, &entry);
	KUNIT_EXPECT_TRUE(test, entry.present);
	KUNIT_EXPECT_TRUE(test, entry.verified);
	KUNIT_EXPECT_EQ(test, entry.sid, 0x0208);
}

/* As Linux writes it: V, TV, mode 3, IR, IW; domain 7; IV, remap, 512 IRTEs */
static const u64 dte_healthy[4] = {
	0x6000000012345603, 0x7, 0x2000000023456780 | 9 << 1 | 1, 0,
};

static struct vg_dte dte(u64 word0, u64 word2)
{
	const u64 words[4] = { word0, ~0ULL, word2, ~0ULL };
	struct vg_dte entry;

	memset(&entry, 0xff, sizeof(entry));
	vg_decode_dte(words, &entry);
	return entry;
}

static void dte_interrupts(struct kunit *test)
{
	static const u8 pass[] = { 184, 185, 186, 190, 191 };
	struct vg_dte entry;
	unsigned int bit;
	u64 intctl;

	vg_decode_dte(dte_healthy, &entry);
	KUNIT_EXPECT_TRUE(test, entry.valid);
	KUNIT_EXPECT_TRUE(test, entry.irq_valid);
	KUNIT_EXPECT_EQ(test, entry.intctl, VG_INTCTL_REMAP);
	KUNIT_EXPECT_FALSE(test, entry.pass);
	KUNIT_EXPECT_EQ(test, entry.irt, 0x23456780);

	entry = dte(0, 0);
	KUNIT_EXPECT_FALSE(test, entry.irq_valid);
	KUNIT_EXPECT_EQ(test, entry.intctl, VG_INTCTL_ABORT);
	KUNIT_EXPECT_FALSE(test, entry.pass);
	KUNIT_EXPECT_EQ(test, entry.irt, 0);

	/* IntCtl is bits 189:188. */
	for (intctl = 0; intctl < 4; intctl++) {
		entry = dte(0, intctl << (188 - 128));
		KUNIT_EXPECT_EQ(test, entry.intctl, intctl);
		KUNIT_EXPECT_FALSE(test, entry.pass);
	}

	/* INITPass, EIntPass, NMIPass, Lint0Pass, Lint1Pass; no other bit. */
	for (bit = 128; bit < 192; bit++) {
		bool expected = memchr(pass, bit, sizeof(pass));

		entry = dte(0, BIT_ULL(bit - 128));
		KUNIT_EXPECT_EQ_MSG(test, entry.pass, expected, "bit %u", bit);
		KUNIT_EXPECT_EQ_MSG(test, entry.irq_valid, bit == 128,
				    "bit %u", bit);
	}

	/* The table's address is bits 179:134. */
	entry = dte(0, ~0ULL);
	KUNIT_EXPECT_EQ(test, entry.irt, 0x000fffffffffffc0);
}

static void dte_translation(struct kunit *test)
{
	static const u64 v = BIT_ULL(0), tv = BIT_ULL(1);
	static const u64 gv = BIT_ULL(55), ir = BIT_ULL(61), iw = BIT_ULL(62);
	struct vg_dte entry;
	u64 mode;

	/* V clear: DMA passes, whatever else is set. */
	entry = dte(0, 0);
	KUNIT_EXPECT_FALSE(test, entry.valid);
	KUNIT_EXPECT_FALSE(test, entry.translated);
	entry = dte(~v, 0);
	KUNIT_EXPECT_FALSE(test, entry.valid);
	KUNIT_EXPECT_FALSE(test, entry.translated);

	for (mode = 1; mode < 7; mode++) {
		entry = dte(v | tv | ir | iw | mode << 9, 0);
		KUNIT_EXPECT_TRUE(test, entry.valid);
		KUNIT_EXPECT_TRUE(test, entry.translated);
	}

	/* Mode 0 is a pass-through, as far as IR and IW go. */
	entry = dte(v | tv | ir | iw, 0);
	KUNIT_EXPECT_TRUE(test, entry.valid);
	KUNIT_EXPECT_FALSE(test, entry.translated);
	entry = dte(v | tv | ir, 0);
	KUNIT_EXPECT_FALSE(test, entry.translated);
	entry = dte(v | tv | iw, 0);
	KUNIT_EXPECT_FALSE(test, entry.translated);
	entry = dte(v | tv, 0);
	KUNIT_EXPECT_TRUE(test, entry.translated);
	/* Guest tables translate even so. */
	entry = dte(v | tv | gv | ir | iw, 0);
	KUNIT_EXPECT_TRUE(test, entry.translated);
}

/* IommuEn, EventLogEn, EventIntEn, CmdBufEn; a table of 2 MiB */
static const struct vg_amdvi_regs amdvi_healthy = {
	.devtab = 0x00000000234001ff,
	.control = 0x100d,
	.msi_address = 0xfee00000,
	.msi_data = 0x26,
	.msi_enabled = true,
};

static struct vg_amdvi_state amdvi(const struct vg_amdvi_regs *regs)
{
	struct vg_amdvi_state state;

	memset(&state, 0xff, sizeof(state));
	vg_decode_amdvi(regs, &state);
	return state;
}

static void amdvi_registers(struct kunit *test)
{
	struct vg_amdvi_regs regs = amdvi_healthy;
	struct vg_amdvi_state state = amdvi(&regs);
	u64 segments;

	KUNIT_EXPECT_TRUE(test, state.readable);
	KUNIT_EXPECT_TRUE(test, state.translation);
	KUNIT_EXPECT_FALSE(test, state.fault_nmi);
	KUNIT_EXPECT_FALSE(test, state.fault_masked);
	KUNIT_EXPECT_EQ(test, state.devtab, 0x23400000);
	KUNIT_EXPECT_EQ(test, state.devtab_entries, 65536);

	regs.devtab = 0x000ffffffffff000;
	state = amdvi(&regs);
	KUNIT_EXPECT_EQ(test, state.devtab, 0x000ffffffffff000);
	KUNIT_EXPECT_EQ(test, state.devtab_entries, 128);

	regs = amdvi_healthy;
	regs.control &= ~BIT_ULL(0);
	state = amdvi(&regs);
	KUNIT_EXPECT_TRUE(test, state.readable);
	KUNIT_EXPECT_FALSE(test, state.translation);

	/* DevTblSegEn, bits 36:34 */
	for (segments = 1; segments < 8; segments++) {
		regs.control = amdvi_healthy.control | segments << 34;
		state = amdvi(&regs);
		KUNIT_EXPECT_FALSE(test, state.readable);
	}

	memset(&regs, 0xff, sizeof(regs));
	state = amdvi(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);
	regs = amdvi_healthy;
	regs.devtab = ~0ULL;
	state = amdvi(&regs);
	KUNIT_EXPECT_FALSE(test, state.readable);
}

static void amdvi_event(struct kunit *test)
{
	const struct message *m = test->param_value;
	struct vg_amdvi_regs regs = amdvi_healthy;
	struct vg_amdvi_state state;

	regs.msi_address = m->address;
	regs.msi_data = m->data;
	state = amdvi(&regs);
	KUNIT_EXPECT_EQ(test, state.fault_nmi, m->nmi);
	KUNIT_EXPECT_EQ(test, state.fault_masked, m->nowhere);

	/* With IntCapXTEn the MSI capability isn't used. */
	regs.control |= BIT_ULL(51);
	state = amdvi(&regs);
	KUNIT_EXPECT_FALSE(test, state.fault_nmi);
	KUNIT_EXPECT_FALSE(test, state.fault_masked);
	regs.msi_enabled = false;
	state = amdvi(&regs);
	KUNIT_EXPECT_FALSE(test, state.fault_masked);

	/* Without, an MSI capability that is off sends nothing. */
	regs.control &= ~BIT_ULL(51);
	state = amdvi(&regs);
	KUNIT_EXPECT_FALSE(test, state.fault_nmi);
	KUNIT_EXPECT_TRUE(test, state.fault_masked);
}

static void amdvi_masked(struct kunit *test)
{
	struct vg_amdvi_regs regs = amdvi_healthy;
	struct vg_amdvi_state state;
	int bit;

	/* EventLogEn and EventIntEn are both needed. */
	for (bit = 0; bit < 34; bit++) {
		regs.control = amdvi_healthy.control & ~BIT_ULL(bit);
		state = amdvi(&regs);
		KUNIT_EXPECT_EQ_MSG(test, state.fault_masked,
				    bit == 2 || bit == 3, "bit %d", bit);
	}
	regs.control = BIT_ULL(0) | BIT_ULL(51);
	state = amdvi(&regs);
	KUNIT_EXPECT_TRUE(test, state.fault_masked);
}

/* A fault record of VT-d's, low and high half, and what it means */
struct vtd_record {
	const char *name;
	u64 record[2];
	struct vg_fault fault;
};

#define DMA(who, why, what, where)					\
	{ .addr = (where), .requester = (who), .reason = (why),		\
	  .kind = VG_FAULT_DMA, .access = VG_ACCESS_##what,		\
	  .has_requester = true }
#define DMA_PASID(who, why, what, where, space)				\
	{ .addr = (where), .pasid = (space), .requester = (who),	\
	  .reason = (why), .kind = VG_FAULT_DMA,			\
	  .access = VG_ACCESS_##what, .has_pasid = true,		\
	  .has_requester = true }
#define IRQ(who, why, where)						\
	{ .addr = (where), .requester = (who), .reason = (why),		\
	  .kind = VG_FAULT_IRQ, .access = VG_ACCESS_INTERRUPT,		\
	  .has_requester = true }
#define IRQ_INDEX(who, why, which)					\
	{ .requester = (who), .index = (which), .reason = (why),	\
	  .kind = VG_FAULT_IRQ, .access = VG_ACCESS_INTERRUPT,		\
	  .has_index = true, .has_requester = true }

static const struct vtd_record vtd_records[] = {
	/* "[DMA Write NO_PASID] Request device [00:01.0] fault addr 0x100000" */
	{ "QEMU: edu writes", { 0x0000000000100000, 0x8000000500000008 },
	  DMA(0x0008, 0x05, WRITE, 0x100000) },
	/* Behind a PCIe-to-PCI bridge: under the bridge's ID */
	{ "QEMU: edu's alias reads", { 0x00000000dead0000, 0xc000000600000200 },
	  DMA(0x0200, 0x06, READ, 0xdead0000) },
	/* As an xHCI left it on a machine of 2024 */
	{ "hardware: 00:14.0 reads", { 0x00000000caffe000, 0xc0000006000000a0 },
	  DMA(0x00a0, 0x06, READ, 0xcaffe000) },
	/* "[INTR-REMAP] Request device [ff:1f.7] fault index 0x500" */
	{ "QEMU: index not present", { 0x0500000000000000, 0x800000220000ffff },
	  IRQ_INDEX(0xffff, 0x22, 0x500) },
	{ "QEMU: reserved bits", { 0x0003000000000000, 0x800000200000ffff },
	  IRQ_INDEX(0xffff, 0x20, 3) },
	{ "QEMU: another's entry", { 0x0002000000000000, 0x8000002600000008 },
	  IRQ_INDEX(0x0008, 0x26, 2) },
	{ "index past the end", { 0xffff000000000000, 0xc000002100000100 },
	  IRQ_INDEX(0x0100, 0x21, 0xffff) },
	{ "compatibility format", { 0x1234000056789000, 0x8000002500000100 },
	  IRQ(0x0100, 0x25, 0) },
	{ "table can't be read", { 0x0001000000000000, 0x8000002300000100 },
	  IRQ_INDEX(0x0100, 0x23, 1) },
	/* Interrupts have no PASID, whatever PP says. */
	{ "interrupt with PP", { 0x0001000000000000, 0x8fffff2400000100 | BIT(31) },
	  IRQ_INDEX(0x0100, 0x24, 1) },
	{ "reason before interrupts'", { 0x1000, 0x8000001f00000100 },
	  DMA(0x0100, 0x1f, WRITE, 0x1000) },
	{ "reason after interrupts'", { 0x1000, 0x8000002700000100 },
	  DMA(0x0100, 0x27, WRITE, 0x1000) },
	{ "AtomicOp", { 0x1000, 0xc000000510000100 },
	  DMA(0x0100, 0x05, ATOMIC, 0x1000) },
	{ "page request", { 0x1000, 0x8000003210000100 },
	  DMA(0x0100, 0x32, TRANSLATION, 0x1000) },
	{ "translation request", { 0x1000, 0xd000000200000100 },
	  DMA(0x0100, 0x02, TRANSLATION, 0x1000) },
	{ "translated request", { 0x1000, 0xa000000d00000100 },
	  DMA(0x0100, 0x0d, WRITE, 0x1000) },
	{ "PASID", { 0xfffffffffffff000, 0x8fffff5880000100 },
	  DMA_PASID(0x0100, 0x58, WRITE, 0xfffffffffffff000, 0xfffff) },
	{ "PASID 0", { 0x1000, 0x8000005880000100 },
	  DMA_PASID(0x0100, 0x58, WRITE, 0x1000, 0) },
	{ "PASID without PP", { 0x1000, 0x8fffff5800000100 },
	  DMA(0x0100, 0x58, WRITE, 0x1000) },
	{ "execute", { 0x1000, 0xc001235cc0000100 },
	  DMA_PASID(0x0100, 0x5c, EXECUTE, 0x1000, 0x123) },
	{ "EXE without PASID", { 0x1000, 0xc000000640000100 },
	  DMA(0x0100, 0x06, READ, 0x1000) },
	{ "EXE in a write", { 0x1000, 0x80012358c0000100 },
	  DMA_PASID(0x0100, 0x58, WRITE, 0x1000, 0x123) },
	{ "bits below the page", { 0xfff, 0x8000000500000100 },
	  DMA(0x0100, 0x05, WRITE, 0) },
};

KUNIT_ARRAY_PARAM_DESC(vtd_record, vtd_records, name);

static void expect_fault(struct kunit *test, const struct vg_fault *got,
			 const struct vg_fault *want)
{
	KUNIT_EXPECT_EQ(test, got->addr, want->addr);
	KUNIT_EXPECT_EQ(test, got->pasid, want->pasid);
	KUNIT_EXPECT_EQ(test, got->requester, want->requester);
	KUNIT_EXPECT_EQ(test, got->index, want->index);
	KUNIT_EXPECT_EQ(test, got->reason, want->reason);
	KUNIT_EXPECT_EQ(test, got->kind, want->kind);
	KUNIT_EXPECT_STREQ(test, vg_access_name(got->access),
			   vg_access_name(want->access));
	KUNIT_EXPECT_EQ(test, got->has_pasid, want->has_pasid);
	KUNIT_EXPECT_EQ(test, got->has_index, want->has_index);
	KUNIT_EXPECT_EQ(test, got->has_requester, want->has_requester);
}

static void vtd_fault(struct kunit *test)
{
	const struct vtd_record *r = test->param_value;
	u64 record[2] = { r->record[0], r->record[1] };
	struct vg_fault fault;

	/* What was there before must not show. */
	memset(&fault, 0xff, sizeof(fault));
	KUNIT_ASSERT_TRUE(test, vg_decode_vtd_fault(record, &fault));
	expect_fault(test, &fault, &r->fault);

	/* PRIV and reserved bits don't matter; F is all that does. */
	record[1] |= BIT_ULL(29) | 0xffeULL << 16;
	KUNIT_ASSERT_TRUE(test, vg_decode_vtd_fault(record, &fault));
	expect_fault(test, &fault, &r->fault);
	record[1] &= ~BIT_ULL(63);
	KUNIT_EXPECT_FALSE(test, vg_decode_vtd_fault(record, &fault));
}

static void vtd_no_fault(struct kunit *test)
{
	static const u64 none[][2] = {
		{ 0, 0 }, { U64_MAX, 0 }, { U64_MAX, S64_MAX },
		/* A unit that is gone */
		{ U64_MAX, U64_MAX },
	};
	struct vg_fault fault;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(none); i++)
		KUNIT_EXPECT_FALSE(test, vg_decode_vtd_fault(none[i], &fault));
}

/* An entry of AMD's event log, and what it means; all zero if it is no fault */
struct amdvi_entry {
	const char *name;
	u32 event[4];
	struct vg_fault fault;
};

static const struct amdvi_entry amdvi_entries[] = {
	/*
	 * "IO_PAGE_FAULT device=05:00.0 domain=0x0012 address=0xff6101b0
	 * flags=0x0070", an APU2's wireless card
	 */
	{ "hardware: write to a page",
	  { 0x00000500, 0x20700012, 0xff6101b0, 0 },
	  DMA(0x0500, 2, WRITE, 0xff6101b0) },
	/*
	 * "IO_PAGE_FAULT domain=0x001a address=0xfffc8000 flags=0x0050", an NPU
	 * (the report doesn't say which ID)
	 */
	{ "hardware: read of a page",
	  { 0x0000c601, 0x2050001a, 0xfffc8000, 0 },
	  DMA(0xc601, 2, READ, 0xfffc8000) },
	/* "IO_PAGE_FAULT domain=0x0000 address=0xfc189000 flags=0x0000", NVMe */
	{ "hardware: no page",
	  { 0x00000100, 0x20000000, 0xfc189000, 0 },
	  DMA(0x0100, 2, READ, 0xfc189000) },
	/*
	 * "INVALID_DEVICE_REQUEST device=00:00.1 address=0xfdf8000020
	 * flags=0x0a00", an interrupt from a device that may send none
	 */
	{ "hardware: interrupt blocked",
	  { 0x00000001, 0x8a000000, 0xf8000020, 0x000000fd },
	  IRQ(0x0001, 8, 0xfdf8000020) },
	{ "page fault, write without PR", { 0x100, 0x20200001, 0x1000, 0 },
	  DMA(0x0100, 2, WRITE, 0x1000) },
	{ "page fault, interrupt", { 0x100, 0x20080001, 0xf8000000, 0xfd },
	  IRQ(0x0100, 2, 0xfdf8000000) },
	{ "page fault, interrupt, all flags",
	  { 0x100, 0x21fe0001, 0xf8000000, 0xfd },
	  IRQ(0x0100, 2, 0xfdf8000000) },
	{ "page fault, translation", { 0x100, 0x21000001, 0x1000, 0 },
	  DMA(0x0100, 2, TRANSLATION, 0x1000) },
	{ "page fault, PASID", { 0x000f0100, 0x2071ffff, 0x1000, 2 },
	  DMA_PASID(0x0100, 2, WRITE, 0x200001000, 0xfffff) },
	{ "page fault, domain is no PASID", { 0x000f0100, 0x2070ffff, 0, 0 },
	  DMA(0x0100, 2, WRITE, 0) },
	{ "illegal DTE", { 0x100, 0x10200000, 0x1000, 0 },
	  DMA(0x0100, 1, WRITE, 0x1000) },
	{ "illegal DTE, interrupt", { 0x008, 0x10080000, 0xfee00000, 0 },
	  IRQ(0x0008, 1, 0xfee00000) },
	{ "illegal DTE, PASID", { 0x100, 0x10210005, 0x1000, 0 },
	  DMA_PASID(0x0100, 1, WRITE, 0x1000, 5) },
	{ "device table error", { 0x100, 0x36000000, 0x2000, 0 },
	  DMA(0x0100, 3, READ, 0x2000) },
	{ "device table error, interrupt", { 0x100, 0x32080000, 0x2000, 0 },
	  IRQ(0x0100, 3, 0x2000) },
	{ "page table error", { 0x100, 0x42200007, 0x3000, 0 },
	  DMA(0x0100, 4, WRITE, 0x3000) },
	{ "page table error, PASID", { 0x100, 0x42010007, 0x3000, 0 },
	  DMA_PASID(0x0100, 4, READ, 0x3000, 7) },
	{ "illegal command", { 0, 0x50000000, 0x1000, 0 } },
	{ "command error", { 0, 0x62000000, 0x1000, 0 } },
	{ "IOTLB invalidation timeout", { 0x100, 0x70000000, 0x1000, 0 } },
	{ "read in the interrupt range", { 0x100, 0x80000000, 0xf8000000, 0xfd },
	  DMA(0x0100, 8, UNKNOWN, 0xfdf8000000) },
	{ "pretranslated", { 0x100, 0x82000000, 0x1000, 0 },
	  DMA(0x0100, 8, UNKNOWN, 0x1000) },
	{ "port I/O", { 0x100, 0x84000000, 0xfc000000, 0xfd },
	  DMA(0x0100, 8, UNKNOWN, 0xfdfc000000) },
	{ "system management message", { 0x100, 0x86000000, 0xf9100000, 0xfd },
	  DMA(0x0100, 8, WRITE, 0xfdf9100000) },
	{ "system management, read", { 0x100, 0x88000000, 0xf9100000, 0xfd },
	  DMA(0x0100, 8, UNKNOWN, 0xfdf9100000) },
	{ "reserved interrupt range", { 0x100, 0x8c000000, 0xf8000000, 0xfd },
	  IRQ(0x0100, 8, 0xfdf8000000) },
	{ "system management, translated", { 0x100, 0x8e000000, 0, 0xfd },
	  DMA(0x0100, 8, UNKNOWN, 0xfd00000000) },
	{ "translation not allowed", { 0x100, 0x81000000, 0x1000, 0 },
	  DMA(0x0100, 8, TRANSLATION, 0x1000) },
	{ "translation, interrupt's type", { 0x100, 0x8b000000, 0x1000, 0 },
	  DMA(0x0100, 8, TRANSLATION, 0x1000) },
	{ "invalid request, PASID", { 0x00010100, 0x82010002, 0x1000, 0 },
	  DMA_PASID(0x0100, 8, UNKNOWN, 0x1000, 0x10002) },
	/* RX stands where others have GN, the PASID elsewhere. */
	{ "invalid page request", { 0x00050100, 0x9001000a, 0x1000, 0 },
	  DMA(0x0100, 9, TRANSLATION, 0x1000) },
	{ "counter is zero", { 0, 0xa0000000, 0, 0 } },
	{ "code 11", { 0x100, 0xb0000000, 0, 0 } },
	{ "code 12", { 0x100, 0xc0000000, 0, 0 } },
	/* Where others have PASID and GN these have a VM's tag. */
	{ "RMP page fault", { 0x00030100, 0xd0200001, 0x1000, 0 },
	  DMA(0x0100, 13, WRITE, 0x1000) },
	{ "RMP error", { 0x100, 0xe0010001, 0x1000, 0 },
	  DMA(0x0100, 14, READ, 0x1000) },
	{ "code 15", { 0x100, 0xf0000000, 0, 0 } },
	{ "not yet written", { 0x100, 0x00200001, 0x1000, 0 } },
	{ "all zero", { 0, 0, 0, 0 } },
	{ "all ones", { ~0U, ~0U, ~0U, ~0U } },
};

KUNIT_ARRAY_PARAM_DESC(amdvi_entry, amdvi_entries, name);

static void amdvi_fault(struct kunit *test)
{
	const struct amdvi_entry *e = test->param_value;
	struct vg_fault fault;

	memset(&fault, 0xff, sizeof(fault));
	KUNIT_ASSERT_EQ(test, vg_decode_amdvi_event(e->event, &fault),
			e->fault.has_requester);
	if (e->fault.has_requester)
		expect_fault(test, &fault, &e->fault);
}

/* Every record is either no fault or one that can be counted and named. */
static void any_record(struct kunit *test)
{
	struct vg_fault fault;
	unsigned long wrong = 0;
	u64 record[2];
	u32 event[4];
	u32 n;

	/* Halves of the words in which bits mean something, and all of each */
	for (n = 0; n < BIT(16); n++) {
		event[0] = n;
		event[1] = n << 16 | (n ^ 0xffff);
		event[2] = ~0U;
		event[3] = n;
		record[0] = ~0ULL;
		record[1] = (u64)n << 48 | (u64)(n & 0xff) << 32 | n << 16;
		if (vg_decode_amdvi_event(event, &fault))
			wrong += fault.kind >= VG_NR_FAULT_KINDS ||
				 fault.access >= VG_NR_ACCESSES ||
				 !fault.reason || fault.requester != n;
		if (vg_decode_vtd_fault(record, &fault))
			wrong += fault.kind >= VG_NR_FAULT_KINDS ||
				 fault.access >= VG_NR_ACCESSES ||
				 (fault.kind == VG_FAULT_IRQ) !=
				 (fault.reason >= 0x20 && fault.reason <= 0x26);
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
}

static void access_names(struct kunit *test)
{
	static const char *const words[] = {
		[VG_ACCESS_UNKNOWN] = "unknown",
		[VG_ACCESS_READ] = "read",
		[VG_ACCESS_WRITE] = "write",
		[VG_ACCESS_EXECUTE] = "execute",
		[VG_ACCESS_ATOMIC] = "atomic",
		[VG_ACCESS_INTERRUPT] = "interrupt",
		[VG_ACCESS_TRANSLATION] = "translation",
	};
	enum vg_access access;

	static_assert(ARRAY_SIZE(words) == VG_NR_ACCESSES);
	for (access = 0; access < VG_NR_ACCESSES; access++)
		KUNIT_EXPECT_STREQ(test, vg_access_name(access), words[access]);
}

static struct kunit_case decode_cases[] = {
	KUNIT_CASE(vtd_registers),
	KUNIT_CASE(vtd_status),
	KUNIT_CASE(vtd_not_there),
	KUNIT_CASE_PARAM(vtd_fault_event, message_gen_params),
	KUNIT_CASE(irte),
	KUNIT_CASE(dte_interrupts),
	KUNIT_CASE(dte_translation),
	KUNIT_CASE(amdvi_registers),
	KUNIT_CASE_PARAM(amdvi_event, message_gen_params),
	KUNIT_CASE(amdvi_masked),
	KUNIT_CASE_PARAM(vtd_fault, vtd_record_gen_params),
	KUNIT_CASE(vtd_no_fault),
	KUNIT_CASE_PARAM(amdvi_fault, amdvi_entry_gen_params),
	KUNIT_CASE(any_record),
	KUNIT_CASE(access_names),
	{}
};

static struct kunit_suite decode_suite = {
	.name = "vfio_guard_decode",
	.test_cases = decode_cases,
};

kunit_test_suite(decode_suite);
