/* SPDX-License-Identifier: GPL-2.0 */
/* The registry of devices that VFIO has open. */
#ifndef VG_ASSIGNED_H
#define VG_ASSIGNED_H

#include <linux/pci.h>

int vg_assigned_add(struct pci_dev *pdev);
void vg_assigned_remove(struct pci_dev *pdev);
bool vg_assigned_has(struct pci_dev *pdev);
unsigned long vg_assigned_clear(void);

#endif /* VG_ASSIGNED_H */
