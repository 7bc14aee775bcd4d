/* SPDX-License-Identifier: GPL-2.0 */
/* Everything that is known of one device when it is judged. */
#ifndef VG_EVIDENCE_H
#define VG_EVIDENCE_H

#include <linux/pci.h>

#include "core/verdict.h"
#include "units.h"

void vg_evidence_gather(struct pci_dev *pdev, struct vg_evidence *ev,
			const struct vg_unit **unit);
void vg_evidence_of_unit(const struct vg_unit *unit, struct vg_evidence *ev);

#endif /* VG_EVIDENCE_H */
