/* SPDX-License-Identifier: GPL-2.0 */
/* Makes ACPI tables, and spoils them in every way a parser must withstand. */
#ifndef VG_KUNIT_TABLE_H
#define VG_KUNIT_TABLE_H

#include <kunit/test.h>

#include "types.h"

/* DMAR and IVRS alike: ACPI header, then 12 bytes of their own. */
#define TABLE_HEADER	48

/**
 * struct table - a table being made
 * @byte: its bytes
 * @len: how many so far
 * @block: offset of the top-level block being made, 0 before the first
 * @scope: offset of the device scope being made inside it, 0 for none
 *
 * Lengths of table, block and scope grow as bytes are put.
 */
struct table {
	u8 byte[1024];
	size_t len;
	size_t block;
	size_t scope;
};

/**
 * struct poke - one change to a sound table, and what must come of it
 * @name: what the change is
 * @at: offset to write to
 * @size: bytes to write
 * @value: what to write, little-endian
 * @offset: where the table is to be rejected
 * @why: the text it is to be rejected with, NULL if it is still sound
 */
struct poke {
	const char *name;
	size_t at;
	size_t size;
	u64 value;
	size_t offset;
	const char *why;
};

/*
 * Parses a table, both passes, checks what came out of it for sense, and
 * returns the parser's word.
 */
typedef int table_parse_t(struct kunit *test, const u8 *bytes, size_t len,
			  struct vg_table_err *err);

struct table *table_new(struct kunit *test, const char *signature);
struct table *table_copy(struct kunit *test, const u8 *bytes, size_t len);
void table_put(struct table *t, u64 value, size_t size);
void table_block(struct table *t, u16 type);
void table_scope(struct table *t, u8 type);
void table_seal(u8 *bytes, size_t len);

void table_poke(struct kunit *test, const struct table *t,
		const struct poke *poke, table_parse_t *parse);
void table_truncate(struct kunit *test, struct table *t, table_parse_t *parse);
void table_truncate_counted(struct kunit *test, struct table *t,
			    table_parse_t *parse);
void table_mutate(struct kunit *test, struct table *t, table_parse_t *parse);
void table_bad_header(struct kunit *test, struct table *t, size_t header,
		      table_parse_t *parse);

#endif /* VG_KUNIT_TABLE_H */
