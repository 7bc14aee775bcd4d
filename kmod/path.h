/* SPDX-License-Identifier: GPL-2.0 */
/* A device's way to the root of its PCI hierarchy. */
#ifndef VG_PATH_H
#define VG_PATH_H

#include <linux/pci.h>

#include "core/dmar.h"
#include "core/verdict.h"

/* What makes system errors of error messages (PCIe §6.2.6) */
#define VG_RTCTL_SYSTEM_ERRORS						\
	(PCI_EXP_RTCTL_SECEE | PCI_EXP_RTCTL_SENFEE | PCI_EXP_RTCTL_SEFEE)

/* The device itself, 8 phantom functions or quirks, and a few bridges. */
#define VG_REQUESTERS_MAX 24

/**
 * struct vg_path - where a device stands, for both vendors' tables
 * @pdev: the device
 * @pci: the bridges above it; for a virtual function those of its physical one
 * @requester: requester IDs its DMA may carry, its own first
 * @nr_requesters: number of them
 * @whole: @pci and @requester have room for all there is
 */
struct vg_path {
	struct pci_dev *pdev;
	struct vg_pci_path pci;
	u16 requester[VG_REQUESTERS_MAX];
	u8 nr_requesters;
	bool whole;
};

void vg_path_init(struct vg_path *path, struct pci_dev *pdev);
bool vg_path_add_requester(struct vg_path *path, u16 rid);
void vg_path_facts(const struct vg_path *path, struct vg_evidence *ev);
struct pci_dev *vg_path_error_root(struct pci_dev *pdev);

#endif /* VG_PATH_H */
