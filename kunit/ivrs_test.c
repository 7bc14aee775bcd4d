// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/ivrs.c. */
#include <linux/slab.h>

#include "ivrs.h"
#include "table.h"

/* QEMU 7.2: -machine q35 -device amd-iommu,intremap=on */
static const u8 qemu_plain[] = {
	0x49, 0x56, 0x52, 0x53, 0x64, 0x00, 0x00, 0x00,
	0x01, 0x65, 0x42, 0x4f, 0x43, 0x48, 0x53, 0x20,
	0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20,
	0x01, 0x00, 0x00, 0x00, 0x42, 0x58, 0x50, 0x43,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x28, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x10, 0xd1, 0x34, 0x00, 0x08, 0x00, 0x40, 0x00,
	0x00, 0x00, 0xd8, 0xfe, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x44, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x00,
	0x02, 0xf8, 0x00, 0x00, 0x02, 0xfa, 0x00, 0x00,
	0x02, 0xfb, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00,
	0x00, 0xa0, 0x00, 0x01,
};

/*
 * QEMU 7.2: the same with device-iotlb=on, two root ports, a bus behind a
 * pcie-pci-bridge (an alias range) and a second root bus (pxb-pcie)
 */
static const u8 qemu_tree[] = {
	0x49, 0x56, 0x52, 0x53, 0x98, 0x00, 0x00, 0x00,
	0x01, 0x88, 0x42, 0x4f, 0x43, 0x48, 0x53, 0x20,
	0x42, 0x58, 0x50, 0x43, 0x20, 0x20, 0x20, 0x20,
	0x01, 0x00, 0x00, 0x00, 0x42, 0x58, 0x50, 0x43,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x28, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x10, 0xd1, 0x68, 0x00, 0x08, 0x00, 0x40, 0x00,
	0x00, 0x00, 0xd8, 0xfe, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x44, 0x00, 0x00, 0x00,
	0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x00, 0x00,
	0x02, 0x10, 0x00, 0x00, 0x02, 0x20, 0x00, 0x00,
	0x03, 0x00, 0x01, 0x00, 0x04, 0xff, 0x01, 0x00,
	0x02, 0x28, 0x00, 0x00, 0x02, 0x00, 0x02, 0x00,
	0x43, 0x00, 0x03, 0x00, 0x00, 0x00, 0x03, 0x00,
	0x04, 0xff, 0x03, 0x00, 0x02, 0x30, 0x00, 0x00,
	0x02, 0xf8, 0x00, 0x00, 0x02, 0xfa, 0x00, 0x00,
	0x02, 0xfb, 0x00, 0x00, 0x02, 0x00, 0x80, 0x00,
	0x03, 0x00, 0x81, 0x00, 0x04, 0xff, 0x81, 0x00,
	0x48, 0x00, 0x00, 0x00, 0x00, 0xa0, 0x00, 0x01,
};

/* IVHD entry types, AMD IOMMU spec §5.2.2.1 */
#define DEV_PAD			0
#define DEV_ALL			1
#define DEV_SELECT		2
#define DEV_RANGE		3
#define DEV_RANGE_END		4
#define DEV_ALIAS		66
#define DEV_ALIAS_RANGE		67
#define DEV_EXT_SELECT		70
#define DEV_EXT_RANGE		71
#define DEV_SPECIAL		72
#define DEV_ACPI_HID		240

#define FUTURE_BLOCK		0x7f

static struct table *ivrs_new(struct kunit *test)
{
	struct table *t = table_new(test, "IVRS");

	/* IVinfo: 48 bits of addresses, EFR in the IVHDs */
	t->byte[36] = 0x41;
	t->byte[37] = 0x30;
	t->byte[38] = 0x20;
	return t;
}

static void put_ivhd(struct table *t, u8 type, u16 segment, u16 devid, u64 base)
{
	table_block(t, type | 0xb0 << 8);
	table_put(t, devid, 2);
	table_put(t, 0x40, 2);
	table_put(t, base, 8);
	table_put(t, segment, 2);
	table_put(t, 0, 2);
	table_put(t, 0x80048f6e, 4);
	if (type != VG_IVHD_10H) {
		table_put(t, 0x246577efa2254afa, 8);
		table_put(t, 0x10, 8);
	}
}

static void put_dev(struct table *t, u8 type, u16 devid, u8 setting)
{
	table_put(t, type, 1);
	table_put(t, devid, 2);
	table_put(t, setting, 1);
}

static void put_range(struct table *t, u16 first, u16 last, u8 setting)
{
	put_dev(t, DEV_RANGE, first, setting);
	put_dev(t, DEV_RANGE_END, last, 0);
}

/* An entry of 8 bytes: an alias, or extended settings that look like one */
static void put_long(struct table *t, u8 type, u16 devid, u8 setting, u16 other)
{
	put_dev(t, type, devid, setting);
	table_put(t, 0, 1);
	table_put(t, other, 2);
	table_put(t, 0, 1);
}

static void put_special(struct table *t, u8 variety, u8 handle, u16 devid)
{
	put_dev(t, DEV_SPECIAL, 0, 0);
	table_put(t, handle, 1);
	table_put(t, devid, 2);
	table_put(t, variety, 1);
}

static void put_acpi(struct table *t, u16 devid, const char *uid)
{
	put_dev(t, DEV_ACPI_HID, devid, 0);
	table_put(t, 0x3230303049444d41, 8);
	table_put(t, 0, 8);
	table_put(t, *uid ? 2 : 0, 1);
	table_put(t, strlen(uid), 1);
	while (*uid)
		table_put(t, *uid++, 1);
}

static void put_ivmd(struct table *t, u8 type, u8 flags, u16 segment, u16 first,
		     u16 last, u64 start)
{
	table_block(t, type | flags << 8);
	table_put(t, first, 2);
	table_put(t, last, 2);
	table_put(t, segment, 8);
	table_put(t, start, 8);
	table_put(t, 0x10000, 8);
}

static void free_arrays(struct vg_ivrs *ivrs)
{
	kfree(ivrs->units);
	kfree(ivrs->ranges);
	kfree(ivrs->specials);
	kfree(ivrs->ivmds);
}

/* Count, allocate exactly that, fill. */
static int read_table(struct kunit *test, const u8 *bytes, size_t len,
		      struct vg_ivrs *ivrs, struct vg_table_err *err)
{
	struct vg_ivrs counted;
	int ret;

	memset(ivrs, 0, sizeof(*ivrs));
	ret = vg_ivrs_parse(bytes, len, ivrs, err);
	if (ret)
		return ret;
	counted = *ivrs;

	ivrs->units = kcalloc(ivrs->nr_units, sizeof(*ivrs->units), GFP_KERNEL);
	ivrs->ranges = kcalloc(ivrs->nr_ranges, sizeof(*ivrs->ranges),
			       GFP_KERNEL);
	ivrs->specials = kcalloc(ivrs->nr_specials, sizeof(*ivrs->specials),
				 GFP_KERNEL);
	ivrs->ivmds = kcalloc(ivrs->nr_ivmds, sizeof(*ivrs->ivmds), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, ivrs->units && ivrs->ranges && ivrs->specials &&
			  ivrs->ivmds);

	ret = vg_ivrs_parse(bytes, len, ivrs, err);
	if (!ret) {
		KUNIT_EXPECT_EQ(test, ivrs->nr_units, counted.nr_units);
		KUNIT_EXPECT_EQ(test, ivrs->nr_ranges, counted.nr_ranges);
		KUNIT_EXPECT_EQ(test, ivrs->nr_specials, counted.nr_specials);
		KUNIT_EXPECT_EQ(test, ivrs->nr_ivmds, counted.nr_ivmds);
	} else {
		KUNIT_EXPECT_EQ(test, ivrs->nr_units, 0);
		KUNIT_EXPECT_EQ(test, ivrs->nr_ranges, 0);
		KUNIT_EXPECT_EQ(test, ivrs->nr_specials, 0);
		KUNIT_EXPECT_EQ(test, ivrs->nr_ivmds, 0);
	}
	return ret;
}

/* A table the test made, which must be sound. */
static void read_sound(struct kunit *test, struct table *t,
		       struct vg_ivrs *ivrs)
{
	struct vg_table_err err;
	int ret;

	table_seal(t->byte, t->len);
	ret = read_table(test, t->byte, t->len, ivrs, &err);
	KUNIT_ASSERT_EQ_MSG(test, ret, 0, "at %#zx: %s", err.offset, err.why);
}

/* What any table that was accepted must keep. */
static void check_sense(struct kunit *test, const struct vg_ivrs *ivrs)
{
	u32 i;

	for (i = 0; i < ivrs->nr_units; i++) {
		KUNIT_EXPECT_NE(test, ivrs->units[i].base, 0);
		KUNIT_EXPECT_EQ(test, ivrs->units[i].type, ivrs->units[0].type);
	}
	for (i = 0; i < ivrs->nr_ranges; i++) {
		KUNIT_EXPECT_LT(test, ivrs->ranges[i].unit, ivrs->nr_units);
		KUNIT_EXPECT_LE(test, ivrs->ranges[i].first,
				ivrs->ranges[i].last);
	}
	for (i = 0; i < ivrs->nr_specials; i++)
		KUNIT_EXPECT_LT(test, ivrs->specials[i].unit, ivrs->nr_units);
	for (i = 0; i < ivrs->nr_ivmds; i++)
		KUNIT_EXPECT_LE(test, ivrs->ivmds[i].first,
				ivrs->ivmds[i].last);
}

static int parse(struct kunit *test, const u8 *bytes, size_t len,
		 struct vg_table_err *err)
{
	static const u16 rids[] = { 0x0000, 0x00a0, 0x0300, 0x2010, 0xffff };
	struct vg_ivrs ivrs;
	size_t i;
	int ret;

	ret = read_table(test, bytes, len, &ivrs, err);
	if (!ret) {
		check_sense(test, &ivrs);
		for (i = 0; i < ARRAY_SIZE(rids); i++) {
			KUNIT_EXPECT_LT(test,
					vg_ivrs_find_unit(&ivrs, 0, rids[i]),
					(int)ivrs.nr_units);
			vg_ivrs_find_alias(&ivrs, 0, rids[i]);
			vg_ivrs_has_ivmd(&ivrs, 0, rids[i]);
		}
	}
	free_arrays(&ivrs);
	return ret;
}

/* One IOMMU of the server below, in one of the ways firmware describes it */
static void put_root(struct table *t, u8 type, u8 bus, u64 base)
{
	u16 rid = bus << 8;

	put_ivhd(t, type, 0, rid | 2, base);
	put_range(t, rid | 3, rid | 0x1fff, 0);
	if (!bus) {
		/* A PCI bus behind 00:14.4, whose ID its devices take */
		put_long(t, DEV_ALIAS_RANGE, 0x1f00, 0, 0x00a4);
		put_dev(t, DEV_RANGE_END, 0x1fff, 0);
		/* LINT and NMI for the south bridge, after the range it is in */
		put_dev(t, DEV_SELECT, 0x00a0, 0xd7);
		put_special(t, VG_IVRS_HPET, 0, 0x00a0);
		put_special(t, VG_IVRS_IOAPIC, 0x80, 0x00a0);
		if (type == VG_IVHD_40H) {
			put_acpi(t, 0x00a5, "\\_SB.FUR0");
			put_acpi(t, 0x00a6, "");
		}
	}
	put_special(t, VG_IVRS_IOAPIC, 0xf0 + (bus >> 5), rid | 1);
}

/* A server with four root complexes, each described @types times over */
static struct table *four_roots(struct kunit *test, const char *types)
{
	struct table *t = ivrs_new(test);
	int bus;

	for (; *types; types++)
		for (bus = 0; bus < 0x80; bus += 0x20)
			put_root(t, *types, bus, 0xf2200000 + bus * 0x40000);
	put_ivmd(t, VG_IVMD_ALL, 0x06, 0, 0, 0, 0x1000);
	put_ivmd(t, VG_IVMD_SELECT, VG_IVMD_UNITY | 0x06, 0, 0x0098, 0, 0x2000);
	put_ivmd(t, VG_IVMD_RANGE, VG_IVMD_EXCLUSION, 0, 0x4000, 0x40ff,
		 0x3000);
	return t;
}

static struct table *two_segments(struct kunit *test)
{
	struct table *t = ivrs_new(test);

	put_ivhd(t, VG_IVHD_11H, 0, 2, 0xfd100000);
	put_range(t, 8, 0x00ff, 0);
	put_ivhd(t, VG_IVHD_11H, 1, 2, 0xfd104000);
	put_dev(t, DEV_ALL, 0, 0x04);
	put_long(t, DEV_ALIAS, 0x0208, 0x10, 0x0300);
	put_ivmd(t, VG_IVMD_ALL, VG_IVMD_UNITY, 1, 0, 0, 0);
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
	struct vg_ivrs ivrs;

	KUNIT_ASSERT_EQ(test, read_table(test, qemu_plain, sizeof(qemu_plain),
					 &ivrs, &err), 0);
	KUNIT_EXPECT_EQ(test, ivrs.info, 0x2800);
	KUNIT_ASSERT_EQ(test, ivrs.nr_units, 1);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].type, VG_IVHD_10H);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].flags, 0xd1);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].base, 0xfed80000);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].devid, 0x0008);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].cap, 0x40);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].segment, 0);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].efr, 0);
	KUNIT_EXPECT_EQ(test, ivrs.nr_ranges, 5);
	KUNIT_ASSERT_EQ(test, ivrs.nr_specials, 1);
	KUNIT_EXPECT_EQ(test, ivrs.specials[0].variety, VG_IVRS_IOAPIC);
	KUNIT_EXPECT_EQ(test, ivrs.specials[0].handle, 0);
	KUNIT_EXPECT_EQ(test, ivrs.specials[0].devid, 0x00a0);
	KUNIT_EXPECT_EQ(test, ivrs.nr_ivmds, 0);

	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x00fa), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x00f9), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 1, 0x00fa), -ENOENT);
	/* An IOMMU doesn't translate itself, though the table has its ID. */
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0008), -ENOENT);
	free_arrays(&ivrs);
}

static void tree_table(struct kunit *test)
{
	struct vg_table_err err;
	struct vg_ivrs ivrs;

	KUNIT_ASSERT_EQ(test, read_table(test, qemu_tree, sizeof(qemu_tree),
					 &ivrs, &err), 0);
	KUNIT_EXPECT_EQ(test, ivrs.nr_units, 1);
	KUNIT_EXPECT_EQ(test, ivrs.nr_ranges, 14);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0100), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x01ff), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0318), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x8142), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x8200), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0318), 0x0300);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0300), 0x0300);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0200), 0x0200);
	free_arrays(&ivrs);
}

static void check_four_roots(struct kunit *test, const char *types, u8 newest)
{
	const struct vg_ivrs_range *range;
	struct vg_ivrs ivrs;
	int i;

	read_sound(test, four_roots(test, types), &ivrs);
	KUNIT_ASSERT_EQ(test, ivrs.nr_units, 4);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, ivrs.units[i].type, newest);
		KUNIT_EXPECT_EQ(test, ivrs.units[i].flags, 0xb0);
		KUNIT_EXPECT_EQ(test, ivrs.units[i].devid, i * 0x2000 + 2);
		KUNIT_EXPECT_EQ(test, ivrs.units[i].base,
				0xf2200000 + i * 0x800000);
		KUNIT_EXPECT_EQ(test, ivrs.units[i].efr,
				newest == VG_IVHD_10H ? 0 : 0x246577efa2254afa);
		KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0,
							i * 0x2000 + 3), i);
		KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0,
							i * 0x2000 + 0x1fff),
				i);
		KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0,
							i * 0x2000 + 2),
				-ENOENT);
	}
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x8000), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0), -ENOENT);

	KUNIT_ASSERT_EQ(test, ivrs.nr_ranges, 6);
	range = &ivrs.ranges[1];
	KUNIT_EXPECT_EQ(test, range->first, 0x1f00);
	KUNIT_EXPECT_EQ(test, range->last, 0x1fff);
	KUNIT_EXPECT_TRUE(test, range->has_alias);
	KUNIT_EXPECT_EQ(test, range->alias, 0x00a4);
	range = &ivrs.ranges[2];
	KUNIT_EXPECT_EQ(test, range->first, 0x00a0);
	KUNIT_EXPECT_EQ(test, range->last, 0x00a0);
	KUNIT_EXPECT_FALSE(test, range->has_alias);
	KUNIT_EXPECT_EQ(test, range->setting, 0xd7);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x1f08), 0x00a4);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x1eff), 0x1eff);

	KUNIT_ASSERT_EQ(test, ivrs.nr_specials, 6);
	KUNIT_EXPECT_EQ(test, ivrs.specials[0].variety, VG_IVRS_HPET);
	KUNIT_EXPECT_EQ(test, ivrs.specials[5].unit, 3);
	KUNIT_EXPECT_EQ(test, ivrs.specials[5].handle, 0xf3);
	KUNIT_EXPECT_EQ(test, ivrs.specials[5].devid, 0x6001);

	KUNIT_ASSERT_EQ(test, ivrs.nr_ivmds, 3);
	KUNIT_EXPECT_EQ(test, ivrs.ivmds[0].last, 0xffff);
	KUNIT_EXPECT_EQ(test, ivrs.ivmds[2].start, 0x3000);
	KUNIT_EXPECT_EQ(test, ivrs.ivmds[2].length, 0x10000);
	free_arrays(&ivrs);
}

static void server_10h(struct kunit *test)
{
	check_four_roots(test, "\x10", VG_IVHD_10H);
}

static void server_11h(struct kunit *test)
{
	check_four_roots(test, "\x10\x11", VG_IVHD_11H);
}

static void server_40h(struct kunit *test)
{
	check_four_roots(test, "\x10\x11\x40", VG_IVHD_40H);
}

/* The last type counts, as in Linux, not the highest. */
static void server_order(struct kunit *test)
{
	check_four_roots(test, "\x40\x11", VG_IVHD_11H);
}

/* The type is chosen by the first IOMMU: others without it are lost to Linux. */
static void one_iommu_newer(struct kunit *test)
{
	struct table *t = ivrs_new(test);
	struct vg_ivrs ivrs;

	put_ivhd(t, VG_IVHD_10H, 0, 2, 0xfd100000);
	put_range(t, 8, 0x00ff, 0);
	put_ivhd(t, VG_IVHD_10H, 0, 0x2002, 0xfd200000);
	put_range(t, 0x2008, 0x20ff, 0);
	put_ivhd(t, VG_IVHD_11H, 0, 2, 0xfd100000);
	put_range(t, 8, 0x00ff, 0);
	read_sound(test, t, &ivrs);
	KUNIT_EXPECT_EQ(test, ivrs.nr_units, 1);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0010), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x2010), -ENOENT);
	free_arrays(&ivrs);
}

/* Linux looks for newer types no further than the first block it can't know. */
static void type_beyond(struct kunit *test)
{
	struct table *t = ivrs_new(test);
	struct vg_ivrs ivrs;

	put_ivhd(t, VG_IVHD_10H, 0, 2, 0xfd100000);
	table_block(t, FUTURE_BLOCK);
	put_ivhd(t, VG_IVHD_11H, 0, 2, 0xfd100000);
	read_sound(test, t, &ivrs);
	KUNIT_ASSERT_EQ(test, ivrs.nr_units, 1);
	KUNIT_EXPECT_EQ(test, ivrs.units[0].type, VG_IVHD_10H);
	free_arrays(&ivrs);
}

static void segments_table(struct kunit *test)
{
	struct vg_ivrs ivrs;

	read_sound(test, two_segments(test), &ivrs);
	KUNIT_EXPECT_EQ(test, ivrs.nr_units, 2);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0010), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0100), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 1, 0x0010), 1);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 1, 0xffff), 1);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 2, 0x0010), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 1, 0x0208), 0x0300);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0208), 0x0208);
	KUNIT_EXPECT_TRUE(test, vg_ivrs_has_ivmd(&ivrs, 1, 0x1234));
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x1234));
	free_arrays(&ivrs);
}

static void no_units(struct kunit *test)
{
	struct vg_ivrs ivrs;

	read_sound(test, ivrs_new(test), &ivrs);
	KUNIT_EXPECT_EQ(test, ivrs.nr_units, 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0010), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0010), 0x0010);
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x0010));
	free_arrays(&ivrs);
}

static void aliases(struct kunit *test)
{
	struct table *t = ivrs_new(test);
	struct vg_ivrs ivrs;

	put_ivhd(t, VG_IVHD_11H, 0, 2, 0xfd100000);
	put_long(t, DEV_ALIAS, 0x0208, 0, 0x0300);
	put_long(t, DEV_ALIAS_RANGE, 0x0400, 0, 0x0401);
	put_dev(t, DEV_PAD, 0, 0);
	put_dev(t, DEV_RANGE_END, 0x0407, 0);
	put_long(t, DEV_ALIAS, 0x0402, 0, 0x0500);
	put_dev(t, DEV_SELECT, 0x0403, 0);
	put_long(t, DEV_EXT_SELECT, 0x0600, 0, 0x1234);
	put_long(t, DEV_EXT_RANGE, 0x0700, 0, 0x1234);
	put_dev(t, DEV_RANGE_END, 0x0701, 0);
	read_sound(test, t, &ivrs);

	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0208), 0x0300);
	/* The last alias wins; an entry without one takes none away. */
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0400), 0x0401);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0402), 0x0500);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0403), 0x0401);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0408), 0x0408);
	/* Extended settings stand where an alias would. */
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0600), 0x0600);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_alias(&ivrs, 0, 0x0701), 0x0701);
	/* An alias is covered even if no entry names it. */
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0300), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x0500), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x1234), -ENOENT);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 1, 0x0300), -ENOENT);
	free_arrays(&ivrs);
}

static void last_unit_wins(struct kunit *test)
{
	struct table *t = ivrs_new(test);
	struct vg_ivrs ivrs;

	put_ivhd(t, VG_IVHD_11H, 0, 2, 0xfd100000);
	put_dev(t, DEV_ALL, 0, 0);
	put_ivhd(t, VG_IVHD_11H, 0, 0x2002, 0xfd200000);
	put_range(t, 0x2000, 0x20ff, 0);
	read_sound(test, t, &ivrs);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x1fff), 0);
	KUNIT_EXPECT_EQ(test, vg_ivrs_find_unit(&ivrs, 0, 0x2000), 1);
	free_arrays(&ivrs);
}

static void reserved_memory(struct kunit *test)
{
	struct vg_ivrs ivrs;

	read_sound(test, four_roots(test, "\x11"), &ivrs);
	/* The block for all devices asks for neither mapping nor exclusion. */
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x0097));
	KUNIT_EXPECT_TRUE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x0098));
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x0099));
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 1, 0x0098));
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x3fff));
	KUNIT_EXPECT_TRUE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x4000));
	KUNIT_EXPECT_TRUE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x40ff));
	KUNIT_EXPECT_FALSE(test, vg_ivrs_has_ivmd(&ivrs, 0, 0x4100));
	free_arrays(&ivrs);
}

static void every_truncation(struct kunit *test)
{
	table_truncate(test, plain(test), parse);
	table_truncate(test, tree(test), parse);
	table_truncate(test, two_segments(test), parse);
	table_truncate(test, four_roots(test, "\x10"), parse);
	table_truncate(test, four_roots(test, "\x11"), parse);
	table_truncate(test, four_roots(test, "\x40"), parse);
	table_truncate(test, four_roots(test, "\x10\x11\x40"), parse);
}

static void every_byte_changed(struct kunit *test)
{
	table_mutate(test, plain(test), parse);
	table_mutate(test, tree(test), parse);
	table_mutate(test, four_roots(test, "\x10\x40"), parse);
	table_mutate(test, two_segments(test), parse);
}

/*
 * The table that is spoiled below:
 * 030 IVHD 10h 00:00.2, feb80000	068 IVHD 10h 20:00.2, feb84000
 *   048 range 00:01.0			  080 all
 *   04c end 00:1f.7			084 IVMD 22h 00:02.0-00:03.0
 *   050 alias range 01:00.0, 00:14.4	0a4 a block of 8 bytes yet to come
 *   058 end 01:1f.7
 *   05c select 00:0a.0
 *   060 I/O APIC 8
 */
static struct table *small_table(struct kunit *test)
{
	struct table *t = ivrs_new(test);

	put_ivhd(t, VG_IVHD_10H, 0, 0x0002, 0xfeb80000);
	put_range(t, 0x0008, 0x00ff, 0);
	put_long(t, DEV_ALIAS_RANGE, 0x0100, 0, 0x00a4);
	put_dev(t, DEV_RANGE_END, 0x01ff, 0);
	put_dev(t, DEV_SELECT, 0x0050, 0);
	put_special(t, VG_IVRS_IOAPIC, 8, 0x00a0);
	put_ivhd(t, VG_IVHD_10H, 0, 0x2002, 0xfeb84000);
	put_dev(t, DEV_ALL, 0, 0);
	put_ivmd(t, VG_IVMD_RANGE, VG_IVMD_UNITY, 0, 0x0010, 0x0018,
		 0x7b800000);
	table_block(t, FUTURE_BLOCK);
	table_put(t, 0xaa55, 4);
	return t;
}

static const struct poke pokes[] = {
	{ "zero-length block", 0x32, 2, 0, 0x30, "block of zero length" },
	{ "block short of itself", 0x32, 2, 3, 0x30, "block of zero length" },
	{ "block past the end", 0xa6, 2, 9, 0xa4,
	  "block longer than the table" },
	{ "short IVHD 10h", 0xa4, 1, VG_IVHD_10H, 0xa4, "IVHD too short" },
	{ "short IVHD 11h", 0x68, 1, VG_IVHD_11H, 0x68, "IVHD too short" },
	{ "short IVHD 40h", 0x68, 1, VG_IVHD_40H, 0x68, "IVHD too short" },
	{ "short IVMD", 0xa4, 1, VG_IVMD_ALL, 0xa4, "IVMD too short" },
	{ "entries of another type", 0x30, 1, VG_IVHD_40H, 0x58,
	  "range without start" },
	{ "no registers", 0x38, 8, 0, 0x30, "IVHD without registers" },
	{ "registers wrap", 0x38, 8, 0xffffffffffffc001, 0x30,
	  "IVHD registers wrap around" },
	{ "same registers", 0x70, 8, 0xfeb80000, 0x68,
	  "registers overlap another IVHD's" },
	{ "registers begin in another's", 0x70, 8, 0xfeb83fff, 0x68,
	  "registers overlap another IVHD's" },
	{ "registers end in another's", 0x70, 8, 0xfeb7c001, 0x68,
	  "registers overlap another IVHD's" },
	{ "end without start", 0x48, 1, DEV_PAD, 0x4c, "range without start" },
	{ "start without end", 0x58, 1, DEV_PAD, 0x50, "range without end" },
	{ "start after start", 0x4c, 1, DEV_PAD, 0x50, "range within a range" },
	{ "range in a range", 0x4c, 1, DEV_RANGE, 0x4c,
	  "range within a range" },
	{ "end after end", 0x5c, 1, DEV_RANGE_END, 0x5c,
	  "range without start" },
	{ "range upside down", 0x4d, 2, 7, 0x4c,
	  "range ends before its start" },
	{ "range open at the end", 0x5c, 1, DEV_RANGE, 0x5c,
	  "range without end" },
	{ "16 bytes, 12 left", 0x5c, 1, 0x80, 0x5c,
	  "entry longer than its IVHD" },
	{ "32 bytes, 28 left", 0x4c, 1, 0xef, 0x4c,
	  "entry longer than its IVHD" },
	{ "8 bytes, 4 left", 0x80, 1, DEV_EXT_SELECT, 0x80,
	  "entry longer than its IVHD" },
	{ "ACPI device, cut before its length", 0x60, 1, DEV_ACPI_HID, 0x60,
	  "entry longer than its IVHD" },
	{ "ACPI device, cut in its name", 0x50, 1, DEV_ACPI_HID, 0x50,
	  "entry longer than its IVHD" },
	{ "entry of a length to come", 0x5c, 1, 0xf1, 0x5c,
	  "entry of unknown length" },
	{ "IVMD upside down", 0x8a, 2, 0x000f, 0x84,
	  "IVMD ends before its start" },
	{ "IVMD wraps", 0x94, 8, 0xffffffffffff0001, 0x84,
	  "IVMD memory wraps around" },

	/* What firmware ships, or may ship, and what is no fault */
	{ "unchanged", 0, 1, 'I' },
	{ "registers touch", 0x70, 8, 0xfeb7c000 },
	{ "registers at the top", 0x70, 8, 0xffffffffffffc000 },
	{ "IVMD at the top", 0x94, 8, 0xffffffffffff0000 },
	{ "IVMD of nothing", 0x9c, 8, 0 },
	{ "range of one", 0x4d, 2, 8 },
	{ "unknown entry", 0x5c, 1, 5 },
	{ "unknown entry of 32 bytes", 0x48, 1, 0xc0 },
	{ "unknown special device", 0x67, 1, 3 },
	{ "IOMMU of a type to come", 0x68, 1, 0x41 },
	{ "IVMD for one", 0x84, 1, VG_IVMD_SELECT },
	{ "IVMD for all", 0x84, 1, VG_IVMD_ALL },
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
	struct vg_ivrs full, tight;
	size_t i;

	read_sound(test, t, &full);
	for (i = 0; i < 8; i++) {
		u32 *nr[] = { &tight.nr_units, &tight.nr_ranges,
			      &tight.nr_specials, &tight.nr_ivmds };

		tight = full;
		if (i < 4)
			--*nr[i];
		else if (i == 4)
			tight.units = NULL;
		else if (i == 5)
			tight.ranges = NULL;
		else if (i == 6)
			tight.specials = NULL;
		else
			tight.ivmds = NULL;
		KUNIT_EXPECT_EQ(test, vg_ivrs_parse(t->byte, t->len, &tight,
						    &err), -ENOSPC);
		KUNIT_EXPECT_NOT_NULL(test, err.why);
		KUNIT_EXPECT_EQ(test, tight.nr_units | tight.nr_ranges |
				tight.nr_specials | tight.nr_ivmds, 0);
	}
	free_arrays(&full);
}

static struct kunit_case ivrs_cases[] = {
	KUNIT_CASE(plain_table),
	KUNIT_CASE(tree_table),
	KUNIT_CASE(server_10h),
	KUNIT_CASE(server_11h),
	KUNIT_CASE(server_40h),
	KUNIT_CASE(server_order),
	KUNIT_CASE(one_iommu_newer),
	KUNIT_CASE(type_beyond),
	KUNIT_CASE(segments_table),
	KUNIT_CASE(no_units),
	KUNIT_CASE(aliases),
	KUNIT_CASE(last_unit_wins),
	KUNIT_CASE(reserved_memory),
	KUNIT_CASE(every_truncation),
	KUNIT_CASE_SLOW(every_byte_changed),
	KUNIT_CASE_PARAM(poked, poke_gen_params),
	KUNIT_CASE(bad_header),
	KUNIT_CASE(too_little_room),
	{}
};

static struct kunit_suite ivrs_suite = {
	.name = "vfio_guard_ivrs",
	.test_cases = ivrs_cases,
};

kunit_test_suite(ivrs_suite);
