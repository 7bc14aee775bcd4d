/* SPDX-License-Identifier: GPL-2.0 */
/* The ACPI HEST (ACPI spec §18.3.2): who hears of hardware errors, and how. */
#ifndef VG_CORE_HEST_H
#define VG_CORE_HEST_H

#include "types.h"

/* Flags of a PCIe AER source, ACPI spec §18.3.2.4 */
#define VG_HEST_FIRMWARE_FIRST		BIT(0)
#define VG_HEST_GLOBAL			BIT(1)

/* Error source types that are about PCIe devices, ACPI spec §18.3.2.4 to .6 */
enum vg_hest_aer_type {
	VG_HEST_ROOT_PORT = 6,
	VG_HEST_ENDPOINT = 7,
	VG_HEST_BRIDGE = 8,
};

/* A generic source's way to tell of an error: NMI, ACPI spec §18.3.2.9 */
#define VG_HEST_NOTIFY_NMI		4

/**
 * struct vg_hest_aer - PCIe AER source: how a device's errors are handled
 * @segment: PCI segment
 * @device: device number
 * @function: function number
 * @id: source ID
 * @bus: bus number
 * @type: enum vg_hest_aer_type
 * @flags: VG_HEST_*
 *
 * With VG_HEST_GLOBAL in @flags it is about all devices of its type, and names
 * none.
 */
struct vg_hest_aer {
	u16 segment;
	u16 device;
	u16 function;
	u16 id;
	u8 bus;
	u8 type;
	u8 flags;
};

/**
 * struct vg_hest_generic - generic source: errors that firmware has seen first
 * @id: source ID
 * @notify: VG_HEST_NOTIFY_NMI, or another
 * @enabled: firmware uses it
 */
struct vg_hest_generic {
	u16 id;
	u8 notify;
	bool enabled;
};

/**
 * struct vg_hest - a parsed HEST
 * @aers: PCIe AER sources, in table order
 * @generics: generic sources of version 1 and 2, in table order
 * @nr_aers: number of @aers in use
 * @nr_generics: number of @generics in use
 *
 * The arrays are the caller's; when vg_hest_parse() is called each count is
 * the capacity of its array. With both arrays NULL it only counts.
 */
struct vg_hest {
	struct vg_hest_aer *aers;
	struct vg_hest_generic *generics;
	u32 nr_aers;
	u32 nr_generics;
};

int vg_hest_parse(const u8 *table, size_t len, struct vg_hest *out,
		  struct vg_table_err *err);
bool vg_hest_owns(const struct vg_hest *hest, u16 segment, u8 bus, u8 devfn,
		  enum vg_hest_aer_type type);
u32 vg_hest_nmi_sources(const struct vg_hest *hest);

#endif /* VG_CORE_HEST_H */
