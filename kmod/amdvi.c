// SPDX-License-Identifier: GPL-2.0
/* AMD-Vi: registers, device table, event log, ACPI IVRS. */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iommu.h>
#include <linux/ktime.h>
#include <linux/mem_encrypt.h>
#include <linux/msi.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "core/decode.h"
#include "core/ivrs.h"
#include "fault.h"
#include "tap.h"
#include "units.h"

/* Register offsets, AMD IOMMU spec §3.4 */
#define AMDVI_DEVTAB	0x0000
#define AMDVI_EVTLOG	0x0010
#define AMDVI_CONTROL	0x0018
#define AMDVI_EVTHEAD	0x2010
#define AMDVI_EVTTAIL	0x2018
#define AMDVI_STATUS	0x2020
#define AMDVI_MMIO_SIZE	0x4000
#define AMDVI_DTE_WORDS	4
#define AMDVI_DTE_SIZE	(AMDVI_DTE_WORDS * sizeof(u64))

/* An entry that keeps changing while it is read is given up on. */
#define AMDVI_DTE_TRIES	8

/* The event log's base register, its pointers, EventOverflow (§3.4) */
#define AMDVI_EVTLOG_BASE	GENMASK_ULL(51, 12)
#define AMDVI_EVTLOG_LEN	GENMASK_ULL(59, 56)
#define AMDVI_EVTLOG_LEN_MIN	8
#define AMDVI_EVTPTR_MASK	GENMASK(18, 4)
#define AMDVI_STATUS_OVERFLOW	BIT(0)
#define AMDVI_CONTROL_LOG_EN	BIT_ULL(2)
#define AMDVI_CONTROL_INT_EN	BIT_ULL(3)
#define AMDVI_CONTROL_XT_EN	BIT_ULL(51)

/* A record of the event log (§2.5), of which no event code is 0 */
#define AMDVI_EVENT_WORDS	2
#define AMDVI_EVENT_SIZE	(AMDVI_EVENT_WORDS * sizeof(u64))
#define AMDVI_EVENT_CODE	GENMASK_ULL(63, 60)

/*
 * How long one intake waits for records that the tail pointer has overtaken.
 * The IOMMU driver has up to 100 ms for each; it waits with interrupts on.
 */
#define AMDVI_EVENT_WAIT_US	100

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
	return vg_ivrs_find_unit(&ivrs, path->pci.segment,
				 path->requesters.id[0]);
}

/* The IOMMU's own function, with a reference, or NULL. */
static struct pci_dev *find_function(const struct vg_unit *unit)
{
	return pci_get_domain_bus_and_slot(unit->segment,
					   PCI_BUS_NUM(unit->devid),
					   unit->devid & 0xff);
}

/* The event interrupt is the MSI of the IOMMU's own function (§3.7.1). */
static void amdvi_read_msi(const struct vg_unit *unit,
			   struct vg_amdvi_regs *regs)
{
	struct pci_dev *pdev = find_function(unit);
	u32 lo = 0, hi = 0;
	u16 flags = 0;
	u8 msi;

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

	for (i = 0; i < path->requesters.nr; i++)
		if (path->requesters.id[i] == rid)
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

	for (i = 0; i < path->requesters.nr; i++) {
		struct vg_dte dte;

		if (path->requesters.id[i] >= state->devtab_entries ||
		    !read_dte(table, path->requesters.id[i], &dte))
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
	u64 *table;
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
	if (!state.readable)
		return;
	table = memremap(__sme_clr(state.devtab),
			 state.devtab_entries * AMDVI_DTE_SIZE, MEMREMAP_WB);
	if (!table)
		return;
	judge_dtes(&state, table, &all, ev);
	memunmap(table);
}

/**
 * struct amdvi_log - what we have seen of a unit's event log
 * @records: the log, or NULL if the unit keeps none
 * @size: of the log in bytes, a power of two
 * @lock: for @cursor and @overflowed; held until all records that were claimed
 *	  have been read, so that no tap returns, and lets the kernel clear them,
 *	  while another one still reads
 * @cursor: offset of the next record that we have not seen
 * @overflowed: the overflow that the unit reports has been counted
 */
struct amdvi_log {
	const u64 *records;
	u32 size;
	raw_spinlock_t lock;
	u32 cursor;
	bool overflowed;
};

/*
 * By vg_unit.index. Written by amdvi_watch() before the first tap, and by
 * amdvi_unwatch() after the last one.
 */
static struct amdvi_log *logs;

static u32 event_pointer(const struct vg_unit *unit, u32 reg,
			 const struct amdvi_log *log)
{
	return readl(unit->regs + reg) & AMDVI_EVTPTR_MASK & (log->size - 1);
}

/*
 * False if nothing is there: not yet, for the tail pointer may become visible
 * before the record (erratum 732), or no more, for the IOMMU driver clears what
 * it has handled. If it does so right now the address may be lost, but not who
 * it was: that is in the word with the code.
 *
 * It doesn't clear IO_PAGE_FAULTs. Where the erratum strikes on top of one, that
 * one is taken for the new record, by the driver and by us.
 */
static bool read_event(const u64 *record, u32 event[4])
{
	u64 low, high;

	low = READ_ONCE(record[0]);
	if (!(low & AMDVI_EVENT_CODE))
		return false;
	dma_rmb();
	high = READ_ONCE(record[1]);
	event[0] = lower_32_bits(low);
	event[1] = upper_32_bits(low);
	event[2] = lower_32_bits(high);
	event[3] = upper_32_bits(high);
	return true;
}

/* In hard irq nothing is waited for: the driver's thread comes right after. */
static bool await_event(const u64 *record, u32 event[4], int *patience)
{
	while (!read_event(record, event)) {
		if (in_hardirq() || *patience <= 0)
			return false;
		udelay(1);
		--*patience;
	}
	return true;
}

/*
 * How many records the IOMMU driver had done with before they were seen here. It
 * also seems to have if it sets the pointers to 0, as it does after a suspend.
 */
static u32 skip_consumed(struct amdvi_log *log, u32 head, u32 tail)
{
	u32 mask = log->size - 1;
	u32 unseen = (tail - log->cursor) & mask;
	u32 unread = (tail - head) & mask;

	if (unread >= unseen)
		return 0;
	log->cursor = head;
	return (unseen - unread) / AMDVI_EVENT_SIZE;
}

/*
 * Take in what is pending, and what comes meanwhile, or the driver would find
 * records that were not seen. How many were lost.
 */
static u32 take_events(const struct vg_unit *unit, struct amdvi_log *log)
{
	u32 left = log->size / AMDVI_EVENT_SIZE;
	int patience = AMDVI_EVENT_WAIT_US;
	u32 head, tail, lost;
	u64 now;

	/* Most calls are about another unit, or were forestalled. */
	tail = event_pointer(unit, AMDVI_EVTTAIL, log);
	if (tail == log->cursor)
		return 0;
	/* The head before the tail, or the head might be the one ahead. */
	head = event_pointer(unit, AMDVI_EVTHEAD, log);
	tail = event_pointer(unit, AMDVI_EVTTAIL, log);
	now = ktime_get_mono_fast_ns();
	lost = skip_consumed(log, head, tail);

	while (log->cursor != tail && left--) {
		const u64 *record = log->records + log->cursor / sizeof(u64);
		struct vg_fault fault;
		u32 event[4];

		if (!await_event(record, event, &patience)) {
			if (in_hardirq())
				break;
			lost++;
		} else if (vg_decode_amdvi_event(event, &fault)) {
			vg_fault_note_at(unit, &fault, now);
		}
		log->cursor = (log->cursor + AMDVI_EVENT_SIZE) & (log->size - 1);
		if (log->cursor == tail) {
			tail = event_pointer(unit, AMDVI_EVTTAIL, log);
			now = ktime_get_mono_fast_ns();
		}
	}
	return lost;
}

/*
 * All that is pending, each record once, whoever comes first. Nothing is
 * written to the unit: head pointer and status are the IOMMU driver's.
 */
static void amdvi_intake(const struct vg_unit *unit)
{
	struct amdvi_log *log = logs ? &logs[unit->index] : NULL;
	unsigned long flags;
	bool overflow;
	u32 lost, status;

	if (!log || !log->records)
		return;
	raw_spin_lock_irqsave(&log->lock, flags);
	status = readl(unit->regs + AMDVI_STATUS);
	if (status == U32_MAX) {
		/* Nobody answers. */
		raw_spin_unlock_irqrestore(&log->lock, flags);
		return;
	}
	lost = take_events(unit, log);
	/* How many did not fit is not known: one at least. */
	overflow = status & AMDVI_STATUS_OVERFLOW;
	if (overflow && !log->overflowed)
		lost++;
	log->overflowed = overflow;
	raw_spin_unlock_irqrestore(&log->lock, flags);
	if (lost)
		vg_fault_lost(unit, lost);
}

/* Its arguments are private to the IOMMU driver, so all units are looked at. */
static void event_interrupt(unsigned long arg0, unsigned long arg1)
{
	const struct vg_unit *unit;

	for (unit = vg_units_next(NULL); unit; unit = vg_units_next(unit))
		amdvi_intake(unit);
}

/*
 * Where the IOMMU driver handles event interrupts, drivers/iommu/amd/iommu.c.
 * The hard handler comes first, where there is one (gone in 7.3); the reader
 * of the log is the last to come before the records are cleared, where the
 * compiler has kept it. Some of the records may come in between.
 */
static struct vg_tap taps[] = {
	{ .name = "amd_iommu_int_handler", .enter = event_interrupt },
	{ .name = "amd_iommu_int_thread", .enter = event_interrupt },
	{ .name = "amd_iommu_int_thread_evtlog", .enter = event_interrupt },
	{ .name = "iommu_poll_events", .enter = event_interrupt },
};

/* Bit n: taps[n] is installed. Only amdvi_watch() and amdvi_unwatch() use it. */
static unsigned long tapped;

static int install_taps(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(taps); i++) {
		ret = vg_tap_install(&taps[i]);
		if (!ret)
			tapped |= BIT(i);
		else if (ret != -EINVAL)
			return ret;
	}
	if (tapped)
		return 0;
	pr_err("this kernel has no AMD event handler that can be looked on\n");
	return -EINVAL;
}

/* What is pending by now is from before our time. */
static int open_log(const struct vg_unit *unit, struct amdvi_log *log)
{
	u64 base, control;
	u32 len;

	raw_spin_lock_init(&log->lock);
	if (!unit->regs)
		return 0;
	control = readq(unit->regs + AMDVI_CONTROL);
	base = readq(unit->regs + AMDVI_EVTLOG);
	len = FIELD_GET(AMDVI_EVTLOG_LEN, base);
	if (base == U64_MAX || len < AMDVI_EVTLOG_LEN_MIN ||
	    !(control & AMDVI_CONTROL_LOG_EN))
		return 0;

	log->size = AMDVI_EVENT_SIZE << len;
	log->cursor = event_pointer(unit, AMDVI_EVTTAIL, log);
	log->overflowed = readl(unit->regs + AMDVI_STATUS) &
			  AMDVI_STATUS_OVERFLOW;
	log->records = memremap(__sme_clr(base & AMDVI_EVTLOG_BASE), log->size,
				MEMREMAP_WB);
	if (log->records)
		return 0;
	pr_err("%s: can't map the event log\n", unit->name);
	return -ENOMEM;
}

static void amdvi_unwatch(void)
{
	unsigned int i;

	for_each_set_bit(i, &tapped, ARRAY_SIZE(taps))
		vg_tap_remove(&taps[i]);
	tapped = 0;
	for (i = 0; logs && i < ivrs.nr_units; i++)
		if (logs[i].records)
			memunmap((void *)logs[i].records);
	kfree(logs);
	logs = NULL;
}

static int amdvi_watch(void)
{
	const struct vg_unit *unit;
	bool any = false;
	int ret = 0;

	logs = kcalloc(ivrs.nr_units, sizeof(*logs), GFP_KERNEL);
	if (!logs)
		return -ENOMEM;
	for (unit = vg_units_next(NULL); unit && !ret;
	     unit = vg_units_next(unit)) {
		ret = open_log(unit, &logs[unit->index]);
		if (logs[unit->index].records)
			any = true;
	}
	/* Nothing to see where no unit keeps a log: IOMMUs that are off. */
	if (!ret && any)
		ret = install_taps();
	if (ret)
		amdvi_unwatch();
	return ret;
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
 * Process context. With INTCAPXT the interrupt isn't the function's MSI, and
 * has no delivery mode that could be wrong (§3.4.13): it can only be off.
 */
static bool amdvi_set_right(const struct vg_unit *unit)
{
	struct vg_amdvi_state state;
	struct vg_amdvi_regs regs;
	struct pci_dev *pdev;
	bool done = true;

	if (!amdvi_read(unit, &regs))
		return false;
	amdvi_read_msi(unit, &regs);
	vg_decode_amdvi(&regs, &state);
	if (!state.readable || !state.translation ||
	    !(state.fault_nmi || state.fault_masked))
		return false;

	pdev = find_function(unit);
	if (pdev && !(regs.control & AMDVI_CONTROL_XT_EN))
		done = rewrite_msi(pdev);
	pci_dev_put(pdev);
	writeq(regs.control | AMDVI_CONTROL_LOG_EN | AMDVI_CONTROL_INT_EN,
	       unit->regs + AMDVI_CONTROL);
	if (done)
		pr_notice("%s: the event interrupt was %s: set right\n",
			  unit->name, state.fault_nmi ? "an NMI, SMI or INIT" :
							"masked");
	return done;
}

static const struct vg_unit_ops amdvi_ops = {
	.unit_facts = BIT(VG_FACT_TRANSLATION) | BIT(VG_FACT_FAULT_NMI) |
		      BIT(VG_FACT_FAULT_MASKED),
	.facts = amdvi_facts,
	.device_facts = amdvi_device_facts,
	.add_aliases = amdvi_add_aliases,
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
	.unwatch = amdvi_unwatch,
};
