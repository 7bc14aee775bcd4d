/* SPDX-License-Identifier: GPL-2.0 */
/* One event in, every sink out. */
#ifndef VG_REPORT_H
#define VG_REPORT_H

#include <linux/pci.h>

#include "assigned.h"
#include "core/chips.h"
#include "core/verdict.h"
#include "error.h"
#include "units.h"

/**
 * struct vg_decision - a verdict on one device, as it is reported
 * @pdev: the device
 * @unit: the IOMMU unit that covers it, or NULL
 * @policy: the policy it was judged by
 * @verdict: the verdict
 * @opener: current is the opener; false for what is found at load
 */
struct vg_decision {
	struct pci_dev *pdev;
	const struct vg_unit *unit;
	struct vg_policy policy;
	struct vg_verdict verdict;
	bool opener;
};

/**
 * struct vg_fault_news - what a device has done since it was last reported
 * @entry: the device
 * @sample: one of the faults
 * @count: by enum vg_fault_kind, how many there were
 * @would_quarantine: it would be quarantined but for mode=audit
 */
struct vg_fault_news {
	const struct vg_assigned *entry;
	struct vg_fault sample;
	u64 count[VG_NR_FAULT_KINDS];
	bool would_quarantine;
};

void vg_report_decision(const struct vg_decision *decision);
void vg_report_posture(const struct vg_unit *unit,
		       const struct vg_evidence *ev,
		       const struct vg_policy *policy,
		       const struct vg_verdict *verdict);
void vg_report_chip(struct pci_dev *pdev, const struct vg_chip_rule *rule,
		    const struct vg_chip_mask *mask, u32 lost);
void vg_report_firmware(const char *ports, u32 nmi_sources);
void vg_report_faults(const struct vg_fault_news *news);
void vg_report_quarantined(const struct vg_assigned *entry,
			   struct pci_dev *port, bool first);
void vg_report_released(const struct vg_assigned *entry, const char *by);
void vg_report_nmi_claimed(u64 claimed);
void vg_report_contained(const struct vg_assigned *entry,
			 const struct vg_error *error, bool would_quarantine,
			 bool log);
void vg_report_noise(const struct vg_assigned *entry, struct pci_dev *pdev,
		     bool muted);
void vg_report_exit(void);

#endif /* VG_REPORT_H */
