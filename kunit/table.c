// SPDX-License-Identifier: GPL-2.0
/* Makes ACPI tables, and spoils them in every way a parser must withstand. */
#include <linux/slab.h>

#include "table.h"

#define TABLE_LENGTH	4
#define TABLE_CHECKSUM	9

static void store(u8 *p, u64 value, size_t size)
{
	for (; size--; value >>= 8)
		*p++ = (u8)value;
}

/**
 * table_seal() - set a table's length and checksum
 * @bytes: the table
 * @len: its length; one too short for these fields is left alone
 */
void table_seal(u8 *bytes, size_t len)
{
	u8 sum = 0;
	size_t i;

	if (len <= TABLE_CHECKSUM)
		return;
	store(bytes + TABLE_LENGTH, len, 4);
	bytes[TABLE_CHECKSUM] = 0;
	for (i = 0; i < len; i++)
		sum += bytes[i];
	bytes[TABLE_CHECKSUM] = -sum;
}

/**
 * table_put() - append a little-endian value
 * @t: table
 * @value: the value
 * @size: its size in bytes
 */
void table_put(struct table *t, u64 value, size_t size)
{
	if (WARN_ON(t->len + size > sizeof(t->byte)))
		return;
	store(t->byte + t->len, value, size);
	t->len += size;
	if (t->block)
		store(t->byte + t->block + 2, t->len - t->block, 2);
	if (t->scope)
		t->byte[t->scope + 1] = t->len - t->scope;
}

/**
 * table_new() - begin a table
 * @test: frees it at its end
 * @signature: four letters
 *
 * Return: the table, with nothing but its header.
 */
struct table *table_new(struct kunit *test, const char *signature)
{
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	memcpy(t->byte, signature, 4);
	memcpy(t->byte + 10, "VGUARDTESTTABL", 14);
	t->len = TABLE_HEADER;
	return t;
}

/**
 * table_copy() - take over a table that others made
 * @test: frees it at its end
 * @bytes: the table
 * @len: its length
 *
 * Return: the table.
 */
struct table *table_copy(struct kunit *test, const u8 *bytes, size_t len)
{
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_ASSERT_LE(test, len, sizeof(t->byte));
	memcpy(t->byte, bytes, len);
	t->len = len;
	return t;
}

/**
 * table_block() - begin a top-level block
 * @t: table
 * @type: its first two bytes: type in DMAR; type, then flags in IVRS
 */
void table_block(struct table *t, u16 type)
{
	t->scope = 0;
	t->block = t->len;
	table_put(t, type, 4);
}

/**
 * table_scope() - begin a device scope in the block
 * @t: table
 * @type: its type
 */
void table_scope(struct table *t, u8 type)
{
	t->scope = t->len;
	table_put(t, type, 4);
}

/*
 * Parse a copy that ends where its memory ends, for KASAN to see any read past
 * it. An error must say where and why.
 */
static int parse_copy(struct kunit *test, const u8 *bytes, size_t len,
		      table_parse_t *parse, struct vg_table_err *err)
{
	u8 *copy = kmemdup(bytes, len, GFP_KERNEL);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	ret = parse(test, copy, len, err);
	kfree(copy);

	if (!ret) {
		KUNIT_EXPECT_NULL(test, err->why);
	} else {
		KUNIT_EXPECT_EQ(test, ret, -EINVAL);
		KUNIT_EXPECT_NOT_NULL(test, err->why);
		KUNIT_EXPECT_LE(test, err->offset, len);
	}
	return ret;
}

/**
 * table_poke() - change a sound table and see what the parser says
 * @test: test
 * @t: the sound table
 * @poke: the change, and the expected outcome
 * @parse: parser
 */
void table_poke(struct kunit *test, const struct table *t,
		const struct poke *poke, table_parse_t *parse)
{
	struct table *bad = table_copy(test, t->byte, t->len);
	struct vg_table_err err;
	int ret;

	KUNIT_ASSERT_LE(test, poke->at + poke->size, bad->len);
	store(bad->byte + poke->at, poke->value, poke->size);
	table_seal(bad->byte, bad->len);

	ret = parse_copy(test, bad->byte, bad->len, parse, &err);
	if (poke->why) {
		KUNIT_ASSERT_EQ(test, ret, -EINVAL);
		KUNIT_EXPECT_EQ(test, err.offset, poke->offset);
		KUNIT_EXPECT_STREQ(test, err.why, poke->why);
	} else {
		KUNIT_EXPECT_EQ_MSG(test, ret, 0, "at %#zx: %s", err.offset,
				    err.why);
	}
}

/* Does a sound table still end at a block's end when cut to @cut bytes? */
static bool ends_with_block(const u8 *bytes, size_t cut)
{
	size_t off = TABLE_HEADER;

	while (off < cut)
		off += vg_get_le16(bytes + off + 2);
	return off == cut;
}

typedef bool cut_sound_t(const u8 *bytes, size_t cut);

static void truncate(struct kunit *test, struct table *t,
		     table_parse_t *parse, cut_sound_t *sound)
{
	struct table *work = table_copy(test, t->byte, t->len);
	struct vg_table_err err;
	size_t cut;
	int ret;

	table_seal(t->byte, t->len);
	KUNIT_ASSERT_EQ(test, parse_copy(test, t->byte, t->len, parse, &err),
			0);
	for (cut = 0; cut < t->len; cut++) {
		ret = parse_copy(test, t->byte, cut, parse, &err);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "cut at %#zx", cut);

		memcpy(work->byte, t->byte, cut);
		table_seal(work->byte, cut);
		ret = parse_copy(test, work->byte, cut, parse, &err);
		KUNIT_EXPECT_EQ_MSG(test, ret,
				    sound(t->byte, cut) ? 0 : -EINVAL,
				    "cut at %#zx, sealed", cut);
	}
}

/**
 * table_truncate() - cut a sound table of blocks short at every length
 * @test: test
 * @t: the table; it gets sealed
 * @parse: parser
 *
 * Cut, its header's length and checksum tell. With these set right it is sound
 * only where a block ends.
 */
void table_truncate(struct kunit *test, struct table *t, table_parse_t *parse)
{
	truncate(test, t, parse, ends_with_block);
}

static bool never(const u8 *bytes, size_t cut)
{
	return false;
}

/**
 * table_truncate_counted() - the same for a table that counts what is in it
 * @test: test
 * @t: the table; it gets sealed
 * @parse: parser
 *
 * Wherever it is cut, its count tells.
 */
void table_truncate_counted(struct kunit *test, struct table *t,
			    table_parse_t *parse)
{
	truncate(test, t, parse, never);
}

/*
 * Values worth a try: all types there are of blocks and entries, lengths small
 * and large, and single bits. All 256 would take minutes in a debug kernel.
 */
static bool worth_trying(u8 value, u8 old)
{
	if (value == old)
		return false;
	switch (value) {
	case 0x00 ... 0x11:
	case 0x20 ... 0x22:
	case 0x40 ... 0x48:
	case 0xfe ... 0xff:
		return true;
	default:
		return hweight8(value ^ old) == 1;
	}
}

/**
 * table_mutate() - set every byte of a sound table to many values
 * @test: test
 * @t: the table; it gets sealed
 * @parse: parser
 *
 * The checksum tells of any change. With it set right the parser must take the
 * table for what it now says, or reject it, and in no case read past its end.
 */
void table_mutate(struct kunit *test, struct table *t, table_parse_t *parse)
{
	struct vg_table_err err;
	u8 *byte = t->byte;
	unsigned int value;
	u8 old, sum;
	size_t at;
	int ret;

	table_seal(byte, t->len);
	sum = byte[TABLE_CHECKSUM];
	for (at = 0; at < t->len; at++) {
		old = byte[at];
		byte[at] = ~old;
		ret = parse_copy(test, byte, t->len, parse, &err);
		KUNIT_EXPECT_EQ_MSG(test, ret, -EINVAL, "at %#zx", at);
		byte[at] = old;
		if (at == TABLE_CHECKSUM)
			continue;

		for (value = 0; value < 256; value++) {
			if (!worth_trying(value, old))
				continue;
			byte[at] = value;
			byte[TABLE_CHECKSUM] = sum + old - value;
			parse_copy(test, byte, t->len, parse, &err);
		}
		byte[at] = old;
		byte[TABLE_CHECKSUM] = sum;
	}
}

static void expect_why(struct kunit *test, const struct table *t,
		       table_parse_t *parse, const char *why)
{
	struct vg_table_err err;

	KUNIT_EXPECT_EQ(test, parse_copy(test, t->byte, t->len, parse, &err),
			-EINVAL);
	KUNIT_EXPECT_STREQ(test, err.why, why);
}

/**
 * table_bad_header() - spoil the ACPI header of a sound table
 * @test: test
 * @t: the table, with room for a byte behind it; it gets spoiled
 * @header: length of the header of tables of its kind
 * @parse: parser
 */
void table_bad_header(struct kunit *test, struct table *t, size_t header,
		      table_parse_t *parse)
{
	struct vg_table_err err;

	KUNIT_EXPECT_EQ(test, parse(test, NULL, 0, &err), -EINVAL);
	KUNIT_EXPECT_STREQ(test, err.why, "shorter than its header");

	/* Whatever lies behind the table is none of its business. */
	table_seal(t->byte, t->len);
	t->byte[t->len] = 0xff;
	KUNIT_EXPECT_EQ(test, parse_copy(test, t->byte, t->len + 1, parse,
					 &err), 0);

	/* Each hides those before it, in the order of a parser's checks. */
	t->byte[TABLE_CHECKSUM]++;
	expect_why(test, t, parse, "wrong checksum");
	store(t->byte + TABLE_LENGTH, t->len + 1, 4);
	expect_why(test, t, parse, "length beyond the table's end");
	store(t->byte + TABLE_LENGTH, header - 1, 4);
	expect_why(test, t, parse, "length below its header's");
	t->byte[0] ^= 0x20;
	expect_why(test, t, parse, "wrong signature");
}
