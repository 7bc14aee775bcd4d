// SPDX-License-Identifier: GPL-2.0
/*
 * Chipsets that break interrupt remapping, or escalate IOMMU faults.
 *
 * Errata: Intel 5500/5520 specification update 47 and 53, as in Linux's
 * intel_remapping_check(); AMD SP5100 erratum 28.
 * Masks: Xen advisory XSA-59 (CVE-2013-3495) and Linux's
 * vtd_mask_spec_errors().
 *
 * checkpatch: MACRO_ARG_REUSE: the arguments are constants.
 */
#include "chips.h"

#define INTEL 0x8086
#define ATI 0x1002

#define RULE(v, from, to, what, where, how, chip)			\
	{ .vendor = (v), .first = (from), .last = (to), .kind = (what),	\
	  .reg = (where), .arg = (how), .name = (chip) }
#define BROKEN_BELOW_REV(v, id, rev, chip)				\
	RULE(v, id, id, VG_CHIP_BROKEN_BELOW_REV, 0, rev, chip)
#define BROKEN_IF_SET(v, id, reg, bit, chip)				\
	RULE(v, id, id, VG_CHIP_BROKEN_IF_SET, reg, bit, chip)
#define MASK_CONFIG(id, chip)						\
	RULE(INTEL, id, id, VG_CHIP_MASK_CONFIG, 0x1ac, 31, chip)
#define MASK_UR(from, to, chip)						\
	RULE(INTEL, from, to, VG_CHIP_MASK_UR, 0x20c, 4, chip)
#define MASK_DMIBAR(id, chip)						\
	RULE(INTEL, id, id, VG_CHIP_MASK_DMIBAR, 0x1c8, 20, chip)

static const struct vg_chip_rule rules[] = {
	BROKEN_BELOW_REV(INTEL, 0x3403, 0x22, "5500 I/O hub"),
	/* Every revision of the X58 chip. */
	BROKEN_BELOW_REV(INTEL, 0x3405, 0xff, "X58 I/O hub"),
	BROKEN_BELOW_REV(INTEL, 0x3406, 0x22, "5520 I/O hub"),
	BROKEN_IF_SET(ATI, 0x4385, 0xad, 3, "SP5100"),

	MASK_CONFIG(0x0e28, "Xeon E5 v2"),
	MASK_CONFIG(0x342e, "5520 I/O hub"),
	MASK_CONFIG(0x3728, "Xeon C5500"),
	MASK_CONFIG(0x3c28, "Xeon E5"),

	MASK_UR(0x3400, 0x3411, "5520 I/O hub"),
	MASK_UR(0x3420, 0x3421, "7500 I/O hub"),
	MASK_UR(0x3700, 0x370f, "Xeon C5500"),
	MASK_UR(0x3720, 0x3724, "Xeon C5500"),
	MASK_UR(0x3c00, 0x3c0b, "Xeon E5"),

	MASK_DMIBAR(0x0040, "Core, 1st generation"),
	MASK_DMIBAR(0x0044, "Core, 1st generation"),
	MASK_DMIBAR(0x0048, "Core, 1st generation"),
	MASK_DMIBAR(0x0100, "Core, 2nd generation"),
	MASK_DMIBAR(0x0104, "Core, 2nd generation"),
	MASK_DMIBAR(0x0108, "Core, 2nd generation"),
	MASK_DMIBAR(0x0150, "Core, 3rd generation"),
	MASK_DMIBAR(0x0154, "Core, 3rd generation"),
	MASK_DMIBAR(0x0158, "Core, 3rd generation"),
	MASK_DMIBAR(0x0a00, "Core, 4th generation"),
	MASK_DMIBAR(0x0a04, "Core, 4th generation"),
	MASK_DMIBAR(0x0a08, "Core, 4th generation"),
	MASK_DMIBAR(0x0a0f, "Core, 4th generation"),
	MASK_DMIBAR(0x0c00, "Core, 4th generation"),
	MASK_DMIBAR(0x0c04, "Core, 4th generation"),
	MASK_DMIBAR(0x0c08, "Core, 4th generation"),
	MASK_DMIBAR(0x0c0f, "Core, 4th generation"),
	MASK_DMIBAR(0x0d00, "Core, 4th generation"),
	MASK_DMIBAR(0x0d04, "Core, 4th generation"),
	MASK_DMIBAR(0x0d08, "Core, 4th generation"),
	MASK_DMIBAR(0x0d0f, "Core, 4th generation"),
	MASK_DMIBAR(0x1600, "Core, 5th generation"),
	MASK_DMIBAR(0x1604, "Core, 5th generation"),
	MASK_DMIBAR(0x1608, "Core, 5th generation"),
	MASK_DMIBAR(0x160f, "Core, 5th generation"),
	MASK_DMIBAR(0x1610, "Core, 5th generation"),
	MASK_DMIBAR(0x1614, "Core, 5th generation"),
	MASK_DMIBAR(0x1618, "Core, 5th generation"),
	MASK_DMIBAR(0x1900, "Core, 6th generation"),
	MASK_DMIBAR(0x1904, "Core, 6th generation"),
	MASK_DMIBAR(0x1908, "Core, 6th generation"),
	MASK_DMIBAR(0x190c, "Core, 6th generation"),
	MASK_DMIBAR(0x190f, "Core, 6th generation"),
	MASK_DMIBAR(0x1910, "Core, 6th generation"),
	MASK_DMIBAR(0x1918, "Core, 6th generation"),
	MASK_DMIBAR(0x191f, "Core, 6th generation"),
};

/**
 * vg_chips_next() - walk the rules for a chip
 * @vendor: PCI vendor ID
 * @device: PCI device ID
 * @prev: the rule returned last, NULL to begin
 *
 * Context: any.
 * Return: the next rule for the chip, or NULL.
 */
const struct vg_chip_rule *vg_chips_next(u16 vendor, u16 device,
					 const struct vg_chip_rule *prev)
{
	const struct vg_chip_rule *rule = prev ? prev + 1 : rules;

	for (; rule < rules + ARRAY_SIZE(rules); rule++)
		if (rule->vendor == vendor && rule->first <= device &&
		    device <= rule->last)
			return rule;
	return NULL;
}

/**
 * vg_chips_is_erratum() - does the rule tell of broken interrupt remapping?
 * @rule: the rule
 *
 * Context: any.
 * Return: true for an erratum, false for a mask that must be in force.
 */
bool vg_chips_is_erratum(const struct vg_chip_rule *rule)
{
	return rule->kind == VG_CHIP_BROKEN_BELOW_REV ||
	       rule->kind == VG_CHIP_BROKEN_IF_SET;
}
