// SPDX-License-Identifier: GPL-2.0
/* Where all faults end up: whose is it, and is it one too many? */
#include <linux/ktime.h>
#include <linux/rcupdate.h>

#include "core/storm.h"
#include "fault.h"
#include "quarantine.h"
#include "report.h"

/*
 * What was on its way when a step was taken, or waits to be read, doesn't tell
 * that the step was not enough.
 */
#define SETTLE_NS	(50 * NSEC_PER_MSEC)

/* An NMI of a fault comes sooner than this, by way of firmware even. */
#define NMI_NS ((s64)NSEC_PER_SEC)

/* Set before the first fault is taken in, read-only from then on. */
static struct vg_policy policy;

static atomic64_t unassigned;
static atomic64_t lost;

static const u8 cause_of[] = {
	[VG_FAULT_DMA] = VG_CAUSE_DMA,
	[VG_FAULT_IRQ] = VG_CAUSE_IRQ,
};

/* One fault is kept to be shown; those that come before it was are counted. */
static void keep_sample(struct vg_assigned *entry, const struct vg_fault *fault)
{
	if (atomic_cmpxchg(&entry->sample_state, VG_SAMPLE_EMPTY,
			   VG_SAMPLE_WRITING) != VG_SAMPLE_EMPTY)
		return;
	entry->sample = *fault;
	atomic_set_release(&entry->sample_state, VG_SAMPLE_FULL);
}

/* Process context: say what has come since the last time. */
static void report_faults(struct work_struct *work)
{
	struct vg_assigned *entry = container_of(work, struct vg_assigned,
						 report);
	struct vg_fault_news news = { .entry = entry };
	int kind;

	if (atomic_read_acquire(&entry->sample_state) != VG_SAMPLE_FULL)
		return;
	news.sample = entry->sample;
	atomic_set_release(&entry->sample_state, VG_SAMPLE_EMPTY);
	for (kind = 0; kind < VG_NR_FAULT_KINDS; kind++) {
		u64 seen = atomic64_read(&entry->seen[kind]);

		news.count[kind] = seen - entry->told[kind];
		entry->told[kind] = seen;
	}
	news.would_quarantine = READ_ONCE(entry->over);
	vg_report_faults(&news);
}

/**
 * vg_fault_pour() - pour faults into a device's bucket
 * @bucket: the bucket, see core/storm.h
 * @faults: how many
 * @now: monotonic clock
 * @limit: the bucket's limit
 * @level: how full it is then, in faults
 *
 * Context: any.
 * Return: true if it runs over.
 */
bool vg_fault_pour(atomic64_t *bucket, u32 faults, u64 now,
		   const struct vg_storm_limit *limit, u32 *level)
{
	s64 old = atomic64_read(bucket);
	u64 new;

	do {
		new = vg_storm_add(old, now, faults, limit);
	} while (!atomic64_try_cmpxchg(bucket, &old, new));
	*level = vg_storm_level(new, now, limit);
	return vg_storm_is_over(new, limit);
}

/*
 * Is it one too many? Both buckets are to have it: that of a burst, and that of
 * a device that faults on and on, but never in a burst.
 */
static bool account(struct vg_assigned *entry, enum vg_fault_kind kind, u64 now,
		    u32 *level)
{
	bool burst, steady;
	u32 in_all;

	burst = vg_fault_pour(&entry->storm[kind], 1, now, &policy.storm[kind],
			      level);
	if (*level <= 1)
		WRITE_ONCE(entry->first_ns, now);
	steady = vg_fault_pour(&entry->steady, 1, now, &policy.steady, &in_all);
	if (steady)
		*level = in_all;
	return steady || burst;
}

static void act(struct vg_assigned *entry, const struct vg_fault *fault,
		u64 now, u32 level)
{
	struct vg_group *group = entry->group;

	if (policy.mode == VFIO_GUARD_MODE_AUDIT) {
		WRITE_ONCE(entry->over, true);
		return;
	}
	if (!vg_group_is_quarantined(group))
		vg_quarantine_start(entry, cause_of[fault->kind],
				    fault->requester, level);
	else if ((s64)(now - READ_ONCE(group->stopped_ns)) > SETTLE_NS)
		vg_quarantine_go_on(entry);
	/* The next rung takes as many faults again. */
	atomic64_set(&entry->storm[fault->kind], 0);
	atomic64_set(&entry->steady, 0);
}

static bool note(const struct vg_unit *unit, const struct vg_fault *fault,
		 u64 now, bool grave)
{
	struct vg_assigned *entry = NULL;
	u32 level;

	rcu_read_lock();
	if (fault->has_requester)
		entry = vg_assigned_find(unit->segment, fault->requester);
	if (entry) {
		atomic64_inc(&entry->seen[fault->kind]);
		keep_sample(entry, fault);
		if (!grave) {
			WRITE_ONCE(entry->fault_kind, fault->kind);
			WRITE_ONCE(entry->fault_ns, now);
		}
		if (account(entry, fault->kind, now, &level) || grave)
			act(entry, fault, now, level);
		/* The CPU's own queue may be stuck as long as the storm lasts */
		queue_work(system_unbound_wq, &entry->report);
	} else {
		atomic64_inc(&unassigned);
	}
	rcu_read_unlock();
	return entry;
}

/**
 * vg_fault_is_ours() - is it the fault of a device that is open, or held?
 * @unit: the unit that recorded it
 * @fault: its record
 *
 * Context: any, NMI too.
 * Return: true if it is.
 */
bool vg_fault_is_ours(const struct vg_unit *unit, const struct vg_fault *fault)
{
	bool ours;

	rcu_read_lock();
	ours = fault->has_requester &&
	       vg_assigned_find(unit->segment, fault->requester);
	rcu_read_unlock();
	return ours;
}

/**
 * vg_fault_note() - an IOMMU blocked a request
 * @unit: the unit
 * @fault: its record
 *
 * Finds the device in constant time, without a lock. A requester that is no
 * device of VFIO's is counted and left alone.
 *
 * Context: any but NMI: stopping the device writes its config space.
 * Return: true if the requester is a device that VFIO has open, or that is held.
 */
bool vg_fault_note(const struct vg_unit *unit, const struct vg_fault *fault)
{
	return note(unit, fault, ktime_get_mono_fast_ns(), false);
}

/**
 * vg_fault_note_at() - an IOMMU blocked a request some time ago
 * @unit: the unit
 * @fault: its record
 * @when: monotonic clock, when the record was there at the latest
 *
 * As vg_fault_note(), for records that are many: what had piled up before a
 * device was stopped doesn't tell that it goes on.
 *
 * Context: any but NMI.
 * Return: as vg_fault_note().
 */
bool vg_fault_note_at(const struct vg_unit *unit, const struct vg_fault *fault,
		      u64 when)
{
	return note(unit, fault, when, false);
}

/**
 * vg_fault_note_grave() - an IOMMU blocked a request, and that took an NMI
 * @unit: the unit
 * @fault: its record
 *
 * As vg_fault_note(), but the limit is one.
 *
 * Context: any but NMI.
 * Return: as vg_fault_note().
 */
bool vg_fault_note_grave(const struct vg_unit *unit,
			 const struct vg_fault *fault)
{
	return note(unit, fault, ktime_get_mono_fast_ns(), true);
}

/* Any context, NMI too. */
static bool may_be_nmi(const struct vg_assigned *entry)
{
	return vg_is_recent(READ_ONCE(entry->fault_ns),
			    ktime_get_mono_fast_ns(), NMI_NS);
}

/**
 * vg_fault_explains() - may a fault that has been taken in be an NMI's reason?
 *
 * A chipset that makes system errors of faults doesn't keep the IOMMU from
 * raising its interrupt, which may be the quicker of the two.
 *
 * Context: any, NMI too.
 * Return: true if an interrupt told of one within the last second.
 */
bool vg_fault_explains(void)
{
	struct vg_assigned *entry;
	unsigned long key = 0;
	bool found = false;

	rcu_read_lock();
	while (!found && (entry = vg_assigned_next(&key)))
		found = may_be_nmi(entry);
	rcu_read_unlock();
	return found;
}

/**
 * vg_fault_collect() - stop those whose fault explained an NMI
 *
 * As vg_fault_note_grave(), for faults that have been noted already.
 *
 * Context: hard irq, soon after the NMI.
 */
void vg_fault_collect(void)
{
	struct vg_assigned *entry;
	unsigned long key = 0;

	rcu_read_lock();
	while ((entry = vg_assigned_next(&key))) {
		if (!may_be_nmi(entry))
			continue;
		WRITE_ONCE(entry->fault_ns, 0);
		if (!vg_group_is_quarantined(entry->group))
			vg_quarantine_start(entry,
					    cause_of[READ_ONCE(entry->fault_kind)],
					    vg_assigned_id(entry), 1);
	}
	rcu_read_unlock();
}

/**
 * vg_fault_lost() - faults or errors happened that left no record
 * @count: how many, at least
 *
 * Context: any.
 */
void vg_fault_lost(u32 count)
{
	atomic64_add(count, &lost);
}

/**
 * vg_fault_prepare() - make a device's entry ready to account for faults
 * @entry: zeroed, not in the registry yet
 *
 * Context: any.
 */
void vg_fault_prepare(struct vg_assigned *entry)
{
	INIT_WORK(&entry->report, report_faults);
}

/**
 * vg_fault_init() - set the limits
 * @in_force: the policy
 *
 * Context: process; before the first fault is taken in.
 */
void vg_fault_init(const struct vg_policy *in_force)
{
	policy = *in_force;
}

/**
 * vg_fault_totals() - faults that were no assigned device's, or left no record
 * @nobodys: how many belonged to no device of VFIO's
 * @unrecorded: how many are known to have left no record, at least
 *
 * Context: any.
 */
void vg_fault_totals(u64 *nobodys, u64 *unrecorded)
{
	*nobodys = atomic64_read(&unassigned);
	*unrecorded = atomic64_read(&lost);
}
