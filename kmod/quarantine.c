// SPDX-License-Identifier: GPL-2.0
/* The ladder that stops a device, and the way back. */
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pm_runtime.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "quarantine.h"
#include "report.h"

/* How often to try for a device's lock. */
#define RETRY_TIME	(HZ / 4)

/* DPC Software Trigger in DPC Control (PCIe §7.9.14.3); pci_regs.h lacks it. */
#define DPC_CTL_SW_TRIGGER	0x0040

#define DPC_CTL_TRIGGER_ENABLE						\
	(PCI_EXP_DPC_CTL_EN_FATAL | PCI_EXP_DPC_CTL_EN_NONFATAL)

/*
 * After a conventional reset a device has a second to answer (PCIe §6.6.1), and
 * the link before it 100 ms to come up (§6.6.1, PCI 3.0 §4.3.2's Trhfa).
 */
#define RESET_SETTLE_MS	1100

/* What a slot's hot-plug controller notices of a link in reset (§6.7.3). */
#define SLOT_LINK_EVENTS	(PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_PDCE)

/**
 * struct kept_state - a device's configuration from before its bus's reset
 * @node: in its quarantine's list
 * @pdev: the device; a reference is held
 * @state: what pci_restore_state() takes
 *
 * The kernel's own copy in the pci_dev doesn't keep: who tries to reset the
 * device while its bus is in reset saves what it reads then.
 */
struct kept_state {
	struct list_head node;
	struct pci_dev *pdev;
	struct pci_saved_state *state;
};

/**
 * struct quarantine - what has been done about a group in process context
 * @node: in quarantines
 * @group: the group; a reference is held
 * @port: the port above it that has been touched, powered, or NULL; a reference
 *	  is held
 * @port_hold: what keeps its bus mastering off, or NULL
 * @port_was_master: it was on before
 * @in_reset: its secondary bus is held in reset
 * @states: struct kept_state.node, of the devices below
 * @slot_events: of SLOT_LINK_EVENTS, those that were on before the reset
 */
struct quarantine {
	struct list_head node;
	struct vg_group *group;
	struct pci_dev *port;
	struct vg_hold *port_hold;
	bool port_was_master;
	bool in_reset;
	struct list_head states;
	u16 slot_events;
};

/* Protects quarantines and the ladder above its first rung. Process context. */
static DEFINE_MUTEX(lock);
static LIST_HEAD(quarantines);

static struct workqueue_struct *wq;

/* Any context but NMI. Queued work has a reference to the group. */
static void queue_step(struct vg_group *group)
{
	if (vg_group_get(group) && mod_delayed_work(wq, &group->work, 0))
		vg_group_put(group);
}

static void queue_retry(struct vg_group *group)
{
	if (vg_group_get(group) &&
	    !queue_delayed_work(wq, &group->work, RETRY_TIME))
		vg_group_put(group);
}

static struct quarantine *find_quarantine(const struct vg_group *group)
{
	struct quarantine *q;

	lockdep_assert_held(&lock);
	list_for_each_entry(q, &quarantines, node)
		if (q->group == group)
			return q;
	return NULL;
}

/*
 * The n-th member, with a reference to put, or NULL. For walks that sleep: who
 * joins or leaves meanwhile may be missed.
 */
static struct vg_assigned *get_member(struct vg_group *group, unsigned int n)
{
	struct vg_assigned *entry, *found = NULL;

	rcu_read_lock();
	list_for_each_entry_rcu(entry, &group->members, sender.sibling) {
		if (n--)
			continue;
		if (vg_assigned_get(entry))
			found = entry;
		break;
	}
	rcu_read_unlock();
	return found;
}

/**
 * vg_quarantine_start() - stop a device and all that can't be told from it
 * @entry: the device
 * @cause: why
 * @requester: the requester ID that its requests carried
 * @faults: how many faults its bucket holds
 *
 * When it returns bus mastering is held off; the rest follows in process
 * context. Who comes second, by another CPU or another device of the group,
 * does nothing.
 *
 * Context: any but NMI.
 */
void vg_quarantine_start(struct vg_assigned *entry, enum vg_cause cause,
			 u16 requester, u32 faults)
{
	struct vg_group *group = entry->group;
	struct vg_assigned *member;

	/* The release waits for us by this. */
	rcu_read_lock();
	if (atomic_cmpxchg(&group->rung, VG_RUNG_FREE, VG_RUNG_MASTER) !=
	    VG_RUNG_FREE)
		goto out;
	list_for_each_entry_rcu(member, &group->members, sender.sibling)
		vg_hold_set(member->hold, PCI_COMMAND_MASTER);
	group->cause = cause;
	group->first_ns = READ_ONCE(entry->first_ns);
	group->faults = faults;
	group->culprit = requester;
	group->more = false;
	/* With this, the rest of the group's fields may be read. */
	smp_store_release(&group->stopped_ns, ktime_get_mono_fast_ns());
	queue_step(group);
out:
	rcu_read_unlock();
}

/**
 * vg_quarantine_go_on() - faults go on after the step that was to end them
 * @entry: the device
 *
 * Context: any but NMI.
 */
void vg_quarantine_go_on(struct vg_assigned *entry)
{
	struct vg_group *group = entry->group;

	/* Still being stopped, or nothing is left to be tried. */
	if (!READ_ONCE(group->stopped_ns) ||
	    atomic_read(&group->rung) == VG_RUNG_EXHAUSTED)
		return;
	WRITE_ONCE(group->more, true);
	queue_step(group);
}

/* Bus mastering of every member once more; true if it reads off. */
static bool hold_members(struct vg_group *group)
{
	struct vg_assigned *member;
	bool off = true;
	u16 cmd;

	rcu_read_lock();
	list_for_each_entry_rcu(member, &group->members, sender.sibling) {
		/* Also who joined, or wrote past us, while we began. */
		vg_hold_set(member->hold, PCI_COMMAND_MASTER);
		if (!pci_read_config_word(member->pdev, PCI_COMMAND, &cmd) &&
		    !PCI_POSSIBLE_ERROR(cmd) && (cmd & PCI_COMMAND_MASTER))
			off = false;
	}
	rcu_read_unlock();
	return off;
}

/*
 * Call a driver's error callback as the AER core does (report_error_detected()
 * in drivers/pci/pcie/err.c), but for the device's error_state: config space
 * must stay accessible. VFIO's drivers signal their user and leave the rest to
 * him; of all states a permanent failure promises least, no recovery follows.
 *
 * False if the device is locked: by an unbind, which may wait for the very user
 * that is to be told, and that unloading this module must not wait for.
 */
static bool tell_driver(struct pci_dev *pdev)
{
	const struct pci_error_handlers *handlers;
	struct pci_driver *drv;

	if (!device_trylock(&pdev->dev))
		return false;
	drv = pdev->dev.driver ? to_pci_driver(pdev->dev.driver) : NULL;
	handlers = drv ? drv->err_handler : NULL;
	if (handlers && handlers->error_detected)
		handlers->error_detected(pdev, pci_channel_io_perm_failure);
	device_unlock(&pdev->dev);
	return true;
}

/* Tell those who have not been told, each once; true if that was the last. */
static bool tell_members(struct vg_group *group)
{
	struct vg_assigned *member;
	bool all = true;
	unsigned int n;

	if (group->told)
		return false;
	for (n = 0; (member = get_member(group, n)); n++) {
		if (!member->notified && READ_ONCE(member->open)) {
			member->notified = tell_driver(member->pdev);
			all &= member->notified;
		}
		vg_assigned_put(member);
	}
	group->told = all;
	return all;
}

static void report_step(const struct quarantine *q, bool first)
{
	struct vg_assigned *member;
	unsigned int n;

	for (n = 0; (member = get_member(q->group, n)); n++) {
		vg_report_quarantined(member, q->port, first);
		vg_assigned_put(member);
	}
}

/**
 * struct lookout - what a walk below a port looks for
 * @id: the IOMMU group that may be there
 * @foreign: something else is
 */
struct lookout {
	int id;
	bool foreign;
};

static int look_out(struct pci_dev *pdev, void *data)
{
	struct lookout *lookout = data;
	struct iommu_group *group;

	/* What lies behind a bridge is looked at itself. */
	if (pci_is_bridge(pdev))
		return 0;
	group = iommu_group_get(&pdev->dev);
	/* Virtual functions are devices, and owners, of their own. */
	if (!group || iommu_group_id(group) != lookout->id || pci_num_vf(pdev))
		lookout->foreign = true;
	iommu_group_put(group);
	return lookout->foreign;
}

/*
 * The software trigger works only while DPC is on, and the kernel's service
 * has the interrupt that it is handled by: then the link goes down, what lies
 * below is reset, and the kernel brings the link up again.
 */
static bool has_dpc(struct pci_dev *port)
{
	u16 pos = pci_find_ext_capability(port, PCI_EXT_CAP_ID_DPC);
	u16 cap, ctl;

	if (!pos || !pci_find_host_bridge(port->bus)->native_dpc ||
	    pci_read_config_word(port, pos + PCI_EXP_DPC_CAP, &cap) ||
	    pci_read_config_word(port, pos + PCI_EXP_DPC_CTL, &ctl))
		return false;
	return (cap & PCI_EXP_DPC_CAP_SW_TRIGGER) &&
	       (ctl & DPC_CTL_TRIGGER_ENABLE) && (ctl & PCI_EXP_DPC_CTL_INT_EN);
}

static void survey_port(struct pci_dev *port, int id,
			struct vg_port_means *means)
{
	struct lookout lookout = { .id = id };

	means->present = port && port->subordinate;
	if (!means->present)
		return;
	pci_walk_bus(port->subordinate, look_out, &lookout);
	means->alone = id >= 0 && !lookout.foreign;
	means->dpc = has_dpc(port);
}

/* The port above the device that broke the limit, with a reference, or NULL. */
static struct pci_dev *find_port(struct vg_group *group)
{
	struct pci_dev *port = NULL;
	struct vg_assigned *member;
	unsigned int n;

	for (n = 0; !port && (member = get_member(group, n)); n++) {
		if (vg_assigned_sends_as(member, group->culprit))
			port = pci_dev_get(pci_upstream_bridge(member->pdev));
		vg_assigned_put(member);
	}
	return port;
}

/* From here to let_port_go() the port is awake. */
static bool seize_port(struct quarantine *q, struct pci_dev *port)
{
	if (q->port)
		return q->port == port;
	if (pm_runtime_resume_and_get(&port->dev) < 0)
		return false;
	q->port = pci_dev_get(port);
	return true;
}

static bool trigger_dpc(struct pci_dev *port)
{
	u16 pos = pci_find_ext_capability(port, PCI_EXT_CAP_ID_DPC);
	u16 ctl;

	return !pci_read_config_word(port, pos + PCI_EXP_DPC_CTL, &ctl) &&
	       !pci_write_config_word(port, pos + PCI_EXP_DPC_CTL,
				      ctl | DPC_CTL_SW_TRIGGER);
}

/* Requests from below are refused at the port (PCIe §7.5.1.1.3). */
static bool stop_port(struct quarantine *q)
{
	struct vg_hold *hold;
	u16 cmd;

	if (pci_read_config_word(q->port, PCI_COMMAND, &cmd))
		return false;
	hold = vg_hold_create(q->port);
	if (IS_ERR(hold))
		return false;
	q->port_hold = hold;
	q->port_was_master = cmd & PCI_COMMAND_MASTER;
	vg_hold_set(hold, PCI_COMMAND_MASTER);
	return !pci_read_config_word(q->port, PCI_COMMAND, &cmd) &&
	       !(cmd & PCI_COMMAND_MASTER);
}

static int keep_state(struct pci_dev *pdev, void *data)
{
	struct quarantine *q = data;
	struct kept_state *kept;

	if (!pci_device_is_present(pdev) || pci_save_state(pdev))
		return 0;
	kept = kzalloc(sizeof(*kept), GFP_KERNEL | __GFP_NOFAIL);
	kept->pdev = pci_dev_get(pdev);
	kept->state = pci_store_saved_state(pdev);
	list_add_tail(&kept->node, &q->states);
	return 0;
}

/* In the order they were found in: bridges before what lies behind them. */
static void restore_states(struct quarantine *q)
{
	struct kept_state *kept, *next;

	list_for_each_entry_safe(kept, next, &q->states, node) {
		pci_load_and_free_saved_state(kept->pdev, &kept->state);
		pci_restore_state(kept->pdev);
		pci_dev_put(kept->pdev);
		kfree(kept);
	}
	INIT_LIST_HEAD(&q->states);
}

/* The slot's driver would take the link in reset for an unplugged device. */
static void deafen_slot(struct quarantine *q)
{
	u16 ctl;

	if (!q->port->is_hotplug_bridge ||
	    pcie_capability_read_word(q->port, PCI_EXP_SLTCTL, &ctl))
		return;
	q->slot_events = ctl & SLOT_LINK_EVENTS;
	pcie_capability_clear_word(q->port, PCI_EXP_SLTCTL, q->slot_events);
}

static void undeafen_slot(struct quarantine *q)
{
	if (!q->slot_events)
		return;
	pcie_capability_write_word(q->port, PCI_EXP_SLTSTA,
				   PCI_EXP_SLTSTA_DLLSC | PCI_EXP_SLTSTA_PDC);
	pcie_capability_set_word(q->port, PCI_EXP_SLTCTL, q->slot_events);
	q->slot_events = 0;
}

/*
 * The bus stays in reset. Its devices lose what their owner made of them;
 * what the kernel needs to know of them is kept.
 */
static bool reset_port(struct quarantine *q)
{
	struct pci_bus *bus = q->port->subordinate;
	u16 ctl;

	if (!bus || pci_read_config_word(q->port, PCI_BRIDGE_CONTROL, &ctl))
		return false;
	pci_walk_bus(bus, keep_state, q);
	deafen_slot(q);
	q->in_reset = true;
	pci_write_config_word(q->port, PCI_BRIDGE_CONTROL,
			      ctl | PCI_BRIDGE_CTL_BUS_RESET);
	return !pci_read_config_word(q->port, PCI_BRIDGE_CONTROL, &ctl) &&
	       (ctl & PCI_BRIDGE_CTL_BUS_RESET);
}

/* As pci_reset_secondary_bus() does, whose second half is not exported. */
static void end_reset(struct quarantine *q)
{
	u16 ctl;

	if (!q->in_reset)
		return;
	q->in_reset = false;
	/* The port itself may have been unplugged. */
	if (!pci_read_config_word(q->port, PCI_BRIDGE_CONTROL, &ctl) &&
	    !PCI_POSSIBLE_ERROR(ctl)) {
		pci_write_config_word(q->port, PCI_BRIDGE_CONTROL,
				      ctl & ~PCI_BRIDGE_CTL_BUS_RESET);
		msleep(RESET_SETTLE_MS);
		undeafen_slot(q);
	}
	restore_states(q);
}

static void let_port_go(struct quarantine *q)
{
	if (!q->port)
		return;
	end_reset(q);
	if (q->port_hold) {
		vg_hold_destroy(q->port_hold);
		if (q->port_was_master)
			pci_set_master(q->port);
	}
	pm_runtime_put(&q->port->dev);
	pci_dev_put(q->port);
}

/* Take a rung; false if it doesn't bear, and the next has to be tried. */
static bool take_rung(struct quarantine *q, enum vg_rung rung,
		      struct pci_dev *port, const struct vg_port_means *means)
{
	switch (rung) {
	case VG_RUNG_PORT:
		if (!seize_port(q, port))
			return false;
		return means->dpc ? trigger_dpc(port) : stop_port(q);
	case VG_RUNG_RESET:
		return seize_port(q, port) && reset_port(q);
	default:
		return true;
	}
}

static void climb(struct quarantine *q)
{
	struct vg_group *group = q->group;
	enum vg_rung rung = atomic_read(&group->rung);
	struct pci_dev *port = find_port(group);
	bool taken = false;

	while (!taken && rung != VG_RUNG_EXHAUSTED) {
		struct vg_port_means means = {};

		survey_port(port, group->id, &means);
		rung = vg_ladder_next(rung, &means);
		taken = take_rung(q, rung, port, &means);
	}
	pci_dev_put(port);
	atomic_set(&group->rung, rung);
	WRITE_ONCE(group->stopped_ns, ktime_get_mono_fast_ns());
	/* Those until now are no reason for the next rung. */
	WRITE_ONCE(group->more, false);
	report_step(q, false);
}

static struct quarantine *begin(struct vg_group *group)
{
	struct quarantine *q = kzalloc(sizeof(*q), GFP_KERNEL | __GFP_NOFAIL);

	vg_group_get(group);
	q->group = group;
	INIT_LIST_HEAD(&q->states);
	list_add(&q->node, &quarantines);
	return q;
}

static void carry_on(struct vg_group *group)
{
	struct quarantine *q = find_quarantine(group);
	enum vg_rung rung = atomic_read(&group->rung);
	bool first = !q;
	bool off, told;

	lockdep_assert_held(&lock);
	if (first)
		q = begin(group);
	off = hold_members(group);
	told = tell_members(group);
	if (first || told)
		report_step(q, first);
	/* Higher up the bit tells nothing: the port is what stops the device. */
	if (rung == VG_RUNG_MASTER && !off)
		climb(q);
	else if (rung != VG_RUNG_EXHAUSTED && READ_ONCE(group->more))
		climb(q);
	if (!group->told)
		queue_retry(group);
}

static void free_members(struct vg_group *group, const char *by)
{
	struct vg_assigned *member;
	unsigned int n;

	for (n = 0; (member = get_member(group, n)); n++) {
		/* It may have been turned on past us; it is let go off. */
		vg_hold_set(member->hold, PCI_COMMAND_MASTER);
		vg_hold_clear(member->hold, PCI_COMMAND_MASTER);
		member->notified = false;
		vg_report_released(member, by);
		vg_assigned_put(member);
	}
}

/* Undo everything, in the order opposite to that in which it was done. */
static void free_group(struct vg_group *group, const char *by)
{
	struct quarantine *q = find_quarantine(group);

	lockdep_assert_held(&lock);
	/* Who is still stopping the group must have come to the end. */
	synchronize_rcu();
	/* We may be quicker than its work: what begins is said before it ends. */
	if (!q) {
		q = begin(group);
		report_step(q, true);
	}
	list_del(&q->node);
	let_port_go(q);
	kfree(q);
	free_members(group, by);
	group->told = false;
	group->stopped_ns = 0;
	/* Whoever stops it anew finds it as new. */
	atomic_set_release(&group->rung, VG_RUNG_FREE);
	vg_group_prune(group);
	/* The quarantine's own; whoever called us has another. */
	vg_group_put(group);
}

/* What follows the hold, and every step after it: process context. */
static void step(struct work_struct *work)
{
	struct vg_group *group = container_of(to_delayed_work(work),
					      struct vg_group, work);

	mutex_lock(&lock);
	/* Released meanwhile, or being stopped still, which queues us again. */
	if (smp_load_acquire(&group->stopped_ns) &&
	    vg_group_is_quarantined(group)) {
		/* Unplugged, all of it, before we came. */
		if (list_empty(&group->members))
			free_group(group, "removal");
		else
			carry_on(group);
	}
	mutex_unlock(&lock);
	vg_group_put(group);
}

/**
 * vg_quarantine_release() - let a device, and its group, go
 * @pdev: the device
 *
 * Bus mastering may be turned on again; it is not by us.
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOENT if it is not quarantined.
 */
int vg_quarantine_release(struct pci_dev *pdev)
{
	struct vg_group *group = vg_group_of(pdev);
	int ret = -ENOENT;

	if (!group)
		return ret;
	mutex_lock(&lock);
	if (vg_group_is_quarantined(group)) {
		free_group(group, "admin");
		ret = 0;
	}
	mutex_unlock(&lock);
	vg_group_put(group);
	return ret;
}

/**
 * vg_quarantine_before_close() - VFIO is about to reset and restore a device
 * @pdev: the device
 *
 * It could not while the bus is held in reset, and would wait a minute for the
 * device to answer. Whoever could set the device up again is gone by now; bus
 * mastering stays off.
 *
 * Context: process, may sleep; VFIO's lock of the device set is held.
 */
void vg_quarantine_before_close(struct pci_dev *pdev)
{
	struct vg_group *group = vg_group_of(pdev);
	struct quarantine *q;

	if (!group)
		return;
	if (vg_group_is_quarantined(group)) {
		mutex_lock(&lock);
		q = find_quarantine(group);
		if (q && q->port)
			end_reset(q);
		mutex_unlock(&lock);
	}
	vg_group_put(group);
}

/* True if the device is closed, and has been reset. */
static bool reset_member(struct vg_assigned *member)
{
	struct pci_dev *pdev = member->pdev;
	bool done;

	if (READ_ONCE(member->open) ||
	    pm_runtime_resume_and_get(&pdev->dev) < 0)
		return false;
	done = !pci_try_reset_function(pdev);
	pm_runtime_put(&pdev->dev);
	return done;
}

static bool reset_members(struct vg_group *group)
{
	struct vg_assigned *member;
	bool all = true;
	unsigned int n;

	for (n = 0; all && (member = get_member(group, n)); n++) {
		all = reset_member(member);
		vg_assigned_put(member);
	}
	return all;
}

/**
 * vg_quarantine_after_reset() - let a closed device go if a reset works
 * @pdev: the device, which is about to be opened
 *
 * For the policy until_reset. All closed devices of the group are reset; while
 * one of them is open, or has no reset that works, all stay held.
 *
 * Context: process, may sleep; VFIO's lock of the device set is held.
 */
void vg_quarantine_after_reset(struct pci_dev *pdev)
{
	struct vg_group *group = vg_group_of(pdev);

	if (!group)
		return;
	/* A reset may take a minute: other groups' steps don't wait for it. */
	if (vg_group_is_quarantined(group) && reset_members(group)) {
		mutex_lock(&lock);
		if (vg_group_is_quarantined(group))
			free_group(group, "reset");
		mutex_unlock(&lock);
	}
	vg_group_put(group);
}

static void free_empty(struct vg_group *group)
{
	if (!vg_group_get(group))
		return;
	free_group(group, "removal");
	vg_group_put(group);
}

/* The last device of a group is gone: the port is free for the next. */
static int on_bus_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	struct quarantine *q, *next;

	if (action != BUS_NOTIFY_REMOVED_DEVICE)
		return NOTIFY_DONE;
	mutex_lock(&lock);
	list_for_each_entry_safe(q, next, &quarantines, node)
		if (list_empty(&q->group->members))
			free_empty(q->group);
	mutex_unlock(&lock);
	return NOTIFY_DONE;
}

/* After the registry, which has forgotten the device by then. */
static struct notifier_block bus_notifier = {
	.notifier_call = on_bus_event,
	.priority = -1,
};

/**
 * vg_quarantine_prepare() - make a group ready to be quarantined
 * @group: zeroed, not in the registry yet
 *
 * Context: any.
 */
void vg_quarantine_prepare(struct vg_group *group)
{
	INIT_DELAYED_WORK(&group->work, step);
}

/**
 * vg_quarantine_init() - be ready
 *
 * Context: process, may sleep; vg_assigned_init() has been called.
 * Return: 0 or an errno.
 */
int vg_quarantine_init(void)
{
	int ret;

	/* A storm's interrupts may keep the CPU they come to for themselves. */
	wq = alloc_workqueue("vfio-guard-quarantine", WQ_UNBOUND, 0);
	if (!wq)
		return -ENOMEM;
	ret = bus_register_notifier(&pci_bus_type, &bus_notifier);
	if (ret)
		destroy_workqueue(wq);
	return ret;
}

static struct vg_group *free_any(void)
{
	struct vg_group *group = NULL;
	struct quarantine *q;

	mutex_lock(&lock);
	q = list_first_entry_or_null(&quarantines, struct quarantine, node);
	if (q && vg_group_get(q->group)) {
		group = q->group;
		free_group(group, "unload");
	}
	mutex_unlock(&lock);
	return group;
}

/**
 * vg_quarantine_exit() - let everybody go
 *
 * Context: process, may sleep; no fault is taken in any more.
 */
void vg_quarantine_exit(void)
{
	struct vg_group *group;

	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	/* Those who have been stopped just now are not in the list yet. */
	flush_workqueue(wq);
	while ((group = free_any())) {
		if (cancel_delayed_work_sync(&group->work))
			vg_group_put(group);
		vg_group_put(group);
	}
	destroy_workqueue(wq);
}
