// SPDX-License-Identifier: GPL-2.0
/* The registry of devices that VFIO has open, or that are held after faults. */
#include <linux/iommu.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "assigned.h"
#include "error.h"
#include "fault.h"
#include "quarantine.h"
#include "report.h"

/*
 * A closed device stays known for so long: requests may be under way still, and
 * closing and opening again must not empty its bucket.
 */
#define LINGER	HZ

/*
 * Protects who is in the registry and in the index of requester IDs, groups'
 * members, and vg_assigned.open.
 */
static DEFINE_MUTEX(lock);
static LIST_HEAD(groups);

/* Entries are freed here, so that unloading can wait for it. */
static struct workqueue_struct *reaper;

static void prune_closed(struct work_struct *work);
static DECLARE_DELAYED_WORK(prune_work, prune_closed);

static struct vg_assigned *entry_at(struct vg_sender *sender)
{
	return sender ? container_of(sender, struct vg_assigned, sender) : NULL;
}

/**
 * vg_assigned_find() - whose requester ID is it?
 * @segment: PCI segment
 * @rid: requester ID as the request carried it
 *
 * Context: any, NMI too; under rcu_read_lock(), which also keeps the entry.
 * Return: the device, or NULL if it is none that is open or held.
 */
struct vg_assigned *vg_assigned_find(u16 segment, u16 rid)
{
	return entry_at(vg_senders_find(segment, rid));
}

/**
 * vg_assigned_any() - is any device open or held?
 *
 * Context: any, NMI too.
 * Return: false if there is none.
 */
bool vg_assigned_any(void)
{
	return vg_senders_any();
}

/**
 * vg_assigned_next() - go through the open and held devices
 * @key: where to go on; 0 at first
 *
 * A device of several requester IDs comes several times.
 *
 * Context: any, NMI too; under rcu_read_lock(), which also keeps the entry.
 * Return: the next one, or NULL.
 */
struct vg_assigned *vg_assigned_next(unsigned long *key)
{
	return entry_at(vg_senders_next(key));
}

/* The entry of a device itself, not of one that shares an alias. */
static struct vg_assigned *entry_of(struct pci_dev *pdev)
{
	struct vg_group *group;
	struct vg_assigned *entry;

	lockdep_assert_held(&lock);
	list_for_each_entry(group, &groups, node)
		list_for_each_entry(entry, &group->members, sender.sibling)
			if (entry->pdev == pdev)
				return entry;
	return NULL;
}

/**
 * vg_assigned_get() - keep an entry beyond the RCU read section
 * @entry: the entry
 *
 * Context: any.
 * Return: false if it is on its way out.
 */
bool vg_assigned_get(struct vg_assigned *entry)
{
	return refcount_inc_not_zero(&entry->refs);
}

/* Process context, when the last lock-free reader is gone. */
static void free_entry(struct work_struct *work)
{
	struct vg_assigned *entry = container_of(to_rcu_work(work),
						 struct vg_assigned, free);

	cancel_work_sync(&entry->report);
	vg_error_regs_unmap(entry);
	vg_hold_destroy(entry->hold);
	vg_group_put(entry->group);
	pci_dev_put(entry->pdev);
	kfree(entry);
}

/**
 * vg_assigned_put() - let an entry go
 * @entry: the entry
 *
 * Context: any.
 */
void vg_assigned_put(struct vg_assigned *entry)
{
	if (refcount_dec_and_test(&entry->refs))
		queue_rcu_work(reaper, &entry->free);
}

/**
 * vg_group_get() - keep a group beyond the RCU read section
 * @group: the group
 *
 * Context: any.
 * Return: false if it is on its way out.
 */
bool vg_group_get(struct vg_group *group)
{
	return refcount_inc_not_zero(&group->refs);
}

/**
 * vg_group_put() - let a group go
 * @group: the group
 *
 * Context: any; the group's work is not queued when the last one lets go, as it
 *	    has a reference of its own.
 */
void vg_group_put(struct vg_group *group)
{
	if (refcount_dec_and_test(&group->refs))
		kfree_rcu(group, rcu);
}

static int group_id(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	int id = group ? iommu_group_id(group) : -1;

	iommu_group_put(group);
	return id;
}

static struct vg_group *find_group(int id)
{
	struct vg_group *group;

	lockdep_assert_held(&lock);
	list_for_each_entry(group, &groups, node)
		if (id >= 0 && group->id == id)
			return group;
	return NULL;
}

/**
 * vg_group_of() - the group of a device, if any of its devices is known
 * @pdev: the device, which need not be open itself
 *
 * Context: process, may sleep.
 * Return: the group, with a reference to put, or NULL.
 */
struct vg_group *vg_group_of(struct pci_dev *pdev)
{
	struct vg_group *group;

	mutex_lock(&lock);
	group = find_group(group_id(pdev));
	if (group && !vg_group_get(group))
		group = NULL;
	mutex_unlock(&lock);
	return group;
}

/* With a reference for the member to come; NULL if there is no memory. */
static struct vg_group *join_group(int id)
{
	struct vg_group *group = find_group(id);

	if (group && vg_group_get(group))
		return group;
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return NULL;
	group->id = id;
	refcount_set(&group->refs, 1);
	INIT_LIST_HEAD(&group->members);
	vg_quarantine_prepare(group);
	list_add(&group->node, &groups);
	return group;
}

/**
 * vg_assigned_sends_as() - may a device's requests carry this ID?
 * @entry: the device
 * @rid: requester ID
 *
 * Context: any.
 * Return: true if so.
 */
bool vg_assigned_sends_as(const struct vg_assigned *entry, u16 rid)
{
	return vg_requesters_has(&entry->sender.requesters, rid);
}

static void leave_group(struct vg_assigned *entry)
{
	lockdep_assert_held(&lock);
	if (list_empty(&entry->group->members))
		list_del(&entry->group->node);
	/* The device may be about to go, and its bus with it. */
	vg_hold_retire(entry->hold);
}

/* Its references in flight may outlast it in the registry. */
static void remove_entry(struct vg_assigned *entry)
{
	vg_senders_unlink(&entry->sender, &entry->group->members);
	leave_group(entry);
	vg_assigned_put(entry);
}

static int link_entry(struct vg_assigned *entry)
{
	int ret = vg_senders_link(&entry->sender, &entry->group->members);

	if (ret)
		leave_group(entry);
	return ret;
}

static void find_requesters(struct vg_assigned *entry)
{
	struct vg_path path;
	u32 cap = 0;

	vg_path_init(&path, entry->pdev);
	entry->unit = path.whole ? vg_units_find(&path) : NULL;
	if (entry->unit && entry->unit->ops->add_aliases)
		entry->unit->ops->add_aliases(entry->unit, &path);
	/* Behind a VMD controller that one sends in its stead. */
	if (path.requesters.id[0] == pci_dev_id(entry->pdev))
		pcie_capability_read_dword(entry->pdev, PCI_EXP_DEVCAP, &cap);
	vg_requesters_add_phantoms(&path.requesters, cap);
	entry->sender.segment = path.pci.segment;
	entry->sender.requesters = path.requesters;
}

static int add_entry(struct pci_dev *pdev)
{
	struct vg_assigned *entry;
	int ret;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->hold = vg_hold_create(pdev);
	if (IS_ERR(entry->hold)) {
		ret = PTR_ERR(entry->hold);
		goto err_entry;
	}
	entry->group = join_group(group_id(pdev));
	if (!entry->group) {
		ret = -ENOMEM;
		goto err_hold;
	}
	entry->pdev = pci_dev_get(pdev);
	refcount_set(&entry->refs, 1);
	INIT_RCU_WORK(&entry->free, free_entry);
	vg_fault_prepare(entry);
	find_requesters(entry);
	vg_error_prepare(entry);
	ret = link_entry(entry);
	if (ret)
		vg_assigned_put(entry);
	return ret;

err_hold:
	vg_hold_destroy(entry->hold);
err_entry:
	kfree(entry);
	return ret;
}

/**
 * vg_assigned_open() - a device is about to be opened
 * @pdev: the device; one that is known already is no error
 * @held: bits of its COMMAND register to hold off until it is closed
 *
 * Context: process, may sleep; VFIO's lock of the device set is held.
 * Return: 0 or -ENOMEM.
 */
int vg_assigned_open(struct pci_dev *pdev, u16 held)
{
	struct vg_assigned *entry;
	int ret = 0;

	mutex_lock(&lock);
	entry = entry_of(pdev);
	if (!entry) {
		ret = add_entry(pdev);
		entry = ret ? NULL : entry_of(pdev);
	}
	if (entry) {
		entry->open = true;
		entry->bystander = false;
		entry->held = held;
		if (held)
			vg_hold_set(entry->hold, held);
		vg_error_settle(entry);
	}
	mutex_unlock(&lock);
	return ret;
}

/**
 * vg_assigned_close() - a device has been closed, or its open failed
 * @pdev: the device; one that isn't known is no error
 *
 * A device that is not held is forgotten a second later.
 *
 * Context: process, may sleep; VFIO's lock of the device set is held.
 */
void vg_assigned_close(struct pci_dev *pdev)
{
	struct vg_assigned *entry;

	mutex_lock(&lock);
	entry = entry_of(pdev);
	if (entry) {
		entry->open = false;
		if (entry->held)
			vg_hold_clear(entry->hold, entry->held);
		entry->held = 0;
	}
	mutex_unlock(&lock);
	schedule_delayed_work(&prune_work, LINGER);
}

/* The group's lock, which is the kernel's, is held. */
static int take_in(struct device *dev, void *data)
{
	struct pci_dev *pdev = dev_is_pci(dev) ? to_pci_dev(dev) : NULL;
	bool *any = data;
	int ret;

	/* A bridge does not master the bus for itself. */
	if (!pdev || pci_is_bridge(pdev) || entry_of(pdev))
		return 0;
	ret = add_entry(pdev);
	if (ret) {
		pci_err(pdev, "vfio-guard: can't register the device: %d\n",
			ret);
	} else {
		entry_of(pdev)->bystander = true;
		*any = true;
	}
	return 0;
}

/**
 * vg_group_complete() - make known what else is in a group
 * @group: the group, which is quarantined
 *
 * Devices that nobody has had open are members from then on, until the group is
 * released.
 *
 * Context: process, may sleep.
 * Return: true if there were any.
 */
bool vg_group_complete(struct vg_group *group)
{
	struct iommu_group *devices = NULL;
	struct vg_assigned *member;
	bool any = false;

	mutex_lock(&lock);
	member = list_first_entry_or_null(&group->members, struct vg_assigned,
					  sender.sibling);
	if (member)
		devices = iommu_group_get(&member->pdev->dev);
	if (devices)
		iommu_group_for_each_dev(devices, &any, take_in);
	iommu_group_put(devices);
	mutex_unlock(&lock);
	return any;
}

/* Forget a group's closed devices, unless they are held. */
static void prune_group(struct vg_group *group)
{
	struct vg_assigned *entry, *next;

	if (vg_group_is_quarantined(group))
		return;
	list_for_each_entry_safe(entry, next, &group->members, sender.sibling)
		if (!entry->open)
			remove_entry(entry);
}

/*
 * A device that is closed, opened and closed again within the second may be
 * forgotten early; that costs no more than a late fault's attribution.
 */
static void prune_closed(struct work_struct *work)
{
	struct vg_group *group, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(group, next, &groups, node) {
		/* Its last member takes it along. */
		if (vg_group_get(group)) {
			prune_group(group);
			vg_group_put(group);
		}
	}
	mutex_unlock(&lock);
}

/**
 * vg_group_prune() - a group has been released: forget what is not open
 * @group: the group; the caller has a reference
 *
 * Context: process, may sleep.
 */
void vg_group_prune(struct vg_group *group)
{
	mutex_lock(&lock);
	prune_group(group);
	mutex_unlock(&lock);
}

/* Unplugged, or a virtual function whose physical one took it back. */
static void forget(struct pci_dev *pdev)
{
	struct vg_assigned *entry;

	mutex_lock(&lock);
	entry = entry_of(pdev);
	if (entry) {
		if (vg_group_is_quarantined(entry->group))
			vg_report_released(entry, "removal");
		remove_entry(entry);
	}
	mutex_unlock(&lock);
}

/* Process context; the driver is unbound already. */
static int on_bus_event(struct notifier_block *nb, unsigned long action,
			void *data)
{
	if (action == BUS_NOTIFY_REMOVED_DEVICE)
		forget(to_pci_dev(data));
	return NOTIFY_DONE;
}

static struct notifier_block bus_notifier = { .notifier_call = on_bus_event };

/**
 * vg_assigned_is_open() - does VFIO have the device open?
 * @pdev: the device
 *
 * Context: process, may sleep.
 * Return: true if it has been opened through the gate, and not closed.
 */
bool vg_assigned_is_open(struct pci_dev *pdev)
{
	struct vg_assigned *entry;
	bool open;

	mutex_lock(&lock);
	entry = entry_of(pdev);
	open = entry && entry->open;
	mutex_unlock(&lock);
	return open;
}

/**
 * vg_assigned_init() - begin to follow devices that come and go
 *
 * Context: process, may sleep.
 * Return: 0 or an errno.
 */
int vg_assigned_init(void)
{
	int ret;

	reaper = alloc_workqueue("vfio-guard", WQ_UNBOUND, 0);
	if (!reaper)
		return -ENOMEM;
	ret = bus_register_notifier(&pci_bus_type, &bus_notifier);
	if (ret)
		destroy_workqueue(reaper);
	return ret;
}

/**
 * vg_assigned_exit() - forget every device
 *
 * Context: process, may sleep; the gate is closed, no fault is taken in, and
 *	    no quarantine's work is queued any more.
 * Return: how many devices were open still.
 */
unsigned long vg_assigned_exit(void)
{
	struct vg_assigned *entry, *next_entry;
	struct vg_group *group, *next;
	unsigned long open = 0;

	bus_unregister_notifier(&pci_bus_type, &bus_notifier);
	cancel_delayed_work_sync(&prune_work);
	mutex_lock(&lock);
	list_for_each_entry_safe(group, next, &groups, node) {
		refcount_inc(&group->refs);
		list_for_each_entry_safe(entry, next_entry, &group->members,
					 sender.sibling) {
			open += entry->open;
			remove_entry(entry);
		}
		vg_group_put(group);
	}
	mutex_unlock(&lock);
	/* Entries on their way to the reaper, then those that are there. */
	rcu_barrier();
	destroy_workqueue(reaper);
	/* And their groups, which kfree_rcu() frees without code of ours. */
	vg_senders_exit();
	return open;
}
