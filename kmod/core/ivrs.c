// SPDX-License-Identifier: GPL-2.0
/* Reads the ACPI IVRS table and finds the IOMMU and alias of a device. */
#include "acpi.h"
#include "ivrs.h"

/* Offsets and sizes, AMD IOMMU spec §5.2 */
#define IVRS_HEADER			48
#define IVRS_INFO			36

#define BLOCK_FLAGS			1
#define BLOCK_DEVID			4

#define IVHD_CAP			6
#define IVHD_BASE			8
#define IVHD_SEGMENT			16
#define IVHD_EFR			24
#define IVHD_ENTRIES_10H		24
#define IVHD_ENTRIES_11H		40

#define IVMD_SIZE			32
#define IVMD_LAST			6
#define IVMD_SEGMENT			8
#define IVMD_START			16
#define IVMD_LENGTH			24

#define ENTRY_DEVID			1
#define ENTRY_SETTING			3
#define ENTRY_HANDLE			4
#define ENTRY_SOURCE			5
#define ENTRY_VARIETY			7
#define ENTRY_HID_UID_LENGTH		21
#define ENTRY_HID_UID			22

/* IVHD device entry types, §5.2.2.1 */
#define DEV_ALL				1
#define DEV_SELECT			2
#define DEV_RANGE			3
#define DEV_RANGE_END			4
#define DEV_ALIAS			66
#define DEV_ALIAS_RANGE			67
#define DEV_EXT_SELECT			70
#define DEV_EXT_RANGE			71
#define DEV_SPECIAL			72
#define DEV_ACPI_HID			240

/*
 * Every IOMMU has at least its first 16 KiB of registers; the performance
 * counters, further up, are there in some models only.
 */
#define IOMMU_REGS_MIN			0x4000

/* Where the entries of an IVHD start; 0 for other blocks. */
static size_t ivhd_header(u8 type)
{
	switch (type) {
	case VG_IVHD_10H:
		return IVHD_ENTRIES_10H;
	case VG_IVHD_11H:
	case VG_IVHD_40H:
		return IVHD_ENTRIES_11H;
	}
	return 0;
}

/* Length of the IVHD entry at [off, end), or -EINVAL. */
static int entry_len(const struct vg_walk *walk, size_t off, size_t end)
{
	const u8 *p = walk->table + off;
	size_t n;

	/* The two top bits give the size, but for 240 and up (§5.2.2.1). */
	if (*p > DEV_ACPI_HID)
		return vg_table_bad(walk, off, "entry of unknown length");
	if (*p < DEV_ACPI_HID)
		n = 4U << (*p >> 6);
	else if (end - off > ENTRY_HID_UID_LENGTH)
		n = ENTRY_HID_UID + (size_t)p[ENTRY_HID_UID_LENGTH];
	else
		n = ENTRY_HID_UID;
	if (n > end - off)
		return vg_table_bad(walk, off, "entry longer than its IVHD");
	return (int)n;
}

/**
 * struct ivhd - the IVHD block that is being read
 * @unit: its index
 * @open: a range has been started and not ended
 * @start: offset of the entry that started it
 * @range: that range; it comes as two entries, and is appended at the second,
 *	   which is where it takes effect
 */
struct ivhd {
	u32 unit;
	bool open;
	size_t start;
	struct vg_ivrs_range range;
};

static int parse_special(const struct vg_walk *walk, size_t off,
			 const struct ivhd *ivhd, struct vg_ivrs *out,
			 const struct vg_ivrs *room)
{
	const u8 *p = walk->table + off;
	struct vg_ivrs_special special = {
		.unit = ivhd->unit,
		.devid = vg_get_le16(p + ENTRY_SOURCE),
		.handle = p[ENTRY_HANDLE],
		.variety = p[ENTRY_VARIETY],
	};

	if (special.variety != VG_IVRS_IOAPIC &&
	    special.variety != VG_IVRS_HPET)
		return 0;
	return vg_append(walk, off, out->specials, &out->nr_specials,
			 room->nr_specials, &special, sizeof(special));
}

static int parse_entry(const struct vg_walk *walk, size_t off,
		       struct ivhd *ivhd, struct vg_ivrs *out,
		       const struct vg_ivrs *room)
{
	const u8 *p = walk->table + off;
	struct vg_ivrs_range range = {
		.unit = ivhd->unit,
		.first = vg_get_le16(p + ENTRY_DEVID),
		.last = vg_get_le16(p + ENTRY_DEVID),
		.setting = p[ENTRY_SETTING],
	};

	if (*p == DEV_ALIAS || *p == DEV_ALIAS_RANGE) {
		range.alias = vg_get_le16(p + ENTRY_SOURCE);
		range.has_alias = true;
	}

	switch (*p) {
	case DEV_ALL:
		range.first = 0;
		range.last = 0xffff;
		break;
	case DEV_SELECT:
	case DEV_ALIAS:
	case DEV_EXT_SELECT:
		break;
	case DEV_RANGE:
	case DEV_ALIAS_RANGE:
	case DEV_EXT_RANGE:
		if (ivhd->open)
			return vg_table_bad(walk, off, "range within a range");
		ivhd->open = true;
		ivhd->start = off;
		ivhd->range = range;
		return 0;
	case DEV_RANGE_END:
		if (!ivhd->open)
			return vg_table_bad(walk, off, "range without start");
		if (range.last < ivhd->range.first)
			return vg_table_bad(walk, off,
					    "range ends before its start");
		ivhd->open = false;
		ivhd->range.last = range.last;
		range = ivhd->range;
		break;
	case DEV_SPECIAL:
		return parse_special(walk, off, ivhd, out, room);
	default:
		/* Padding, ACPI devices, and types yet to come */
		return 0;
	}
	return vg_append(walk, off, out->ranges, &out->nr_ranges,
			 room->nr_ranges, &range, sizeof(range));
}

/* Compare the newest unit with those before it. */
static int check_units(const struct vg_walk *walk, size_t off,
		       const struct vg_ivrs *ivrs)
{
	const struct vg_ivrs_unit *new = &ivrs->units[ivrs->nr_units - 1];
	const struct vg_ivrs_unit *old;

	/* Ends are inclusive so that the address space's top fits. */
	for (old = ivrs->units; old < new; old++)
		if (old->base <= new->base + (IOMMU_REGS_MIN - 1) &&
		    new->base <= old->base + (IOMMU_REGS_MIN - 1))
			return vg_table_bad(walk, off,
					    "registers overlap another IVHD's");
	return 0;
}

static int parse_ivhd(const struct vg_walk *walk, size_t off, size_t end,
		      struct vg_ivrs *out, const struct vg_ivrs *room)
{
	const u8 *p = walk->table + off;
	struct ivhd ivhd = { .unit = out->nr_units };
	struct vg_ivrs_unit unit = {
		.base = vg_get_le64(p + IVHD_BASE),
		.segment = vg_get_le16(p + IVHD_SEGMENT),
		.devid = vg_get_le16(p + BLOCK_DEVID),
		.cap = vg_get_le16(p + IVHD_CAP),
		.type = *p,
		.flags = p[BLOCK_FLAGS],
	};
	int ret;

	if (unit.type != VG_IVHD_10H)
		unit.efr = vg_get_le64(p + IVHD_EFR);
	if (!unit.base)
		return vg_table_bad(walk, off, "IVHD without registers");
	if (unit.base > U64_MAX - (IOMMU_REGS_MIN - 1))
		return vg_table_bad(walk, off, "IVHD registers wrap around");
	ret = vg_append(walk, off, out->units, &out->nr_units, room->nr_units,
			&unit, sizeof(unit));
	if (!ret && !walk->counting)
		ret = check_units(walk, off, out);
	if (ret)
		return ret;

	off += ivhd_header(unit.type);
	while (off < end) {
		int n = entry_len(walk, off, end);

		if (n < 0)
			return n;
		ret = parse_entry(walk, off, &ivhd, out, room);
		if (ret)
			return ret;
		off += (size_t)n;
	}
	if (ivhd.open)
		return vg_table_bad(walk, ivhd.start, "range without end");
	return 0;
}

static int parse_ivmd(const struct vg_walk *walk, size_t off, size_t end,
		      struct vg_ivrs *out, const struct vg_ivrs *room)
{
	const u8 *p = walk->table + off;
	struct vg_ivrs_ivmd ivmd;

	if (end - off < IVMD_SIZE)
		return vg_table_bad(walk, off, "IVMD too short");
	ivmd.start = vg_get_le64(p + IVMD_START);
	ivmd.length = vg_get_le64(p + IVMD_LENGTH);
	ivmd.segment = vg_get_le16(p + IVMD_SEGMENT);
	ivmd.flags = p[BLOCK_FLAGS];
	ivmd.first = vg_get_le16(p + BLOCK_DEVID);
	ivmd.last = ivmd.first;
	if (*p == VG_IVMD_RANGE) {
		ivmd.last = vg_get_le16(p + IVMD_LAST);
	} else if (*p == VG_IVMD_ALL) {
		ivmd.first = 0;
		ivmd.last = 0xffff;
	}
	if (ivmd.last < ivmd.first)
		return vg_table_bad(walk, off, "IVMD ends before its start");
	if (ivmd.length && ivmd.start > U64_MAX - (ivmd.length - 1))
		return vg_table_bad(walk, off, "IVMD memory wraps around");
	return vg_append(walk, off, out->ivmds, &out->nr_ivmds, room->nr_ivmds,
			 &ivmd, sizeof(ivmd));
}

/*
 * Firmware describes each IOMMU once for every IVHD type it knows, oldest
 * first, so that old kernels find theirs. Choose as Linux does: the last type
 * that the first IOMMU has, looking no further than the first block whose type
 * is beyond all we know. Every IVHD's length is checked on the way.
 *
 * Returns the type, 0 if there is none, or -EINVAL.
 */
static int newest_type(const struct vg_walk *walk)
{
	size_t off = IVRS_HEADER, header;
	u16 devid, first = 0;
	bool beyond = false;
	int n, type = 0;
	const u8 *p;

	for (; off < walk->len; off += (size_t)n) {
		n = vg_block_len(walk, off);
		if (n < 0)
			return n;
		p = walk->table + off;
		header = ivhd_header(*p);
		if (*p > VG_IVHD_40H)
			beyond = true;
		if (!header)
			continue;
		if ((size_t)n < header)
			return vg_table_bad(walk, off, "IVHD too short");
		devid = vg_get_le16(p + BLOCK_DEVID);
		if (!type)
			first = devid;
		if (devid == first && !beyond)
			type = *p;
	}
	return type;
}

static int parse_blocks(const struct vg_walk *walk, struct vg_ivrs *out,
			const struct vg_ivrs *room)
{
	int type = newest_type(walk);
	size_t off, end;
	int ret;

	if (type < 0)
		return type;
	for (off = IVRS_HEADER; off < walk->len; off = end) {
		const u8 *p = walk->table + off;

		ret = vg_block_len(walk, off);
		if (ret < 0)
			return ret;
		end = off + (size_t)ret;

		ret = 0;
		if (*p == VG_IVMD_ALL || *p == VG_IVMD_SELECT ||
		    *p == VG_IVMD_RANGE)
			ret = parse_ivmd(walk, off, end, out, room);
		else if (type && *p == type)
			ret = parse_ivhd(walk, off, end, out, room);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vg_ivrs_parse() - read an ACPI IVRS table (AMD IOMMU spec §5)
 * @table: the table, from its ACPI header on
 * @len: how many bytes of it may be read
 * @out: arrays and their capacity in, what the table says out
 * @err: where and why, when the table is rejected
 *
 * Call it with the four arrays NULL to count, allocate, and call it again with
 * the same @out: on entry each nr_* is then the capacity of its array. Both
 * calls reject what is malformed; registers that overlap are only found by the
 * second.
 *
 * IVHD blocks of an older type than the newest are skipped, as are blocks and
 * entries this code doesn't know. A range followed by entries for some of its
 * IDs is normal. IDs that two IOMMUs claim are not refused: the later one has
 * them, as in Linux.
 *
 * Context: any.
 * Return: 0, -EINVAL if the table is malformed, -ENOSPC if an array is too
 * short; all counts are zero after an error.
 */
int vg_ivrs_parse(const u8 *table, size_t len, struct vg_ivrs *out,
		  struct vg_table_err *err)
{
	const struct vg_ivrs room = *out;
	struct vg_walk walk = {
		.table = table,
		.len = len,
		.counting = !out->units && !out->ranges && !out->specials &&
			    !out->ivmds,
		.err = err,
	};
	int ret;

	out->nr_units = 0;
	out->nr_ranges = 0;
	out->nr_specials = 0;
	out->nr_ivmds = 0;

	ret = vg_table_check(&walk, "IVRS", IVRS_HEADER);
	if (ret)
		return ret;
	out->info = vg_get_le32(table + IVRS_INFO);

	ret = parse_blocks(&walk, out, &room);
	if (ret) {
		out->nr_units = 0;
		out->nr_ranges = 0;
		out->nr_specials = 0;
		out->nr_ivmds = 0;
	}
	return ret;
}

static bool range_covers(const struct vg_ivrs *ivrs,
			 const struct vg_ivrs_range *range, u16 segment,
			 u16 rid)
{
	return ivrs->units[range->unit].segment == segment &&
	       rid >= range->first && rid <= range->last;
}

/**
 * vg_ivrs_find_unit() - find the IOMMU that covers a requester
 * @ivrs: a parsed table
 * @segment: its PCI segment
 * @rid: its requester ID, or the alias its requests carry
 *
 * An alias is covered even where no entry names it. An IOMMU's own function
 * is not, though tables include it: it doesn't translate itself.
 *
 * Context: any.
 * Return: index into @ivrs->units, or -ENOENT (AMD IOMMU spec §5.2.2).
 */
int vg_ivrs_find_unit(const struct vg_ivrs *ivrs, u16 segment, u16 rid)
{
	const struct vg_ivrs_range *range;
	u32 i;

	for (i = 0; i < ivrs->nr_units; i++)
		if (ivrs->units[i].segment == segment &&
		    ivrs->units[i].devid == rid)
			return -ENOENT;

	for (i = ivrs->nr_ranges; i-- > 0;) {
		range = &ivrs->ranges[i];
		if (range_covers(ivrs, range, segment, rid) ||
		    (range->has_alias && range->alias == rid &&
		     ivrs->units[range->unit].segment == segment))
			return (int)range->unit;
	}
	return -ENOENT;
}

/**
 * vg_ivrs_find_alias() - find the requester ID that a device's requests carry
 * @ivrs: a parsed table
 * @segment: the device's PCI segment
 * @rid: the device's own requester ID
 *
 * A later entry without an alias doesn't take an alias away: Linux and the
 * specification let it change the device's settings only.
 *
 * Context: any.
 * Return: the alias, or @rid if there is none (AMD IOMMU spec §5.2.2.4).
 */
int vg_ivrs_find_alias(const struct vg_ivrs *ivrs, u16 segment, u16 rid)
{
	const struct vg_ivrs_range *range;
	u32 i;

	for (i = ivrs->nr_ranges; i-- > 0;) {
		range = &ivrs->ranges[i];
		if (range->has_alias &&
		    range_covers(ivrs, range, segment, rid))
			return range->alias;
	}
	return rid;
}

/**
 * vg_ivrs_has_ivmd() - has firmware reserved memory for a requester?
 * @ivrs: a parsed table
 * @segment: its PCI segment
 * @rid: its requester ID
 *
 * Blocks that ask neither for a unity mapping nor for an exclusion range have
 * no effect.
 *
 * Context: any.
 * Return: true if so (AMD IOMMU spec §5.2.2.10).
 */
bool vg_ivrs_has_ivmd(const struct vg_ivrs *ivrs, u16 segment, u16 rid)
{
	const struct vg_ivrs_ivmd *ivmd;
	u32 i;

	for (i = 0; i < ivrs->nr_ivmds; i++) {
		ivmd = &ivrs->ivmds[i];
		if (ivmd->segment == segment && rid >= ivmd->first &&
		    rid <= ivmd->last &&
		    ivmd->flags & (VG_IVMD_UNITY | VG_IVMD_EXCLUSION))
			return true;
	}
	return false;
}
