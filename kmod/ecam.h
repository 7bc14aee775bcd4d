/* SPDX-License-Identifier: GPL-2.0 */
/* Error registers in configuration space, where it can be read in an NMI. */
#ifndef VG_ECAM_H
#define VG_ECAM_H

#include <linux/pci.h>

#include "core/aer.h"

/**
 * struct vg_ecam - a device's configuration space, and that of its root port or
 *		    event collector
 * @config: the device's, NULL if it is not mapped
 * @exp: where its PCI Express capability is, 0 if it has none
 * @aer: where its AER capability is, 0 if it has none
 * @physical: of a virtual function, the physical one's configuration space, which
 *	      has the masks and severities of both (PCIe §9.4.2); NULL if it is
 *	      not mapped, or has no AER
 * @physical_aer: where the physical one's AER capability is
 * @port: its root port, or event collector, with a reference; NULL if that is not
 *	  mapped, or has no AER
 * @port_config: the port's configuration space
 * @port_aer: where the port's AER capability is
 */
struct vg_ecam {
	void __iomem *config;
	u16 exp;
	u16 aer;
	void __iomem *physical;
	u16 physical_aer;
	struct pci_dev *port;
	void __iomem *port_config;
	u16 port_aer;
};

void __iomem *vg_ecam_map_function(struct pci_dev *pdev);
void vg_ecam_map(struct vg_ecam *ecam, struct pci_dev *pdev);
void vg_ecam_unmap(struct vg_ecam *ecam);
void vg_ecam_read(const struct vg_ecam *ecam, struct vg_aer_regs *regs);
u32 vg_ecam_read_masked(const struct vg_ecam *ecam);

#endif /* VG_ECAM_H */
