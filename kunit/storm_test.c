// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/storm.c: buckets over simulated time. */
#include <kunit/test.h>
#include <linux/math.h>
#include <linux/prandom.h>
#include <linux/time64.h>

#include "storm.h"

/* The defaults */
static const struct vg_storm_limit dma = { 10, 10 * USEC_PER_MSEC };
static const struct vg_storm_limit irq = { 2, USEC_PER_SEC };

/* A half-life that is 2^10 of the bucket's units of time */
static const struct vg_storm_limit even = { 10, 16778 };
#define EVEN_NS		BIT_ULL(24)

/* Moments at which some counter or other comes round a moment later */
static const u64 epochs[] = {
	0, 1, NSEC_PER_SEC, BIT_ULL(56) - NSEC_PER_MSEC, BIT_ULL(56),
	BIT_ULL(63) - NSEC_PER_MSEC, U64_MAX - NSEC_PER_MSEC,
};

static u64 half_life_ns(const struct vg_storm_limit *limit)
{
	return (u64)limit->half_life_us * NSEC_PER_USEC;
}

static void burst_to(struct kunit *test, const struct vg_storm_limit *limit,
		     u64 now)
{
	u64 bucket = 0;
	u32 n;

	for (n = 1; n <= limit->limit + 5; n++) {
		bucket = vg_storm_add(bucket, now, 1, limit);
		KUNIT_EXPECT_EQ_MSG(test, vg_storm_is_over(bucket, limit),
				    n >= limit->limit, "fault %u of %u", n,
				    limit->limit);
		KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now, limit), n);
		/* Close enough for no more than half a fault to leak out */
		now += half_life_ns(limit) / 8 / (limit->limit + 5) /
		       (limit->limit + 5);
	}
}

/* The limit-th fault of a burst is one too many, the one before is not. */
static void burst(struct kunit *test)
{
	static const u32 limits[] = { 1, 2, 3, 10, 100 };
	struct vg_storm_limit limit = dma;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		for (j = 0; j < ARRAY_SIZE(epochs); j++) {
			limit.limit = limits[i];
			burst_to(test, &limit, epochs[j]);
		}
	}
}

/* Faults that were read from the hardware together count one by one, too. */
static void many_at_once(struct kunit *test)
{
	struct vg_storm_limit most = { VG_STORM_LIMIT_MAX, 1000 };
	u64 bucket;

	bucket = vg_storm_add(0, 1, 9, &dma);
	KUNIT_EXPECT_FALSE(test, vg_storm_is_over(bucket, &dma));
	bucket = vg_storm_add(0, 1, 10, &dma);
	KUNIT_EXPECT_TRUE(test, vg_storm_is_over(bucket, &dma));

	bucket = vg_storm_add(0, 1, VG_STORM_LIMIT_MAX - 1, &most);
	KUNIT_EXPECT_FALSE(test, vg_storm_is_over(bucket, &most));
	bucket = vg_storm_add(bucket, 1, 1, &most);
	KUNIT_EXPECT_TRUE(test, vg_storm_is_over(bucket, &most));

	/* None at all change nothing. */
	KUNIT_EXPECT_EQ(test, vg_storm_add(bucket, 1, 0, &most), bucket);
}

static void saturation(struct kunit *test)
{
	u64 now = NSEC_PER_SEC;
	u64 bucket = vg_storm_add(0, now, U32_MAX, &dma);
	int i;

	for (i = 0; i < 1000; i++) {
		KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now, &dma), 1024);
		KUNIT_EXPECT_TRUE(test, vg_storm_is_over(bucket, &dma));
		bucket = vg_storm_add(bucket, now, i % 2 ? 1 : U32_MAX, &dma);
	}
	/* The flood is forgotten ten half-lives and some later. */
	now += 12 * half_life_ns(&dma);
	KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now, &dma), 0);
}

/* What a driver's unbind or a guest's reboot leaves behind does no harm. */
static void lone_faults(struct kunit *test)
{
	u64 now, bucket;
	int i;

	/* One every other half-life, for ever */
	bucket = 0;
	for (i = 0, now = 0; i < 10000; i++, now += 2 * half_life_ns(&irq)) {
		bucket = vg_storm_add(bucket, now, 1, &irq);
		KUNIT_EXPECT_FALSE(test, vg_storm_is_over(bucket, &irq));
	}
	/* Nine at once, and again when they are forgotten */
	bucket = 0;
	for (i = 0, now = 0; i < 10000; i++, now += 6 * half_life_ns(&dma)) {
		bucket = vg_storm_add(bucket, now, 9, &dma);
		KUNIT_EXPECT_FALSE(test, vg_storm_is_over(bucket, &dma));
	}
}

/* The documented threshold: a second interrupt fault within a half-life */
static void two_interrupts(struct kunit *test)
{
	static const struct {
		u32 gap_ms;
		bool over;
	} cases[] = {
		{ 0, true }, { 500, true }, { 990, true },
		{ 1010, false }, { 5000, false },
	};
	u64 first = 5ULL * NSEC_PER_SEC, second, bucket;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		second = first + (u64)cases[i].gap_ms * NSEC_PER_MSEC;
		bucket = vg_storm_add(0, first, 1, &irq);
		KUNIT_EXPECT_FALSE(test, vg_storm_is_over(bucket, &irq));
		bucket = vg_storm_add(bucket, second, 1, &irq);
		KUNIT_EXPECT_EQ_MSG(test, vg_storm_is_over(bucket, &irq),
				    cases[i].over, "%u ms", cases[i].gap_ms);
	}
}

static void empty(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		KUNIT_EXPECT_EQ(test, vg_storm_level(0, epochs[i], &dma), 0);
		KUNIT_EXPECT_EQ(test,
				vg_storm_level(vg_storm_add(0, epochs[i], 1,
							    &dma),
					       epochs[i], &dma), 1);
	}
	KUNIT_EXPECT_FALSE(test, vg_storm_is_over(0, &dma));
}

/*
 * 2^-(@num/2^@shift) in 1/2^32, by square roots: nothing that the code under
 * test computes with.
 */
static u64 power(u64 num, unsigned int shift)
{
	u64 factor = BIT_ULL(31), result = BIT_ULL(32);
	u64 whole = num >> shift;

	if (whole >= 32)
		return 0;
	while (shift--) {
		factor = int_sqrt64(factor << 32);
		if (num & BIT_ULL(shift))
			result = result * factor >> 32;
	}
	return result >> whole;
}

static void whole_half_lives(struct kunit *test)
{
	size_t i;
	u64 now, bucket;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		now = epochs[i];
		bucket = vg_storm_add(0, now, 512, &even);
		for (n = 0; n < 10; n++)
			KUNIT_EXPECT_EQ(test,
					vg_storm_level(bucket, now + n * EVEN_NS,
						       &even), 512 >> n);
		/* One half left counts as one, a quarter as none. */
		KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now + 10 * EVEN_NS,
						     &even), 1);
		for (n = 11; n < 1000; n++)
			KUNIT_EXPECT_EQ(test,
					vg_storm_level(bucket, now + n * EVEN_NS,
						       &even), 0);
	}
}

/* In between: never above what 2^-x says, nor 1 per cent below. */
static void parts_of_half_lives(struct kunit *test)
{
	u64 bucket = vg_storm_add(0, 0, 1000, &even);
	u64 level, exact, n;

	for (n = 0; n <= 4 * 64; n++) {
		exact = 1000 * power(n, 6);
		level = vg_storm_level(bucket, n * EVEN_NS / 64, &even);
		KUNIT_EXPECT_LE_MSG(test, level << 32, exact + BIT_ULL(32),
				    "%llu/64", n);
		KUNIT_EXPECT_GE_MSG(test, (level + 1) << 32,
				    exact - exact / 100, "%llu/64", n);
	}
}

/* However often it is computed anew, the half-life is no more than 2.3 % off. */
static void many_steps(struct kunit *test)
{
	static const unsigned int steps[] = { 1, 2, 3, 5, 8, 20, 100, 1000 };
	u64 bucket, n;
	size_t i;
	u32 level;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		bucket = vg_storm_add(0, 0, 1000, &even);
		for (n = 1; n <= 3 * steps[i]; n++)
			bucket = vg_storm_add(bucket, n * EVEN_NS / steps[i], 0,
					      &even);
		level = vg_storm_level(bucket, 3 * EVEN_NS, &even);
		/* 1000 * 2^-3 and 1000 * 2^-(3 * 1.023), less what calls drop */
		KUNIT_EXPECT_LE_MSG(test, level, 125, "%u steps", steps[i]);
		KUNIT_EXPECT_GE_MSG(test, level, 118, "%u steps", steps[i]);
	}
}

/* A half-life shorter than the bucket can tell, and one of over an hour */
static void odd_half_lives(struct kunit *test)
{
	struct vg_storm_limit none = { 10, 0 }, longest = { 10, U32_MAX };
	u64 now = NSEC_PER_SEC, bucket;

	bucket = vg_storm_add(0, now, 1000, &none);
	KUNIT_EXPECT_TRUE(test, vg_storm_is_over(bucket, &none));
	KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now, &none), 1000);
	KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now + NSEC_PER_MSEC,
					     &none), 0);

	bucket = vg_storm_add(0, now, 1000, &longest);
	KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now + NSEC_PER_MSEC,
					     &longest), 1000);
	now += half_life_ns(&longest);
	KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now, &longest), 500);
}

/* A burst that two CPUs see, one of which has a clock behind the other's */
static void clock_behind(struct kunit *test)
{
	u64 bucket, now;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		now = epochs[i] + 2 * NSEC_PER_SEC;
		bucket = vg_storm_add(0, now, 500, &even);
		bucket = vg_storm_add(bucket, now - NSEC_PER_MSEC, 499, &even);
		KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now - NSEC_PER_SEC,
						     &even), 999);
		bucket = vg_storm_add(bucket, now - NSEC_PER_SEC, 1, &even);
		/* It didn't turn back the bucket's. */
		KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now, &even), 1000);
		KUNIT_EXPECT_EQ(test, vg_storm_level(bucket, now + EVEN_NS,
						     &even), 500);
	}
}

/* A bucket may stand for two years, and nothing comes back to life. */
static void left_standing(struct kunit *test)
{
	u64 bucket, now;
	u32 level;
	size_t i;
	int bit;

	for (i = 0; i < ARRAY_SIZE(epochs); i++) {
		now = epochs[i];
		bucket = vg_storm_add(0, now, 1000, &dma);
		for (bit = 28; bit < 56; bit++) {
			level = vg_storm_level(bucket, now + BIT_ULL(bit), &dma);
			KUNIT_EXPECT_EQ_MSG(test, level, 0, "2^%d ns", bit);
		}
		KUNIT_EXPECT_EQ(test,
				vg_storm_level(bucket, now + BIT_ULL(56) -
					       2 * NSEC_PER_SEC, &dma), 0);
	}
}

/* What a simulated device is like */
enum device_kind {
	DEVICE_QUIET,	/* faults two to ten half-lives apart */
	DEVICE_BURSTS,	/* nine faults, then a pause */
	DEVICE_STORM,	/* faults up to 0.1 ms apart */
	DEVICE_RANDOM,	/* up to half a half-life apart */
	NR_DEVICE_KINDS,
};

struct device_sim {
	u64 bucket;
	u64 now;
	u64 exact;
	u32 faults;
};

static u64 next_gap(struct rnd_state *rnd, enum device_kind kind, u32 faults)
{
	u64 half = half_life_ns(&dma);
	u32 r = prandom_u32_state(rnd);

	switch (kind) {
	case DEVICE_QUIET:
		return half * 2 + r % (half * 8);
	case DEVICE_BURSTS:
		return faults % 9 ? r % 100000 : half * 8 + r % (half * 8);
	case DEVICE_STORM:
		return r % 100000;
	default:
		return r % (half / 2);
	}
}

/* Is the verdict what the device's own history asks for? */
static bool is_right(const struct device_sim *dev, enum device_kind kind)
{
	bool over = vg_storm_is_over(dev->bucket, &dma);
	/* 9.5; the bucket may be 2.3 per cent below, and a unit of time late. */
	u64 threshold = 19ULL << 31;

	switch (kind) {
	case DEVICE_QUIET:
	case DEVICE_BURSTS:
		return !over;
	case DEVICE_STORM:
		return over == (dev->faults >= 10);
	default:
		if (dev->exact > threshold + threshold / 32)
			return over;
		return dev->exact > threshold - threshold / 256 || !over;
	}
}

static void a_million_faults(struct kunit *test)
{
	unsigned long wrong = 0, over[NR_DEVICE_KINDS] = {};
	struct device_sim *devs, *dev;
	struct rnd_state rnd;
	enum device_kind kind;
	u64 half = half_life_ns(&dma);
	u32 i, n;
	u64 gap;

	devs = kunit_kcalloc(test, 4096, sizeof(*devs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, devs);
	prandom_seed_state(&rnd, 0x76677561);
	/* Somewhere in the middle the time comes round. */
	for (i = 0; i < 4096; i++)
		devs[i].now = BIT_ULL(56) - i * 2000 * NSEC_PER_USEC;

	for (n = 0; n < 1000000; n++) {
		i = prandom_u32_state(&rnd) % 4096;
		kind = i % NR_DEVICE_KINDS;
		dev = &devs[i];

		gap = next_gap(&rnd, kind, dev->faults);
		dev->now += gap;
		dev->bucket = vg_storm_add(dev->bucket, dev->now, 1, &dma);
		dev->faults++;
		if (kind == DEVICE_RANDOM) {
			gap = (gap << 16) / half;
			dev->exact = (dev->exact >> 8) * power(gap, 16) >> 24;
			dev->exact += BIT_ULL(32);
		}
		wrong += !is_right(dev, kind);
		over[kind] += vg_storm_is_over(dev->bucket, &dma);
	}

	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, over[DEVICE_QUIET], 0);
	KUNIT_EXPECT_EQ(test, over[DEVICE_BURSTS], 0);
	/* All but the first nine of each storm */
	KUNIT_EXPECT_GT(test, over[DEVICE_STORM], 230000);
	KUNIT_EXPECT_GT(test, over[DEVICE_RANDOM], 0);
	KUNIT_EXPECT_LT(test, over[DEVICE_RANDOM], 240000);
}

static struct kunit_case storm_cases[] = {
	KUNIT_CASE(burst),
	KUNIT_CASE(many_at_once),
	KUNIT_CASE(saturation),
	KUNIT_CASE(lone_faults),
	KUNIT_CASE(two_interrupts),
	KUNIT_CASE(empty),
	KUNIT_CASE(whole_half_lives),
	KUNIT_CASE(parts_of_half_lives),
	KUNIT_CASE(many_steps),
	KUNIT_CASE(odd_half_lives),
	KUNIT_CASE(clock_behind),
	KUNIT_CASE(left_standing),
	KUNIT_CASE_SLOW(a_million_faults),
	{}
};

static struct kunit_suite storm_suite = {
	.name = "vfio_guard_storm",
	.test_cases = storm_cases,
};

kunit_test_suite(storm_suite);
