/* SPDX-License-Identifier: GPL-2.0 */
/* The registry of devices that VFIO has open, or that are held after faults. */
#ifndef VG_ASSIGNED_H
#define VG_ASSIGNED_H

#include <linux/pci.h>
#include <linux/ratelimit.h>
#include <linux/refcount.h>
#include <linux/workqueue.h>

#include "core/decode.h"
#include "core/ladder.h"
#include "ecam.h"
#include "hold.h"
#include "requesters.h"
#include "units.h"

/**
 * struct vg_group - devices that the IOMMU can't tell apart: one owner's
 * @node: in the registry's list of groups
 * @members: struct vg_assigned.sender; changed under the registry's mutex,
 *	     walked under RCU
 * @refs: one for each member, one for queued work
 * @id: IOMMU group
 * @rung: enum vg_rung, how far up the ladder the group is; VG_RUNG_FREE while
 *	  nothing is wrong. Leaves VG_RUNG_FREE in the fault's own context, and
 *	  comes back to it by the release alone
 * @cause: enum vg_cause, of the quarantine
 * @first_ns: monotonic clock at the first fault of the burst
 * @stopped_ns: monotonic clock when the last step was done; 0 until the first
 *		is, and the fields above can be read
 * @faults: how many faults the burst had until then
 * @culprit: requester ID that broke the limit
 * @told: all drivers' error callbacks have been called
 * @more: faults have come after the last step
 * @ending: the release has begun: faults that come are no reason to hold it
 * @work: the part of the ladder that needs process context
 * @rcu: frees the group when the last lock-free reader is gone
 */
struct vg_group {
	struct list_head node;
	struct list_head members;
	refcount_t refs;
	int id;
	atomic_t rung;
	u8 cause;
	u64 first_ns;
	u64 stopped_ns;
	u32 faults;
	u16 culprit;
	bool told;
	bool more;
	bool ending;
	struct delayed_work work;
	struct rcu_head rcu;
};

/* A fault kept to be shown: who may write, and who may read it. */
enum vg_sample_state {
	VG_SAMPLE_EMPTY,
	VG_SAMPLE_WRITING,
	VG_SAMPLE_FULL,
};

/**
 * struct vg_error_count - a device's PCIe errors
 * @storm: accounting of uncorrectable ones, see core/storm.h
 * @noise: the same of correctable ones, which are stopped differently
 * @correctable: how many there were since it was opened first
 * @recoverer: the thread in which the kernel recovers the device; not to be
 *	       dereferenced
 * @uncorrectable: as @correctable; this and the next are for error.c's work alone
 * @mutes: how often its correctable errors were turned off
 * @lines: limits what is logged of them
 * @ecam: its error registers; this and the next three are error-regs.c's
 * @known: the errors they tell of that explain no NMI any more
 * @seen: those that they told of when they were looked at last
 * @settle: brings @known and @seen up to date
 * @nmi_ns: monotonic clock when an error of it became an NMI last
 */
struct vg_error_count {
	atomic64_t storm;
	atomic64_t noise;
	atomic64_t correctable;
	const struct task_struct *recoverer;
	u64 uncorrectable;
	u32 mutes;
	struct ratelimit_state lines;
	struct vg_ecam ecam;
	struct vg_aer_errors known;
	struct vg_aer_errors seen;
	struct delayed_work settle;
	u64 nmi_ns;
};

/**
 * struct vg_assigned - one device that VFIO has open, or that is held
 * @pdev: the device; a reference is held
 * @group: its group; a reference is held
 * @sender: its place among the group's members, and its requester IDs
 * @unit: the IOMMU unit that covers it, or NULL
 * @hold: what keeps bits of its COMMAND register off
 * @refs: one for the registry, one for each user that outlasts RCU
 * @open: VFIO has it open; under the registry's mutex
 * @bystander: it is held for its group's sake, and nobody has had it open
 * @held: bits of its COMMAND register that are held off as long as it is open
 * @notified: its driver's error callback has been called in this quarantine
 * @seen: by enum vg_fault_kind, faults since it was opened first
 * @storm: by enum vg_fault_kind, accounting, see core/storm.h
 * @steady: likewise for faults of all kinds, with a limit that lasts longer
 * @first_ns: monotonic clock at the first fault of the burst
 * @fault_ns: monotonic clock at the last fault that an interrupt told of; 0 once
 *	      it has explained an NMI
 * @fault_kind: enum vg_fault_kind of that one
 * @sample: a fault that has not been logged yet
 * @sample_state: enum vg_sample_state
 * @told: by enum vg_fault_kind, how many of @seen have been reported
 * @over: in audit mode, it would have been quarantined
 * @errors: PCIe errors, see error.c
 * @report: logs faults; hard irq to process
 * @free: frees the entry when the last lock-free reader is gone
 */
struct vg_assigned {
	struct pci_dev *pdev;
	struct vg_group *group;
	struct vg_sender sender;
	const struct vg_unit *unit;
	struct vg_hold *hold;
	refcount_t refs;
	bool open;
	bool bystander;
	u16 held;
	bool notified;
	atomic64_t seen[VG_NR_FAULT_KINDS];
	atomic64_t storm[VG_NR_FAULT_KINDS];
	atomic64_t steady;
	u64 first_ns;
	u64 fault_ns;
	u8 fault_kind;
	struct vg_fault sample;
	atomic_t sample_state;
	u64 told[VG_NR_FAULT_KINDS];
	bool over;
	struct vg_error_count errors;
	struct work_struct report;
	struct rcu_work free;
};

/* Any context. Is the group stopped, or being stopped? */
static inline bool vg_group_is_quarantined(const struct vg_group *group)
{
	return atomic_read(&group->rung) != VG_RUNG_FREE;
}

/* Any context. The requester ID that is the device's alone. */
static inline u16 vg_assigned_id(const struct vg_assigned *entry)
{
	return entry->sender.requesters.id[0];
}

int vg_assigned_init(void);
unsigned long vg_assigned_exit(void);
int vg_assigned_open(struct pci_dev *pdev, u16 held);
void vg_assigned_close(struct pci_dev *pdev);
bool vg_assigned_is_open(struct pci_dev *pdev);
bool vg_assigned_any(void);
struct vg_assigned *vg_assigned_find(u16 segment, u16 rid);
struct vg_assigned *vg_assigned_next(unsigned long *key);
bool vg_assigned_sends_as(const struct vg_assigned *entry, u16 rid);
bool vg_assigned_get(struct vg_assigned *entry);
void vg_assigned_put(struct vg_assigned *entry);
struct vg_group *vg_group_of(struct pci_dev *pdev);
bool vg_group_get(struct vg_group *group);
void vg_group_put(struct vg_group *group);
bool vg_group_complete(struct vg_group *group);
void vg_group_prune(struct vg_group *group);

#endif /* VG_ASSIGNED_H */
