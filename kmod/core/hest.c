// SPDX-License-Identifier: GPL-2.0
/* Reads the ACPI HEST: which errors firmware handles, and tells of by NMI. */
#include "acpi.h"
#include "hest.h"

/* Offsets and sizes, ACPI spec §18.3.2 */
#define HEST_COUNT			36
#define HEST_HEADER			40

#define SOURCE_ID			2
#define SOURCE_HEADER			4
#define SOURCE_BANK			28

#define AER_FLAGS			6
#define AER_BUS				16
#define AER_DEVICE			20
#define AER_FUNCTION			22

#define GENERIC_ENABLED			7
#define GENERIC_NOTIFY			32

/* Error source types */
#define HEST_TYPE_MCE			0
#define HEST_TYPE_CMC			1
#define HEST_TYPE_NMI			2
#define HEST_TYPE_GENERIC			9
#define HEST_TYPE_GENERIC_V2		10
#define HEST_TYPE_DEFERRED		11

/**
 * struct source_layout - how long error sources of a type are
 * @size: without banks; 0 for a type that must not be used
 * @banks: offset of the number of machine check banks that follow, 0 for none
 */
struct source_layout {
	u8 size;
	u8 banks;
};

/* §18.3.2.1 to §18.3.2.8, §18.3.2.10; sources themselves don't say. */
static const struct source_layout layouts[] = {
	[HEST_TYPE_MCE] = { 40, 32 },
	[HEST_TYPE_CMC] = { 48, 44 },
	[HEST_TYPE_NMI] = { 20 },
	[VG_HEST_ROOT_PORT] = { 48 },
	[VG_HEST_ENDPOINT] = { 44 },
	[VG_HEST_BRIDGE] = { 56 },
	[HEST_TYPE_GENERIC] = { 64 },
	[HEST_TYPE_GENERIC_V2] = { 92 },
	[HEST_TYPE_DEFERRED] = { 48, 44 },
};

/* Length of the source at an offset, which is inside the table; or -EINVAL. */
static int source_len(const struct vg_walk *walk, size_t off)
{
	const u8 *p = walk->table + off;
	size_t left = walk->len - off;
	size_t n;
	u16 type;

	if (left < SOURCE_HEADER)
		return vg_table_bad(walk, off, "source header truncated");
	type = vg_get_le16(p);
	if (type >= ARRAY_SIZE(layouts) || !layouts[type].size)
		return vg_table_bad(walk, off, "source of unknown type");
	n = layouts[type].size;
	if (n > left)
		return vg_table_bad(walk, off, "source longer than the table");
	if (layouts[type].banks)
		n += (size_t)p[layouts[type].banks] * SOURCE_BANK;
	if (n > left)
		return vg_table_bad(walk, off, "banks beyond the table's end");
	return (int)n;
}

static int parse_aer(const struct vg_walk *walk, size_t off,
		     struct vg_hest *out, const struct vg_hest *room)
{
	const u8 *p = walk->table + off;
	const struct vg_hest_aer aer = {
		/* Bus in bits 7:0, segment in 23:8 */
		.segment = vg_get_le16(p + AER_BUS + 1),
		.device = vg_get_le16(p + AER_DEVICE),
		.function = vg_get_le16(p + AER_FUNCTION),
		.id = vg_get_le16(p + SOURCE_ID),
		.bus = p[AER_BUS],
		.type = p[0],
		.flags = p[AER_FLAGS],
	};

	return vg_append(walk, off, out->aers, &out->nr_aers, room->nr_aers,
			 &aer, sizeof(aer));
}

static int parse_generic(const struct vg_walk *walk, size_t off,
			 struct vg_hest *out, const struct vg_hest *room)
{
	const u8 *p = walk->table + off;
	const struct vg_hest_generic generic = {
		.id = vg_get_le16(p + SOURCE_ID),
		.notify = p[GENERIC_NOTIFY],
		.enabled = p[GENERIC_ENABLED],
	};

	return vg_append(walk, off, out->generics, &out->nr_generics,
			 room->nr_generics, &generic, sizeof(generic));
}

static int parse_sources(const struct vg_walk *walk, struct vg_hest *out,
			 const struct vg_hest *room)
{
	u32 count = vg_get_le32(walk->table + HEST_COUNT);
	size_t off = HEST_HEADER;
	int len, ret;

	for (; count; count--, off += (size_t)len) {
		len = source_len(walk, off);
		if (len < 0)
			return len;

		switch (vg_get_le16(walk->table + off)) {
		case VG_HEST_ROOT_PORT:
		case VG_HEST_ENDPOINT:
		case VG_HEST_BRIDGE:
			ret = parse_aer(walk, off, out, room);
			break;
		case HEST_TYPE_GENERIC:
		case HEST_TYPE_GENERIC_V2:
			ret = parse_generic(walk, off, out, room);
			break;
		default:
			/* Machine checks and NMIs that no firmware handles */
			ret = 0;
		}
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vg_hest_parse() - read an ACPI HEST (ACPI spec §18.3.2)
 * @table: the table, from its ACPI header on
 * @len: how many bytes of it may be read
 * @out: arrays and their capacity in, what the table says out
 * @err: where and why, when the table is rejected
 *
 * Call it with both arrays NULL to count, allocate, and call it again with the
 * same @out: on entry each nr_* is then the capacity of its array.
 *
 * A source doesn't say how long it is, so a type this code doesn't know hides
 * all that follows: the table is refused, as Linux does. Bytes behind the last
 * source are left alone.
 *
 * Context: any.
 * Return: 0, -EINVAL if the table is malformed, -ENOSPC if an array is too
 * short; all counts are zero after an error.
 */
int vg_hest_parse(const u8 *table, size_t len, struct vg_hest *out,
		  struct vg_table_err *err)
{
	const struct vg_hest room = *out;
	struct vg_walk walk = {
		.table = table,
		.len = len,
		.counting = !out->aers && !out->generics,
		.err = err,
	};
	int ret;

	out->nr_aers = 0;
	out->nr_generics = 0;

	ret = vg_table_check(&walk, "HEST", HEST_HEADER);
	if (ret)
		return ret;

	ret = parse_sources(&walk, out, &room);
	if (ret) {
		out->nr_aers = 0;
		out->nr_generics = 0;
	}
	return ret;
}

static bool names_device(const struct vg_hest_aer *aer, u16 segment, u8 bus,
			 u8 devfn)
{
	return !(aer->flags & VG_HEST_GLOBAL) && aer->segment == segment &&
	       aer->bus == bus && aer->device == devfn >> 3 &&
	       aer->function == (devfn & 7);
}

/**
 * vg_hest_owns() - does firmware handle a device's PCIe errors first?
 * @hest: a parsed table
 * @segment: the device's segment
 * @bus: its bus
 * @devfn: its device and function
 * @type: what the device is
 *
 * A source that names the device goes before one for all devices of its type.
 * Where sources contradict each other, firmware handles them. Whether a source
 * is enabled doesn't count: that field is void under FIRMWARE_FIRST.
 *
 * Linux since 5.8 goes by _OSC alone; firmware that says one thing here and
 * another there may still handle errors.
 *
 * Context: any.
 * Return: true if so (ACPI spec §18.3.2.4 to .6).
 */
bool vg_hest_owns(const struct vg_hest *hest, u16 segment, u8 bus, u8 devfn,
		  enum vg_hest_aer_type type)
{
	bool named = false, firmware_named = false, firmware_all = false;
	const struct vg_hest_aer *aer;
	bool firmware;
	u32 i;

	for (i = 0; i < hest->nr_aers; i++) {
		aer = &hest->aers[i];
		firmware = aer->flags & VG_HEST_FIRMWARE_FIRST;
		if (names_device(aer, segment, bus, devfn)) {
			named = true;
			firmware_named |= firmware;
		} else if (aer->flags & VG_HEST_GLOBAL && aer->type == type) {
			firmware_all |= firmware;
		}
	}
	return named ? firmware_named : firmware_all;
}

/**
 * vg_hest_nmi_sources() - count the sources that tell of errors by NMI
 * @hest: a parsed table
 *
 * Linux panics in that very NMI when the error is a fatal one, see
 * ghes_in_nmi_queue_one_entry(): no other NMI handler can prevent it.
 *
 * Context: any.
 * Return: how many enabled generic sources are notified by NMI (ACPI spec
 * §18.3.2.7 to .9).
 */
u32 vg_hest_nmi_sources(const struct vg_hest *hest)
{
	u32 i, nr = 0;

	for (i = 0; i < hest->nr_generics; i++)
		nr += hest->generics[i].enabled &&
		      hest->generics[i].notify == VG_HEST_NOTIFY_NMI;
	return nr;
}
