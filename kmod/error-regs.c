// SPDX-License-Identifier: GPL-2.0
/*
 * PCIe errors, as the registers of assigned devices and of their ports have them:
 * which of them may an NMI be about?
 *
 * A status stays until somebody clears it, and the kernel's AER, firmware or the
 * guest may be the one. So a device's errors that are known are kept: they have
 * explained an NMI already, or made none.
 */
#include <linux/ktime.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "assigned.h"
#include "core/storm.h"
#include "ecam.h"
#include "error.h"
#include "quarantine.h"

/* In jiffies. */
#define SETTLE_TIME	(HZ * VG_ERROR_SETTLE_NS / NSEC_PER_SEC)

/* Protects the writing of entries' errors.known, and .seen; any context but NMI. */
static DEFINE_RAW_SPINLOCK(known_lock);

/* Any context, NMI too: a device's errors, as its registers have them. */
static void look(const struct vg_assigned *entry, struct vg_aer_regs *regs,
		 struct vg_aer_errors *errors)
{
	vg_ecam_read(&entry->errors.ecam, regs);
	vg_aer_attribute(regs, entry->sender.requesters.id,
			 entry->sender.requesters.nr, errors);
}

/*
 * Any context: those included that are masked. They made no NMI, and make none
 * if their mask is taken away.
 */
static void look_at_all(const struct vg_assigned *entry,
			struct vg_aer_errors *errors)
{
	struct vg_aer_regs regs;

	vg_ecam_read(&entry->errors.ecam, &regs);
	regs.uncor |= vg_ecam_read_masked(&entry->errors.ecam);
	vg_aer_attribute(&regs, entry->sender.requesters.id,
			 entry->sender.requesters.nr, errors);
}

/*
 * Any context but NMI: take note of all errors there are, so that they explain
 * no NMI later; what has been cleared since may. True if there are new ones,
 * which are left in @errors.
 */
static bool take_note(struct vg_assigned *entry, struct vg_aer_regs *regs,
		      struct vg_aer_errors *errors)
{
	struct vg_aer_errors all;
	unsigned long flags;
	bool news;

	raw_spin_lock_irqsave(&known_lock, flags);
	look(entry, regs, &all);
	*errors = all;
	news = vg_aer_subtract(errors, &entry->errors.known);
	entry->errors.known = all;
	entry->errors.seen = all;
	raw_spin_unlock_irqrestore(&known_lock, flags);
	return news;
}

/*
 * Process context, a while after an open or an error, and again and again while
 * the device is open or held: the kernel's recovery, firmware or the guest may
 * have cleared a status. Of what is there now and was there a while ago, an NMI
 * would have come by now; of what is new it may yet come.
 */
static void settle(struct work_struct *work)
{
	struct vg_assigned *entry = container_of(to_delayed_work(work),
						 struct vg_assigned,
						 errors.settle);
	struct vg_aer_errors now;
	unsigned long flags;

	raw_spin_lock_irqsave(&known_lock, flags);
	look_at_all(entry, &now);
	vg_aer_settle(&entry->errors.known, &entry->errors.seen, &now);
	raw_spin_unlock_irqrestore(&known_lock, flags);
	if (READ_ONCE(entry->open) || vg_group_is_quarantined(entry->group))
		vg_error_settle(entry);
}

/**
 * vg_error_settle() - follow what a device's error registers tell
 * @entry: the device, which has been opened, or has had an error
 *
 * What is there now, and not cleared, explains no NMI a second or two later.
 *
 * Context: any but NMI.
 */
void vg_error_settle(struct vg_assigned *entry)
{
	/* Not later than it would have been: errors may come all the time. */
	queue_delayed_work(system_unbound_wq, &entry->errors.settle,
			   SETTLE_TIME);
}

/*
 * Any context, NMI too. Its status may not have been cleared yet, and then doesn't
 * tell when the device does again what has just been an NMI.
 */
static bool may_repeat(const struct vg_assigned *entry, s64 now)
{
	s64 at = READ_ONCE(entry->errors.nmi_ns);

	return at < now && vg_is_recent(at, now, VG_ERROR_SETTLE_NS);
}

/**
 * vg_error_explains() - may an error of VFIO's devices be an NMI's reason?
 * @again: one that explained an NMI within the last second may have come again
 *
 * It may if a status tells of one that has not been accounted for. Nothing is
 * written: who is asked next, by an NMI that all CPUs got, finds it as well,
 * until vg_error_collect() has taken it in.
 *
 * Context: any, NMI too. Reads some registers of each device.
 * Return: true if so.
 */
bool vg_error_explains(bool again)
{
	s64 now = ktime_get_mono_fast_ns();
	struct vg_aer_errors errors;
	struct vg_assigned *entry;
	struct vg_aer_regs regs;
	unsigned long key = 0;
	bool found = false;

	rcu_read_lock();
	while (!found && (entry = vg_assigned_next(&key))) {
		look(entry, &regs, &errors);
		found = again && may_repeat(entry, now) ?
			vg_aer_any(&errors) :
			vg_aer_subtract(&errors, &entry->errors.known);
	}
	rcu_read_unlock();
	return found;
}

/* As vg_aer_attribute() found it: the device's own account comes first. */
static void describe(const struct vg_assigned *entry,
		     const struct vg_aer_regs *regs,
		     const struct vg_aer_errors *errors,
		     struct vg_error *error)
{
	const u32 *header = regs->header;

	*error = (struct vg_error){
		.pdev = entry->pdev,
		.severity = vg_aer_is_fatal(errors, regs) ?
			    VG_SEVERITY_FATAL : VG_SEVERITY_NONFATAL,
		.status = errors->uncor,
		.by_nmi = true,
	};
	if (!error->status && errors->port) {
		error->pdev = entry->errors.ecam.port;
		error->status = errors->port;
		header = regs->port_header;
	}
	error->has_header = vg_aer_has_header(error->status);
	if (error->has_header)
		memcpy(error->header, header, sizeof(error->header));
}

/**
 * vg_error_collect() - take in the errors that explained an NMI
 *
 * Their devices are stopped; and those go a step further that have been already,
 * and may have done the same again.
 *
 * Context: hard irq, soon after the NMI.
 */
void vg_error_collect(void)
{
	s64 now = ktime_get_mono_fast_ns();
	struct vg_aer_errors errors;
	struct vg_assigned *entry;
	struct vg_aer_regs regs;
	struct vg_error error;
	unsigned long key = 0;

	rcu_read_lock();
	while ((entry = vg_assigned_next(&key))) {
		if (take_note(entry, &regs, &errors)) {
			describe(entry, &regs, &errors, &error);
			vg_error_stop(entry, &error);
		} else if (may_repeat(entry, now) &&
			   vg_aer_any(&entry->errors.known)) {
			WRITE_ONCE(entry->errors.nmi_ns, now);
			vg_quarantine_go_on(entry);
		}
	}
	rcu_read_unlock();
}

/**
 * vg_error_regs_map() - make a device's error registers ready to be read
 * @entry: not in the registry yet; its requester IDs are known
 *
 * Errors that they tell of already are not its next owner's.
 *
 * Context: process, may sleep.
 */
void vg_error_regs_map(struct vg_assigned *entry)
{
	struct vg_aer_errors errors;
	struct vg_aer_regs regs;

	INIT_DELAYED_WORK(&entry->errors.settle, settle);
	vg_ecam_map(&entry->errors.ecam, entry->pdev);
	take_note(entry, &regs, &errors);
}

/**
 * vg_error_regs_unmap() - undo vg_error_regs_map()
 * @entry: nobody finds it any more
 *
 * Context: process, may sleep.
 */
void vg_error_regs_unmap(struct vg_assigned *entry)
{
	cancel_delayed_work_sync(&entry->errors.settle);
	vg_ecam_unmap(&entry->errors.ecam);
}
