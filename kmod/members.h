/* SPDX-License-Identifier: GPL-2.0 */
/* What is done to all devices that can't be told from each other. */
#ifndef VG_MEMBERS_H
#define VG_MEMBERS_H

#include "assigned.h"

struct vg_assigned *vg_member_get(struct vg_group *group, unsigned int n);
bool vg_members_hold(struct vg_group *group);
bool vg_members_tell(struct vg_group *group);
void vg_members_let_go(struct vg_group *group);
bool vg_members_open_beside(struct vg_group *group, const struct pci_dev *pdev);
bool vg_members_reset(struct vg_group *group);

#endif /* VG_MEMBERS_H */
