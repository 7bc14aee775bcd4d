// SPDX-License-Identifier: GPL-2.0
/* Intel VT-d: registers, interrupt remapping table, ACPI DMAR. */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "core/decode.h"
#include "core/dmar.h"
#include "units.h"

/* Register offsets, VT-d spec §11.4 */
#define VTD_CAP		0x08
#define VTD_ECAP	0x10
#define VTD_GSTS	0x1c
#define VTD_FECTL	0x38
#define VTD_FEDATA	0x3c
#define VTD_FEADDR	0x40
#define VTD_FEUADDR	0x44
#define VTD_IRTA	0xb8
#define VTD_IRTE_SIZE	16

/* Written by vtd_parse() and vtd_drop(), read-only in between. */
static struct vg_dmar dmar;

static void vtd_drop(void)
{
	kfree(dmar.units);
	kfree(dmar.rmrrs);
	kfree(dmar.atsrs);
	kfree(dmar.scopes);
	memset(&dmar, 0, sizeof(dmar));
}

static int vtd_parse(const u8 *table, size_t len)
{
	struct vg_table_err err = {};
	int ret;

	ret = vg_dmar_parse(table, len, &dmar, &err);
	if (ret)
		goto bad;

	dmar.units = kcalloc(dmar.nr_units, sizeof(*dmar.units), GFP_KERNEL);
	dmar.rmrrs = kcalloc(dmar.nr_rmrrs, sizeof(*dmar.rmrrs), GFP_KERNEL);
	dmar.atsrs = kcalloc(dmar.nr_atsrs, sizeof(*dmar.atsrs), GFP_KERNEL);
	dmar.scopes = kcalloc(dmar.nr_scopes, sizeof(*dmar.scopes),
			      GFP_KERNEL);
	if (!dmar.units || !dmar.rmrrs || !dmar.atsrs || !dmar.scopes) {
		vtd_drop();
		return -ENOMEM;
	}
	ret = vg_dmar_parse(table, len, &dmar, &err);
	if (!ret)
		return 0;
bad:
	pr_err("ACPI table DMAR: %s at offset %#zx\n", err.why, err.offset);
	vtd_drop();
	return ret;
}

static u32 vtd_nr_units(void)
{
	return dmar.nr_units;
}

static const struct vg_unit_ops vtd_ops;

static size_t vtd_describe(u32 n, struct vg_unit *unit)
{
	unit->ops = &vtd_ops;
	unit->base = dmar.units[n].base;
	unit->segment = dmar.units[n].segment;
	unit->index = n;
	snprintf(unit->name, sizeof(unit->name), "dmar%u", n);
	return dmar.units[n].size;
}

static int vtd_find(const struct vg_path *path)
{
	return vg_dmar_find_unit(&dmar, &path->pci);
}

/* All reads are side-effect free: FSTS and the fault records stay untouched. */
static bool vtd_read(const struct vg_unit *unit, struct vg_vtd_state *state)
{
	struct vg_vtd_regs regs;

	if (!unit->regs)
		return false;
	regs.cap = readq(unit->regs + VTD_CAP);
	regs.ecap = readq(unit->regs + VTD_ECAP);
	regs.irta = readq(unit->regs + VTD_IRTA);
	regs.gsts = readl(unit->regs + VTD_GSTS);
	regs.fectl = readl(unit->regs + VTD_FECTL);
	regs.fedata = readl(unit->regs + VTD_FEDATA);
	regs.feaddr = readl(unit->regs + VTD_FEADDR);
	regs.feuaddr = readl(unit->regs + VTD_FEUADDR);
	vg_decode_vtd(&regs, state);
	return state->readable;
}

/*
 * One entry without a check serves any device behind the unit, whoever the
 * entry was made for: so the whole table is read.
 */
static enum vg_answer vtd_all_verified(const struct vg_vtd_state *state)
{
	size_t size = (size_t)state->irt_entries * VTD_IRTE_SIZE;
	enum vg_answer answer = VG_YES;
	const u64 *irt;
	u32 i;

	irt = memremap(state->irt, size, MEMREMAP_WB);
	if (!irt)
		return VG_UNKNOWN;
	for (i = 0; i < state->irt_entries; i++) {
		struct vg_irte irte;

		/*
		 * The IOMMU driver changes both halves of an entry at once, or
		 * the present bit last: an entry seen half-way is read again.
		 */
		vg_decode_irte(READ_ONCE(irt[2 * i]),
			       READ_ONCE(irt[2 * i + 1]), &irte);
		if (irte.present && !irte.verified) {
			cpu_relax();
			vg_decode_irte(READ_ONCE(irt[2 * i]),
				       READ_ONCE(irt[2 * i + 1]), &irte);
		}
		if (irte.present && !irte.verified) {
			answer = VG_NO;
			break;
		}
		if (!(i % 4096))
			cond_resched();
	}
	memunmap((void *)irt);
	return answer;
}

static void vtd_facts(const struct vg_unit *unit, struct vg_evidence *ev)
{
	struct vg_vtd_state state;

	/* One table for all devices is how VT-d works: SVT tells them apart. */
	vg_fact_set(ev, VG_FACT_SHARED_IRT, VG_NA, VG_SOURCE_NONE);
	/* VT-d has no pass-through for these: they are delivery modes. */
	vg_fact_set(ev, VG_FACT_IRQ_PASS, VG_NA, VG_SOURCE_NONE);

	if (!vtd_read(unit, &state))
		return;
	vg_fact_set(ev, VG_FACT_TRANSLATION, vg_answer_of(state.translation),
		    VG_SOURCE_REGISTER);
	vg_fact_set(ev, VG_FACT_INTREMAP, vg_answer_of(state.intremap),
		    VG_SOURCE_REGISTER);
	vg_fact_set(ev, VG_FACT_COMPAT_IRQ, vg_answer_of(state.compat_irq),
		    VG_SOURCE_REGISTER);
	vg_fact_set(ev, VG_FACT_FAULT_NMI, vg_answer_of(state.fault_nmi),
		    VG_SOURCE_REGISTER);
	vg_fact_set(ev, VG_FACT_FAULT_MASKED, vg_answer_of(state.fault_masked),
		    VG_SOURCE_REGISTER);
	if (state.intremap)
		vg_fact_set(ev, VG_FACT_SID_CHECK, vtd_all_verified(&state),
			    VG_SOURCE_MEMORY);
	else
		vg_fact_set(ev, VG_FACT_SID_CHECK, VG_NA, VG_SOURCE_REGISTER);
}

static void vtd_device_facts(const struct vg_unit *unit,
			     const struct vg_path *path,
			     struct vg_evidence *ev)
{
	vg_fact_set(ev, VG_FACT_RMRR,
		    vg_answer_of(vg_dmar_has_rmrr(&dmar, &path->pci)),
		    VG_SOURCE_ACPI);
}

static const struct vg_unit_ops vtd_ops = {
	.unit_facts = BIT(VG_FACT_TRANSLATION) | BIT(VG_FACT_INTREMAP) |
		      BIT(VG_FACT_COMPAT_IRQ) | BIT(VG_FACT_SID_CHECK) |
		      BIT(VG_FACT_FAULT_NMI) | BIT(VG_FACT_FAULT_MASKED),
	.facts = vtd_facts,
	.device_facts = vtd_device_facts,
};

const struct vg_vendor vg_vtd = {
	.signature = "DMAR",
	.parse = vtd_parse,
	.nr_units = vtd_nr_units,
	.describe = vtd_describe,
	.find = vtd_find,
	.drop = vtd_drop,
};
