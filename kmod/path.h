/* SPDX-License-Identifier: GPL-2.0 */
/* A device's way to the root of its PCI hierarchy. */
#ifndef VG_PATH_H
#define VG_PATH_H

#include <linux/pci.h>

#include "core/dmar.h"
#include "core/verdict.h"
#include "requesters.h"

/* What makes system errors of error messages (PCIe §6.2.6) */
#define VG_RTCTL_SYSTEM_ERRORS						\
	(PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE)

/**
 * struct vg_path - where a device stands, for both vendors' tables
 * @pdev: the device
 * @pci: the bridges above it; for a virtual function those of its physical one
 * @requesters: requester IDs its DMA may carry
 * @whole: @pci and @requesters have room for all there is
 */
struct vg_path {
	struct pci_dev *pdev;
	struct vg_pci_path pci;
	struct vg_requesters requesters;
	bool whole;
};

void vg_path_init(struct vg_path *path, struct pci_dev *pdev);
void vg_path_facts(const struct vg_path *path, struct vg_evidence *ev);
struct pci_dev *vg_path_error_root(struct pci_dev *pdev);

#endif /* VG_PATH_H */
