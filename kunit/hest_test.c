// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/hest.c. */
#include <linux/slab.h>

#include "hest.h"
#include "table.h"

#define HEST_COUNT	36
#define HEST_HEADER	40

/* Source types that the parser does not export, ACPI spec §18.3.2 */
#define SOURCE_MCE	0
#define SOURCE_CMC	1
#define SOURCE_NMI	2
#define SOURCE_GHES	9
#define SOURCE_GHES_V2	10
#define SOURCE_DEFERRED	11

/* Notification types, §18.3.2.9 */
#define NOTIFY_POLLED	0
#define NOTIFY_SCI	3

#define FIRST		VG_HEST_FIRMWARE_FIRST
#define GLOBAL		VG_HEST_GLOBAL

static struct table *hest_new(struct kunit *test)
{
	struct table *t = table_new(test, "HEST");

	t->len = HEST_HEADER;
	return t;
}

/* Append zeros. */
static void put_zeros(struct table *t, size_t size)
{
	while (size--)
		table_put(t, 0, 1);
}

/* What all sources begin with; the source ID is its place. */
static void put_source(struct table *t, u16 type)
{
	table_put(t, type, 2);
	table_put(t, t->byte[HEST_COUNT]++, 2);
}

static void put_preallocation(struct table *t)
{
	table_put(t, 1, 4);
	table_put(t, 1, 4);
}

/* What machine check and AER sources go on with */
static void put_flags(struct table *t, u8 flags)
{
	table_put(t, 0, 2);
	table_put(t, flags, 1);
	table_put(t, 1, 1);
	put_preallocation(t);
}

static void put_aer(struct table *t, u16 type, u8 flags, u16 segment, u8 bus,
		    u16 device, u16 function)
{
	put_source(t, type);
	put_flags(t, flags);
	table_put(t, (u32)segment << 8 | bus, 4);
	table_put(t, device, 2);
	table_put(t, function, 2);
	table_put(t, 0x000f, 2);
	table_put(t, 0, 2);
	/* Masks and severities: recognisable, and of no interest here */
	table_put(t, 0x00310000, 4);
	table_put(t, 0x00462030, 4);
	table_put(t, 0x00002000, 4);
	table_put(t, 0x00000140, 4);
	if (type == VG_HEST_ROOT_PORT)
		table_put(t, 7, 4);
	if (type == VG_HEST_BRIDGE)
		put_zeros(t, 12);
}

static void put_address(struct table *t, u64 address)
{
	table_put(t, 0x03400000, 4);
	table_put(t, address, 8);
}

static void put_notify(struct table *t, u8 type)
{
	table_put(t, type, 1);
	table_put(t, 28, 1);
	put_zeros(t, 26);
}

static void put_generic(struct table *t, u16 type, bool enabled, u8 notify)
{
	put_source(t, type);
	table_put(t, 0xffff, 2);
	table_put(t, 0, 1);
	table_put(t, enabled, 1);
	put_preallocation(t);
	table_put(t, 0x1000, 4);
	put_address(t, 0x6f3c5018);
	put_notify(t, notify);
	table_put(t, 0x1000, 4);
	if (type == SOURCE_GHES_V2) {
		put_address(t, 0x6f3c5020);
		table_put(t, ~1ULL, 8);
		table_put(t, 1, 8);
	}
}

static void put_machine_check(struct table *t, u16 type, u8 banks)
{
	put_source(t, type);
	put_flags(t, FIRST);
	if (type == SOURCE_MCE) {
		table_put(t, 0, 8);
		table_put(t, ~0ULL, 8);
		table_put(t, banks, 8);
	} else {
		put_notify(t, NOTIFY_POLLED);
		table_put(t, banks, 4);
	}
	put_zeros(t, 28 * (size_t)banks);
}

static void put_nmi(struct table *t)
{
	put_source(t, SOURCE_NMI);
	table_put(t, 0, 4);
	put_preallocation(t);
	table_put(t, 0x1000, 4);
}

static void free_arrays(struct vg_hest *hest)
{
	kfree(hest->aers);
	kfree(hest->generics);
}

/* Count, allocate exactly that, fill. */
static int read_table(struct kunit *test, const u8 *bytes, size_t len,
		      struct vg_hest *hest, struct vg_table_err *err)
{
	struct vg_hest counted;
	int ret;

	memset(hest, 0, sizeof(*hest));
	ret = vg_hest_parse(bytes, len, hest, err);
	if (ret) {
		KUNIT_EXPECT_EQ(test, hest->nr_aers | hest->nr_generics, 0);
		return ret;
	}
	counted = *hest;

	hest->aers = kcalloc(hest->nr_aers, sizeof(*hest->aers), GFP_KERNEL);
	hest->generics = kcalloc(hest->nr_generics, sizeof(*hest->generics),
				 GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, hest->aers && hest->generics);

	/* All that can be wrong with a table is seen when counting. */
	KUNIT_EXPECT_EQ(test, vg_hest_parse(bytes, len, hest, err), 0);
	KUNIT_EXPECT_EQ(test, hest->nr_aers, counted.nr_aers);
	KUNIT_EXPECT_EQ(test, hest->nr_generics, counted.nr_generics);
	return 0;
}

/* A table the test made, which must be sound. */
static void read_sound(struct kunit *test, struct table *t,
		       struct vg_hest *hest)
{
	struct vg_table_err err;
	int ret;

	table_seal(t->byte, t->len);
	ret = read_table(test, t->byte, t->len, hest, &err);
	KUNIT_ASSERT_EQ_MSG(test, ret, 0, "at %#zx: %s", err.offset, err.why);
}

static int parse(struct kunit *test, const u8 *bytes, size_t len,
		 struct vg_table_err *err)
{
	struct vg_hest hest;
	u32 i;
	int ret;

	ret = read_table(test, bytes, len, &hest, err);
	if (!ret) {
		KUNIT_EXPECT_LE(test, vg_hest_nmi_sources(&hest),
				hest.nr_generics);
		for (i = 0; i < hest.nr_aers; i++) {
			KUNIT_EXPECT_GE(test, hest.aers[i].type,
					VG_HEST_ROOT_PORT);
			KUNIT_EXPECT_LE(test, hest.aers[i].type,
					VG_HEST_BRIDGE);
			vg_hest_owns(&hest, hest.aers[i].segment,
				     hest.aers[i].bus, 0, VG_HEST_ENDPOINT);
		}
	}
	free_arrays(&hest);
	return ret;
}

/* A server whose firmware takes all errors: one source of every type */
static struct table *server(struct kunit *test)
{
	struct table *t = hest_new(test);

	put_machine_check(t, SOURCE_MCE, 3);
	put_machine_check(t, SOURCE_CMC, 2);
	put_nmi(t);
	put_aer(t, VG_HEST_ROOT_PORT, FIRST | GLOBAL, 0, 0, 0, 0);
	put_aer(t, VG_HEST_ENDPOINT, FIRST | GLOBAL, 0, 0, 0, 0);
	put_aer(t, VG_HEST_BRIDGE, FIRST | GLOBAL, 0, 0, 0, 0);
	put_generic(t, SOURCE_GHES, true, NOTIFY_SCI);
	put_generic(t, SOURCE_GHES_V2, true, VG_HEST_NOTIFY_NMI);
	put_generic(t, SOURCE_GHES, false, VG_HEST_NOTIFY_NMI);
	put_machine_check(t, SOURCE_DEFERRED, 1);
	put_generic(t, SOURCE_GHES, true, NOTIFY_POLLED);
	return t;
}

static void every_type(struct kunit *test)
{
	static const u8 notify[] = {
		NOTIFY_SCI, VG_HEST_NOTIFY_NMI, VG_HEST_NOTIFY_NMI,
		NOTIFY_POLLED,
	};
	static const u16 ids[] = { 6, 7, 8, 10 };
	struct vg_hest hest;
	u32 i;

	read_sound(test, server(test), &hest);
	KUNIT_ASSERT_EQ(test, hest.nr_aers, 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, hest.aers[i].type, VG_HEST_ROOT_PORT + i);
		KUNIT_EXPECT_EQ(test, hest.aers[i].flags, FIRST | GLOBAL);
		KUNIT_EXPECT_EQ(test, hest.aers[i].id, 3 + i);
	}
	KUNIT_ASSERT_EQ(test, hest.nr_generics, 4);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, hest.generics[i].notify, notify[i]);
		KUNIT_EXPECT_EQ(test, hest.generics[i].id, ids[i]);
		KUNIT_EXPECT_EQ(test, hest.generics[i].enabled, i != 2);
	}
	KUNIT_EXPECT_EQ(test, vg_hest_nmi_sources(&hest), 1);
	free_arrays(&hest);
}

static void no_sources(struct kunit *test)
{
	struct vg_hest hest;

	read_sound(test, hest_new(test), &hest);
	KUNIT_EXPECT_EQ(test, hest.nr_aers, 0);
	KUNIT_EXPECT_EQ(test, hest.nr_generics, 0);
	KUNIT_EXPECT_FALSE(test, vg_hest_owns(&hest, 0, 0, 0,
					      VG_HEST_ROOT_PORT));
	KUNIT_EXPECT_EQ(test, vg_hest_nmi_sources(&hest), 0);
	free_arrays(&hest);
}

static void every_device(struct kunit *test)
{
	enum vg_hest_aer_type type;
	struct vg_hest hest;

	read_sound(test, server(test), &hest);
	for (type = VG_HEST_ROOT_PORT; type <= VG_HEST_BRIDGE; type++) {
		KUNIT_EXPECT_TRUE(test, vg_hest_owns(&hest, 0, 0, 0, type));
		KUNIT_EXPECT_TRUE(test, vg_hest_owns(&hest, 0xffff, 0xff, 0xff,
						     type));
	}
	free_arrays(&hest);
}

struct owner {
	const char *name;
	u16 segment;
	u8 bus;
	u8 device;
	u8 function;
	u8 type;
	bool firmware;
};

/* Whose is what in the table that named_devices() makes */
static const struct owner owners[] = {
	{ "named", 0, 0x3a, 0, 0, VG_HEST_ROOT_PORT, true },
	{ "named, in a high segment", 0x1234, 0xff, 0x1f, 7, VG_HEST_ENDPOINT,
	  true },
	{ "other segment", 1, 0x3a, 0, 0, VG_HEST_ROOT_PORT, false },
	{ "segment's bytes", 0x3412, 0xff, 0x1f, 7, VG_HEST_ENDPOINT, false },
	{ "other bus", 0, 0x3b, 0, 0, VG_HEST_ROOT_PORT, false },
	{ "other device", 0, 0x3a, 1, 0, VG_HEST_ROOT_PORT, false },
	{ "other function", 0, 0x3a, 0, 1, VG_HEST_ROOT_PORT, false },
	{ "named as something else", 0, 0x3a, 0, 0, VG_HEST_ENDPOINT, true },
	{ "all bridges", 2, 7, 3, 1, VG_HEST_BRIDGE, true },
	{ "all bridges but one", 0, 0x40, 2, 0, VG_HEST_BRIDGE, false },
	{ "all bridges, not endpoints", 2, 7, 3, 1, VG_HEST_ENDPOINT, false },
	{ "what a global source names", 0, 0x50, 5, 0, VG_HEST_ROOT_PORT,
	  false },
	{ "contradiction", 0, 0x41, 0, 0, VG_HEST_ROOT_PORT, true },
	{ "no such function", 0, 0x42, 0, 1, VG_HEST_ENDPOINT, false },
	{ "no such device", 0, 0x43, 0, 0, VG_HEST_ENDPOINT, false },
};

KUNIT_ARRAY_PARAM_DESC(owner, owners, name);

static void named_devices(struct kunit *test)
{
	const struct owner *o = test->param_value;
	struct table *t = hest_new(test);
	struct vg_hest hest;

	put_aer(t, VG_HEST_ROOT_PORT, FIRST, 0, 0x3a, 0, 0);
	put_aer(t, VG_HEST_ENDPOINT, FIRST, 0x1234, 0xff, 0x1f, 7);
	put_aer(t, VG_HEST_BRIDGE, 0, 0, 0x40, 2, 0);
	put_aer(t, VG_HEST_BRIDGE, FIRST | GLOBAL, 0, 0x50, 5, 0);
	put_aer(t, VG_HEST_ENDPOINT, GLOBAL, 0, 0, 0, 0);
	put_aer(t, VG_HEST_ROOT_PORT, FIRST, 0, 0x41, 0, 0);
	put_aer(t, VG_HEST_ROOT_PORT, 0, 0, 0x41, 0, 0);
	/* Numbers that no devfn has must not match one by their low bits. */
	put_aer(t, VG_HEST_ENDPOINT, FIRST, 0, 0x42, 0, 9);
	put_aer(t, VG_HEST_ENDPOINT, FIRST, 0, 0x43, 0x20, 0);
	read_sound(test, t, &hest);

	KUNIT_EXPECT_EQ(test,
			vg_hest_owns(&hest, o->segment, o->bus,
				     o->device << 3 | o->function, o->type),
			o->firmware);
	free_arrays(&hest);
}

/* FIRMWARE_FIRST makes the enabled field void. */
static void disabled_aer(struct kunit *test)
{
	struct table *t = hest_new(test);
	struct vg_hest hest;

	put_aer(t, VG_HEST_ROOT_PORT, FIRST | GLOBAL, 0, 0, 0, 0);
	t->byte[HEST_HEADER + 7] = 0;
	read_sound(test, t, &hest);
	KUNIT_EXPECT_TRUE(test, vg_hest_owns(&hest, 0, 0, 0,
					     VG_HEST_ROOT_PORT));
	free_arrays(&hest);
}

static void every_truncation(struct kunit *test)
{
	table_truncate_counted(test, server(test), parse);
}

static void every_byte_changed(struct kunit *test)
{
	table_mutate(test, server(test), parse);
}

/*
 * The table that is spoiled below:
 * 028 corrected machine check, 1 bank
 * 074 root port 3a:00.0
 * 0a4 generic, version 2, by NMI
 * 100 NMI
 * 114 end
 */
static struct table *small_table(struct kunit *test)
{
	struct table *t = hest_new(test);

	put_machine_check(t, SOURCE_CMC, 1);
	put_aer(t, VG_HEST_ROOT_PORT, FIRST, 0, 0x3a, 0, 0);
	put_generic(t, SOURCE_GHES_V2, true, VG_HEST_NOTIFY_NMI);
	put_nmi(t);
	return t;
}

static const struct poke pokes[] = {
	{ "one source too many", HEST_COUNT, 4, 5, 0x114,
	  "source header truncated" },
	{ "four billion sources", HEST_COUNT, 4, 0xffffffff, 0x114,
	  "source header truncated" },
	{ "type 3", 0x28, 2, 3, 0x28, "source of unknown type" },
	{ "type 4", 0x28, 2, 4, 0x28, "source of unknown type" },
	{ "type 5", 0x74, 2, 5, 0x74, "source of unknown type" },
	{ "type to come", 0x100, 2, 12, 0x100, "source of unknown type" },
	{ "type's upper byte", 0x74, 2, 0x0106, 0x74,
	  "source of unknown type" },
	{ "last source longer", 0x100, 2, VG_HEST_ENDPOINT, 0x100,
	  "source longer than the table" },
	{ "more banks", 0x54, 1, 8, 0x28, "banks beyond the table's end" },
	{ "most banks", 0x54, 1, 255, 0x28, "banks beyond the table's end" },

	/* What is no fault */
	{ "unchanged", 0, 1, 'H' },
	{ "one source less", HEST_COUNT, 4, 3 },
	{ "no sources, but bytes", HEST_COUNT, 4, 0 },
	{ "reserved flags", 0x7a, 1, 0xff },
	{ "no such bus, device, function", 0x84, 8, ~0ULL },
	{ "notification to come", 0xc4, 1, 0xff },
};

KUNIT_ARRAY_PARAM_DESC(poke, pokes, name);

static void poked(struct kunit *test)
{
	table_poke(test, small_table(test), test->param_value, parse);
}

static void bad_header(struct kunit *test)
{
	table_bad_header(test, small_table(test), HEST_HEADER, parse);
}

static void too_little_room(struct kunit *test)
{
	struct table *t = small_table(test);
	struct vg_hest full, tight;
	struct vg_table_err err;
	size_t i;

	read_sound(test, t, &full);
	for (i = 0; i < 4; i++) {
		tight = full;
		if (i == 0)
			tight.nr_aers--;
		else if (i == 1)
			tight.nr_generics--;
		else if (i == 2)
			tight.aers = NULL;
		else
			tight.generics = NULL;
		KUNIT_EXPECT_EQ(test, vg_hest_parse(t->byte, t->len, &tight,
						    &err), -ENOSPC);
		KUNIT_EXPECT_NOT_NULL(test, err.why);
		KUNIT_EXPECT_EQ(test, tight.nr_aers | tight.nr_generics, 0);
	}
	free_arrays(&full);
}

static struct kunit_case hest_cases[] = {
	KUNIT_CASE(every_type),
	KUNIT_CASE(no_sources),
	KUNIT_CASE(every_device),
	KUNIT_CASE_PARAM(named_devices, owner_gen_params),
	KUNIT_CASE(disabled_aer),
	KUNIT_CASE(every_truncation),
	KUNIT_CASE_SLOW(every_byte_changed),
	KUNIT_CASE_PARAM(poked, poke_gen_params),
	KUNIT_CASE(bad_header),
	KUNIT_CASE(too_little_room),
	{}
};

static struct kunit_suite hest_suite = {
	.name = "vfio_guard_hest",
	.test_cases = hest_cases,
};

kunit_test_suite(hest_suite);
