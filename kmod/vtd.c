// SPDX-License-Identifier: GPL-2.0
/* Intel VT-d: registers, interrupt remapping table, fault records, ACPI DMAR */
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/irq.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "compat.h"
#include "core/decode.h"
#include "core/dmar.h"
#include "fault.h"
#include "tap.h"
#include "units.h"

/* Register offsets, VT-d spec §11.4 */
#define VTD_CAP		0x08
#define VTD_ECAP	0x10
#define VTD_GSTS	0x1c
#define VTD_FSTS	0x34
#define VTD_FSTS_PFO	BIT(0)
#define VTD_FSTS_PPF	BIT(1)
#define VTD_FSTS_FRI(fsts)	((fsts) >> 8 & 0xff)
#define VTD_FECTL	0x38
#define VTD_FEDATA	0x3c
#define VTD_FEADDR	0x40
#define VTD_FEUADDR	0x44
#define VTD_MODE(data)	((data) >> 8 & 7)
#define VTD_MODE_NMI	4
#define VTD_IRTA	0xb8
#define VTD_IRTE_SIZE	16

/* Fault recording registers, §11.4.14: where they are, and how many */
#define VTD_CAP_FRO(cap)	(((cap) >> 24 & 0x3ff) * VTD_RECORD_SIZE)
#define VTD_CAP_NFR(cap)	(((cap) >> 40 & 0xff) + 1)
#define VTD_RECORD_SIZE	16
#define VTD_RECORD_F	BIT(31)

/* Records taken in before the kernel's handler has its turn, whatever comes. */
#define VTD_DRAIN_MAX	4096

/**
 * struct vtd_records - the fault recording registers of a unit
 * @regs: the first of them; NULL if they can't be read
 * @nr: how many there are
 * @irq: Linux's number of the fault event's interrupt; 0 if it has none
 */
struct vtd_records {
	void __iomem *regs;
	u32 nr;
	unsigned int irq;
};

/* Written by vtd_parse() and vtd_drop(), read-only in between. */
static struct vg_dmar dmar;

/* By unit; written by vtd_watch() and vtd_drop(). */
static struct vtd_records *records;

static void unmap_records(void)
{
	u32 i;

	for (i = 0; records && i < dmar.nr_units; i++)
		if (records[i].regs)
			iounmap(records[i].regs);
	kfree(records);
	records = NULL;
}

static void vtd_drop(void)
{
	unmap_records();
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

/* True if the record holds a fault. No side effect. */
static bool read_record(const struct vtd_records *rec, u32 i,
			struct vg_fault *fault)
{
	void __iomem *reg = rec->regs + i * VTD_RECORD_SIZE;
	u64 record[2];

	/* The half with F first: hardware sets it when the record is whole. */
	record[1] = readq(reg + 8);
	record[0] = readq(reg);
	return vg_decode_vtd_fault(record, fault);
}

/* How many records are pending, and whether one is of an assigned device. */
static u32 look(const struct vg_unit *unit, const struct vtd_records *rec,
		u32 first, bool *ours)
{
	struct vg_fault fault;
	u32 n;

	*ours = false;
	for (n = 0; n < rec->nr; n++) {
		if (!read_record(rec, (first + n) % rec->nr, &fault))
			break;
		*ours |= vg_fault_is_ours(unit, &fault);
	}
	return n;
}

static void note_pending(const struct vg_unit *unit,
			 const struct vtd_records *rec, u32 first, u32 n)
{
	struct vg_fault fault;
	u32 i;

	for (i = 0; i < n; i++)
		if (read_record(rec, (first + i) % rec->nr, &fault))
			vg_fault_note(unit, &fault);
}

/*
 * Take the faults in as dmar_fault() would, and as long as they come. Left to
 * it, a device that faults faster than it clears would keep it in its loop for
 * ever, and us from counting. It may find nothing left to do; but where
 * it is to go on, its first record has to be a pending one: it stops looking
 * at a record that isn't, and with others pending no interrupt comes any more.
 *
 * False if there is more.
 */
static bool drain(const struct vg_unit *unit, const struct vtd_records *rec,
		  u32 first,
		  bool (*note)(const struct vg_unit *unit,
			       const struct vg_fault *fault))
{
	struct vg_fault fault;
	u32 i = first, n = 0;

	while (read_record(rec, i, &fault)) {
		if (n++ >= VTD_DRAIN_MAX && i == first)
			return false;
		note(unit, &fault);
		writel(VTD_RECORD_F, rec->regs + i * VTD_RECORD_SIZE + 12);
		i = (i + 1) % rec->nr;
	}
	writel(VTD_FSTS_PFO, unit->regs + VTD_FSTS);
	return true;
}

/* Status of the unit's faults; 0 if there are none, or none to be read. */
static u32 read_fsts(const struct vg_unit *unit)
{
	u32 fsts;

	if (!records[unit->index].regs)
		return 0;
	fsts = readl(unit->regs + VTD_FSTS);
	return fsts == ~0U ? 0 : fsts;
}

/*
 * Hard irq, at the entry of dmar_fault(). Faults of devices that aren't ours are
 * counted, and left for the kernel to log and clear. Not one of ours, be it
 * alone: while the kernel logs it those that follow would go uncounted, and might
 * never let it out of its loop.
 */
static void vtd_intake(const struct vg_unit *unit)
{
	const struct vtd_records *rec = &records[unit->index];
	u32 fsts = read_fsts(unit), first, n;
	bool ours;

	if (!(fsts & (VTD_FSTS_PPF | VTD_FSTS_PFO)))
		return;
	first = VTD_FSTS_FRI(fsts) % rec->nr;
	n = look(unit, rec, first, &ours);

	/* At least one came while all records were in use. */
	fsts = read_fsts(unit);
	if (fsts & VTD_FSTS_PFO)
		vg_fault_lost(1);
	if (ours)
		drain(unit, rec, first, vg_fault_note);
	else
		note_pending(unit, rec, first, n);
}

/*
 * The interrupt's number in the kernel's DMAR interrupt domain is the unit's,
 * see dmar_alloc_hwirq().
 */
static void enter_dmar_fault(unsigned long irq, unsigned long dev_id)
{
	struct irq_data *data = irq_get_irq_data(irq);
	const struct vg_unit *unit = data ? vg_units_at(data->hwirq) : NULL;

	if (unit)
		vtd_intake(unit);
}

/* NMI: reads of registers, and a look into the registry. */
static bool vtd_pending(const struct vg_unit *unit, bool serr)
{
	const struct vtd_records *rec = &records[unit->index];
	u32 fsts = read_fsts(unit);
	bool ours;

	if (!(fsts & VTD_FSTS_PPF))
		return false;
	if (!serr &&
	    VTD_MODE(readl(unit->regs + VTD_FEDATA)) != VTD_MODE_NMI)
		return false;
	look(unit, rec, VTD_FSTS_FRI(fsts) % rec->nr, &ours);
	return ours;
}

/* Hard irq: nobody else is told of these faults. */
static bool vtd_collect(const struct vg_unit *unit)
{
	const struct vtd_records *rec = &records[unit->index];
	u32 fsts = read_fsts(unit);

	if (!(fsts & VTD_FSTS_PPF))
		return true;
	return drain(unit, rec, VTD_FSTS_FRI(fsts) % rec->nr,
		     vg_fault_note_grave);
}

/* The message that the kernel means the fault event to be. */
static bool compose_event(struct irq_data *data, struct msi_msg *msg)
{
	/* As irq_chip_compose_msi_msg(), which is not exported. */
	for (; data; data = data->parent_data)
		if (data->chip && data->chip->irq_compose_msi_msg) {
			data->chip->irq_compose_msi_msg(data, msg);
			return true;
		}
	return false;
}

/*
 * By the methods of the interrupt's own chip, dmar_msi_write_msg() and
 * dmar_msi_unmask(), which take the unit's register lock.
 */
static bool vtd_set_right(const struct vg_unit *unit)
{
	unsigned int irq = records[unit->index].irq;
	struct irq_data *data = irq ? irq_get_irq_data(irq) : NULL;
	struct vg_vtd_state state;
	struct msi_msg msg;

	/* A unit that the kernel doesn't use has none. */
	if (!vtd_read(unit, &state) || !data ||
	    !(state.fault_nmi || state.fault_masked) ||
	    !compose_event(data, &msg))
		return false;
	data->chip->irq_write_msi_msg(data, &msg);
	data->chip->irq_unmask(data);
	pr_notice("%s: the fault event was %s: set right\n", unit->name,
		  state.fault_nmi ? "an NMI, SMI or INIT" : "masked");
	return true;
}

/* Linux knows each unit's fault event by the unit's number. */
static unsigned int find_irq(const struct vg_unit *unit)
{
	unsigned int irq, nr = irq_get_nr_irqs();
	unsigned int found = 0;

	/* Descriptors of other interrupts may come and go meanwhile. */
	rcu_read_lock();
	for (irq = 1; irq < nr && !found; irq++) {
		struct irq_data *data = irq_get_irq_data(irq);

		if (data && data->chip && data->chip->name &&
		    !strcmp(data->chip->name, "DMAR-MSI") &&
		    data->hwirq == unit->index)
			found = irq;
	}
	rcu_read_unlock();
	return found;
}

static struct vg_tap dmar_fault_tap = {
	.name = "dmar_fault",
	.enter = enter_dmar_fault,
};

/* They may lie beyond the registers that the rest of us needs. */
static void map_records(const struct vg_unit *unit, struct vtd_records *rec)
{
	u64 cap;

	if (!unit->regs)
		return;
	cap = readq(unit->regs + VTD_CAP);
	if (!cap || cap == U64_MAX)
		return;
	rec->irq = find_irq(unit);
	rec->nr = VTD_CAP_NFR(cap);
	rec->regs = ioremap(unit->base + VTD_CAP_FRO(cap),
			    rec->nr * VTD_RECORD_SIZE);
	if (!rec->regs)
		pr_err("%s: can't map fault records\n", unit->name);
}

static int vtd_watch(void)
{
	const struct vg_unit *unit = NULL;
	int ret;

	records = kcalloc(dmar.nr_units, sizeof(*records), GFP_KERNEL);
	if (!records)
		return -ENOMEM;
	while ((unit = vg_units_next(unit)))
		map_records(unit, &records[unit->index]);
	/* Until vtd_drop(): opens set the fault event right as long as they come. */
	ret = vg_tap_add(&dmar_fault_tap);
	if (ret)
		pr_err("this kernel has no %s() that can be looked on: %d\n",
		       dmar_fault_tap.name, ret);
	return ret;
}

static const struct vg_unit_ops vtd_ops = {
	.unit_facts = BIT(VG_FACT_TRANSLATION) | BIT(VG_FACT_INTREMAP) |
		      BIT(VG_FACT_COMPAT_IRQ) | BIT(VG_FACT_SID_CHECK) |
		      BIT(VG_FACT_FAULT_NMI) | BIT(VG_FACT_FAULT_MASKED),
	.facts = vtd_facts,
	.device_facts = vtd_device_facts,
	.pending = vtd_pending,
	.collect = vtd_collect,
	.set_right = vtd_set_right,
};

const struct vg_vendor vg_vtd = {
	.signature = "DMAR",
	.parse = vtd_parse,
	.nr_units = vtd_nr_units,
	.describe = vtd_describe,
	.find = vtd_find,
	.drop = vtd_drop,
	.watch = vtd_watch,
};
