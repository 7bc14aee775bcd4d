/* SPDX-License-Identifier: GPL-2.0 */
/* What the readers of ACPI tables share: header, blocks, the caller's arrays. */
#ifndef VG_CORE_ACPI_H
#define VG_CORE_ACPI_H

#include "types.h"

/* The header of every ACPI table: ACPI spec §5.2.6 */
#define VG_ACPI_HEADER			36
#define VG_ACPI_LENGTH			4
#define VG_ACPI_CHECKSUM		9

/**
 * struct vg_walk - a table that is being read
 * @table: its bytes
 * @len: how many of them belong to it
 * @counting: the caller gave no arrays, so structures are only counted
 * @err: where to say what is wrong
 */
struct vg_walk {
	const u8 *table;
	size_t len;
	bool counting;
	struct vg_table_err *err;
};

/**
 * vg_table_bad() - reject a table
 * @walk: the table
 * @offset: where the structure at fault starts
 * @why: constant text
 *
 * Context: any.
 * Return: -EINVAL.
 */
static inline int vg_table_bad(const struct vg_walk *walk, size_t offset,
			       const char *why)
{
	walk->err->offset = offset;
	walk->err->why = why;
	return -EINVAL;
}

/**
 * vg_table_check() - check the ACPI header, and trust its length from now on
 * @walk: the table; @len is what the caller can read, and becomes the table's
 * @signature: the four letters expected
 * @min: shortest table of this kind
 *
 * Bytes beyond the table's own length are left alone: mappings come in pages.
 *
 * Context: any.
 * Return: 0 or -EINVAL.
 */
static inline int vg_table_check(struct vg_walk *walk, const char *signature,
				 size_t min)
{
	size_t i, length;
	u8 sum = 0;

	walk->err->offset = 0;
	walk->err->why = NULL;

	if (!walk->table || walk->len < min)
		return vg_table_bad(walk, 0, "shorter than its header");
	if (memcmp(walk->table, signature, 4))
		return vg_table_bad(walk, 0, "wrong signature");
	length = vg_get_le32(walk->table + VG_ACPI_LENGTH);
	if (length < min)
		return vg_table_bad(walk, VG_ACPI_LENGTH,
				    "length below its header's");
	if (length > walk->len)
		return vg_table_bad(walk, VG_ACPI_LENGTH,
				    "length beyond the table's end");
	for (i = 0; i < length; i++)
		sum = (u8)(sum + walk->table[i]);
	if (sum)
		return vg_table_bad(walk, VG_ACPI_CHECKSUM, "wrong checksum");
	walk->len = length;
	return 0;
}

/**
 * vg_block_len() - length of the top-level block at an offset
 * @walk: the table
 * @off: where the block starts, below @walk->len
 *
 * DMAR and IVRS blocks both carry a 16-bit length in bytes 2 and 3. It counts
 * from the block's start, so a length that covers its own field also moves the
 * walk on: no table can make it loop.
 *
 * Context: any.
 * Return: the length, which lies inside the table, or -EINVAL.
 */
static inline int vg_block_len(const struct vg_walk *walk, size_t off)
{
	size_t left = walk->len - off;
	u16 n;

	if (left < 4)
		return vg_table_bad(walk, off, "block header truncated");
	n = vg_get_le16(walk->table + off + 2);
	if (n < 4)
		return vg_table_bad(walk, off, "block of zero length");
	if (n > left)
		return vg_table_bad(walk, off, "block longer than the table");
	return n;
}

/**
 * vg_append() - append to one of the caller's arrays, or only count
 * @walk: the table
 * @off: offset of the structure to append
 * @array: the array
 * @nr: number of its elements in use
 * @room: number of elements it has room for
 * @item: the element
 * @size: its size
 *
 * An array shorter than the table needs is the caller's fault, not the table's.
 *
 * Context: any.
 * Return: 0 or -ENOSPC.
 */
static inline int vg_append(const struct vg_walk *walk, size_t off, void *array,
			    u32 *nr, u32 room, const void *item, size_t size)
{
	if (!walk->counting) {
		if (!array || *nr >= room) {
			vg_table_bad(walk, off, "more than there is room for");
			return -ENOSPC;
		}
		memcpy((u8 *)array + *nr * size, item, size);
	}
	(*nr)++;
	return 0;
}

#endif /* VG_CORE_ACPI_H */
