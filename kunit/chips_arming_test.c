// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/chips.c: every rule applied to chips made of memory. */
#include <kunit/test.h>
#include <linux/pci_regs.h>

#include "chips.h"

#define SPACE_WORDS	1024
#define AER		0x148
#define VSEC		0x164	/* where AER's offsets begin in the stand-in */
#define DMI		0xfed18000ULL
#define NOWHERE		0xffff

/**
 * struct fake - a chip made of memory
 * @chip: as the rules see it
 * @test: the test
 * @config: its configuration space
 * @mmio: the page behind DMIBAR
 * @mmio_at: where that page is
 * @fixed_at: offset of a register that no write changes
 * @deaf_at: offset of a register that can't be read
 * @deaf_after: it can be read until something is written
 * @ones_at: offset of a register that reads as all ones
 * @refuses_at: offset of a register that writes to fail
 * @writes: how many writes there were
 */
struct fake {
	struct vg_chip chip;
	struct kunit *test;
	u32 config[SPACE_WORDS];
	u32 mmio[SPACE_WORDS];
	u64 mmio_at;
	u16 fixed_at;
	u16 deaf_at;
	bool deaf_after;
	u16 ones_at;
	u16 refuses_at;
	u32 writes;
};

/* The register behind an access, and its offset. */
static u32 *find_register(struct fake *f, enum vg_chip_space space, u64 at,
			  u16 *offset)
{
	u32 *page = f->config;

	if (space == VG_CHIP_MMIO) {
		if ((at & ~0xfffULL) != f->mmio_at)
			return NULL;
		at &= 0xfff;
		page = f->mmio;
	}
	KUNIT_ASSERT_LT(f->test, at, sizeof(f->config));
	KUNIT_ASSERT_EQ(f->test, at % 4, 0);
	*offset = at;
	return &page[at / 4];
}

static int fake_read(void *priv, enum vg_chip_space space, u64 at, u32 *val)
{
	struct fake *f = priv;
	u16 offset;
	u32 *reg = find_register(f, space, at, &offset);

	if (!reg || (offset == f->deaf_at && (!f->deaf_after || f->writes)))
		return -ENXIO;
	*val = offset == f->ones_at ? 0xffffffff : *reg;
	return 0;
}

static int fake_write(void *priv, enum vg_chip_space space, u64 at, u32 val)
{
	struct fake *f = priv;
	u16 offset;
	u32 *reg = find_register(f, space, at, &offset);

	if (!reg || offset == f->refuses_at)
		return -ENXIO;
	f->writes++;
	if (offset != f->fixed_at)
		*reg = val;
	return 0;
}

static const struct vg_chip_io fake_io = {
	.read = fake_read,
	.write = fake_write,
};

/* A chip whose registers all hold something, but no mask. */
static void fake_init(struct kunit *test, struct fake *f)
{
	size_t i;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < SPACE_WORDS; i++) {
		f->config[i] = 0x4000000 | i;
		f->mmio[i] = 0x8000000 | i;
	}
	f->config[0x68 / 4] = (u32)DMI | 1;
	f->config[0x6c / 4] = 0;
	f->config[0x1ac / 4] = 0x100;
	f->config[0x20c / 4] = 0x200;
	f->config[(AER + PCI_ERR_UNCOR_MASK) / 4] = 0x400000;
	f->config[(AER + PCI_ERR_COR_MASK) / 4] = 0x8000;
	f->config[(VSEC + PCI_ERR_UNCOR_MASK) / 4] = 0x1;
	f->config[(VSEC + PCI_ERR_COR_MASK) / 4] = 0;
	f->mmio[0x1c8 / 4] = 0x3;
	f->mmio_at = DMI;
	f->test = test;
	f->fixed_at = NOWHERE;
	f->deaf_at = NOWHERE;
	f->ones_at = NOWHERE;
	f->refuses_at = NOWHERE;
	f->chip.io = &fake_io;
	f->chip.priv = f;
	f->chip.errors = AER;
	f->chip.fw_first = VG_NO;
}

static struct fake *fake_new(struct kunit *test)
{
	struct fake *f = kunit_kmalloc(test, sizeof(*f), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, f);
	fake_init(test, f);
	return f;
}

/* One register that a family masks in. */
struct reg {
	u16 at;
	u32 bit;
};

/* A family of chips: one of its device IDs, and what XSA-59 has masked in it. */
struct family {
	const char *name;
	u16 device;
	u16 errors;
	bool mmio;
	bool error_registers;
	u8 nr;
	struct reg reg[3];
};

static const struct family families[] = {
	{ "config", 0x3728, AER, false, false, 1,
	  { { 0x1ac, 0x80000000 } } },
	{ "AER", 0x3420, AER, false, true, 3,
	  { { AER + 0x08, 0x100000 }, { AER + 0x14, 0x2000 },
	    { 0x20c, 0x10 } } },
	{ "stand-in for AER", 0x3c00, VSEC, false, true, 3,
	  { { VSEC + 0x08, 0x100000 }, { VSEC + 0x14, 0x2000 },
	    { 0x20c, 0x10 } } },
	{ "DMIBAR", 0x0150, AER, true, false, 1,
	  { { 0x1c8, 0x100000 } } },
};

static void family_desc(const struct family *family, char *desc)
{
	strscpy(desc, family->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(family, families, family_desc);

static const struct vg_chip_rule *mask_rule(u16 device)
{
	const struct vg_chip_rule *rule = NULL;

	do {
		rule = vg_chips_next(0x8086, device, rule);
	} while (rule && vg_chips_is_erratum(rule));
	return rule;
}

/* What one test of a family needs. */
struct arming {
	const struct family *family;
	const struct vg_chip_rule *rule;
	struct fake *f;
	struct fake *before;
	struct vg_chip_mask mask;
};

static struct arming *arming_new(struct kunit *test,
				 const struct family *family)
{
	struct arming *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, a);
	a->family = family;
	a->rule = mask_rule(family->device);
	KUNIT_ASSERT_NOT_NULL(test, a->rule);
	a->f = fake_new(test);
	a->before = fake_new(test);
	a->f->chip.errors = family->errors;
	return a;
}

static u32 *reg_of(struct arming *a, u8 i)
{
	u32 *page = a->family->mmio ? a->f->mmio : a->f->config;

	return &page[a->family->reg[i].at / 4];
}

static void keep(struct arming *a)
{
	memcpy(a->before, a->f, sizeof(*a->f));
}

/* All of both pages is as it was when it was kept. */
static void expect_untouched(struct kunit *test, struct arming *a)
{
	size_t i;

	for (i = 0; i < SPACE_WORDS; i++) {
		KUNIT_EXPECT_EQ_MSG(test, a->f->config[i],
				    a->before->config[i], "config %#zx", 4 * i);
		KUNIT_EXPECT_EQ_MSG(test, a->f->mmio[i], a->before->mmio[i],
				    "mmio %#zx", 4 * i);
	}
}

static void arm(struct kunit *test, struct arming *a, bool writes,
		enum vg_mask_state state)
{
	KUNIT_EXPECT_EQ(test, vg_chips_arm(&a->f->chip, a->rule, &a->mask),
			writes);
	KUNIT_EXPECT_STREQ(test, vg_mask_name(a->mask.state),
			   vg_mask_name(state));
}

static void restore(struct kunit *test, struct arming *a, bool all)
{
	KUNIT_EXPECT_EQ(test, vg_chips_restore(&a->f->chip, a->rule, &a->mask),
			all);
}

/* Looking changes nothing; arming sets the masks and nothing else. */
static void arm_and_restore(struct kunit *test)
{
	struct arming *a = arming_new(test, test->param_value);
	u8 i;

	vg_chips_look(&a->f->chip, a->rule, &a->mask);
	KUNIT_EXPECT_EQ(test, a->mask.state, VG_MASK_OFF);
	KUNIT_EXPECT_EQ(test, a->mask.nr, a->family->nr);
	for (i = 0; i < a->family->nr; i++)
		KUNIT_EXPECT_EQ(test, a->mask.word[i].lacks,
				a->family->reg[i].bit);
	KUNIT_EXPECT_EQ(test, a->f->writes, 0);

	arm(test, a, true, VG_MASK_SET);
	KUNIT_EXPECT_EQ(test, a->f->writes, a->family->nr);
	for (i = 0; i < a->family->nr; i++) {
		KUNIT_EXPECT_EQ(test, a->mask.word[i].lacks, 0);
		KUNIT_EXPECT_TRUE(test, *reg_of(a, i) & a->family->reg[i].bit);
		*reg_of(a, i) &= ~a->family->reg[i].bit;
	}
	expect_untouched(test, a);
	for (i = 0; i < a->family->nr; i++)
		*reg_of(a, i) |= a->family->reg[i].bit;

	/* Once more, as at the next open */
	arm(test, a, false, VG_MASK_SET);
	KUNIT_EXPECT_EQ(test, a->f->writes, a->family->nr);

	restore(test, a, true);
	expect_untouched(test, a);
	/* Twice is once. */
	restore(test, a, true);
	expect_untouched(test, a);
	KUNIT_EXPECT_EQ(test, a->f->writes, 2 * a->family->nr);
}

/* What was in force before is neither written nor taken back. */
static void found(struct kunit *test)
{
	struct arming *a = arming_new(test, test->param_value);
	u8 i;

	for (i = 0; i < a->family->nr; i++)
		*reg_of(a, i) |= a->family->reg[i].bit;
	keep(a);
	arm(test, a, false, VG_MASK_FOUND);
	restore(test, a, true);
	KUNIT_EXPECT_EQ(test, a->f->writes, 0);
	expect_untouched(test, a);
}

/* Each register in turn was in force before: only the others are ours. */
static void partly_found(struct kunit *test)
{
	const struct family *family = test->param_value;
	u8 i;

	for (i = 0; i < family->nr && family->nr > 1; i++) {
		struct arming *a = arming_new(test, family);

		*reg_of(a, i) |= family->reg[i].bit;
		keep(a);
		arm(test, a, true, VG_MASK_SET);
		KUNIT_EXPECT_EQ(test, a->f->writes, family->nr - 1);
		restore(test, a, true);
		expect_untouched(test, a);
	}
}

/* Each register in turn does not take it: the others are armed, and restored. */
static void loose(struct kunit *test)
{
	const struct family *family = test->param_value;
	u8 i, j;

	for (i = 0; i < family->nr; i++) {
		struct arming *a = arming_new(test, family);

		a->f->fixed_at = family->reg[i].at;
		arm(test, a, true, VG_MASK_LOOSE);
		for (j = 0; j < family->nr; j++) {
			u32 bit = family->reg[j].bit;

			KUNIT_EXPECT_EQ(test, a->mask.word[j].lacks,
					i == j ? bit : 0);
			KUNIT_EXPECT_EQ(test, a->mask.word[j].ours,
					i == j ? 0 : bit);
		}
		/* It is tried again each time, in case it takes it then. */
		arm(test, a, true, VG_MASK_LOOSE);
		restore(test, a, true);
		expect_untouched(test, a);

		a->f->fixed_at = NOWHERE;
		arm(test, a, true, VG_MASK_SET);
		restore(test, a, true);
		expect_untouched(test, a);
	}
}

/* Each register in turn can't be written at all. */
static void write_fails(struct kunit *test)
{
	const struct family *family = test->param_value;
	u8 i;

	for (i = 0; i < family->nr; i++) {
		struct arming *a = arming_new(test, family);

		a->f->refuses_at = family->reg[i].at;
		arm(test, a, true, VG_MASK_LOOSE);
		KUNIT_EXPECT_EQ(test, a->mask.word[i].ours, 0);
		restore(test, a, true);
		expect_untouched(test, a);
	}
}

/* Each register in turn can't be read: then none is written. */
static void unreadable(struct kunit *test)
{
	const struct family *family = test->param_value;
	u8 i;

	for (i = 0; i < family->nr; i++) {
		struct arming *a = arming_new(test, family);

		a->f->deaf_at = family->reg[i].at;
		arm(test, a, false, VG_MASK_UNREAD);
		a->f->deaf_at = NOWHERE;
		a->f->ones_at = family->reg[i].at;
		arm(test, a, false, VG_MASK_UNREAD);
		KUNIT_EXPECT_EQ(test, a->f->writes, 0);
		restore(test, a, true);
		expect_untouched(test, a);
	}
}

/* Each register in turn goes silent once it was written. */
static void not_verifiable(struct kunit *test)
{
	const struct family *family = test->param_value;
	u8 i;

	for (i = 0; i < family->nr; i++) {
		struct arming *a = arming_new(test, family);
		u8 others = family->nr - 1 - i;

		a->f->deaf_at = family->reg[i].at;
		a->f->deaf_after = true;
		/* A register before it was written already. */
		arm(test, a, true, VG_MASK_LOOSE);
		KUNIT_EXPECT_EQ(test, a->mask.word[i].lacks,
				family->reg[i].bit);
		if (others)
			KUNIT_EXPECT_EQ(test, a->mask.word[family->nr - 1].lacks,
					0);
		/* It can't be restored either while it is silent. */
		restore(test, a, i > 0);
		a->f->deaf_at = NOWHERE;
		restore(test, a, true);
		expect_untouched(test, a);
	}
}

/* Where firmware owns the error registers, or may own them, none is written. */
static void firmware_owned(struct kunit *test)
{
	static const u8 answers[] = { VG_YES, VG_UNKNOWN };
	const struct family *family = test->param_value;
	size_t n;
	u8 i;

	for (n = 0; n < ARRAY_SIZE(answers); n++) {
		struct arming *a = arming_new(test, family);

		a->f->chip.fw_first = answers[n];
		if (!family->error_registers) {
			arm(test, a, true, VG_MASK_SET);
			restore(test, a, true);
			expect_untouched(test, a);
			continue;
		}
		arm(test, a, false, VG_MASK_FIRMWARE);
		restore(test, a, true);
		KUNIT_EXPECT_EQ(test, a->f->writes, 0);
		expect_untouched(test, a);
		/* Firmware did it itself. */
		for (i = 0; i < family->nr; i++)
			*reg_of(a, i) |= family->reg[i].bit;
		arm(test, a, false, VG_MASK_FOUND);
		KUNIT_EXPECT_EQ(test, a->f->writes, 0);
	}
}

/* Cleared by somebody else, and set by us again: still ours to take back. */
static void lost(struct kunit *test)
{
	struct arming *a = arming_new(test, test->param_value);
	u8 i;

	arm(test, a, true, VG_MASK_SET);
	for (i = 0; i < a->family->nr; i++) {
		*reg_of(a, i) &= ~a->family->reg[i].bit;
		vg_chips_look(&a->f->chip, a->rule, &a->mask);
		KUNIT_EXPECT_EQ(test, a->mask.state, VG_MASK_OFF);
		arm(test, a, true, VG_MASK_SET);
	}
	KUNIT_EXPECT_EQ(test, a->f->writes, 2 * a->family->nr);
	restore(test, a, true);
	expect_untouched(test, a);
}

/* Bits of others beside ours stay as they are now. */
static void changed_beside(struct kunit *test)
{
	struct arming *a = arming_new(test, test->param_value);
	u8 i;

	arm(test, a, true, VG_MASK_SET);
	for (i = 0; i < a->family->nr; i++)
		*reg_of(a, i) ^= 0x3;
	keep(a);
	restore(test, a, true);
	for (i = 0; i < a->family->nr; i++)
		*reg_of(a, i) |= a->family->reg[i].bit;
	expect_untouched(test, a);
}

/* Somebody else cleared what was ours: nothing is left to do. */
static void cleared_by_others(struct kunit *test)
{
	struct arming *a = arming_new(test, test->param_value);
	u8 i;

	arm(test, a, true, VG_MASK_SET);
	for (i = 0; i < a->family->nr; i++)
		*reg_of(a, i) &= ~a->family->reg[i].bit;
	keep(a);
	a->f->writes = 0;
	restore(test, a, true);
	KUNIT_EXPECT_EQ(test, a->f->writes, 0);
	expect_untouched(test, a);
}

/* A register that takes the mask and does not let it go again */
static void sticks_too_well(struct kunit *test)
{
	const struct family *family = test->param_value;
	u8 i;

	for (i = 0; i < family->nr; i++) {
		struct arming *a = arming_new(test, family);

		arm(test, a, true, VG_MASK_SET);
		a->f->fixed_at = family->reg[i].at;
		restore(test, a, false);
		*reg_of(a, i) &= ~family->reg[i].bit;
		expect_untouched(test, a);
	}
}

/* Neither AER nor its stand-in: nothing is written, not even the rest. */
static void no_error_registers(struct kunit *test)
{
	struct arming *a = arming_new(test, &families[1]);

	a->f->chip.errors = 0;
	arm(test, a, false, VG_MASK_ABSENT);
	KUNIT_EXPECT_EQ(test, a->f->writes, 0);
	expect_untouched(test, a);
}

static struct arming *dmibar_new(struct kunit *test)
{
	return arming_new(test, &families[3]);
}

static void dmibar_closed(struct kunit *test)
{
	struct arming *a = dmibar_new(test);

	a->f->config[0x68 / 4] &= ~1;
	keep(a);
	arm(test, a, false, VG_MASK_CLOSED);
	/* Enabled, and set to nothing: bits outside the address don't count. */
	a->f->config[0x68 / 4] = 0xfff;
	a->f->config[0x6c / 4] = 0xffffff80;
	keep(a);
	arm(test, a, false, VG_MASK_CLOSED);
	KUNIT_EXPECT_EQ(test, a->f->writes, 0);
	expect_untouched(test, a);
}

static void dmibar_unreadable(struct kunit *test)
{
	static const u16 regs[] = { 0x68, 0x6c };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++) {
		struct arming *a = dmibar_new(test);

		a->f->deaf_at = regs[i];
		arm(test, a, false, VG_MASK_UNREAD);
		a->f->deaf_at = NOWHERE;
		a->f->ones_at = regs[i];
		arm(test, a, false, VG_MASK_UNREAD);
		KUNIT_EXPECT_EQ(test, a->f->writes, 0);
	}
}

/* All of the address counts, bits 38:12, and only these. */
static void dmibar_high(struct kunit *test)
{
	struct arming *a = dmibar_new(test);

	a->f->mmio_at = 0x7f00001000ULL;
	a->f->config[0x68 / 4] = 0x00001fff;
	a->f->config[0x6c / 4] = 0x0fffff7f;
	keep(a);
	arm(test, a, true, VG_MASK_SET);
	KUNIT_EXPECT_EQ(test, a->mask.word[0].at, 0x7f000011c8ULL);
	restore(test, a, true);
	expect_untouched(test, a);
}

/* What was armed elsewhere is not followed there, and not restored here. */
static void dmibar_moved(struct kunit *test)
{
	struct arming *a = dmibar_new(test);

	arm(test, a, true, VG_MASK_SET);
	a->f->config[0x68 / 4] = 0xfed20001;
	a->f->mmio_at = 0xfed20000;
	keep(a);
	restore(test, a, false);
	expect_untouched(test, a);
	KUNIT_EXPECT_EQ(test, a->f->writes, 1);
}

/* The next arming is about the new place: what was in force there stays so. */
static void dmibar_moved_armed(struct kunit *test)
{
	struct arming *a = dmibar_new(test);

	arm(test, a, true, VG_MASK_SET);
	a->f->config[0x68 / 4] = 0xfed20001;
	a->f->mmio_at = 0xfed20000;
	keep(a);
	arm(test, a, false, VG_MASK_FOUND);
	restore(test, a, true);
	expect_untouched(test, a);
}

static void dmibar_shut_meanwhile(struct kunit *test)
{
	struct arming *a = dmibar_new(test);

	arm(test, a, true, VG_MASK_SET);
	a->f->config[0x68 / 4] &= ~1;
	restore(test, a, false);
	a->f->config[0x68 / 4] |= 1;
	restore(test, a, true);
	expect_untouched(test, a);
}

/* Every ID in the table, not only one of each family. */
static void every_chip(struct kunit *test)
{
	struct arming *a = arming_new(test, &families[0]);
	u32 id, chips = 0;

	for (id = 0; id <= 0xffff; id++) {
		a->rule = mask_rule(id);
		if (!a->rule)
			continue;
		chips++;
		fake_init(test, a->f);
		keep(a);
		memset(&a->mask, 0, sizeof(a->mask));
		arm(test, a, true, VG_MASK_SET);
		KUNIT_EXPECT_EQ(test, a->f->writes,
				a->rule->kind == VG_CHIP_MASK_UR ? 3 : 1);
		restore(test, a, true);
		expect_untouched(test, a);
	}
	/* XSA-59's list and its additions */
	KUNIT_EXPECT_EQ(test, chips, 4 + 18 + 2 + 16 + 5 + 12 + 36);
}

static const struct vg_chip_rule *erratum(u16 vendor, u16 device)
{
	const struct vg_chip_rule *rule = vg_chips_next(vendor, device, NULL);

	return rule && vg_chips_is_erratum(rule) ? rule : NULL;
}

static void errata_by_revision(struct kunit *test)
{
	static const struct {
		u16 device;
		u8 revision;
		enum vg_answer broken;
	} chips[] = {
		{ 0x3403, 0x00, VG_YES }, { 0x3403, 0x21, VG_YES },
		{ 0x3403, 0x22, VG_NO }, { 0x3406, 0x13, VG_YES },
		{ 0x3406, 0x21, VG_YES }, { 0x3406, 0x22, VG_NO },
		{ 0x3405, 0x00, VG_YES }, { 0x3405, 0x22, VG_YES },
		{ 0x3405, 0xfe, VG_YES },
	};
	struct fake *f = fake_new(test);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(chips); i++) {
		const struct vg_chip_rule *rule = erratum(0x8086,
							  chips[i].device);

		KUNIT_ASSERT_NOT_NULL(test, rule);
		f->chip.revision = chips[i].revision;
		KUNIT_EXPECT_EQ_MSG(test, vg_chips_broken(&f->chip, rule),
				    chips[i].broken, "8086:%04x rev %02x",
				    chips[i].device, chips[i].revision);
	}
	KUNIT_EXPECT_EQ(test, f->writes, 0);
}

/* SP5100 erratum 28: bit 3 of the byte at 0xad */
static void errata_by_bit(struct kunit *test)
{
	const struct vg_chip_rule *rule = erratum(0x1002, 0x4385);
	struct fake *f = fake_new(test);

	KUNIT_ASSERT_NOT_NULL(test, rule);
	f->config[0xac / 4] = 0xfffff7ff;
	KUNIT_EXPECT_EQ(test, vg_chips_broken(&f->chip, rule), VG_NO);
	f->config[0xac / 4] = 0x00000800;
	KUNIT_EXPECT_EQ(test, vg_chips_broken(&f->chip, rule), VG_YES);
	f->ones_at = 0xac;
	KUNIT_EXPECT_EQ(test, vg_chips_broken(&f->chip, rule), VG_UNKNOWN);
	f->deaf_at = 0xac;
	KUNIT_EXPECT_EQ(test, vg_chips_broken(&f->chip, rule), VG_UNKNOWN);
	KUNIT_EXPECT_EQ(test, f->writes, 0);
}

static void states(struct kunit *test)
{
	static const struct {
		const char *name;
		enum vg_answer in_force;
	} known[] = {
		[VG_MASK_UNREAD] = { "unreadable", VG_UNKNOWN },
		[VG_MASK_CLOSED] = { "closed", VG_UNKNOWN },
		[VG_MASK_ABSENT] = { "absent", VG_NO },
		[VG_MASK_OFF] = { "off", VG_NO },
		[VG_MASK_FIRMWARE] = { "firmware", VG_NO },
		[VG_MASK_LOOSE] = { "loose", VG_NO },
		[VG_MASK_FOUND] = { "found", VG_YES },
		[VG_MASK_SET] = { "set", VG_YES },
		[VG_MASK_UNLISTED] = { "unlisted", VG_NA },
	};
	int i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(known), VG_NR_MASKS);
	for (i = 0; i < VG_NR_MASKS; i++) {
		KUNIT_EXPECT_STREQ(test, vg_mask_name(i), known[i].name);
		KUNIT_EXPECT_EQ(test, vg_mask_in_force(i), known[i].in_force);
	}
}

static void root_complex(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, vg_chips_wants_rule(0x8086, 0, 0));
	KUNIT_EXPECT_FALSE(test, vg_chips_wants_rule(0x1022, 0, 0));
	KUNIT_EXPECT_FALSE(test, vg_chips_wants_rule(0x8086, 1, 0));
	KUNIT_EXPECT_FALSE(test, vg_chips_wants_rule(0x8086, 0,
						     VG_RID(0, 8)));
	KUNIT_EXPECT_FALSE(test, vg_chips_wants_rule(0x8086, 0,
						     VG_RID(1, 0)));
}

static struct kunit_case arming_cases[] = {
	KUNIT_CASE_PARAM(arm_and_restore, family_gen_params),
	KUNIT_CASE_PARAM(found, family_gen_params),
	KUNIT_CASE_PARAM(partly_found, family_gen_params),
	KUNIT_CASE_PARAM(loose, family_gen_params),
	KUNIT_CASE_PARAM(write_fails, family_gen_params),
	KUNIT_CASE_PARAM(unreadable, family_gen_params),
	KUNIT_CASE_PARAM(not_verifiable, family_gen_params),
	KUNIT_CASE_PARAM(firmware_owned, family_gen_params),
	KUNIT_CASE_PARAM(lost, family_gen_params),
	KUNIT_CASE_PARAM(changed_beside, family_gen_params),
	KUNIT_CASE_PARAM(cleared_by_others, family_gen_params),
	KUNIT_CASE_PARAM(sticks_too_well, family_gen_params),
	KUNIT_CASE(no_error_registers),
	KUNIT_CASE(dmibar_closed),
	KUNIT_CASE(dmibar_unreadable),
	KUNIT_CASE(dmibar_high),
	KUNIT_CASE(dmibar_moved),
	KUNIT_CASE(dmibar_moved_armed),
	KUNIT_CASE(dmibar_shut_meanwhile),
	KUNIT_CASE(every_chip),
	KUNIT_CASE(errata_by_revision),
	KUNIT_CASE(errata_by_bit),
	KUNIT_CASE(states),
	KUNIT_CASE(root_complex),
	{}
};

static struct kunit_suite arming_suite = {
	.name = "vfio_guard_arming",
	.test_cases = arming_cases,
};

kunit_test_suite(arming_suite);
