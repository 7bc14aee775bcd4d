/* SPDX-License-Identifier: GPL-2.0 */
/* The ACPI IVRS table (AMD IOMMU spec §5): IOMMUs and what they cover. */
#ifndef VG_CORE_IVRS_H
#define VG_CORE_IVRS_H

#include "types.h"

/* IVHD and IVMD block types, AMD IOMMU spec §5.2.2 */
#define VG_IVHD_10H			0x10
#define VG_IVHD_11H			0x11
#define VG_IVHD_40H			0x40
#define VG_IVMD_ALL			0x20
#define VG_IVMD_SELECT			0x21
#define VG_IVMD_RANGE			0x22

/* IVMD flags, AMD IOMMU spec §5.2.2.10 */
#define VG_IVMD_UNITY			BIT(0)
#define VG_IVMD_EXCLUSION		BIT(3)

/* Special device varieties, AMD IOMMU spec §5.2.2.7 */
#define VG_IVRS_IOAPIC			1
#define VG_IVRS_HPET			2

/**
 * struct vg_ivrs_unit - one IVHD block: one IOMMU
 * @base: MMIO base, physical
 * @efr: extended feature register image, 0 in a type 10h block
 * @segment: PCI segment
 * @devid: requester ID of the IOMMU's own PCI function
 * @cap: offset of its capability block in config space
 * @type: VG_IVHD_*
 * @flags: IVHD flags
 */
struct vg_ivrs_unit {
	u64 base;
	u64 efr;
	u16 segment;
	u16 devid;
	u16 cap;
	u8 type;
	u8 flags;
};

/**
 * struct vg_ivrs_range - requester IDs that one IVHD covers
 * @unit: index into vg_ivrs.units
 * @first: first requester ID
 * @last: last requester ID, inclusive
 * @alias: the requester ID the device's requests carry
 * @has_alias: @alias is meaningful
 * @setting: DTE setting: bits that let INIT, ExtInt, NMI, LINT through
 */
struct vg_ivrs_range {
	u32 unit;
	u16 first;
	u16 last;
	u16 alias;
	bool has_alias;
	u8 setting;
};

/**
 * struct vg_ivrs_special - an I/O APIC or HPET
 * @unit: index into vg_ivrs.units
 * @devid: the requester ID it uses
 * @handle: I/O APIC ID or HPET number
 * @variety: VG_IVRS_IOAPIC or VG_IVRS_HPET
 */
struct vg_ivrs_special {
	u32 unit;
	u16 devid;
	u8 handle;
	u8 variety;
};

/**
 * struct vg_ivrs_ivmd - memory that firmware wants mapped or excluded
 * @start: first byte, physical
 * @length: bytes
 * @segment: PCI segment (IVMD bytes 8..9 in newer tables, 0 before)
 * @first: first requester ID it applies to
 * @last: last requester ID, inclusive
 * @flags: VG_IVMD_*
 */
struct vg_ivrs_ivmd {
	u64 start;
	u64 length;
	u16 segment;
	u16 first;
	u16 last;
	u8 flags;
};

/**
 * struct vg_ivrs - a parsed IVRS table
 * @info: IVinfo
 * @units: IOMMUs; where a table describes one in several block types only
 *	   the blocks of the newest type are here, as in Linux's
 *	   get_highest_supported_ivhd_type(), so that the n-th is "ivhd<n>"
 * @ranges: what they cover; where several match, the last gives the unit, and
 *	    the last that has one the alias
 * @specials: I/O APICs and HPETs
 * @ivmds: reserved memory
 * @nr_units: number of @units in use
 * @nr_ranges: number of @ranges in use
 * @nr_specials: number of @specials in use
 * @nr_ivmds: number of @ivmds in use
 *
 * The arrays are the caller's; when vg_ivrs_parse() is called each count is
 * the capacity of its array. With all four arrays NULL it only counts.
 */
struct vg_ivrs {
	u32 info;
	struct vg_ivrs_unit *units;
	struct vg_ivrs_range *ranges;
	struct vg_ivrs_special *specials;
	struct vg_ivrs_ivmd *ivmds;
	u32 nr_units;
	u32 nr_ranges;
	u32 nr_specials;
	u32 nr_ivmds;
};

int vg_ivrs_parse(const u8 *table, size_t len, struct vg_ivrs *out,
		  struct vg_table_err *err);
int vg_ivrs_find_unit(const struct vg_ivrs *ivrs, u16 segment, u16 rid);
int vg_ivrs_find_alias(const struct vg_ivrs *ivrs, u16 segment, u16 rid);
bool vg_ivrs_has_ivmd(const struct vg_ivrs *ivrs, u16 segment, u16 rid);

#endif /* VG_CORE_IVRS_H */
