// SPDX-License-Identifier: GPL-2.0
/* AMD-Vi: registers, event interrupt, ACPI IVRS. */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/irq.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <asm/apicdef.h>
#include <asm/pci_x86.h>

#include "amdvi.h"
#include "core/decode.h"
#include "core/ivrs.h"
#include "ecam.h"

/* Register offsets, AMD IOMMU spec §3.4 */
#define AMDVI_DEVTAB	0x0000
#define AMDVI_MMIO_SIZE	0x4000

/* Of the control register, what the event interrupt depends on (§3.4) */
#define AMDVI_CONTROL_INT_EN	BIT_ULL(3)
#define AMDVI_CONTROL_XT_EN	BIT_ULL(51)
#define AMDVI_CONTROL_EVENTS	(AMDVI_CONTROL_LOG_EN | AMDVI_CONTROL_INT_EN)

/**
 * struct amdvi_function - the IOMMU's own PCI function
 * @pdev: it, with a reference; NULL if it isn't there
 * @config: its configuration space, to be read in NMI; NULL if it isn't mapped
 */
struct amdvi_function {
	struct pci_dev *pdev;
	void __iomem *config;
};

/* Written by amdvi_parse() and amdvi_drop(), read-only in between. */
static struct vg_ivrs ivrs;

/* By vg_unit.index; written by amdvi_watch() and amdvi_drop(). */
static struct amdvi_function *functions;

static void drop_functions(void)
{
	u32 i;

	for (i = 0; functions && i < ivrs.nr_units; i++) {
		if (functions[i].config)
			iounmap(functions[i].config);
		pci_dev_put(functions[i].pdev);
	}
	kfree(functions);
	functions = NULL;
}

static void amdvi_drop(void)
{
	vg_amdvi_log_unwatch();
	drop_functions();
	kfree(ivrs.units);
	kfree(ivrs.ranges);
	kfree(ivrs.specials);
	kfree(ivrs.ivmds);
	memset(&ivrs, 0, sizeof(ivrs));
}

static int amdvi_parse(const u8 *table, size_t len)
{
	struct vg_table_err err = {};
	int ret;

	ret = vg_ivrs_parse(table, len, &ivrs, &err);
	if (ret)
		goto bad;

	ivrs.units = kcalloc(ivrs.nr_units, sizeof(*ivrs.units), GFP_KERNEL);
	ivrs.ranges = kcalloc(ivrs.nr_ranges, sizeof(*ivrs.ranges),
			      GFP_KERNEL);
	ivrs.specials = kcalloc(ivrs.nr_specials, sizeof(*ivrs.specials),
				GFP_KERNEL);
	ivrs.ivmds = kcalloc(ivrs.nr_ivmds, sizeof(*ivrs.ivmds), GFP_KERNEL);
	if (!ivrs.units || !ivrs.ranges || !ivrs.specials || !ivrs.ivmds) {
		amdvi_drop();
		return -ENOMEM;
	}
	ret = vg_ivrs_parse(table, len, &ivrs, &err);
	if (!ret)
		return 0;
bad:
	pr_err("ACPI table IVRS: %s at offset %#zx\n", err.why, err.offset);
	amdvi_drop();
	return ret;
}

static u32 amdvi_nr_units(void)
{
	return ivrs.nr_units;
}

static const struct vg_unit_ops amdvi_ops;

static size_t amdvi_describe(u32 n, struct vg_unit *unit)
{
	unit->ops = &amdvi_ops;
	unit->base = ivrs.units[n].base;
	unit->segment = ivrs.units[n].segment;
	unit->devid = ivrs.units[n].devid;
	unit->index = n;
	snprintf(unit->name, sizeof(unit->name), "ivhd%u", n);
	return AMDVI_MMIO_SIZE;
}

static int amdvi_find(const struct vg_path *path)
{
	return vg_ivrs_find_unit(&ivrs, path->pci.segment,
				 path->requesters.id[0]);
}

/* The event interrupt is the MSI of the IOMMU's own function (§3.7.1). */
static void amdvi_read_msi(const struct vg_unit *unit,
			   struct vg_amdvi_regs *regs)
{
	struct pci_dev *pdev = functions[unit->index].pdev;
	u32 lo = 0, hi = 0;
	u16 flags = 0;
	bool wide;
	u8 msi;

	if (!pdev || !pdev->msi_cap)
		return;
	msi = pdev->msi_cap;
	if (pci_read_config_word(pdev, msi + PCI_MSI_FLAGS, &flags) ||
	    !(flags & PCI_MSI_FLAGS_ENABLE))
		return;
	wide = flags & PCI_MSI_FLAGS_64BIT;
	regs->msi_enabled = true;
	pci_read_config_dword(pdev, msi + PCI_MSI_ADDRESS_LO, &lo);
	if (wide)
		pci_read_config_dword(pdev, msi + PCI_MSI_ADDRESS_HI, &hi);
	pci_read_config_word(pdev, msi + (wide ? PCI_MSI_DATA_64 :
						 PCI_MSI_DATA_32),
			     &regs->msi_data);
	regs->msi_address = (u64)hi << 32 | lo;
}

/* NMI: the same, of the delivery mode alone, and without the lock. */
static bool event_is_nmi(const struct vg_unit *unit)
{
	const struct amdvi_function *function = &functions[unit->index];
	void __iomem *msi;
	u16 flags, data;

	if (!function->config ||
	    readq(unit->regs + AMDVI_CONTROL) & AMDVI_CONTROL_XT_EN)
		return false;
	/* Some processors can read it into one register only: not by readw(). */
	msi = function->config + function->pdev->msi_cap;
	flags = mmio_config_readw(msi + PCI_MSI_FLAGS);
	data = mmio_config_readw(msi + (flags & PCI_MSI_FLAGS_64BIT ?
					PCI_MSI_DATA_64 : PCI_MSI_DATA_32));
	return flags & PCI_MSI_FLAGS_ENABLE &&
	       (data & APIC_MODE_MASK) == APIC_DM_NMI;
}

static bool amdvi_read(const struct vg_unit *unit, struct vg_amdvi_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	if (!unit->regs)
		return false;
	regs->devtab = readq(unit->regs + AMDVI_DEVTAB);
	regs->control = readq(unit->regs + AMDVI_CONTROL);
	return true;
}

static void amdvi_facts(const struct vg_unit *unit, struct vg_evidence *ev)
{
	struct vg_amdvi_state state;
	struct vg_amdvi_regs regs;

	/* VT-d's means: AMD's table is the device's own, without formats. */
	vg_fact_set(ev, VG_FACT_COMPAT_IRQ, VG_NA, VG_SOURCE_NONE);
	vg_fact_set(ev, VG_FACT_SID_CHECK, VG_NA, VG_SOURCE_NONE);

	if (!amdvi_read(unit, &regs))
		return;
	amdvi_read_msi(unit, &regs);
	vg_decode_amdvi(&regs, &state);
	if (!state.readable)
		return;
	vg_fact_set(ev, VG_FACT_TRANSLATION, vg_answer_of(state.translation),
		    VG_SOURCE_REGISTER);
	vg_fact_set(ev, VG_FACT_FAULT_NMI, vg_answer_of(state.fault_nmi),
		    VG_SOURCE_CONFIG);
	vg_fact_set(ev, VG_FACT_FAULT_MASKED, vg_answer_of(state.fault_masked),
		    VG_SOURCE_REGISTER);
}

static bool amdvi_add_aliases(const struct vg_unit *unit, struct vg_path *path)
{
	u8 own = path->requesters.nr;
	u8 i;

	for (i = 0; i < own; i++) {
		int alias = vg_ivrs_find_alias(&ivrs, unit->segment,
					       path->requesters.id[i]);

		if (!vg_requesters_add(&path->requesters, alias))
			return false;
	}
	return true;
}

static void amdvi_device_facts(const struct vg_unit *unit,
			       const struct vg_path *path,
			       struct vg_evidence *ev)
{
	struct vg_path all = *path;
	struct vg_amdvi_state state;
	struct vg_amdvi_regs regs;
	u8 i;

	vg_fact_set(ev, VG_FACT_RMRR, VG_NO, VG_SOURCE_ACPI);
	for (i = 0; i < path->requesters.nr; i++)
		if (vg_ivrs_has_ivmd(&ivrs, unit->segment,
				     path->requesters.id[i]))
			vg_fact_set(ev, VG_FACT_RMRR, VG_YES, VG_SOURCE_ACPI);

	if (!amdvi_add_aliases(unit, &all))
		return;
	/* Of the device table alone: how faults are signalled is the unit's. */
	if (!amdvi_read(unit, &regs))
		return;
	vg_decode_amdvi(&regs, &state);
	if (state.readable)
		vg_amdvi_table_facts(&state, &all, ev);
}

/*
 * NMI. As long as the event interrupt's message says NMI the IOMMU driver hears
 * of no event: a record that nobody has read can have been signalled by an NMI
 * alone. If it says an interrupt, such a record is one that the driver is about
 * to read, maybe on another CPU, and the NMI is somebody else's.
 */
static bool amdvi_pending(const struct vg_unit *unit, bool serr)
{
	return (serr || event_is_nmi(unit)) && vg_amdvi_log_pending(unit);
}

/*
 * The interrupt that should have come, by the method of its own chip. Until the
 * driver has read the log and cleared the status the IOMMU sends no other, and
 * writes no record once the log has overflowed. It finds nothing to do if the
 * interrupt did come.
 */
static void resend_event(const struct pci_dev *pdev)
{
	struct irq_data *data;

	if (!pdev || !pdev->msi_enabled)
		return;
	data = irq_get_irq_data(pdev->irq);
	if (data && data->chip && data->chip->irq_retrigger)
		data->chip->irq_retrigger(data);
}

/* Hard irq. What one call leaves is taken in when the driver reads it. */
static bool amdvi_collect(const struct vg_unit *unit)
{
	vg_amdvi_log_collect(unit);
	resend_event(functions[unit->index].pdev);
	return true;
}

/* The message as the kernel last wrote it, and MSI switched on. */
static bool rewrite_msi(struct pci_dev *pdev)
{
	struct msi_msg msg;
	u16 flags;

	if (!pdev->msi_enabled ||
	    pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &flags))
		return false;
	get_cached_msi_msg(pdev->irq, &msg);
	pci_write_msi_msg(pdev->irq, &msg);
	if (!(flags & PCI_MSI_FLAGS_ENABLE))
		pci_write_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS,
				      flags | PCI_MSI_FLAGS_ENABLE);
	return true;
}

/*
 * Process or hard irq. With INTCAPXT the interrupt isn't the function's MSI, and
 * has no delivery mode that could be wrong (§3.4.13): it can only be off.
 */
static bool amdvi_set_right(const struct vg_unit *unit)
{
	struct pci_dev *pdev = functions[unit->index].pdev;
	struct vg_amdvi_state state;
	struct vg_amdvi_regs regs;
	bool done = true;

	if (!amdvi_read(unit, &regs))
		return false;
	amdvi_read_msi(unit, &regs);
	vg_decode_amdvi(&regs, &state);
	if (!state.readable || !state.translation ||
	    !(state.fault_nmi || state.fault_masked) ||
	    !vg_amdvi_log_is_watched(unit))
		return false;

	if (pdev && !(regs.control & AMDVI_CONTROL_XT_EN))
		done = rewrite_msi(pdev);
	/* Not for nothing: the driver writes this register, too. */
	if (~regs.control & AMDVI_CONTROL_EVENTS)
		writeq(regs.control | AMDVI_CONTROL_EVENTS,
		       unit->regs + AMDVI_CONTROL);
	if (done)
		pr_notice("%s: the event interrupt was %s: set right\n",
			  unit->name, state.fault_nmi ? "an NMI, SMI or INIT" :
							"masked");
	return done;
}

static void find_function(const struct vg_unit *unit,
			  struct amdvi_function *function)
{
	struct pci_dev *pdev;

	pdev = pci_get_domain_bus_and_slot(unit->segment,
					   PCI_BUS_NUM(unit->devid),
					   unit->devid & 0xff);
	function->pdev = pdev;
	if (!pdev || !pdev->msi_cap)
		return;
	function->config = vg_ecam_map_function(pdev);
	if (!function->config)
		pr_notice("%s: no configuration space in memory: an NMI that its events explain is the kernel's\n",
			  unit->name);
}

static int amdvi_watch(void)
{
	const struct vg_unit *unit = NULL;

	functions = kcalloc(ivrs.nr_units, sizeof(*functions), GFP_KERNEL);
	if (!functions)
		return -ENOMEM;
	while ((unit = vg_units_next(unit)))
		find_function(unit, &functions[unit->index]);
	return vg_amdvi_log_watch(ivrs.nr_units);
}

static const struct vg_unit_ops amdvi_ops = {
	.unit_facts = BIT(VG_FACT_TRANSLATION) | BIT(VG_FACT_FAULT_NMI) |
		      BIT(VG_FACT_FAULT_MASKED),
	.facts = amdvi_facts,
	.device_facts = amdvi_device_facts,
	.add_aliases = amdvi_add_aliases,
	.pending = amdvi_pending,
	.collect = amdvi_collect,
	.set_right = amdvi_set_right,
};

const struct vg_vendor vg_amdvi = {
	.signature = "IVRS",
	.parse = amdvi_parse,
	.nr_units = amdvi_nr_units,
	.describe = amdvi_describe,
	.find = amdvi_find,
	.drop = amdvi_drop,
	.watch = amdvi_watch,
};
