// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/dmar.c. */
#include <linux/slab.h>

#include "dmar.h"
#include "table.h"

/* QEMU 7.2: -machine q35 -device intel-iommu,intremap=on */
static const u8 qemu_plain[] = {
	0x44, 0x4d, 0x41, 0x52, 0x68, 0x00, 0x00, 0x00,
	0x01, 0x42, 0x42, 0x4f, 0x43, 0x48, 0x53, 0x20,
	0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20,
	0x01, 0x00, 0x00, 0x00, 0x42, 0x58, 0x50, 0x43,
	0x01, 0x00, 0x00, 0x00, 0x26, 0x01, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x38, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0xd9, 0xfe, 0x00, 0x00, 0x00, 0x00,
	0x03, 0x08, 0x00, 0x00, 0x00, 0xff, 0x00, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x02,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x03,
};

/*
 * QEMU 7.2: the same with device-iotlb=on, two root ports, a bus behind a
 * pcie-pci-bridge and a second root bus (pxb-pcie)
 */
static const u8 qemu_tree[] = {
	0x44, 0x4d, 0x41, 0x52, 0x98, 0x00, 0x00, 0x00,
	0x01, 0x16, 0x42, 0x4f, 0x43, 0x48, 0x53, 0x20,
	0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20,
	0x01, 0x00, 0x00, 0x00, 0x42, 0x58, 0x50, 0x43,
	0x01, 0x00, 0x00, 0x00, 0x2f, 0x01, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x60, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0xd9, 0xfe, 0x00, 0x00, 0x00, 0x00,
	0x03, 0x08, 0x00, 0x00, 0x00, 0xff, 0x00, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00,
	0x02, 0x08, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00,
	0x02, 0x08, 0x00, 0x00, 0x00, 0x00, 0x05, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x06, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x00,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x02,
	0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x1f, 0x03,
	0x02, 0x08, 0x00, 0x00, 0x00, 0x80, 0x00, 0x00,
	0x02, 0x00, 0x08, 0x00, 0x01, 0x00, 0x00, 0x00,
};

/* Structure types, VT-d spec §8.2, as the parser does not export them */
#define BLOCK_DRHD	0
#define BLOCK_RMRR	1
#define BLOCK_ATSR	2
#define BLOCK_RHSA	3
#define BLOCK_ANDD	4
#define BLOCK_SATC	5
#define BLOCK_SIDP	6
#define BLOCK_FUTURE	0x7f

static struct table *dmar_new(struct kunit *test)
{
	struct table *t = table_new(test, "DMAR");

	/* Host address width 46, interrupt remapping, platform opt-in */
	t->byte[36] = 45;
	t->byte[37] = 0x05;
	return t;
}

static void put_drhd(struct table *t, u8 flags, u16 segment, u64 base)
{
	table_block(t, BLOCK_DRHD);
	table_put(t, flags, 2);
	table_put(t, segment, 2);
	table_put(t, base, 8);
}

static void put_rmrr(struct table *t, u16 segment, u64 base, u64 limit)
{
	table_block(t, BLOCK_RMRR);
	table_put(t, 0, 2);
	table_put(t, segment, 2);
	table_put(t, base, 8);
	table_put(t, limit, 8);
}

static void put_atsr(struct table *t, u8 flags, u16 segment)
{
	table_block(t, BLOCK_ATSR);
	table_put(t, flags, 2);
	table_put(t, segment, 2);
}

static void put_rhsa(struct table *t, u64 base, u32 domain)
{
	table_block(t, BLOCK_RHSA);
	table_put(t, 0, 4);
	table_put(t, base, 8);
	table_put(t, domain, 4);
}

static void put_hop(struct table *t, u8 device, u8 function)
{
	table_put(t, device, 1);
	table_put(t, function, 1);
}

static void put_scope(struct table *t, u8 type, u8 id, u8 bus, u8 device,
		      u8 function)
{
	table_scope(t, type);
	table_put(t, id, 1);
	table_put(t, bus, 1);
	put_hop(t, device, function);
}

static void free_arrays(struct vg_dmar *dmar)
{
	kfree(dmar->units);
	kfree(dmar->rmrrs);
	kfree(dmar->atsrs);
	kfree(dmar->scopes);
}

/* Count, allocate exactly that, fill. */
static int read_table(struct kunit *test, const u8 *bytes, size_t len,
		      struct vg_dmar *dmar, struct vg_table_err *err)
{
	struct vg_dmar counted;
	int ret;

	memset(dmar, 0, sizeof(*dmar));
	ret = vg_dmar_parse(bytes, len, dmar, err);
	if (ret)
		return ret;
	counted = *dmar;

	dmar->units = kcalloc(dmar->nr_units, sizeof(*dmar->units), GFP_KERNEL);
	dmar->rmrrs = kcalloc(dmar->nr_rmrrs, sizeof(*dmar->rmrrs), GFP_KERNEL);
	dmar->atsrs = kcalloc(dmar->nr_atsrs, sizeof(*dmar->atsrs), GFP_KERNEL);
	dmar->scopes = kcalloc(dmar->nr_scopes, sizeof(*dmar->scopes),
			       GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, dmar->units && dmar->rmrrs && dmar->atsrs &&
			  dmar->scopes);

	ret = vg_dmar_parse(bytes, len, dmar, err);
	if (!ret) {
		KUNIT_EXPECT_EQ(test, dmar->nr_units, counted.nr_units);
		KUNIT_EXPECT_EQ(test, dmar->nr_rmrrs, counted.nr_rmrrs);
		KUNIT_EXPECT_EQ(test, dmar->nr_atsrs, counted.nr_atsrs);
		KUNIT_EXPECT_EQ(test, dmar->nr_scopes, counted.nr_scopes);
	} else {
		KUNIT_EXPECT_EQ(test, dmar->nr_units, 0);
		KUNIT_EXPECT_EQ(test, dmar->nr_rmrrs, 0);
		KUNIT_EXPECT_EQ(test, dmar->nr_atsrs, 0);
		KUNIT_EXPECT_EQ(test, dmar->nr_scopes, 0);
	}
	return ret;
}

/* A table the test made, which must be sound. */
static void read_sound(struct kunit *test, struct table *t,
		       struct vg_dmar *dmar)
{
	struct vg_table_err err;
	int ret;

	table_seal(t->byte, t->len);
	ret = read_table(test, t->byte, t->len, dmar, &err);
	KUNIT_ASSERT_EQ_MSG(test, ret, 0, "at %#zx: %s", err.offset, err.why);
}

/* "ssss bb:dd.f bb:dd.f": segment, then every hop from the root bus down */
static struct vg_pci_path way(const char *text)
{
	struct vg_pci_path path = {};
	unsigned int bus, device, function;

	if (sscanf(text, "%4hx", &path.segment) != 1)
		return path;
	for (text += 4; sscanf(text, " %2x:%2x.%1x", &bus, &device,
			       &function) == 3; text += 8) {
		path.hop[path.hops].bus = bus;
		path.hop[path.hops++].devfn = device << 3 | function;
	}
	return path;
}

static int find(const struct vg_dmar *dmar, const char *text)
{
	struct vg_pci_path path = way(text);

	return vg_dmar_find_unit(dmar, &path);
}

static bool has_rmrr(const struct vg_dmar *dmar, const char *text)
{
	struct vg_pci_path path = way(text);

	return vg_dmar_has_rmrr(dmar, &path);
}

/* What any table that was accepted must keep. */
static void check_sense(struct kunit *test, const u8 *bytes, size_t len,
			const struct vg_dmar *dmar)
{
	u32 i, next = 0;

	/* Every structure's scopes are its own, and in the array. */
	for (i = 0; i < dmar->nr_units; i++) {
		const struct vg_dmar_unit *unit = &dmar->units[i];

		KUNIT_EXPECT_NE(test, unit->base, 0);
		KUNIT_EXPECT_GE(test, unit->size, 4096);
		KUNIT_EXPECT_GE(test, unit->first_scope, next);
		next = unit->first_scope + unit->nr_scopes;
		KUNIT_EXPECT_LE(test, next, dmar->nr_scopes);
	}
	for (i = 0; i < dmar->nr_rmrrs; i++) {
		KUNIT_EXPECT_LE(test, dmar->rmrrs[i].base,
				dmar->rmrrs[i].limit);
		KUNIT_EXPECT_LE(test, dmar->rmrrs[i].first_scope +
				dmar->rmrrs[i].nr_scopes, dmar->nr_scopes);
	}
	for (i = 0; i < dmar->nr_atsrs; i++)
		KUNIT_EXPECT_LE(test, dmar->atsrs[i].first_scope +
				dmar->atsrs[i].nr_scopes, dmar->nr_scopes);
	for (i = 0; i < dmar->nr_scopes; i++) {
		const struct vg_scope *scope = &dmar->scopes[i];

		KUNIT_EXPECT_GE(test, scope->hops, 1);
		KUNIT_EXPECT_TRUE(test, scope->path > bytes &&
				  scope->path + 2 * scope->hops <= bytes + len);
	}
}

static int parse(struct kunit *test, const u8 *bytes, size_t len,
		 struct vg_table_err *err)
{
	static const char *const ways[] = {
		"0000 00:00.0", "0000 00:02.0", "0000 00:1c.4 05:00.0",
		"0001 17:00.0 18:00.0 19:1f.7",
	};
	struct vg_dmar dmar;
	size_t i;
	int ret;

	ret = read_table(test, bytes, len, &dmar, err);
	if (!ret) {
		check_sense(test, bytes, len, &dmar);
		for (i = 0; i < ARRAY_SIZE(ways); i++) {
			KUNIT_EXPECT_LT(test, find(&dmar, ways[i]),
					(int)dmar.nr_units);
			has_rmrr(&dmar, ways[i]);
		}
	}
	free_arrays(&dmar);
	return ret;
}

/*
 * A server with two sockets: a unit per I/O stack, each with the root ports
 * behind which it translates and its I/O APIC; the last takes the rest.
 */
static struct table *two_sockets(struct kunit *test)
{
	struct table *t = dmar_new(test);
	int i;

	put_drhd(t, 0, 0, 0xd37fc000);
	put_scope(t, VG_SCOPE_IOAPIC, 10, 0x3a, 5, 4);
	for (i = 0; i < 4; i++)
		put_scope(t, VG_SCOPE_BRIDGE, 0, 0x3a, i, 0);
	put_drhd(t, 0, 0, 0xe0ffc000);
	put_scope(t, VG_SCOPE_IOAPIC, 12, 0x85, 5, 4);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0x85, 0, 0);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x85, 4, 0);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x85, 4, 1);
	/* A function behind a bridge, its port in no other scope */
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x00, 0x1c, 4);
	put_hop(t, 0, 1);
	/* A switch's downstream port and all below it */
	put_drhd(t, 0, 0, 0xee7fc000);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0xae, 0, 0);
	put_hop(t, 0, 0);
	put_hop(t, 8, 0);
	put_drhd(t, 1, 0, 0xc5ffc000);
	put_scope(t, VG_SCOPE_IOAPIC, 8, 0xf0, 0x1f, 0);
	put_scope(t, VG_SCOPE_HPET, 0, 0x00, 0x1f, 0);
	put_scope(t, VG_SCOPE_ACPI, 1, 0x00, 0x15, 0);

	put_rmrr(t, 0, 0x6e2b4000, 0x6e2e4fff);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x00, 0x14, 0);
	put_rmrr(t, 0, 0x6b7e9000, 0x6b7eafff);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x00, 0x1c, 4);
	put_hop(t, 0, 0);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0x3a, 2, 0);

	put_atsr(t, 0, 0);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0x3a, 0, 0);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0x3a, 1, 0);
	put_atsr(t, 1, 1);

	put_rhsa(t, 0xd37fc000, 0);
	put_rhsa(t, 0xe0ffc000, 1);
	return t;
}

/* Every unit has a segment, or part of one, of its own. */
static struct table *two_segments(struct kunit *test)
{
	struct table *t = dmar_new(test);

	put_drhd(t, 0, 0, 0xfed90000);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x00, 2, 0);
	put_drhd(t, 0, 1, 0xfed91000);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x00, 2, 0);
	put_drhd(t, 1, 0, 0xfed92000);
	put_drhd(t, 1, 0xffff, 0xfffffffffffff000);
	put_rmrr(t, 1, 0, 0);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0x00, 2, 0);
	return t;
}

static struct table *plain(struct kunit *test)
{
	return table_copy(test, qemu_plain, sizeof(qemu_plain));
}

static struct table *tree(struct kunit *test)
{
	return table_copy(test, qemu_tree, sizeof(qemu_tree));
}

static void plain_table(struct kunit *test)
{
	struct vg_table_err err;
	struct vg_dmar dmar;

	KUNIT_ASSERT_EQ(test, read_table(test, qemu_plain, sizeof(qemu_plain),
					 &dmar, &err), 0);
	KUNIT_EXPECT_EQ(test, dmar.flags, VG_DMAR_INTR_REMAP);
	KUNIT_EXPECT_EQ(test, dmar.host_width, 39);
	KUNIT_ASSERT_EQ(test, dmar.nr_units, 1);
	KUNIT_EXPECT_EQ(test, dmar.units[0].base, 0xfed90000);
	KUNIT_EXPECT_EQ(test, dmar.units[0].size, 4096);
	KUNIT_EXPECT_EQ(test, dmar.units[0].segment, 0);
	KUNIT_EXPECT_EQ(test, dmar.units[0].flags, 0);
	KUNIT_EXPECT_EQ(test, dmar.units[0].nr_scopes, 5);
	KUNIT_EXPECT_EQ(test, dmar.nr_rmrrs, 0);
	KUNIT_EXPECT_EQ(test, dmar.nr_atsrs, 0);
	KUNIT_ASSERT_EQ(test, dmar.nr_scopes, 5);
	KUNIT_EXPECT_EQ(test, dmar.scopes[0].type, VG_SCOPE_IOAPIC);
	KUNIT_EXPECT_EQ(test, dmar.scopes[0].bus, 0xff);
	KUNIT_EXPECT_EQ(test, dmar.scopes[4].type, VG_SCOPE_ENDPOINT);
	KUNIT_EXPECT_EQ(test, dmar.scopes[4].hops, 1);
	KUNIT_EXPECT_EQ(test, dmar.scopes[4].path[0], 0x1f);
	KUNIT_EXPECT_EQ(test, dmar.scopes[4].path[1], 3);

	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1f.2"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1f.1"), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:04.0 01:00.0"), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0001 00:1f.2"), -ENOENT);
	free_arrays(&dmar);
}

static void tree_table(struct kunit *test)
{
	struct vg_table_err err;
	struct vg_dmar dmar;

	KUNIT_ASSERT_EQ(test, read_table(test, qemu_tree, sizeof(qemu_tree),
					 &dmar, &err), 0);
	KUNIT_EXPECT_EQ(test, dmar.host_width, 48);
	KUNIT_EXPECT_EQ(test, dmar.nr_units, 1);
	KUNIT_ASSERT_EQ(test, dmar.nr_atsrs, 1);
	KUNIT_EXPECT_EQ(test, dmar.atsrs[0].flags, VG_ATSR_ALL_PORTS);
	KUNIT_EXPECT_EQ(test, dmar.atsrs[0].nr_scopes, 0);

	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:04.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:04.0 01:00.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:05.0 02:00.0 03:03.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 80:00.0 81:00.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:06.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:07.0"), -ENOENT);
	free_arrays(&dmar);
}

static void server_table(struct kunit *test)
{
	struct vg_dmar dmar;

	read_sound(test, two_sockets(test), &dmar);
	KUNIT_EXPECT_EQ(test, dmar.flags,
			VG_DMAR_INTR_REMAP | VG_DMAR_PLATFORM_OPT_IN);
	KUNIT_EXPECT_EQ(test, dmar.host_width, 46);
	KUNIT_EXPECT_EQ(test, dmar.nr_units, 4);
	KUNIT_EXPECT_EQ(test, dmar.nr_rmrrs, 2);
	KUNIT_EXPECT_EQ(test, dmar.nr_atsrs, 2);
	KUNIT_EXPECT_EQ(test, dmar.nr_scopes, 19);
	KUNIT_EXPECT_EQ(test, dmar.rmrrs[1].base, 0x6b7e9000);
	KUNIT_EXPECT_EQ(test, dmar.rmrrs[1].limit, 0x6b7eafff);
	KUNIT_EXPECT_EQ(test, dmar.atsrs[0].nr_scopes, 2);
	KUNIT_EXPECT_EQ(test, dmar.atsrs[1].segment, 1);

	/* A root port and what is below it */
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 3a:02.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 3a:02.0 3b:00.1"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 85:00.0 86:00.0 87:08.0 88:00.0"),
			1);
	/* Endpoints: the function itself, neither sibling nor child */
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 85:04.1"), 1);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 85:04.2"), 3);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 85:04.0 86:00.0"), 3);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1c.4 05:00.1"), 1);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1c.4 05:00.0"), 3);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1c.4"), 3);
	/* The switch: its downstream port 8.0 and below, not its siblings */
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 ae:00.0 af:00.0 b0:08.0"), 2);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 ae:00.0 af:00.0 b0:08.0 b1:00.3"),
			2);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 ae:00.0 af:00.0 b0:09.0"), 3);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 ae:00.0 af:00.0"), 3);
	/* What an I/O APIC, HPET or ACPI scope names is no PCI device. */
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 3a:05.4"), 3);
	/* All the rest of segment 0, and no other */
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 17:00.0 18:00.0"), 3);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0001 17:00.0 18:00.0"), -ENOENT);

	KUNIT_EXPECT_TRUE(test, has_rmrr(&dmar, "0000 00:14.0"));
	KUNIT_EXPECT_FALSE(test, has_rmrr(&dmar, "0001 00:14.0"));
	KUNIT_EXPECT_FALSE(test, has_rmrr(&dmar, "0000 00:14.1"));
	KUNIT_EXPECT_TRUE(test, has_rmrr(&dmar, "0000 00:1c.4 02:00.0"));
	KUNIT_EXPECT_FALSE(test, has_rmrr(&dmar, "0000 00:1c.4 02:00.1"));
	KUNIT_EXPECT_TRUE(test, has_rmrr(&dmar, "0000 3a:02.0 3b:00.0"));
	free_arrays(&dmar);
}

static void segments_table(struct kunit *test)
{
	struct vg_dmar dmar;

	read_sound(test, two_segments(test), &dmar);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:02.0"), 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0001 00:02.0"), 1);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:03.0"), 2);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0001 00:03.0"), -ENOENT);
	KUNIT_EXPECT_EQ(test, find(&dmar, "ffff 00:03.0"), 3);
	KUNIT_EXPECT_FALSE(test, has_rmrr(&dmar, "0000 00:02.0"));
	KUNIT_EXPECT_TRUE(test, has_rmrr(&dmar, "0001 00:02.0"));
	free_arrays(&dmar);
}

static void no_units(struct kunit *test)
{
	struct vg_dmar dmar;

	read_sound(test, dmar_new(test), &dmar);
	KUNIT_EXPECT_EQ(test, dmar.nr_units, 0);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:02.0"), -ENOENT);
	KUNIT_EXPECT_FALSE(test, has_rmrr(&dmar, "0000 00:02.0"));
	free_arrays(&dmar);
}

static void every_truncation(struct kunit *test)
{
	table_truncate(test, plain(test), parse);
	table_truncate(test, tree(test), parse);
	table_truncate(test, two_sockets(test), parse);
	table_truncate(test, two_segments(test), parse);
}

static void every_byte_changed(struct kunit *test)
{
	table_mutate(test, plain(test), parse);
	table_mutate(test, tree(test), parse);
	table_mutate(test, two_sockets(test), parse);
	table_mutate(test, two_segments(test), parse);
}

/*
 * The table that is spoiled below:
 * 030 DRHD 0, segment 0, fed90000	052 DRHD 1, segment 0, fed91000
 *   040 endpoint 00:02.0		  062 bridge 00:01.0
 *   048 bridge 00:1c.4 xx:00.0		082 DRHD 3, segment 1, rest, fed93000
 * 06a DRHD 2, segment 0, rest, fed92000	092 RMRR 7b800000-7fffffff
 *   07a I/O APIC 8, f0:1f.0		  0aa endpoint 00:02.0
 * 0b2 ATSR, segment 0			0c2 RHSA fed90000
 *   0ba bridge 00:01.0			0d6 a block of 6 bytes yet to come
 */
static struct table *small_table(struct kunit *test)
{
	struct table *t = dmar_new(test);

	put_drhd(t, 0, 0, 0xfed90000);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0, 0x02, 0);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0, 0x1c, 4);
	put_hop(t, 0, 0);
	put_drhd(t, 0, 0, 0xfed91000);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0, 0x01, 0);
	put_drhd(t, 1, 0, 0xfed92000);
	put_scope(t, VG_SCOPE_IOAPIC, 8, 0xf0, 0x1f, 0);
	put_drhd(t, 1, 1, 0xfed93000);
	put_rmrr(t, 0, 0x7b800000, 0x7fffffff);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 0, 0x02, 0);
	put_atsr(t, 0, 0);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0, 0x01, 0);
	put_rhsa(t, 0xfed90000, 0);
	table_block(t, BLOCK_FUTURE);
	table_put(t, 0xaa55, 2);
	return t;
}

static const struct poke pokes[] = {
	{ "width too small", 36, 1, 10, 36, "host address width too small" },
	{ "zero-length block", 0x32, 2, 0, 0x30, "block of zero length" },
	{ "block short of itself", 0x32, 2, 3, 0x30, "block of zero length" },
	{ "block past the end", 0xd8, 2, 7, 0xd6,
	  "block longer than the table" },
	{ "block far past the end", 0x32, 2, 0xffff, 0x30,
	  "block longer than the table" },
	{ "short DRHD", 0x32, 2, 15, 0x30, "DRHD too short" },
	{ "short RMRR", 0xd6, 2, BLOCK_RMRR, 0xd6, "RMRR too short" },
	{ "short ATSR", 0xd6, 2, BLOCK_ATSR, 0xd6, "ATSR too short" },
	{ "half a scope", 0x32, 2, 17, 0x40, "scope truncated" },
	{ "zero-length scope", 0x41, 1, 0, 0x40, "scope of zero length" },
	{ "scope short of itself", 0x41, 1, 1, 0x40, "scope of zero length" },
	{ "scope without path", 0x41, 1, 6, 0x40, "scope without a path" },
	{ "odd path", 0x41, 1, 9, 0x40, "scope without a path" },
	{ "scope past its DRHD", 0x49, 1, 12, 0x48,
	  "scope longer than its parent" },
	{ "scope past its RMRR", 0xab, 1, 10, 0xaa,
	  "scope longer than its parent" },
	{ "scope past its ATSR", 0xbb, 1, 0xff, 0xba,
	  "scope longer than its parent" },
	{ "no registers", 0x38, 8, 0, 0x30, "DRHD without registers" },
	{ "registers wrap", 0x38, 8, 0xfffffffffffff001, 0x30,
	  "DRHD registers wrap around" },
	{ "same registers", 0x5a, 8, 0xfed90000, 0x52,
	  "registers overlap another DRHD's" },
	{ "registers begin in another's", 0x5a, 8, 0xfed90fff, 0x52,
	  "registers overlap another DRHD's" },
	{ "registers end in another's", 0x5a, 8, 0xfed8f001, 0x52,
	  "registers overlap another DRHD's" },
	{ "registers reach another's", 0x35, 1, 1, 0x52,
	  "registers overlap another DRHD's" },
	{ "two take the rest", 0x88, 2, 0, 0x82,
	  "second INCLUDE_PCI_ALL in segment" },
	{ "device claimed twice", 0x68, 2, 0x0002, 0x52,
	  "device claimed by two DRHDs" },
	{ "device in another's hierarchy", 0x68, 2, 0x041c, 0x52,
	  "device claimed by two DRHDs" },
	{ "RMRR upside down", 0xa2, 8, 0x7b7fffff, 0x92,
	  "RMRR ends before its start" },

	/* What firmware ships, or may ship, and what is no fault */
	{ "unchanged", 0, 1, 'D' },
	{ "registers touch", 0x5a, 8, 0xfed8f000 },
	{ "reserved bits beside the size", 0x35, 1, 0xf0 },
	{ "RMRR of one byte", 0xa2, 8, 0x7b800000 },
	{ "unknown scope type", 0x40, 1, 6 },
	{ "reserved scope type", 0x40, 1, 0 },
	{ "ACPI scope", 0x40, 1, VG_SCOPE_ACPI },
	{ "endpoint above a bridge", 0x62, 8, 0x041c000000000801 },
	{ "the rest lists a device", 0x7a, 8, 0x0002000000000801 },
	{ "no unit takes the rest", 0x6e, 1, 0 },
	{ "all ports", 0xb6, 1, 1 },
	{ "ANDD", 0xd6, 2, BLOCK_ANDD },
	{ "SATC", 0xd6, 2, BLOCK_SATC },
	{ "SIDP", 0xd6, 2, BLOCK_SIDP },
	{ "block with a header only", 0xd8, 4, 0xffff0006 },
};

KUNIT_ARRAY_PARAM_DESC(poke, pokes, name);

static void poked(struct kunit *test)
{
	table_poke(test, small_table(test), test->param_value, parse);
}

static void bad_header(struct kunit *test)
{
	table_bad_header(test, small_table(test), TABLE_HEADER, parse);
}

static void too_little_room(struct kunit *test)
{
	struct table *t = small_table(test);
	struct vg_table_err err;
	struct vg_dmar full, tight;
	size_t i;

	read_sound(test, t, &full);
	for (i = 0; i < 8; i++) {
		u32 *nr[] = { &tight.nr_units, &tight.nr_rmrrs,
			      &tight.nr_atsrs, &tight.nr_scopes };

		tight = full;
		if (i < 4)
			--*nr[i];
		else if (i == 4)
			tight.units = NULL;
		else if (i == 5)
			tight.rmrrs = NULL;
		else if (i == 6)
			tight.atsrs = NULL;
		else
			tight.scopes = NULL;
		KUNIT_EXPECT_EQ(test, vg_dmar_parse(t->byte, t->len, &tight,
						    &err), -ENOSPC);
		KUNIT_EXPECT_NOT_NULL(test, err.why);
		KUNIT_EXPECT_EQ(test, tight.nr_units | tight.nr_rmrrs |
				tight.nr_atsrs | tight.nr_scopes, 0);
	}
	free_arrays(&full);
}

struct match {
	const char *name;
	u8 type;
	u8 bus;
	u8 hops;
	u8 path[6];
	const char *way;
	bool matches;
};

static const struct match matches[] = {
	{ "endpoint", VG_SCOPE_ENDPOINT, 0, 1, { 2, 0 }, "0000 00:02.0", true },
	{ "other bus", VG_SCOPE_ENDPOINT, 1, 1, { 2, 0 }, "0000 00:02.0" },
	{ "other device", VG_SCOPE_ENDPOINT, 0, 1, { 3, 0 }, "0000 00:02.0" },
	{ "other function", VG_SCOPE_ENDPOINT, 0, 1, { 2, 1 }, "0000 00:02.0" },
	{ "no such device", VG_SCOPE_ENDPOINT, 0, 1, { 0x22, 0 },
	  "0000 00:02.0" },
	{ "no such function", VG_SCOPE_ENDPOINT, 0, 1, { 2, 8 },
	  "0000 00:03.0" },
	{ "below an endpoint", VG_SCOPE_ENDPOINT, 0, 1, { 2, 0 },
	  "0000 00:02.0 01:00.0" },
	{ "bridge", VG_SCOPE_BRIDGE, 0, 1, { 2, 0 }, "0000 00:02.0", true },
	{ "below a bridge", VG_SCOPE_BRIDGE, 0, 1, { 2, 0 },
	  "0000 00:02.0 01:00.0", true },
	{ "far below a bridge", VG_SCOPE_BRIDGE, 0, 1, { 2, 0 },
	  "0000 00:02.0 01:00.0 02:04.0 03:1f.7", true },
	{ "beside a bridge", VG_SCOPE_BRIDGE, 0, 1, { 2, 0 },
	  "0000 00:02.1 01:00.0" },
	{ "three hops", VG_SCOPE_ENDPOINT, 0x80, 3, { 1, 0, 0, 0, 4, 2 },
	  "0000 80:01.0 81:00.0 82:04.2", true },
	{ "three hops, the last differs", VG_SCOPE_ENDPOINT, 0x80, 3,
	  { 1, 0, 0, 0, 4, 2 }, "0000 80:01.0 81:00.0 82:04.3" },
	{ "three hops, the middle differs", VG_SCOPE_ENDPOINT, 0x80, 3,
	  { 1, 0, 0, 0, 4, 2 }, "0000 80:01.0 81:01.0 82:04.2" },
	{ "scope deeper than the device", VG_SCOPE_BRIDGE, 0x80, 3,
	  { 1, 0, 0, 0, 4, 2 }, "0000 80:01.0 81:00.0" },
	{ "the device's own bus", VG_SCOPE_ENDPOINT, 5, 1, { 0, 0 },
	  "0000 00:1c.0 05:00.0", true },
	{ "a bus on the way", VG_SCOPE_ENDPOINT, 5, 2, { 0, 0, 3, 0 },
	  "0000 00:1c.0 05:00.0 06:03.0", true },
	{ "a bridge on a bus on the way", VG_SCOPE_BRIDGE, 5, 1, { 0, 0 },
	  "0000 00:1c.0 05:00.0 06:03.0", true },
	{ "I/O APIC", VG_SCOPE_IOAPIC, 0, 1, { 2, 0 }, "0000 00:02.0" },
	{ "HPET", VG_SCOPE_HPET, 0, 1, { 2, 0 }, "0000 00:02.0" },
	{ "ACPI device", VG_SCOPE_ACPI, 0, 1, { 2, 0 }, "0000 00:02.0" },
	{ "no hops", VG_SCOPE_BRIDGE, 0, 1, { 2, 0 }, "0000" },
};

KUNIT_ARRAY_PARAM_DESC(match, matches, name);

static void scope_matches(struct kunit *test)
{
	const struct match *m = test->param_value;
	const struct vg_scope scope = {
		.type = m->type,
		.bus = m->bus,
		.hops = m->hops,
		.path = m->path,
	};
	struct vg_pci_path path = way(m->way);

	KUNIT_EXPECT_EQ(test, vg_scope_matches(&scope, &path), m->matches);
	/* Never along a path that can't be one. */
	path.hops = VG_PCI_PATH_MAX + 1;
	KUNIT_EXPECT_FALSE(test, vg_scope_matches(&scope, &path));
}

/* Bus numbers of firmware's may make two units match: Linux's order decides. */
static void last_match_wins(struct kunit *test)
{
	struct table *t = dmar_new(test);
	struct vg_dmar dmar;

	put_drhd(t, 0, 0, 0xfed90000);
	put_scope(t, VG_SCOPE_ENDPOINT, 0, 5, 0, 0);
	put_drhd(t, 0, 0, 0xfed91000);
	put_scope(t, VG_SCOPE_BRIDGE, 0, 0, 0x1c, 0);
	read_sound(test, t, &dmar);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1c.0 05:00.0"), 1);
	KUNIT_EXPECT_EQ(test, find(&dmar, "0000 00:1d.0 05:00.0"), 0);
	free_arrays(&dmar);
}

static struct kunit_case dmar_cases[] = {
	KUNIT_CASE(plain_table),
	KUNIT_CASE(tree_table),
	KUNIT_CASE(server_table),
	KUNIT_CASE(segments_table),
	KUNIT_CASE(no_units),
	KUNIT_CASE(every_truncation),
	KUNIT_CASE_SLOW(every_byte_changed),
	KUNIT_CASE_PARAM(poked, poke_gen_params),
	KUNIT_CASE(bad_header),
	KUNIT_CASE(too_little_room),
	KUNIT_CASE_PARAM(scope_matches, match_gen_params),
	KUNIT_CASE(last_match_wins),
	{}
};

static struct kunit_suite dmar_suite = {
	.name = "vfio_guard_dmar",
	.test_cases = dmar_cases,
};

kunit_test_suite(dmar_suite);

MODULE_DESCRIPTION("KUnit suites of vfio-guard's core");
MODULE_LICENSE("GPL");
