/* SPDX-License-Identifier: GPL-2.0 */
/* Bits of a device's COMMAND register that nobody can turn on again. */
#ifndef VG_HOLD_H
#define VG_HOLD_H

#include <linux/pci.h>

struct vg_hold;

struct vg_hold *vg_hold_create(struct pci_dev *pdev);
void vg_hold_destroy(struct vg_hold *hold);
void vg_hold_set(struct vg_hold *hold, u16 bits);
void vg_hold_clear(struct vg_hold *hold, u16 bits);
u16 vg_hold_bits(const struct vg_hold *hold);
void vg_hold_retire(struct vg_hold *hold);
void vg_hold_exit(void);

#endif /* VG_HOLD_H */
