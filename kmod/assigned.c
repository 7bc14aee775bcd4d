// SPDX-License-Identifier: GPL-2.0
/* The registry of devices that VFIO has open. */
#include <linux/slab.h>
#include <linux/xarray.h>

#include "assigned.h"

/*
 * By segment and requester ID. Entries are added and removed in process
 * context under VFIO's lock of the device set, so never twice at a time for
 * one device; looked up without a lock from any context.
 */
static DEFINE_XARRAY(assigned);

/**
 * struct vg_assigned - one device that VFIO has open
 * @pdev: the device; a reference is held
 * @rcu: frees the entry when the last lock-free reader is gone
 */
struct vg_assigned {
	struct pci_dev *pdev;
	struct rcu_head rcu;
};

static unsigned long key_of(struct pci_dev *pdev)
{
	return (unsigned long)pci_domain_nr(pdev->bus) << 16 |
	       pci_dev_id(pdev);
}

/**
 * vg_assigned_add() - a device is about to be opened
 * @pdev: the device; one that is there already is no error
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vg_assigned_add(struct pci_dev *pdev)
{
	struct vg_assigned *entry;
	int ret;

	entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	if (!entry)
		return -ENOMEM;
	entry->pdev = pci_dev_get(pdev);
	ret = xa_insert(&assigned, key_of(pdev), entry, GFP_KERNEL);
	if (ret) {
		pci_dev_put(pdev);
		kfree(entry);
	}
	/* A close we did not see must not lock the device out for good. */
	return ret == -EBUSY ? 0 : ret;
}

static void drop(struct vg_assigned *entry)
{
	pci_dev_put(entry->pdev);
	kfree_rcu(entry, rcu);
}

/**
 * vg_assigned_remove() - a device has been closed, or its open failed
 * @pdev: the device; one that isn't there is no error
 *
 * Context: process, may sleep.
 */
void vg_assigned_remove(struct pci_dev *pdev)
{
	struct vg_assigned *entry = xa_erase(&assigned, key_of(pdev));

	if (entry)
		drop(entry);
}

/**
 * vg_assigned_has() - is the device open?
 * @pdev: the device
 *
 * Context: any.
 * Return: true if it is registered.
 */
bool vg_assigned_has(struct pci_dev *pdev)
{
	return xa_load(&assigned, key_of(pdev));
}

/**
 * vg_assigned_clear() - forget every device
 *
 * Context: process; the gate is closed.
 * Return: how many devices were open still.
 */
unsigned long vg_assigned_clear(void)
{
	struct vg_assigned *entry;
	unsigned long key, n = 0;

	xa_for_each(&assigned, key, entry) {
		xa_erase(&assigned, key);
		drop(entry);
		n++;
	}
	xa_destroy(&assigned);
	return n;
}
