/* SPDX-License-Identifier: GPL-2.0 */
/* PCIe errors of assigned devices: whose was it, and is it one too many? */
#ifndef VG_ERROR_H
#define VG_ERROR_H

#include "assigned.h"
#include "core/aer.h"
#include "core/verdict.h"

/*
 * An NMI of an error comes sooner than this, and so does the error's recovery: what
 * that brings about is no reason to go on.
 */
#define VG_ERROR_SETTLE_NS	((s64)NSEC_PER_SEC)

enum vg_severity {
	VG_SEVERITY_CORRECTABLE,
	VG_SEVERITY_NONFATAL,
	VG_SEVERITY_FATAL,
};

/**
 * struct vg_error - a PCIe error that the kernel is about to handle
 * @pdev: who reported it; a reference is held
 * @severity: enum vg_severity
 * @has_header: @header is the TLP that it is about
 * @by_nmi: it came as an NMI, and its device has been stopped
 * @status: Uncorrectable Error Status, what is masked left out; 0 if it could
 *	    not be read
 * @header: the TLP's first double words
 */
struct vg_error {
	struct pci_dev *pdev;
	u8 severity;
	bool has_header;
	bool by_nmi;
	u32 status;
	u32 header[VG_TLP_WORDS];
};

void vg_error_init(const struct vg_policy *in_force);
void vg_error_exit(void);
void vg_error_prepare(struct vg_assigned *entry);
void vg_error_stop(struct vg_assigned *entry, const struct vg_error *error);

/* error-regs.c */
void vg_error_regs_map(struct vg_assigned *entry);
void vg_error_regs_unmap(struct vg_assigned *entry);
void vg_error_settle(struct vg_assigned *entry);
bool vg_error_explains(bool again);
void vg_error_collect(void);

#endif /* VG_ERROR_H */
