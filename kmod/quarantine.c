// SPDX-License-Identifier: GPL-2.0
/* The ladder that stops a device, and the way back. */
#include <linux/ktime.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "members.h"
#include "port.h"
#include "quarantine.h"
#include "report.h"

/* How often to try for a device's lock. */
#define RETRY_TIME	(HZ / 4)

/**
 * struct quarantine - what has been done about a group in process context
 * @node: in quarantines
 * @group: the group; a reference is held
 * @port: the port above it, if it has been touched
 */
struct quarantine {
	struct list_head node;
	struct vg_group *group;
	struct vg_port port;
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

	/* The release waits for us by this, too. */
	rcu_read_lock();
	/* Still being stopped, or let go just now. */
	if (!smp_load_acquire(&group->stopped_ns) || READ_ONCE(group->ending))
		goto out;
	/* It may have a way to the bit that is none of the kernel's. */
	vg_hold_set(entry->hold, PCI_COMMAND_MASTER);
	/* Nothing else is left to be tried. */
	if (atomic_read(&group->rung) == VG_RUNG_EXHAUSTED)
		goto out;
	WRITE_ONCE(group->more, true);
	queue_step(group);
out:
	rcu_read_unlock();
}

static void report_step(const struct quarantine *q, bool first)
{
	struct vg_assigned *member;
	unsigned int n;

	for (n = 0; (member = vg_member_get(q->group, n)); n++) {
		vg_report_quarantined(member, q->port.pdev, first);
		vg_assigned_put(member);
	}
}

/* The port above the device that broke the limit, with a reference, or NULL. */
static struct pci_dev *find_port(struct vg_group *group)
{
	struct pci_dev *port = NULL;
	struct vg_assigned *member;
	unsigned int n;

	for (n = 0; !port && (member = vg_member_get(group, n)); n++) {
		if (vg_assigned_sends_as(member, group->culprit))
			port = pci_dev_get(pci_upstream_bridge(member->pdev));
		vg_assigned_put(member);
	}
	return port;
}

/* Take a rung; false if it doesn't bear, and the next has to be tried. */
static bool take_rung(struct quarantine *q, enum vg_rung rung,
		      struct pci_dev *port, const struct vg_port_means *means)
{
	switch (rung) {
	case VG_RUNG_PORT:
		return vg_port_seize(&q->port, port) &&
		       vg_port_stop(&q->port, means->dpc);
	case VG_RUNG_RESET:
		return vg_port_seize(&q->port, port) && vg_port_reset(&q->port);
	default:
		return true;
	}
}

static void climb(struct quarantine *q)
{
	struct vg_group *group = q->group;
	enum vg_rung rung = atomic_read(&group->rung);
	struct pci_dev *port = find_port(group);
	/* The rung bears, but somebody has undone it: VFIO's own reset does. */
	bool taken = rung == VG_RUNG_RESET && vg_port_renew_reset(&q->port);

	while (!taken && rung != VG_RUNG_EXHAUSTED) {
		struct vg_port_means means = {};

		vg_port_survey(port, group->id, &means);
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
	vg_port_init(&q->port);
	list_add(&q->node, &quarantines);
	return q;
}

static void carry_on(struct vg_group *group)
{
	struct quarantine *q = find_quarantine(group);
	enum vg_rung rung = atomic_read(&group->rung);
	bool first = !q;
	bool off, told, joined;

	lockdep_assert_held(&lock);
	if (first)
		q = begin(group);
	joined = vg_group_complete(group);
	off = vg_members_hold(group);
	told = vg_members_tell(group);
	if (first || told || joined)
		report_step(q, first);
	/* Higher up the bit tells nothing: the port is what stops the device. */
	if (rung == VG_RUNG_MASTER && !off)
		climb(q);
	else if (rung != VG_RUNG_EXHAUSTED && READ_ONCE(group->more))
		climb(q);
	if (!group->told)
		queue_retry(group);
}

static void report_release(struct vg_group *group, const char *by)
{
	struct vg_assigned *member;
	unsigned int n;

	for (n = 0; (member = vg_member_get(group, n)); n++) {
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
	WRITE_ONCE(group->ending, true);
	synchronize_rcu();
	/* We may be quicker than its work: what begins is said before it ends. */
	if (!q) {
		q = begin(group);
		report_step(q, true);
	}
	/* Nobody may try again to tell a driver. */
	if (cancel_delayed_work(&group->work))
		vg_group_put(group);
	list_del(&q->node);
	vg_port_release(&q->port);
	kfree(q);
	/* A line may take the console long, and unheld it may fault unjudged. */
	report_release(group, by);
	vg_members_let_go(group);
	group->told = false;
	WRITE_ONCE(group->stopped_ns, 0);
	WRITE_ONCE(group->ending, false);
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
 * device to answer. With the last one of the group whoever could set the device
 * up again is gone; bus mastering stays off.
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
		if (q && !vg_members_open_beside(group, pdev))
			vg_port_end_reset(&q->port);
		mutex_unlock(&lock);
	}
	vg_group_put(group);
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
	if (vg_group_is_quarantined(group) && vg_members_reset(group)) {
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

/* A newcomer to a group that is held is held, too. */
static void on_arrival(struct pci_dev *pdev)
{
	struct vg_group *group = vg_group_of(pdev);

	if (!group)
		return;
	if (vg_group_is_quarantined(group))
		queue_step(group);
	vg_group_put(group);
}

/* The last device of a group is gone: the port is free for the next. */
static void on_departure(void)
{
	struct quarantine *q, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(q, next, &quarantines, node)
		if (list_empty(&q->group->members))
			free_empty(q->group);
	mutex_unlock(&lock);
}

static int on_bus_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	if (action == BUS_NOTIFY_ADD_DEVICE)
		on_arrival(to_pci_dev(data));
	else if (action == BUS_NOTIFY_REMOVED_DEVICE)
		on_departure();
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
