// SPDX-License-Identifier: GPL-2.0
/* AMD-Vi: registers, device table, ACPI IVRS. */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iommu.h>
#include <linux/mem_encrypt.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "core/decode.h"
#include "core/ivrs.h"
#include "units.h"

/* Register offsets, AMD IOMMU spec §3.4 */
#define AMDVI_DEVTAB	0x0000
#define AMDVI_CONTROL	0x0018
#define AMDVI_EFR	0x0030
#define AMDVI_STATUS	0x2020
#define AMDVI_MMIO_SIZE	0x4000
#define AMDVI_DTE_WORDS	4
#define AMDVI_DTE_SIZE	(AMDVI_DTE_WORDS * sizeof(u64))

/* An entry that keeps changing while it is read is given up on. */
#define AMDVI_DTE_TRIES	8

/* Written by amdvi_parse() and amdvi_drop(), read-only in between. */
static struct vg_ivrs ivrs;

static void amdvi_drop(void)
{
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
	return vg_ivrs_find_unit(&ivrs, path->pci.segment, path->requester[0]);
}

/* The event interrupt is the MSI of the IOMMU's own function (§3.7.1). */
static void amdvi_read_msi(const struct vg_unit *unit,
			   struct vg_amdvi_regs *regs)
{
	struct pci_dev *pdev;
	u32 lo = 0, hi = 0;
	u16 flags = 0;
	u8 msi;

	pdev = pci_get_domain_bus_and_slot(unit->segment,
					   PCI_BUS_NUM(unit->devid),
					   unit->devid & 0xff);
	if (!pdev)
		return;
	msi = pci_find_capability(pdev, PCI_CAP_ID_MSI);
	if (msi && !pci_read_config_word(pdev, msi + PCI_MSI_FLAGS, &flags) &&
	    (flags & PCI_MSI_FLAGS_ENABLE)) {
		bool wide = flags & PCI_MSI_FLAGS_64BIT;

		regs->msi_enabled = true;
		pci_read_config_dword(pdev, msi + PCI_MSI_ADDRESS_LO, &lo);
		if (wide)
			pci_read_config_dword(pdev, msi + PCI_MSI_ADDRESS_HI,
					      &hi);
		pci_read_config_word(pdev, msi + (wide ? PCI_MSI_DATA_64 :
							 PCI_MSI_DATA_32),
				     &regs->msi_data);
		regs->msi_address = (u64)hi << 32 | lo;
	}
	pci_dev_put(pdev);
}

static bool amdvi_read(const struct vg_unit *unit,
		       struct vg_amdvi_state *state)
{
	struct vg_amdvi_regs regs = {};

	if (!unit->regs)
		return false;
	regs.devtab = readq(unit->regs + AMDVI_DEVTAB);
	regs.control = readq(unit->regs + AMDVI_CONTROL);
	regs.efr = readq(unit->regs + AMDVI_EFR);
	regs.status = readq(unit->regs + AMDVI_STATUS);
	amdvi_read_msi(unit, &regs);
	vg_decode_amdvi(&regs, state);
	return state->readable;
}

static void amdvi_facts(const struct vg_unit *unit, struct vg_evidence *ev)
{
	struct vg_amdvi_state state;

	/* VT-d's means: AMD's table is the device's own, without formats. */
	vg_fact_set(ev, VG_FACT_COMPAT_IRQ, VG_NA, VG_SOURCE_NONE);
	vg_fact_set(ev, VG_FACT_SID_CHECK, VG_NA, VG_SOURCE_NONE);

	if (!amdvi_read(unit, &state))
		return;
	vg_fact_set(ev, VG_FACT_TRANSLATION, vg_answer_of(state.translation),
		    VG_SOURCE_REGISTER);
	vg_fact_set(ev, VG_FACT_FAULT_NMI, vg_answer_of(state.fault_nmi),
		    VG_SOURCE_CONFIG);
	vg_fact_set(ev, VG_FACT_FAULT_MASKED, vg_answer_of(state.fault_masked),
		    VG_SOURCE_REGISTER);
}

/* Read until two reads agree: the IOMMU driver may be writing the entry. */
static bool read_dte(const u64 *table, u32 rid, struct vg_dte *out)
{
	const u64 *entry = table + (size_t)rid * AMDVI_DTE_WORDS;
	u64 now[AMDVI_DTE_WORDS], before[AMDVI_DTE_WORDS] = {};
	int try, i;

	for (try = 0; try < AMDVI_DTE_TRIES; try++) {
		for (i = 0; i < AMDVI_DTE_WORDS; i++)
			now[i] = READ_ONCE(entry[i]);
		if (try && !memcmp(now, before, sizeof(now))) {
			vg_decode_dte(now, out);
			return true;
		}
		memcpy(before, now, sizeof(now));
	}
	return false;
}

static bool in_group(u16 segment, u16 rid, struct iommu_group *group)
{
	struct iommu_group *other = NULL;
	struct pci_dev *pdev;

	pdev = pci_get_domain_bus_and_slot(segment, PCI_BUS_NUM(rid),
					   rid & 0xff);
	if (pdev) {
		other = iommu_group_get(&pdev->dev);
		pci_dev_put(pdev);
	}
	iommu_group_put(other);
	return other && other == group;
}

static bool is_requester(const struct vg_path *path, u16 rid)
{
	u8 i;

	for (i = 0; i < path->nr_requesters; i++)
		if (path->requester[i] == rid)
			return true;
	return false;
}

/* Sharing with its own aliases and its own group costs the device nothing. */
static enum vg_answer irt_is_shared(const u64 *table, u32 entries,
				    const struct vg_path *path, u64 irt)
{
	enum vg_answer answer = VG_NO;
	struct iommu_group *group;
	u32 rid;

	group = iommu_group_get(&path->pdev->dev);
	for (rid = 0; rid < entries; rid++) {
		struct vg_dte dte;

		if (!(rid % 1024))
			cond_resched();
		if (is_requester(path, rid))
			continue;
		if (!read_dte(table, rid, &dte)) {
			answer = VG_UNKNOWN;
			continue;
		}
		if (dte.irq_valid &&
		    dte.intctl == VG_INTCTL_REMAP && dte.irt == irt &&
		    !in_group(path->pci.segment, rid, group)) {
			answer = VG_YES;
			break;
		}
	}
	iommu_group_put(group);
	return answer;
}

static void judge_dtes(const struct vg_amdvi_state *state, const u64 *table,
		       const struct vg_path *path, struct vg_evidence *ev)
{
	bool translated = true, remapped = true, pass = false;
	enum vg_answer shared = VG_NO;
	u8 i;

	for (i = 0; i < path->nr_requesters; i++) {
		struct vg_dte dte;

		if (path->requester[i] >= state->devtab_entries ||
		    !read_dte(table, path->requester[i], &dte))
			return;
		translated &= dte.translated;
		remapped &= dte.irq_valid && (dte.intctl == VG_INTCTL_REMAP ||
					      dte.intctl == VG_INTCTL_ABORT);
		pass |= dte.pass;
		if (shared != VG_YES && dte.irq_valid &&
		    dte.intctl == VG_INTCTL_REMAP)
			shared = irt_is_shared(table, state->devtab_entries,
					       path, dte.irt);
	}
	if (state->translation && !translated)
		vg_fact_set(ev, VG_FACT_TRANSLATION, VG_NO, VG_SOURCE_MEMORY);
	vg_fact_set(ev, VG_FACT_INTREMAP,
		    vg_answer_of(state->translation && remapped),
		    VG_SOURCE_MEMORY);
	vg_fact_set(ev, VG_FACT_SHARED_IRT, shared, VG_SOURCE_MEMORY);
	vg_fact_set(ev, VG_FACT_IRQ_PASS, vg_answer_of(pass),
		    VG_SOURCE_MEMORY);
}

static void amdvi_device_facts(const struct vg_unit *unit,
			       const struct vg_path *path,
			       struct vg_evidence *ev)
{
	struct vg_path all = *path;
	struct vg_amdvi_state state;
	u64 *table;
	u8 i;

	vg_fact_set(ev, VG_FACT_RMRR, VG_NO, VG_SOURCE_ACPI);
	for (i = 0; i < path->nr_requesters; i++) {
		u16 rid = path->requester[i];
		int alias = vg_ivrs_find_alias(&ivrs, unit->segment, rid);

		if (alias >= 0 && !vg_path_add_requester(&all, alias))
			return;
		if (vg_ivrs_has_ivmd(&ivrs, unit->segment, rid))
			vg_fact_set(ev, VG_FACT_RMRR, VG_YES, VG_SOURCE_ACPI);
	}

	if (!amdvi_read(unit, &state))
		return;
	table = memremap(__sme_clr(state.devtab),
			 state.devtab_entries * AMDVI_DTE_SIZE, MEMREMAP_WB);
	if (!table)
		return;
	judge_dtes(&state, table, &all, ev);
	memunmap(table);
}

static const struct vg_unit_ops amdvi_ops = {
	.unit_facts = BIT(VG_FACT_TRANSLATION) | BIT(VG_FACT_FAULT_NMI) |
		      BIT(VG_FACT_FAULT_MASKED),
	.facts = amdvi_facts,
	.device_facts = amdvi_device_facts,
};

const struct vg_vendor vg_amdvi = {
	.signature = "IVRS",
	.parse = amdvi_parse,
	.nr_units = amdvi_nr_units,
	.describe = amdvi_describe,
	.find = amdvi_find,
	.drop = amdvi_drop,
};
