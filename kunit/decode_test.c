// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/decode.c: registers and entries spelled out in bits. */
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
	.efr = 0x246577efa2254afa,
	.status = 0x18,
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
	{}
};

static struct kunit_suite decode_suite = {
	.name = "vfio_guard_decode",
	.test_cases = decode_cases,
};

kunit_test_suite(decode_suite);
