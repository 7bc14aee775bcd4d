/* SPDX-License-Identifier: GPL-2.0 */
/* The ladder that stops a device, and the way back. */
#ifndef VG_QUARANTINE_H
#define VG_QUARANTINE_H

#include "assigned.h"

int vg_quarantine_init(void);
void vg_quarantine_exit(void);
void vg_quarantine_prepare(struct vg_group *group);
void vg_quarantine_start(struct vg_assigned *entry, enum vg_cause cause,
			 u16 requester, u32 faults);
void vg_quarantine_go_on(struct vg_assigned *entry);
int vg_quarantine_release(struct pci_dev *pdev);
void vg_quarantine_before_close(struct pci_dev *pdev);
void vg_quarantine_after_reset(struct pci_dev *pdev);

#endif /* VG_QUARANTINE_H */
