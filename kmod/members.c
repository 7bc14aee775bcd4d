// SPDX-License-Identifier: GPL-2.0
/* What is done to all devices that can't be told from each other. */
#include <linux/pm_runtime.h>
#include <linux/rculist.h>

#include "members.h"

/**
 * vg_member_get() - the n-th device of a group
 * @group: the group
 * @n: from 0 on
 *
 * For walks that sleep: who joins or leaves meanwhile may be missed.
 *
 * Context: any but NMI.
 * Return: it, with a reference to put, or NULL if there are fewer.
 */
struct vg_assigned *vg_member_get(struct vg_group *group, unsigned int n)
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
 * vg_members_hold() - hold bus mastering of all of a group's devices off
 * @group: the group, which is quarantined
 *
 * Context: any but NMI.
 * Return: true if it reads off everywhere, or can't be read.
 */
bool vg_members_hold(struct vg_group *group)
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

/**
 * vg_members_tell() - tell the users of a group's devices that they are lost
 * @group: the group, which is quarantined
 *
 * Each once; who can't be told now has to be at another try.
 *
 * Context: process, may sleep; one at a time for a group.
 * Return: true if that was the last of them.
 */
bool vg_members_tell(struct vg_group *group)
{
	struct vg_assigned *member;
	bool all = true;
	unsigned int n;

	if (group->told)
		return false;
	for (n = 0; (member = vg_member_get(group, n)); n++) {
		if (!member->notified && READ_ONCE(member->open)) {
			member->notified = tell_driver(member->pdev);
			all &= member->notified;
		}
		vg_assigned_put(member);
	}
	group->told = all;
	return all;
}

/**
 * vg_members_let_go() - hold bus mastering of a group's devices no longer
 * @group: the group
 *
 * It is off, and may be turned on.
 *
 * Context: any but NMI; not beside vg_members_tell().
 */
void vg_members_let_go(struct vg_group *group)
{
	struct vg_assigned *member;

	rcu_read_lock();
	list_for_each_entry_rcu(member, &group->members, sender.sibling) {
		/* It may have been turned on past us; it is let go off. */
		vg_hold_set(member->hold, PCI_COMMAND_MASTER);
		vg_hold_clear(member->hold, PCI_COMMAND_MASTER);
		member->notified = false;
	}
	rcu_read_unlock();
}

/**
 * vg_members_open_beside() - has anybody a group's device open?
 * @group: the group
 * @pdev: other than this one
 *
 * Context: any but NMI.
 * Return: true if so.
 */
bool vg_members_open_beside(struct vg_group *group, const struct pci_dev *pdev)
{
	struct vg_assigned *member;
	bool open = false;

	rcu_read_lock();
	list_for_each_entry_rcu(member, &group->members, sender.sibling)
		if (member->pdev != pdev && READ_ONCE(member->open))
			open = true;
	rcu_read_unlock();
	return open;
}

/* True if the device is closed, and has been reset if anybody had it. */
static bool reset_member(struct vg_assigned *member)
{
	struct pci_dev *pdev = member->pdev;
	bool done;

	if (READ_ONCE(member->open))
		return false;
	if (member->bystander)
		return true;
	if (pm_runtime_resume_and_get(&pdev->dev) < 0)
		return false;
	done = !pci_try_reset_function(pdev);
	pm_runtime_put(&pdev->dev);
	return done;
}

/**
 * vg_members_reset() - reset all of a group's devices
 * @group: the group
 *
 * Context: process, may sleep, a minute for each.
 * Return: true if all are closed, and those that anybody had were reset.
 */
bool vg_members_reset(struct vg_group *group)
{
	struct vg_assigned *member;
	bool all = true;
	unsigned int n;

	for (n = 0; all && (member = vg_member_get(group, n)); n++) {
		all = reset_member(member);
		vg_assigned_put(member);
	}
	return all;
}
