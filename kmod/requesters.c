// SPDX-License-Identifier: GPL-2.0
/* The requester IDs that devices send by, and whose one is; also in KUnit. */
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/pci_regs.h>
#include <linux/rculist.h>
#include <linux/xarray.h>

#include "requesters.h"

/* Bits in pci_dev.dma_alias_mask: MAX_NR_DEVFNS, which modules don't see. */
#define DEVFNS_PER_BUS 256

/*
 * Senders by segment and requester ID, several IDs to a sender; an ID that
 * several siblings share (a bridge's) leads to one of them. Changed by one at a
 * time, looked up under RCU in any context.
 */
static DEFINE_XARRAY(by_requester);

static unsigned long key_of(u16 segment, u16 rid)
{
	return (unsigned long)segment << 16 | rid;
}

/**
 * vg_requesters_add() - remember a requester ID
 * @set: where
 * @rid: requester ID; one that is there already is not added again
 *
 * Context: any.
 * Return: false if there is no room left.
 */
bool vg_requesters_add(struct vg_requesters *set, u16 rid)
{
	if (vg_requesters_has(set, rid))
		return true;
	if (set->nr == VG_REQUESTERS_MAX)
		return false;
	set->id[set->nr++] = rid;
	return true;
}

/**
 * vg_requesters_add_slots() - remember IDs that a quirk says a device uses
 * @set: where
 * @bus: the device's bus
 * @devfns: pci_dev.dma_alias_mask: a bit for each device and function number
 *
 * Context: any.
 * Return: false if there is no room for all.
 */
bool vg_requesters_add_slots(struct vg_requesters *set, u8 bus,
			     const unsigned long *devfns)
{
	unsigned int devfn;

	for_each_set_bit(devfn, devfns, DEVFNS_PER_BUS)
		if (!vg_requesters_add(set, bus << 8 | devfn))
			return false;
	return true;
}

/**
 * vg_requesters_add_phantoms() - remember the IDs of phantom functions
 * @set: where; the device's own ID is in it
 * @devcap: its Device Capabilities (PCIe §7.5.3.3)
 *
 * A device with phantom functions may send as function numbers that it does not
 * have, by the topmost bits of the number (PCIe §2.2.6.2); whether that is
 * switched on is its owner's business.
 *
 * Context: any.
 * Return: false if there is no room for all.
 */
bool vg_requesters_add_phantoms(struct vg_requesters *set, u32 devcap)
{
	u8 bits = (devcap & PCI_EXP_DEVCAP_PHANTOM) >> 3;
	u8 i;

	for (i = 1; i < 1 << bits; i++)
		if (!vg_requesters_add(set, set->id[0] | i << (3 - bits)))
			return false;
	return true;
}

/**
 * vg_requesters_has() - is this ID one of them?
 * @set: of a device
 * @rid: requester ID
 *
 * Context: any.
 * Return: true if the device's requests may carry it.
 */
bool vg_requesters_has(const struct vg_requesters *set, u16 rid)
{
	u8 i;

	for (i = 0; i < set->nr; i++)
		if (set->id[i] == rid)
			return true;
	return false;
}

/**
 * vg_requesters_of_bridge() - the ID a bridge puts in place of those behind it
 * @rid: its own
 * @secondary: number of the bus behind it
 * @type: pci_pcie_type(), or -ENOENT if it is conventional
 * @quirk: a conventional one that sends as a PCIe bridge does
 *	   (PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS)
 *
 * The rules are those of pci_for_each_dma_alias(), and of the PCIe to PCI/PCI-X
 * Bridge specification 1.0, §2.3.
 *
 * Context: any.
 * Return: the ID, or -ENOENT if it passes on what the request carries.
 */
int vg_requesters_of_bridge(u16 rid, u8 secondary, int type, bool quirk)
{
	switch (type) {
	case -ENOENT:
		return quirk ? secondary << 8 : rid;
	case PCI_EXP_TYPE_PCI_BRIDGE:
		return secondary << 8;
	case PCI_EXP_TYPE_PCIE_BRIDGE:
		return rid;
	default:
		return -ENOENT;
	}
}

/* Who else may have sent what carries this ID, once @sender is gone. */
static struct vg_sender *successor(const struct vg_sender *sender,
				   struct list_head *siblings, u16 rid)
{
	struct vg_sender *other;

	list_for_each_entry(other, siblings, sibling)
		if (other != sender && other->segment == sender->segment &&
		    vg_requesters_has(&other->requesters, rid))
			return other;
	return NULL;
}

/* Its i-th ID. */
static int link_id(struct vg_sender *sender, u8 i)
{
	u16 rid = sender->requesters.id[i];
	unsigned long key = key_of(sender->segment, rid);
	struct vg_sender *other = xa_load(&by_requester, key);

	if (other && (i || other->requesters.id[0] == rid))
		return 0;
	return xa_err(xa_store(&by_requester, key, sender, GFP_KERNEL));
}

/**
 * vg_senders_link() - make a device known by its requester IDs
 * @sender: the device; its segment and IDs are set
 * @siblings: list of those it may share IDs with, which it joins
 *
 * Its own ID leads to it from now on, whoever else uses that; one that it shares
 * goes on leading to whom it leads to.
 *
 * Context: process, may sleep; the caller keeps others from linking and
 *	    unlinking.
 * Return: 0, or -ENOMEM: then it is unknown as before.
 */
int vg_senders_link(struct vg_sender *sender, struct list_head *siblings)
{
	int ret = 0;
	u8 i;

	list_add_tail_rcu(&sender->sibling, siblings);
	for (i = 0; i < sender->requesters.nr && !ret; i++)
		ret = link_id(sender, i);
	if (ret)
		vg_senders_unlink(sender, siblings);
	return ret;
}

/**
 * vg_senders_unlink() - forget a device
 * @sender: the device; to be kept until the last lock-free reader is gone
 * @siblings: as in vg_senders_link(); an ID shared with one of them leads to
 *	      that one from now on
 *
 * Context: as vg_senders_link().
 */
void vg_senders_unlink(struct vg_sender *sender, struct list_head *siblings)
{
	u8 i;

	for (i = 0; i < sender->requesters.nr; i++) {
		u16 rid = sender->requesters.id[i];
		unsigned long key = key_of(sender->segment, rid);

		if (xa_load(&by_requester, key) == sender)
			/* The slot is there: replacing needs no memory. */
			xa_store(&by_requester, key,
				 successor(sender, siblings, rid), GFP_KERNEL);
	}
	list_del_rcu(&sender->sibling);
}

/**
 * vg_senders_find() - whose requester ID is it?
 * @segment: PCI segment
 * @rid: requester ID as the request carried it
 *
 * Context: any, NMI too; under rcu_read_lock().
 * Return: the device, or NULL if it is none that is known.
 */
struct vg_sender *vg_senders_find(u16 segment, u16 rid)
{
	return xa_load(&by_requester, key_of(segment, rid));
}

/**
 * vg_senders_next() - go through the known devices
 * @key: where to go on; 0 at first
 *
 * A device of several requester IDs comes several times.
 *
 * Context: as vg_senders_find().
 * Return: the next one, or NULL.
 */
struct vg_sender *vg_senders_next(unsigned long *key)
{
	struct vg_sender *sender = xa_find(&by_requester, key, ULONG_MAX,
					   XA_PRESENT);

	++*key;
	return sender;
}

/**
 * vg_senders_any() - is any device known?
 *
 * Context: any, NMI too.
 * Return: false if there is none.
 */
bool vg_senders_any(void)
{
	return !xa_empty(&by_requester);
}

/**
 * vg_senders_exit() - free what the index is made of
 *
 * Context: process; all devices have been unlinked.
 */
void vg_senders_exit(void)
{
	xa_destroy(&by_requester);
}
