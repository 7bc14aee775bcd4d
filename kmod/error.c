// SPDX-License-Identifier: GPL-2.0
/*
 * PCIe errors of assigned devices: whose was it, and is it one too many?
 *
 * The kernel's AER and DPC services find out who erred, tell the drivers, and
 * reset the link after a fatal error; that stays theirs. What they don't do is
 * to keep count: a device may err for as long as it likes, and take a link
 * reset or an interrupt thread's time each time.
 */
#include <linux/kfifo.h>
#include <linux/ktime.h>
#include <linux/ratelimit.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "arming.h"
#include "error.h"
#include "fault.h"
#include "path.h"
#include "quarantine.h"
#include "report.h"
#include "tap.h"

/* Errors that wait for process context; more at once are counted as lost. */
#define ERRORS_MAX	64

/* Who turns its correctable errors on again so often does it on purpose. */
#define MUTES_MAX	3

/* Lines on a device's errors; each says how many there have been. */
#define LINES_INTERVAL	(5 * HZ)
#define LINES_BURST	10

/* Set before the first error is taken in, read-only from then on. */
static struct vg_policy policy;

/* Protects the writing end of errors; any context but NMI. */
static DEFINE_RAW_SPINLOCK(errors_lock);
static DEFINE_KFIFO(errors, struct vg_error, ERRORS_MAX);

static void handle_errors(struct work_struct *work);
static DECLARE_WORK(errors_work, handle_errors);

static bool is_audit(void)
{
	return policy.mode == VFIO_GUARD_MODE_AUDIT;
}

/* What happened at @then has settled by @now, which may be a bit before it. */
static bool is_past(u64 then, u64 now)
{
	return (s64)(now - then) > VG_ERROR_SETTLE_NS;
}

static void hand_over(const struct vg_error *error)
{
	unsigned long flags;
	bool taken;

	pci_dev_get(error->pdev);
	raw_spin_lock_irqsave(&errors_lock, flags);
	taken = kfifo_put(&errors, *error);
	raw_spin_unlock_irqrestore(&errors_lock, flags);
	if (!taken) {
		pci_dev_put(error->pdev);
		vg_fault_lost(1);
	}
	queue_work(system_unbound_wq, &errors_work);
}

/*
 * The reset that follows a fatal error loses what is read here. The kernel
 * doesn't read it from a device then, for the link may be broken: one read that
 * nobody answers is the most that it costs.
 */
static void read_error(struct vg_error *error)
{
	u16 aer = pci_find_ext_capability(error->pdev, PCI_EXT_CAP_ID_ERR);
	/* A virtual function's errors are masked by its physical one (§9.4.2). */
	struct pci_dev *physfn = pci_physfn(error->pdev);
	u16 rules = pci_find_ext_capability(physfn, PCI_EXT_CAP_ID_ERR);
	u32 status, mask;
	int i;

	if (!aer || !rules ||
	    pci_read_config_dword(error->pdev, aer + PCI_ERR_UNCOR_STATUS,
				  &status) ||
	    PCI_POSSIBLE_ERROR(status) ||
	    pci_read_config_dword(physfn, rules + PCI_ERR_UNCOR_MASK, &mask))
		return;
	error->status = status & ~mask;
	if (!vg_aer_has_header(error->status))
		return;
	for (i = 0; i < VG_TLP_WORDS; i++)
		pci_read_config_dword(error->pdev,
				      aer + PCI_ERR_HEADER_LOG + 4 * i,
				      &error->header[i]);
	error->has_header = true;
}

/* The device itself; under RCU. A VMD controller's segments are none of ours. */
static struct vg_assigned *find_reporter(struct pci_dev *pdev)
{
	int segment = pci_domain_nr(pdev->bus);

	return segment > U16_MAX ? NULL :
	       vg_assigned_find(segment, pci_dev_id(pdev));
}

/* At the entry of pcie_do_recovery(): process context, preemption off. */
static void on_recovery(unsigned long dev, unsigned long state)
{
	struct vg_error error = {
		.pdev = (struct pci_dev *)dev,
		/* Of the register, the upper half is not the argument's. */
		.severity = (__force pci_channel_state_t)(u32)state ==
					pci_channel_io_frozen ?
			    VG_SEVERITY_FATAL : VG_SEVERITY_NONFATAL,
	};
	struct vg_assigned *entry;

	if (!vg_assigned_any())
		return;
	read_error(&error);
	rcu_read_lock();
	entry = find_reporter(error.pdev);
	if (entry)
		WRITE_ONCE(entry->errors.recoverer, current);
	rcu_read_unlock();
	hand_over(&error);
}

/* A recovery that succeeds ends as a correctable error does. */
static bool ends_recovery(struct vg_assigned *entry)
{
	if (READ_ONCE(entry->errors.recoverer) != current)
		return false;
	WRITE_ONCE(entry->errors.recoverer, NULL);
	return true;
}

/*
 * At the entry of pcie_clear_device_status(), which the kernel's AER ends each
 * correctable error with: process context, preemption off.
 */
static void on_clear_status(unsigned long dev, unsigned long unused)
{
	struct vg_error error = {
		.pdev = (struct pci_dev *)dev,
		.severity = VG_SEVERITY_CORRECTABLE,
	};
	struct vg_assigned *entry;
	u32 level;

	rcu_read_lock();
	entry = find_reporter(error.pdev);
	if (entry && !ends_recovery(entry)) {
		atomic64_inc(&entry->errors.correctable);
		if (vg_fault_pour(&entry->errors.noise, 1,
				  ktime_get_mono_fast_ns(), &policy.noise,
				  &level)) {
			atomic64_set(&entry->errors.noise, 0);
			hand_over(&error);
		}
	}
	rcu_read_unlock();
}

static bool is_below(struct pci_dev *pdev, const struct pci_dev *bridge)
{
	while (pdev && pdev != bridge)
		pdev = pci_upstream_bridge(pdev);
	return pdev;
}

/* A device of VFIO's that @pdev is, or can't be told from; under RCU. */
static struct vg_assigned *find_entry(struct pci_dev *pdev)
{
	struct vg_path path;

	vg_path_init(&path, pdev);
	return vg_assigned_find(path.pci.segment, path.requesters.id[0]);
}

/* A port saw an error in what came from below: the TLP tells from whom. */
static struct vg_assigned *find_sender(const struct vg_error *error)
{
	struct vg_assigned *entry;
	struct vg_path path;

	if (!error->has_header)
		return NULL;
	vg_path_init(&path, error->pdev);
	entry = vg_assigned_find(path.pci.segment,
				 vg_tlp_sender(error->header));
	return entry && is_below(entry->pdev, error->pdev) ? entry : NULL;
}

/**
 * struct lookout - what a walk below a port looks for
 * @entry: a device of VFIO's, with a reference
 * @foreign: there is one of another group, or that isn't VFIO's
 */
struct lookout {
	struct vg_assigned *entry;
	bool foreign;
};

static int look_out(struct pci_dev *pdev, void *data)
{
	struct lookout *lookout = data;
	struct vg_assigned *entry;

	/* What lies behind a bridge is looked at itself. */
	if (pci_is_bridge(pdev))
		return 0;
	rcu_read_lock();
	entry = find_entry(pdev);
	if (entry && !lookout->entry && vg_assigned_get(entry))
		lookout->entry = entry;
	if (!entry || !lookout->entry || entry->group != lookout->entry->group)
		lookout->foreign = true;
	rcu_read_unlock();
	return lookout->foreign;
}

/* Whose error is it that a port saw, if all that lies below is one owner's? */
static struct vg_assigned *get_below(struct pci_dev *port)
{
	struct lookout lookout = {};

	if (!port->subordinate)
		return NULL;
	pci_walk_bus(port->subordinate, look_out, &lookout);
	if (lookout.foreign && lookout.entry)
		vg_assigned_put(lookout.entry);
	return lookout.foreign ? NULL : lookout.entry;
}

/* With a reference to put, or NULL if it is no error of VFIO's devices. */
static struct vg_assigned *get_culprit(const struct vg_error *error)
{
	struct vg_assigned *entry;

	rcu_read_lock();
	entry = find_entry(error->pdev);
	if (!entry && pci_is_bridge(error->pdev))
		entry = find_sender(error);
	if (entry && !vg_assigned_get(entry))
		entry = NULL;
	rcu_read_unlock();
	return entry ? entry : get_below(error->pdev);
}

/* Below what the kernel's recovery tells all drivers; as pcie_do_recovery(). */
static struct pci_dev *recovery_scope(struct pci_dev *pdev)
{
	switch (pci_pcie_type(pdev)) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
	case PCI_EXP_TYPE_RC_EC:
	case PCI_EXP_TYPE_RC_END:
		return pdev;
	default:
		return pci_upstream_bridge(pdev);
	}
}

/* Whose driver the kernel tells of the error need not be told again by us. */
static void spare_told(struct vg_group *group, const struct vg_error *error)
{
	struct pci_dev *scope = recovery_scope(error->pdev);
	struct vg_assigned *member;

	if (error->severity == VG_SEVERITY_CORRECTABLE)
		return;
	rcu_read_lock();
	list_for_each_entry_rcu(member, &group->members, sender.sibling)
		if (is_below(member->pdev, scope) &&
		    READ_ONCE(member->pdev->error_state) !=
		    pci_channel_io_perm_failure)
			member->notified = true;
	rcu_read_unlock();
}

static void act(struct vg_assigned *entry, const struct vg_error *error,
		u64 now, u32 level)
{
	struct vg_group *group = entry->group;

	if (is_audit())
		return;
	if (!vg_group_is_quarantined(group)) {
		spare_told(group, error);
		vg_quarantine_start(entry, VG_CAUSE_ERROR, vg_assigned_id(entry),
				    level);
	} else if (is_past(READ_ONCE(group->stopped_ns), now)) {
		vg_quarantine_go_on(entry);
	} else {
		return;
	}
	/* The next rung takes as many errors again. */
	atomic64_set(&entry->errors.storm, 0);
}

/**
 * vg_error_stop() - stop a device for an error that has become an NMI
 * @entry: the device
 * @error: what its registers tell of it
 *
 * One is one too many.
 *
 * Context: hard irq, soon after the NMI.
 */
void vg_error_stop(struct vg_assigned *entry, const struct vg_error *error)
{
	u64 now = ktime_get_mono_fast_ns();
	u32 level;

	WRITE_ONCE(entry->errors.nmi_ns, now);
	vg_fault_pour(&entry->errors.storm, policy.error.limit, now,
		      &policy.error, &level);
	if (!vg_group_is_quarantined(entry->group)) {
		WRITE_ONCE(entry->first_ns, now);
		vg_quarantine_start(entry, VG_CAUSE_ERROR,
				    vg_assigned_id(entry), 1);
	} else if (is_past(READ_ONCE(entry->group->stopped_ns), now)) {
		vg_quarantine_go_on(entry);
	}
	hand_over(error);
}

static bool may_say(struct vg_assigned *entry)
{
	return __ratelimit(&entry->errors.lines);
}

/*
 * After a fatal error the device has been reset, and its owner lost it: to wait
 * for a second one would only reset the link again, with all that lies below.
 */
static void note_uncorrectable(struct vg_assigned *entry,
			       const struct vg_error *error)
{
	u32 weight = error->severity == VG_SEVERITY_FATAL ?
		     policy.error.limit : 1;
	u64 now = ktime_get_mono_fast_ns();
	bool over;
	u32 level;

	vg_error_settle(entry);
	/* The kernel's AER sees it too: it has been accounted for. */
	if (!is_past(READ_ONCE(entry->errors.nmi_ns), now))
		return;
	over = vg_fault_pour(&entry->errors.storm, weight, now, &policy.error,
			     &level);
	if (level <= weight)
		WRITE_ONCE(entry->first_ns, now);
	entry->errors.uncorrectable++;
	vg_report_contained(entry, error, over && is_audit(), may_say(entry));
	if (over)
		act(entry, error, now, entry->errors.uncorrectable);
}

/* The device has been stopped for it: see vg_error_stop(). */
static void note_nmi(struct vg_assigned *entry, const struct vg_error *error)
{
	vg_error_settle(entry);
	entry->errors.uncorrectable++;
	vg_report_contained(entry, error, false, may_say(entry));
}

/*
 * A storm of them costs the host time, and is a poor link's fault more often than
 * a guest's: it is the reports that end, unless somebody wants them back.
 */
static void note_correctable(struct vg_assigned *entry,
			     const struct vg_error *error)
{
	bool muted = policy.prevent && vg_arming_mute(error->pdev);
	bool over = muted && ++entry->errors.mutes > MUTES_MAX;

	if (may_say(entry))
		vg_report_noise(entry, error->pdev, muted);
	if (over)
		act(entry, error, ktime_get_mono_fast_ns(),
		    atomic64_read(&entry->errors.correctable));
}

/* Process context. */
static void handle_errors(struct work_struct *work)
{
	struct vg_assigned *entry;
	struct vg_error error;

	while (kfifo_get(&errors, &error)) {
		entry = get_culprit(&error);
		if (entry) {
			if (error.by_nmi)
				note_nmi(entry, &error);
			else if (error.severity == VG_SEVERITY_CORRECTABLE)
				note_correctable(entry, &error);
			else
				note_uncorrectable(entry, &error);
			vg_assigned_put(entry);
		}
		pci_dev_put(error.pdev);
	}
}

/**
 * vg_error_prepare() - make a device's entry ready to account for errors
 * @entry: not in the registry yet; its requester IDs are known
 *
 * Context: process, may sleep; undone by vg_error_regs_unmap().
 */
void vg_error_prepare(struct vg_assigned *entry)
{
	ratelimit_state_init(&entry->errors.lines, LINES_INTERVAL, LINES_BURST);
	/* Each line has the count: nothing more is to be said of the others. */
	ratelimit_set_flags(&entry->errors.lines, RATELIMIT_MSG_ON_RELEASE);
	vg_error_regs_map(entry);
}

static struct vg_tap taps[] = {
	{ .name = "pcie_do_recovery", .enter = on_recovery },
	{ .name = "pcie_clear_device_status", .enter = on_clear_status },
};

/**
 * vg_error_init() - begin to take in PCIe errors
 * @in_force: the policy
 *
 * Where the kernel has no AER there is nothing to be taken in: that is said,
 * and no error.
 *
 * Context: process, may sleep; before vg_tap_start().
 */
void vg_error_init(const struct vg_policy *in_force)
{
	size_t i;
	int ret;

	policy = *in_force;
	for (i = 0; i < ARRAY_SIZE(taps); i++) {
		ret = vg_tap_add(&taps[i]);
		if (ret)
			pr_warn("can't look on %s: %d: PCIe errors are the kernel's alone\n",
				taps[i].name, ret);
	}
}

/**
 * vg_error_exit() - the errors that have been taken in are the last
 *
 * Context: process, may sleep; vg_tap_stop() has been called, the registry and
 *	    the ladder are there still.
 */
void vg_error_exit(void)
{
	flush_work(&errors_work);
}
