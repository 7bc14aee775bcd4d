/* SPDX-License-Identifier: GPL-2.0 */
/* The ACPI DMAR table (VT-d spec §8): remapping units and what they cover. */
#ifndef VG_CORE_DMAR_H
#define VG_CORE_DMAR_H

#include "types.h"

/* DMAR table flags, VT-d spec §8.1 */
#define VG_DMAR_INTR_REMAP		BIT(0)
#define VG_DMAR_X2APIC_OPT_OUT		BIT(1)
#define VG_DMAR_PLATFORM_OPT_IN		BIT(2)

/* DRHD flags, VT-d spec §8.3; ATSR flags §8.5 */
#define VG_DRHD_INCLUDE_PCI_ALL		BIT(0)
#define VG_ATSR_ALL_PORTS		BIT(0)

/* Device scope entry types, VT-d spec §8.3.1 */
enum vg_scope_type {
	VG_SCOPE_ENDPOINT = 1,
	VG_SCOPE_BRIDGE = 2,
	VG_SCOPE_IOAPIC = 3,
	VG_SCOPE_HPET = 4,
	VG_SCOPE_ACPI = 5,
};

/**
 * struct vg_scope - one device scope entry
 * @type: enum vg_scope_type
 * @id: enumeration ID (I/O APIC ID, HPET number, ACPI device number)
 * @bus: start bus number
 * @hops: length of @path in (device, function) pairs, at least 1
 * @path: the pairs, inside the caller's table
 */
struct vg_scope {
	u8 type;
	u8 id;
	u8 bus;
	u8 hops;
	const u8 *path;
};

/**
 * struct vg_dmar_unit - one DRHD
 * @base: register base, physical
 * @size: size of the register set in bytes (4 KiB << the DRHD's size field)
 * @segment: PCI segment
 * @flags: VG_DRHD_*
 * @first_scope: index of its first entry in vg_dmar.scopes
 * @nr_scopes: number of its entries
 */
struct vg_dmar_unit {
	u64 base;
	u32 size;
	u16 segment;
	u8 flags;
	u32 first_scope;
	u32 nr_scopes;
};

/**
 * struct vg_dmar_rmrr - one reserved memory region (RMRR)
 * @base: first byte, physical
 * @limit: last byte, physical
 * @segment: PCI segment
 * @first_scope: index of its first entry in vg_dmar.scopes
 * @nr_scopes: number of its entries
 */
struct vg_dmar_rmrr {
	u64 base;
	u64 limit;
	u16 segment;
	u32 first_scope;
	u32 nr_scopes;
};

/**
 * struct vg_dmar_atsr - root ports that support ATS (ATSR)
 * @segment: PCI segment
 * @flags: VG_ATSR_*
 * @first_scope: index of its first entry in vg_dmar.scopes
 * @nr_scopes: number of its entries
 */
struct vg_dmar_atsr {
	u16 segment;
	u8 flags;
	u32 first_scope;
	u32 nr_scopes;
};

/**
 * struct vg_dmar - a parsed DMAR table
 * @flags: VG_DMAR_*
 * @host_width: host address width in bits
 * @units: DRHDs in table order: the kernel names the n-th "dmar<n>"
 * @rmrrs: reserved memory regions
 * @atsrs: ATS root port reports
 * @scopes: device scopes of all of these, in table order
 * @nr_units: number of @units in use
 * @nr_rmrrs: number of @rmrrs in use
 * @nr_atsrs: number of @atsrs in use
 * @nr_scopes: number of @scopes in use
 *
 * The arrays are the caller's; when vg_dmar_parse() is called each count is
 * the capacity of its array. With all four arrays NULL it only counts.
 */
struct vg_dmar {
	u8 flags;
	u8 host_width;
	struct vg_dmar_unit *units;
	struct vg_dmar_rmrr *rmrrs;
	struct vg_dmar_atsr *atsrs;
	struct vg_scope *scopes;
	u32 nr_units;
	u32 nr_rmrrs;
	u32 nr_atsrs;
	u32 nr_scopes;
};

/* Longest chain of bridges from a root bus to a device that we follow. */
#define VG_PCI_PATH_MAX 32

/**
 * struct vg_pci_path - the way from a root bus down to a device
 * @segment: PCI segment
 * @hops: number of entries in @hop in use, at least 1; the last is the device
 * @hop: bus number and devfn of each bridge, then of the device
 */
struct vg_pci_path {
	u16 segment;
	u8 hops;
	struct {
		u8 bus;
		u8 devfn;
	} hop[VG_PCI_PATH_MAX];
};

int vg_dmar_parse(const u8 *table, size_t len, struct vg_dmar *out,
		  struct vg_table_err *err);
bool vg_scope_matches(const struct vg_scope *scope,
		      const struct vg_pci_path *path);
int vg_dmar_find_unit(const struct vg_dmar *dmar,
		      const struct vg_pci_path *path);
bool vg_dmar_has_rmrr(const struct vg_dmar *dmar,
		      const struct vg_pci_path *path);

#endif /* VG_CORE_DMAR_H */
