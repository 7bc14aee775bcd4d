/* SPDX-License-Identifier: GPL-2.0 */
/* Keeps the errors of open devices from becoming system errors of the host. */
#ifndef VG_ARMING_H
#define VG_ARMING_H

#include <linux/pci.h>

int vg_arming_get(struct pci_dev *pdev);
void vg_arming_put(struct pci_dev *pdev);
bool vg_arming_mute(struct pci_dev *pdev);
void vg_arming_exit(void);

#endif /* VG_ARMING_H */
