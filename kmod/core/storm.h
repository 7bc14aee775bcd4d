/* SPDX-License-Identifier: GPL-2.0 */
/* How many faults are too many: a leaky bucket in one word, no timer. */
#ifndef VG_CORE_STORM_H
#define VG_CORE_STORM_H

#include "types.h"

/**
 * vg_is_recent() - has it been less than some time ago?
 * @at: clock when it was, 0 if never; another CPU's may be a bit after @now
 * @now: clock
 * @within: the time, in the clock's unit
 *
 * Context: any, NMI too.
 * Return: true if so.
 */
static inline bool vg_is_recent(s64 at, s64 now, s64 within)
{
	return at && now - at < within;
}

/**
 * struct vg_storm_limit - when a device's faults become a storm
 * @limit: faults in the bucket at which it runs over, 1 to VG_STORM_LIMIT_MAX
 * @half_life_us: time in which half of what is in the bucket leaks out
 */
struct vg_storm_limit {
	u32 limit;
	u32 half_life_us;
};

#define VG_STORM_LIMIT_MAX 1000

/*
 * The bucket: a level in fixed point and the time it was true, packed into a
 * u64 so that it can be changed by compare-and-exchange in any context. Zero is
 * an empty bucket.
 */
u64 vg_storm_add(u64 bucket, u64 now_ns, u32 faults,
		 const struct vg_storm_limit *limit);
u32 vg_storm_level(u64 bucket, u64 now_ns, const struct vg_storm_limit *limit);
bool vg_storm_is_over(u64 bucket, const struct vg_storm_limit *limit);

#endif /* VG_CORE_STORM_H */
