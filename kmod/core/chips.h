/* SPDX-License-Identifier: GPL-2.0 */
/* Chipsets that break interrupt remapping, or escalate IOMMU faults. */
#ifndef VG_CORE_CHIPS_H
#define VG_CORE_CHIPS_H

#include "types.h"

/**
 * enum vg_chip_kind - what a rule says of a chip
 * @VG_CHIP_BROKEN_BELOW_REV: remapping is broken below revision @arg
 * @VG_CHIP_BROKEN_IF_SET: remapping is broken if bit @arg of config byte @reg
 *			   is set
 * @VG_CHIP_MASK_CONFIG: bit @arg of config dword @reg must be set to keep
 *			 VT-d faults from platform error logic
 * @VG_CHIP_MASK_UR: unsupported requests must be masked in the AER capability
 *		     (uncorrectable bit 20, correctable bit 13), or in the
 *		     vendor-specific one (ID 4, revision 1) that stands in for
 *		     it, and bit @arg of config dword @reg must be set
 * @VG_CHIP_MASK_DMIBAR: bit @arg of MMIO dword @reg behind DMIBAR must be set
 */
enum vg_chip_kind {
	VG_CHIP_BROKEN_BELOW_REV,
	VG_CHIP_BROKEN_IF_SET,
	VG_CHIP_MASK_CONFIG,
	VG_CHIP_MASK_UR,
	VG_CHIP_MASK_DMIBAR,
};

/**
 * struct vg_chip_rule - one rule
 * @vendor: PCI vendor ID
 * @first: first PCI device ID
 * @last: last PCI device ID, inclusive
 * @reg: register offset, see @kind
 * @arg: revision or bit number, see @kind
 * @kind: enum vg_chip_kind
 * @name: the chip
 */
struct vg_chip_rule {
	u16 vendor;
	u16 first;
	u16 last;
	u16 reg;
	u8 arg;
	u8 kind;
	const char *name;
};

const struct vg_chip_rule *vg_chips_next(u16 vendor, u16 device,
					 const struct vg_chip_rule *prev);
bool vg_chips_is_erratum(const struct vg_chip_rule *rule);

#endif /* VG_CORE_CHIPS_H */
