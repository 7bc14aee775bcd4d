// SPDX-License-Identifier: GPL-2.0
/* IOMMU units, one view for both vendors. */
#include <linux/acpi.h>
#include <linux/slab.h>

#include "units.h"

static const struct vg_vendor *const vendors[] = { &vg_vtd, &vg_amdvi };

/*
 * Written by vg_units_init() before the gate opens and by vg_units_exit()
 * after it closed; read without a lock in between.
 */
static const struct vg_vendor *vendor;
static struct acpi_table_header *table;
static struct vg_unit *units;
static u32 nr_units;
static bool known;

static void map_unit(struct vg_unit *unit, size_t size)
{
	/* The IOMMU driver maps them uncached as well: the same memory type. */
	unit->regs = ioremap(unit->base, size);
	if (!unit->regs)
		pr_err("%s: can't map registers at %pa\n", unit->name,
		       &unit->base);
}

static int read_vendor(const struct vg_vendor *v)
{
	u32 i;
	int ret;

	ret = v->parse((const u8 *)table, table->length);
	if (ret)
		return ret;

	nr_units = v->nr_units();
	units = kcalloc(nr_units, sizeof(*units), GFP_KERNEL);
	if (!units) {
		nr_units = 0;
		v->drop();
		return -ENOMEM;
	}
	vendor = v;
	for (i = 0; i < nr_units; i++)
		map_unit(&units[i], v->describe(i, &units[i]));
	return 0;
}

/**
 * vg_units_init() - find the platform's IOMMU units and map their registers
 *
 * A malformed ACPI table does not fail the load: nothing can be said of the
 * units then, and every open is refused as ``unreadable``.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vg_units_init(void)
{
	u32 i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(vendors); i++) {
		acpi_status status;

		status = acpi_get_table((acpi_string)vendors[i]->signature, 0,
					&table);
		if (status == AE_NOT_FOUND)
			continue;
		if (ACPI_FAILURE(status)) {
			pr_err("ACPI table %s: %s\n", vendors[i]->signature,
			       acpi_format_exception(status));
			return 0;
		}
		ret = read_vendor(vendors[i]);
		if (!ret) {
			known = true;
			return 0;
		}
		acpi_put_table(table);
		table = NULL;
		return ret == -ENOMEM ? ret : 0;
	}
	/* No table: the platform has no IOMMU, and that is known. */
	known = true;
	return 0;
}

/**
 * vg_units_exit() - unmap the units
 *
 * Context: process, may sleep; nobody may hold a unit any more, and vg_tap_stop()
 *	    has been called.
 */
void vg_units_exit(void)
{
	u32 i;

	for (i = 0; i < nr_units; i++)
		if (units[i].regs)
			iounmap(units[i].regs);
	kfree(units);
	if (vendor)
		vendor->drop();
	if (table)
		acpi_put_table(table);
}

/**
 * vg_units_find() - the unit that covers a device
 * @path: the device
 *
 * Context: any.
 * Return: the unit, or NULL.
 */
const struct vg_unit *vg_units_find(const struct vg_path *path)
{
	int i = vendor ? vendor->find(path) : -ENOENT;

	return i < 0 ? NULL : &units[i];
}

/**
 * vg_units_next() - walk all units
 * @prev: the unit returned last, NULL to begin
 *
 * Context: any.
 * Return: the next unit, or NULL.
 */
const struct vg_unit *vg_units_next(const struct vg_unit *prev)
{
	const struct vg_unit *next = prev ? prev + 1 : units;

	return next < units + nr_units ? next : NULL;
}

/**
 * vg_units_at() - a unit by its number
 * @index: place in the ACPI table, the number in its name
 *
 * Context: any.
 * Return: the unit, or NULL.
 */
const struct vg_unit *vg_units_at(u32 index)
{
	return index < nr_units ? &units[index] : NULL;
}

/**
 * vg_units_known() - could the platform's IOMMU tables be read?
 *
 * Context: any.
 * Return: false if a table is there and can't be understood.
 */
bool vg_units_known(void)
{
	return known;
}

/**
 * vg_units_set_right() - have all fault events delivered as interrupts
 *
 * Where one is aimed at the platform, or masked, it is set up as the kernel
 * means it to be.
 *
 * Context: process; vg_units_watch() has been called.
 * Return: true if that was needed for one, and done.
 */
bool vg_units_set_right(void)
{
	bool any = false;
	u32 i;

	for (i = 0; i < nr_units; i++)
		any |= units[i].ops->set_right(&units[i]);
	return any;
}

/**
 * vg_units_watch() - get ready to take in the units' faults
 *
 * Context: process, may sleep; vg_fault_init() has been called, vg_tap_start() is
 *	    to follow.
 * Return: 0, or the errno (logged) of what could not be looked on.
 */
int vg_units_watch(void)
{
	return vendor ? vendor->watch() : 0;
}
