// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/chips.c: the table against published ID lists. */
#include <kunit/test.h>

#include "chips.h"

/* What is known of a chip; rules for it are expected in this order. */
struct chip {
	u16 vendor;
	u16 device;
	u8 nr;
	struct {
		u8 kind;
		u16 reg;
		u8 arg;
	} rule[2];
};

#define UR { VG_CHIP_MASK_UR, 0x20c, 4 }
#define CONFIG { VG_CHIP_MASK_CONFIG, 0x1ac, 31 }

static const struct chip known[] = {
	{ 0x8086, 0x3403, 2, { { VG_CHIP_BROKEN_BELOW_REV, 0, 0x22 }, UR } },
	{ 0x8086, 0x3405, 2, { { VG_CHIP_BROKEN_BELOW_REV, 0, 0xff }, UR } },
	{ 0x8086, 0x3406, 2, { { VG_CHIP_BROKEN_BELOW_REV, 0, 0x22 }, UR } },
	{ 0x1002, 0x4385, 1, { { VG_CHIP_BROKEN_IF_SET, 0xad, 3 } } },
	{ 0x8086, 0x0e28, 1, { CONFIG } },
	{ 0x8086, 0x342e, 1, { CONFIG } },
	{ 0x8086, 0x3728, 1, { CONFIG } },
	{ 0x8086, 0x3c28, 1, { CONFIG } },
	{ 0x8086, 0x3400, 1, { UR } },
	{ 0x8086, 0x3407, 1, { UR } },
	{ 0x8086, 0x3408, 1, { UR } },
	{ 0x8086, 0x3411, 1, { UR } },
	{ 0x8086, 0x3420, 1, { UR } },
	{ 0x8086, 0x3421, 1, { UR } },
	{ 0x8086, 0x3700, 1, { UR } },
	{ 0x8086, 0x370f, 1, { UR } },
	{ 0x8086, 0x3720, 1, { UR } },
	{ 0x8086, 0x3724, 1, { UR } },
	{ 0x8086, 0x3c00, 1, { UR } },
	{ 0x8086, 0x3c0b, 1, { UR } },
	/* Neighbours and strangers */
	{ 0x8086, 0x33ff, 0 },
	{ 0x8086, 0x3412, 0 },
	{ 0x8086, 0x341f, 0 },
	{ 0x8086, 0x3422, 0 },
	{ 0x8086, 0x36ff, 0 },
	{ 0x8086, 0x3710, 0 },
	{ 0x8086, 0x371f, 0 },
	{ 0x8086, 0x3725, 0 },
	{ 0x8086, 0x3bff, 0 },
	{ 0x8086, 0x3c0c, 0 },
	{ 0x8086, 0x29c0, 0 },
	{ 0x8086, 0x4385, 0 },
	{ 0x1002, 0x3403, 0 },
	{ 0x1022, 0x1450, 0 },
	{ 0x0000, 0x0000, 0 },
	{ 0xffff, 0xffff, 0 },
};

/* Host bridges whose DMIBAR holds the mask (XSA-59) */
static const u16 dmibar[] = {
	0x0040, 0x0044, 0x0048,
	0x0100, 0x0104, 0x0108,
	0x0150, 0x0154, 0x0158,
	0x0a00, 0x0a04, 0x0a08, 0x0a0f,
	0x0c00, 0x0c04, 0x0c08, 0x0c0f,
	0x0d00, 0x0d04, 0x0d08, 0x0d0f,
	0x1600, 0x1604, 0x1608, 0x160f,
	0x1610, 0x1614, 0x1618,
	0x1900, 0x1904, 0x1908, 0x190c, 0x190f,
	0x1910, 0x1918, 0x191f,
};

static void chip_desc(const struct chip *chip, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%04x:%04x", chip->vendor,
		 chip->device);
}

KUNIT_ARRAY_PARAM(chip, known, chip_desc);

static void known_chip(struct kunit *test)
{
	const struct chip *chip = test->param_value;
	const struct vg_chip_rule *rule = NULL;
	int i;

	for (i = 0; i < chip->nr; i++) {
		rule = vg_chips_next(chip->vendor, chip->device, rule);
		KUNIT_ASSERT_NOT_NULL(test, rule);
		KUNIT_EXPECT_EQ(test, rule->kind, chip->rule[i].kind);
		KUNIT_EXPECT_EQ(test, rule->reg, chip->rule[i].reg);
		KUNIT_EXPECT_EQ(test, rule->arg, chip->rule[i].arg);
		KUNIT_EXPECT_EQ(test, vg_chips_is_erratum(rule),
				rule->kind == VG_CHIP_BROKEN_BELOW_REV ||
				rule->kind == VG_CHIP_BROKEN_IF_SET);
	}
	KUNIT_EXPECT_NULL(test, vg_chips_next(chip->vendor, chip->device,
					      rule));
}

/* All of Intel's IDs: those listed have the DMIBAR rule, the others don't. */
static void dmibar_chips(struct kunit *test)
{
	const struct vg_chip_rule *rule;
	size_t next = 0;
	u32 id;

	for (id = 0; id <= 0xffff; id++) {
		bool listed = next < ARRAY_SIZE(dmibar) && dmibar[next] == id;
		bool found = false;

		next += listed;
		for (rule = vg_chips_next(0x8086, id, NULL); rule;
		     rule = vg_chips_next(0x8086, id, rule)) {
			if (rule->kind != VG_CHIP_MASK_DMIBAR)
				continue;
			found = true;
			KUNIT_EXPECT_EQ(test, rule->reg, 0x1c8);
			KUNIT_EXPECT_EQ(test, rule->arg, 20);
			KUNIT_EXPECT_FALSE(test, vg_chips_is_erratum(rule));
		}
		KUNIT_EXPECT_EQ_MSG(test, found, listed, "8086:%04x", id);
	}
	KUNIT_EXPECT_EQ(test, next, ARRAY_SIZE(dmibar));
}

/* The walk over any chip's rules ends, and every rule on it is complete. */
static void every_rule(struct kunit *test)
{
	static const u16 vendors[] = { 0x8086, 0x1002 };
	const struct vg_chip_rule *rule;
	size_t v;
	u32 id;

	for (v = 0; v < ARRAY_SIZE(vendors); v++) {
		for (id = 0; id <= 0xffff; id++) {
			int steps = 0;

			for (rule = vg_chips_next(vendors[v], id, NULL); rule;
			     rule = vg_chips_next(vendors[v], id, rule)) {
				KUNIT_ASSERT_LT(test, steps++, 8);
				KUNIT_EXPECT_NOT_NULL(test, rule->name);
				KUNIT_EXPECT_EQ(test, rule->vendor,
						vendors[v]);
				KUNIT_EXPECT_TRUE(test, rule->first <= id &&
						  id <= rule->last);
				/* Bits are of a byte or of a dword. */
				if (rule->kind == VG_CHIP_BROKEN_IF_SET)
					KUNIT_EXPECT_LT(test, rule->arg, 8);
				else if (!vg_chips_is_erratum(rule))
					KUNIT_EXPECT_LT(test, rule->arg, 32);
			}
		}
	}
}

static struct kunit_case chips_cases[] = {
	KUNIT_CASE_PARAM(known_chip, chip_gen_params),
	KUNIT_CASE(dmibar_chips),
	KUNIT_CASE(every_rule),
	{}
};

static struct kunit_suite chips_suite = {
	.name = "vfio_guard_chips",
	.test_cases = chips_cases,
};

kunit_test_suite(chips_suite);
