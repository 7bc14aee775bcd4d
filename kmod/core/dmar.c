// SPDX-License-Identifier: GPL-2.0
/* Reads the ACPI DMAR table and finds the remapping unit of a device. */
#include "acpi.h"
#include "dmar.h"

/* Offsets and sizes, VT-d spec §8.1 to §8.5 */
#define DMAR_HEADER			48
#define DMAR_WIDTH			36
#define DMAR_FLAGS			37

#define DMAR_TYPE_DRHD			0
#define DMAR_TYPE_RMRR			1
#define DMAR_TYPE_ATSR			2
#define DMAR_FLAGS_OR_RESERVED		4
#define DMAR_SEGMENT			6
#define DMAR_BASE			8

#define DRHD_SIZE			5
#define DRHD_SCOPES			16
#define RMRR_LIMIT			16
#define RMRR_SCOPES			24
#define ATSR_SCOPES			8

#define SCOPE_LENGTH			1
#define SCOPE_ID			4
#define SCOPE_BUS			5
#define SCOPE_PATH			6

/* Narrowest host address width that Linux accepts, less one as in the table. */
#define DMAR_WIDTH_MIN			11

static bool is_pci_scope(const struct vg_scope *scope)
{
	return scope->type == VG_SCOPE_ENDPOINT ||
	       scope->type == VG_SCOPE_BRIDGE;
}

/* One names the other's device, or a bridge somewhere above it. */
static bool scopes_overlap(const struct vg_scope *a, const struct vg_scope *b)
{
	const struct vg_scope *shorter = a->hops <= b->hops ? a : b;

	if (a->bus != b->bus || !is_pci_scope(a) || !is_pci_scope(b))
		return false;
	if (a->hops != b->hops && shorter->type != VG_SCOPE_BRIDGE)
		return false;
	return !memcmp(a->path, b->path, 2 * (size_t)shorter->hops);
}

static bool units_share_device(const struct vg_dmar *dmar,
			       const struct vg_dmar_unit *a,
			       const struct vg_dmar_unit *b)
{
	u32 i, j;

	/*
	 * The unit that takes all the rest doesn't compete: whatever it lists
	 * itself is only for I/O APICs and HPETs.
	 */
	if (a->segment != b->segment ||
	    (a->flags | b->flags) & VG_DRHD_INCLUDE_PCI_ALL)
		return false;
	for (i = 0; i < a->nr_scopes; i++)
		for (j = 0; j < b->nr_scopes; j++)
			if (scopes_overlap(&dmar->scopes[a->first_scope + i],
					   &dmar->scopes[b->first_scope + j]))
				return true;
	return false;
}

/* Compare the newest unit, whose scopes are in, with those before it. */
static int check_units(const struct vg_walk *walk, size_t off,
		       const struct vg_dmar *dmar)
{
	const struct vg_dmar_unit *new = &dmar->units[dmar->nr_units - 1];
	const struct vg_dmar_unit *old;

	for (old = dmar->units; old < new; old++) {
		/* Ends are inclusive so that the address space's top fits. */
		if (old->base <= new->base + (new->size - 1) &&
		    new->base <= old->base + (old->size - 1))
			return vg_table_bad(walk, off,
					    "registers overlap another DRHD's");
		if (old->segment == new->segment &&
		    old->flags & new->flags & VG_DRHD_INCLUDE_PCI_ALL)
			return vg_table_bad(walk, off,
					    "second INCLUDE_PCI_ALL in segment");
		if (units_share_device(dmar, old, new))
			return vg_table_bad(walk, off,
					    "device claimed by two DRHDs");
	}
	return 0;
}

/* Read the device scopes in [off, end) behind those that are there already. */
static int parse_scopes(const struct vg_walk *walk, size_t off, size_t end,
			struct vg_dmar *out, u32 room)
{
	struct vg_scope scope;
	const u8 *p;
	u8 n;
	int ret;

	for (; off < end; off += n) {
		p = walk->table + off;
		if (end - off < 2)
			return vg_table_bad(walk, off, "scope truncated");
		n = p[SCOPE_LENGTH];
		if (n < 2)
			return vg_table_bad(walk, off, "scope of zero length");
		if (n > end - off)
			return vg_table_bad(walk, off,
					    "scope longer than its parent");
		/* Types yet to come needn't be laid out like ours. */
		if (p[0] < VG_SCOPE_ENDPOINT || p[0] > VG_SCOPE_ACPI)
			continue;
		if (n < SCOPE_PATH + 2 || n % 2)
			return vg_table_bad(walk, off, "scope without a path");

		scope.type = p[0];
		scope.id = p[SCOPE_ID];
		scope.bus = p[SCOPE_BUS];
		scope.hops = (u8)((n - SCOPE_PATH) / 2);
		scope.path = p + SCOPE_PATH;
		ret = vg_append(walk, off, out->scopes, &out->nr_scopes, room,
				&scope, sizeof(scope));
		if (ret)
			return ret;
	}
	return 0;
}

static int parse_drhd(const struct vg_walk *walk, size_t off, size_t end,
		      struct vg_dmar *out, const struct vg_dmar *room)
{
	const u8 *p = walk->table + off;
	struct vg_dmar_unit unit;
	int ret;

	if (end - off < DRHD_SCOPES)
		return vg_table_bad(walk, off, "DRHD too short");
	unit.base = vg_get_le64(p + DMAR_BASE);
	/* The upper half of the size byte is reserved. */
	unit.size = 4096U << (p[DRHD_SIZE] & 0xf);
	unit.segment = vg_get_le16(p + DMAR_SEGMENT);
	unit.flags = p[DMAR_FLAGS_OR_RESERVED];
	unit.first_scope = out->nr_scopes;
	if (!unit.base)
		return vg_table_bad(walk, off, "DRHD without registers");
	if (unit.base > U64_MAX - (unit.size - 1))
		return vg_table_bad(walk, off, "DRHD registers wrap around");

	ret = parse_scopes(walk, off + DRHD_SCOPES, end, out, room->nr_scopes);
	if (ret)
		return ret;
	unit.nr_scopes = out->nr_scopes - unit.first_scope;
	ret = vg_append(walk, off, out->units, &out->nr_units, room->nr_units,
			&unit, sizeof(unit));
	if (ret || walk->counting)
		return ret;
	return check_units(walk, off, out);
}

static int parse_rmrr(const struct vg_walk *walk, size_t off, size_t end,
		      struct vg_dmar *out, const struct vg_dmar *room)
{
	const u8 *p = walk->table + off;
	struct vg_dmar_rmrr rmrr;
	int ret;

	if (end - off < RMRR_SCOPES)
		return vg_table_bad(walk, off, "RMRR too short");
	rmrr.base = vg_get_le64(p + DMAR_BASE);
	rmrr.limit = vg_get_le64(p + RMRR_LIMIT);
	rmrr.segment = vg_get_le16(p + DMAR_SEGMENT);
	rmrr.first_scope = out->nr_scopes;
	if (rmrr.limit < rmrr.base)
		return vg_table_bad(walk, off, "RMRR ends before its start");

	ret = parse_scopes(walk, off + RMRR_SCOPES, end, out, room->nr_scopes);
	if (ret)
		return ret;
	rmrr.nr_scopes = out->nr_scopes - rmrr.first_scope;
	return vg_append(walk, off, out->rmrrs, &out->nr_rmrrs, room->nr_rmrrs,
			 &rmrr, sizeof(rmrr));
}

static int parse_atsr(const struct vg_walk *walk, size_t off, size_t end,
		      struct vg_dmar *out, const struct vg_dmar *room)
{
	const u8 *p = walk->table + off;
	struct vg_dmar_atsr atsr;
	int ret;

	if (end - off < ATSR_SCOPES)
		return vg_table_bad(walk, off, "ATSR too short");
	atsr.segment = vg_get_le16(p + DMAR_SEGMENT);
	atsr.flags = p[DMAR_FLAGS_OR_RESERVED];
	atsr.first_scope = out->nr_scopes;

	ret = parse_scopes(walk, off + ATSR_SCOPES, end, out, room->nr_scopes);
	if (ret)
		return ret;
	atsr.nr_scopes = out->nr_scopes - atsr.first_scope;
	return vg_append(walk, off, out->atsrs, &out->nr_atsrs, room->nr_atsrs,
			 &atsr, sizeof(atsr));
}

static int parse_blocks(const struct vg_walk *walk, struct vg_dmar *out,
			const struct vg_dmar *room)
{
	size_t off, end;
	int ret;

	for (off = DMAR_HEADER; off < walk->len; off = end) {
		ret = vg_block_len(walk, off);
		if (ret < 0)
			return ret;
		end = off + (size_t)ret;

		switch (vg_get_le16(walk->table + off)) {
		case DMAR_TYPE_DRHD:
			ret = parse_drhd(walk, off, end, out, room);
			break;
		case DMAR_TYPE_RMRR:
			ret = parse_rmrr(walk, off, end, out, room);
			break;
		case DMAR_TYPE_ATSR:
			ret = parse_atsr(walk, off, end, out, room);
			break;
		default:
			/* RHSA, ANDD, SATC, SIDP and later ones: not needed */
			ret = 0;
		}
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * vg_dmar_parse() - read an ACPI DMAR table (VT-d spec §8)
 * @table: the table, from its ACPI header on; scopes will point into it
 * @len: how many bytes of it may be read
 * @out: arrays and their capacity in, what the table says out
 * @err: where and why, when the table is rejected
 *
 * Call it with the four arrays NULL to count, allocate, and call it again with
 * the same @out: on entry each nr_* is then the capacity of its array. Both
 * calls reject what is malformed; what contradicts itself (registers that
 * overlap, a device claimed twice) is only found by the second.
 *
 * Structures and scope types this code doesn't know are skipped, as are
 * scopes in them. A zero-length block is refused, where Linux stops reading
 * in silence: units behind it would be overlooked.
 *
 * Context: any.
 * Return: 0, -EINVAL if the table is malformed, -ENOSPC if an array is too
 * short; all counts are zero after an error.
 */
int vg_dmar_parse(const u8 *table, size_t len, struct vg_dmar *out,
		  struct vg_table_err *err)
{
	const struct vg_dmar room = *out;
	struct vg_walk walk = {
		.table = table,
		.len = len,
		.counting = !out->units && !out->rmrrs && !out->atsrs &&
			    !out->scopes,
		.err = err,
	};
	int ret;

	out->nr_units = 0;
	out->nr_rmrrs = 0;
	out->nr_atsrs = 0;
	out->nr_scopes = 0;

	ret = vg_table_check(&walk, "DMAR", DMAR_HEADER);
	if (ret)
		return ret;
	if (table[DMAR_WIDTH] < DMAR_WIDTH_MIN)
		return vg_table_bad(&walk, DMAR_WIDTH,
				    "host address width too small");
	out->host_width = (u8)(table[DMAR_WIDTH] + 1);
	out->flags = table[DMAR_FLAGS];

	ret = parse_blocks(&walk, out, &room);
	if (ret) {
		out->nr_units = 0;
		out->nr_rmrrs = 0;
		out->nr_atsrs = 0;
		out->nr_scopes = 0;
	}
	return ret;
}

/* Does the scope's path run along the device's, starting at hop @start? */
static bool path_matches(const struct vg_scope *scope,
			 const struct vg_pci_path *path, u8 start)
{
	const u8 *pair = scope->path;
	u8 i;

	if (start + scope->hops > path->hops)
		return false;
	for (i = 0; i < scope->hops; i++, pair += 2)
		if (path->hop[start + i].devfn >> 3 != pair[0] ||
		    (path->hop[start + i].devfn & 7) != pair[1])
			return false;
	return scope->type == VG_SCOPE_BRIDGE ||
	       start + scope->hops == path->hops;
}

/**
 * vg_scope_matches() - does a device scope cover a device?
 * @scope: the scope
 * @path: the way to the device
 *
 * An endpoint scope covers the very device at the end of its path, a bridge
 * scope the bridge and all below it; other types cover no PCI device. The
 * start bus may be any on the way, for firmware that names the device's own
 * bus instead of the root bus (VT-d spec §8.3.1).
 *
 * Context: any.
 * Return: true if so.
 */
bool vg_scope_matches(const struct vg_scope *scope,
		      const struct vg_pci_path *path)
{
	u8 i;

	if (!is_pci_scope(scope) || path->hops > VG_PCI_PATH_MAX)
		return false;
	for (i = 0; i < path->hops; i++)
		if (path->hop[i].bus == scope->bus &&
		    path_matches(scope, path, i))
			return true;
	return false;
}

static bool any_scope_matches(const struct vg_dmar *dmar, u32 first, u32 nr,
			      const struct vg_pci_path *path)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (vg_scope_matches(&dmar->scopes[first + i], path))
			return true;
	return false;
}

/**
 * vg_dmar_find_unit() - find the remapping unit that covers a device
 * @dmar: a parsed table
 * @path: the way to the device
 *
 * A unit that names the device goes before the one with INCLUDE_PCI_ALL. Units
 * are tried from the last to the first, as Linux does: it matters only where
 * bus numbers that firmware gave make two of them match.
 *
 * Context: any.
 * Return: index into @dmar->units, or -ENOENT (VT-d spec §8.3).
 */
int vg_dmar_find_unit(const struct vg_dmar *dmar,
		      const struct vg_pci_path *path)
{
	const struct vg_dmar_unit *unit;
	int rest = -ENOENT;
	u32 i;

	for (i = dmar->nr_units; i-- > 0;) {
		unit = &dmar->units[i];
		if (unit->segment != path->segment)
			continue;
		if (unit->flags & VG_DRHD_INCLUDE_PCI_ALL)
			rest = (int)i;
		else if (any_scope_matches(dmar, unit->first_scope,
					   unit->nr_scopes, path))
			return (int)i;
	}
	return rest;
}

/**
 * vg_dmar_has_rmrr() - has firmware reserved memory for a device?
 * @dmar: a parsed table
 * @path: the way to the device
 *
 * Context: any.
 * Return: true if an RMRR's scope covers it (VT-d spec §8.4).
 */
bool vg_dmar_has_rmrr(const struct vg_dmar *dmar,
		      const struct vg_pci_path *path)
{
	const struct vg_dmar_rmrr *rmrr;
	u32 i;

	for (i = 0; i < dmar->nr_rmrrs; i++) {
		rmrr = &dmar->rmrrs[i];
		if (rmrr->segment == path->segment &&
		    any_scope_matches(dmar, rmrr->first_scope, rmrr->nr_scopes,
				      path))
			return true;
	}
	return false;
}
