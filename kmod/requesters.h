/* SPDX-License-Identifier: GPL-2.0 */
/* The requester IDs that devices send by, and whose one is. */
#ifndef VG_REQUESTERS_H
#define VG_REQUESTERS_H

#include <linux/list.h>
#include <linux/types.h>

/* The device itself, 8 phantom functions or quirks, and a few bridges. */
#define VG_REQUESTERS_MAX 24

/**
 * struct vg_requesters - the requester IDs that a device's requests may carry
 * @id: bus 15:8, device 7:3, function 2:0; its own first
 * @nr: how many
 */
struct vg_requesters {
	u16 id[VG_REQUESTERS_MAX];
	u8 nr;
};

/**
 * struct vg_sender - a device in the index of requester IDs
 * @sibling: in a list of those it may share IDs with, its IOMMU group
 * @segment: PCI segment of its requester IDs
 * @requesters: those IDs; they don't change while it is linked
 */
struct vg_sender {
	struct list_head sibling;
	u16 segment;
	struct vg_requesters requesters;
};

bool vg_requesters_add(struct vg_requesters *set, u16 rid);
bool vg_requesters_add_slots(struct vg_requesters *set, u8 bus,
			     const unsigned long *devfns);
bool vg_requesters_add_phantoms(struct vg_requesters *set, u32 devcap);
bool vg_requesters_has(const struct vg_requesters *set, u16 rid);
int vg_requesters_of_bridge(u16 rid, u8 secondary, int type, bool quirk);

int vg_senders_link(struct vg_sender *sender, struct list_head *siblings);
void vg_senders_unlink(struct vg_sender *sender, struct list_head *siblings);
struct vg_sender *vg_senders_find(u16 segment, u16 rid);
struct vg_sender *vg_senders_next(unsigned long *key);
bool vg_senders_any(void);
void vg_senders_exit(void);

#endif /* VG_REQUESTERS_H */
