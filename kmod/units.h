/* SPDX-License-Identifier: GPL-2.0 */
/* IOMMU units, one view for both vendors. */
#ifndef VG_UNITS_H
#define VG_UNITS_H

#include <linux/io.h>
#include <linux/pci.h>

#include "core/verdict.h"
#include "path.h"

struct vg_unit;

/**
 * struct vg_unit_ops - what a vendor's room knows of a unit
 * @unit_facts: which facts @facts answers, bit n for enum vg_fact_id n
 * @facts: add the facts that hold for every device behind the unit
 * @device_facts: add those that hold for one device
 * @add_aliases: add requester IDs that the firmware's tables say the device
 *		 uses too; NULL if they can't
 * @pending: is a fault of an assigned device pending that this NMI tells of?
 *	     The fault event is an NMI, or @serr: the platform made it one.
 *	     NMI context
 * @collect: take in faults whose interrupt never comes, and stop their devices
 *	     at once; false if there may be more. Hard irq
 * @set_right: have the fault event delivered as an interrupt if it isn't,
 *	       as the kernel set it up; true if that was needed, and done.
 *	       Process context or hard irq
 *
 * @facts and @device_facts are called in process context and read the hardware
 * each time.
 */
struct vg_unit_ops {
	u32 unit_facts;
	void (*facts)(const struct vg_unit *unit, struct vg_evidence *ev);
	void (*device_facts)(const struct vg_unit *unit,
			     const struct vg_path *path,
			     struct vg_evidence *ev);
	bool (*add_aliases)(const struct vg_unit *unit, struct vg_path *path);
	bool (*pending)(const struct vg_unit *unit, bool serr);
	bool (*collect)(const struct vg_unit *unit);
	bool (*set_right)(const struct vg_unit *unit);
};

/**
 * struct vg_unit - one IOMMU unit
 * @ops: the vendor's room
 * @regs: its registers; NULL if they could not be mapped
 * @base: their physical address
 * @segment: PCI segment
 * @index: place in the ACPI table
 * @devid: requester ID of its own PCI function (AMD)
 * @name: as the kernel names it: "dmar0", "ivhd0"
 */
struct vg_unit {
	const struct vg_unit_ops *ops;
	void __iomem *regs;
	phys_addr_t base;
	u16 segment;
	u16 devid;
	u32 index;
	char name[16];
};

/**
 * struct vg_vendor - a vendor's room
 * @signature: of the ACPI table that describes its units
 * @parse: parse the table; -EINVAL (logged) if it is malformed
 * @nr_units: how many units it describes
 * @describe: fill in the n-th unit but for its registers, whose size it returns
 * @find: the unit that covers a device, or -ENOENT
 * @drop: free what @parse and @watch made; no fault is being taken in any more,
 *	  and no open sets anything right
 * @watch: get ready to take in faults as they are signalled, and add the taps for
 *	   that; an errno (logged) if this kernel can't be looked on
 *
 * The table stays mapped from @parse to @drop.
 */
struct vg_vendor {
	const char *signature;
	int (*parse)(const u8 *table, size_t len);
	u32 (*nr_units)(void);
	size_t (*describe)(u32 n, struct vg_unit *unit);
	int (*find)(const struct vg_path *path);
	void (*drop)(void);
	int (*watch)(void);
};

extern const struct vg_vendor vg_vtd;
extern const struct vg_vendor vg_amdvi;

int vg_units_init(void);
void vg_units_exit(void);
const struct vg_unit *vg_units_find(const struct vg_path *path);
const struct vg_unit *vg_units_next(const struct vg_unit *prev);
const struct vg_unit *vg_units_at(u32 index);
bool vg_units_known(void);
bool vg_units_set_right(void);
int vg_units_watch(void);

#endif /* VG_UNITS_H */
