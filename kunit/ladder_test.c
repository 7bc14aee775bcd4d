// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/ladder.c: the ladder as a state machine. */
#include <kunit/test.h>

#include "ladder.h"

/* Where each rung leads to: past a port that may be stopped, and otherwise */
static const struct {
	u8 with_port;
	u8 without;
} expected[] = {
	[VG_RUNG_FREE] = { VG_RUNG_MASTER, VG_RUNG_MASTER },
	[VG_RUNG_MASTER] = { VG_RUNG_PORT, VG_RUNG_EXHAUSTED },
	[VG_RUNG_PORT] = { VG_RUNG_RESET, VG_RUNG_EXHAUSTED },
	[VG_RUNG_RESET] = { VG_RUNG_EXHAUSTED, VG_RUNG_EXHAUSTED },
	[VG_RUNG_EXHAUSTED] = { VG_RUNG_EXHAUSTED, VG_RUNG_EXHAUSTED },
};

static_assert(ARRAY_SIZE(expected) == VG_NR_RUNGS);

static struct vg_port_means means(unsigned int bits)
{
	return (struct vg_port_means){
		.present = bits & 1,
		.alone = bits & 2,
		.dpc = bits & 4,
	};
}

static void every_step(struct kunit *test)
{
	enum vg_rung rung, next;
	unsigned int bits;

	for (rung = 0; rung < VG_NR_RUNGS; rung++) {
		for (bits = 0; bits < 8; bits++) {
			struct vg_port_means port = means(bits);

			next = vg_ladder_next(rung, &port);
			KUNIT_EXPECT_EQ_MSG(test, next,
					    port.present && port.alone ?
						    expected[rung].with_port :
						    expected[rung].without,
					    "%s, means %#x", vg_rung_name(rung),
					    bits);
		}
	}
}

/* Whatever the means, and however they change, the ladder has an end. */
static void every_climb(struct kunit *test)
{
	unsigned int climb, step;
	enum vg_rung rung, next;

	for (climb = 0; climb < 8 * 8 * 8 * 8; climb++) {
		rung = VG_RUNG_FREE;
		for (step = 0; step < 4; step++) {
			struct vg_port_means port = means(climb >> 3 * step);

			next = vg_ladder_next(rung, &port);
			if (rung != VG_RUNG_EXHAUSTED)
				KUNIT_EXPECT_GT(test, next, rung);
			/* Others below the port never pay for this group. */
			if (!port.alone || !port.present)
				KUNIT_EXPECT_TRUE(test,
						  next != VG_RUNG_PORT &&
						  next != VG_RUNG_RESET);
			rung = next;
		}
		KUNIT_EXPECT_EQ(test, rung, VG_RUNG_EXHAUSTED);
	}
}

static void names(struct kunit *test)
{
	KUNIT_EXPECT_STREQ(test, vg_rung_name(VG_RUNG_FREE), "none");
	KUNIT_EXPECT_STREQ(test, vg_rung_name(VG_RUNG_MASTER), "bus-master");
	KUNIT_EXPECT_STREQ(test, vg_rung_name(VG_RUNG_PORT), "port");
	KUNIT_EXPECT_STREQ(test, vg_rung_name(VG_RUNG_RESET), "port-reset");
	KUNIT_EXPECT_STREQ(test, vg_rung_name(VG_RUNG_EXHAUSTED), "exhausted");
	KUNIT_EXPECT_STREQ(test, vg_cause_name(VG_CAUSE_DMA), "dma-faults");
	KUNIT_EXPECT_STREQ(test, vg_cause_name(VG_CAUSE_IRQ),
			   "interrupt-faults");
	KUNIT_EXPECT_STREQ(test, vg_cause_name(VG_CAUSE_ERROR), "pcie-errors");
}

static struct kunit_case ladder_cases[] = {
	KUNIT_CASE(every_step),
	KUNIT_CASE(every_climb),
	KUNIT_CASE(names),
	{}
};

static struct kunit_suite ladder_suite = {
	.name = "vfio_guard_ladder",
	.test_cases = ladder_cases,
};

kunit_test_suite(ladder_suite);
