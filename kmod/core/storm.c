// SPDX-License-Identifier: GPL-2.0
/* How many faults are too many: a leaky bucket in one word, no timer. */
#include "storm.h"

/*
 * The word, from the top: level in 1/4096 faults, 22 bits; time in 2^14 ns,
 * 42 bits, which come round after 2.3 years. A bucket that nobody has touched
 * for a whole number of such rounds looks fresh: for a few half-lives every 2.3
 * years its old faults count again.
 */
#define TIME_BITS	42
#define TIME_MASK	(BIT_ULL(TIME_BITS) - 1)
#define TIME_SHIFT	14
#define LEVEL_MAX	(BIT_ULL(64 - TIME_BITS) - 1)
#define LEVEL_SHIFT	12
#define ONE_FAULT	BIT_ULL(LEVEL_SHIFT)

/* How far one CPU's clock may be behind another's: 1.07 s. */
#define SKEW_MAX	BIT_ULL(16)

/* 2^-x is close to 1 - x ln 2 + x^2 (ln 2 - 1/2) from 0 to 1; in 1/2^32 */
#define POWER_SHIFT	32
#define POWER_ONE	BIT_ULL(POWER_SHIFT)
#define POWER_LINEAR	2977044472ULL
#define POWER_SQUARE	829560824ULL

static u64 half_life(const struct vg_storm_limit *limit)
{
	u64 units = (u64)limit->half_life_us * 1000 >> TIME_SHIFT;

	return units ? units : 1;
}

/*
 * Time since the bucket's; none for a clock that is behind it. An empty bucket's
 * time means nothing, and is never ahead.
 */
static u64 elapsed(u64 bucket, u64 now_ns)
{
	u64 units = ((now_ns >> TIME_SHIFT) - bucket) & TIME_MASK;
	bool full = bucket >> TIME_BITS;

	return full && units > TIME_MASK - SKEW_MAX ? 0 : units;
}

/* What is left of a level after some time. */
static u64 decay(u64 level, u64 units, u64 half)
{
	u64 halvings = units / half;
	u64 x = (units % half << POWER_SHIFT) / half;
	u64 power = POWER_ONE - (x * POWER_LINEAR >> POWER_SHIFT) +
		    ((x * x >> POWER_SHIFT) * POWER_SQUARE >> POWER_SHIFT);

	if (halvings >= 64 - TIME_BITS)
		return 0;
	return level * power >> (POWER_SHIFT + halvings);
}

static u64 level_at(u64 bucket, u64 now_ns, const struct vg_storm_limit *limit)
{
	return decay(bucket >> TIME_BITS, elapsed(bucket, now_ns),
		     half_life(limit));
}

/* To the nearest whole fault. */
static u32 to_faults(u64 level)
{
	return (u32)((level + ONE_FAULT / 2) >> LEVEL_SHIFT);
}

/**
 * vg_storm_add() - pour faults into a bucket
 * @bucket: the bucket
 * @now_ns: monotonic clock; may be behind the bucket's time by up to a second,
 *	    as another CPU's may: nothing leaks out then
 * @faults: how many
 * @limit: the bucket's limit
 *
 * What is in the bucket halves with each half-life, and in between falls as
 * 2^-x does: it makes no odds whether faults come one by one or at once. The
 * half-life in force is up to 2.3 per cent and 2^14 ns shorter than asked for;
 * times count to 2^14 ns, and each call drops less than 1/4096 fault. The level
 * saturates at 1,023 faults.
 *
 * Context: any.
 * Return: the new bucket.
 */
u64 vg_storm_add(u64 bucket, u64 now_ns, u32 faults,
		 const struct vg_storm_limit *limit)
{
	u64 level = level_at(bucket, now_ns, limit) +
		    (u64)faults * ONE_FAULT;
	u64 time = (bucket + elapsed(bucket, now_ns)) & TIME_MASK;

	if (level > LEVEL_MAX)
		level = LEVEL_MAX;
	return level << TIME_BITS | time;
}

/**
 * vg_storm_level() - how full a bucket is
 * @bucket: the bucket
 * @now_ns: monotonic clock, as for vg_storm_add()
 * @limit: the bucket's limit
 *
 * Context: any.
 * Return: the level in faults, to the nearest.
 */
u32 vg_storm_level(u64 bucket, u64 now_ns, const struct vg_storm_limit *limit)
{
	return to_faults(level_at(bucket, now_ns, limit));
}

/**
 * vg_storm_is_over() - has a bucket run over?
 * @bucket: as vg_storm_add() returned it
 * @limit: the bucket's limit
 *
 * The level counts to the nearest fault: what leaks out while a burst lasts
 * doesn't ask for one fault more. With a limit of 2, a second fault within a
 * half-life is one too many; with one of 10 it is the tenth within a seventh of
 * it, or a fault in each sixth of it for long enough. With a limit of 1 every
 * fault is.
 *
 * Context: any.
 * Return: true if so.
 */
bool vg_storm_is_over(u64 bucket, const struct vg_storm_limit *limit)
{
	return to_faults(bucket >> TIME_BITS) >= limit->limit;
}
