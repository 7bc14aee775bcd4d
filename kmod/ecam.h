/* SPDX-License-Identifier: GPL-2.0 */
/* Configuration space, where it can be read in an NMI. */
#ifndef VG_ECAM_H
#define VG_ECAM_H

#include <linux/pci.h>

void __iomem *vg_ecam_map_function(struct pci_dev *pdev);

#endif /* VG_ECAM_H */
