/* SPDX-License-Identifier: GPL-2.0 */
/* What firmware keeps to itself: PCIe errors, and the NMIs it tells of them by. */
#ifndef VG_FIRMWARE_H
#define VG_FIRMWARE_H

#include <linux/pci.h>

#include "core/verdict.h"

int vg_firmware_init(void);
void vg_firmware_exit(void);
enum vg_answer vg_firmware_owns_errors(struct pci_dev *pdev);
void vg_firmware_report(void);

#endif /* VG_FIRMWARE_H */
