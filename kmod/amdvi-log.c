// SPDX-License-Identifier: GPL-2.0
/* AMD-Vi: the event log, looked on as the IOMMU driver reads it. */
#include <linux/bitfield.h>
#include <linux/delay.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/ktime.h>
#include <linux/mem_encrypt.h>
#include <linux/slab.h>

#include "amdvi.h"
#include "core/decode.h"
#include "fault.h"
#include "tap.h"

/* The log's base register, its pointers, EventOverflow, AMD IOMMU spec §3.4 */
#define AMDVI_EVTLOG		0x0010
#define AMDVI_EVTLOG_BASE	GENMASK_ULL(51, 12)
#define AMDVI_EVTLOG_LEN	GENMASK_ULL(59, 56)
#define AMDVI_EVTLOG_LEN_MIN	8
#define AMDVI_EVTHEAD		0x2010
#define AMDVI_EVTTAIL		0x2018
#define AMDVI_EVTPTR_MASK	GENMASK(18, 4)
#define AMDVI_STATUS		0x2020
#define AMDVI_STATUS_OVERFLOW	BIT(0)

/* A record of the event log (§2.5), of which no event code is 0 */
#define AMDVI_EVENT_WORDS	2
#define AMDVI_EVENT_SIZE	(AMDVI_EVENT_WORDS * sizeof(u64))
#define AMDVI_EVENT_CODE	GENMASK_ULL(63, 60)

/*
 * How long one intake waits for records that the tail pointer has overtaken.
 * The IOMMU driver has up to 100 ms for each; it waits with interrupts on.
 */
#define AMDVI_EVENT_WAIT_US	100

/* Records that an NMI looks at: as many as Linux's log has, but with SNP. */
#define AMDVI_LOOK_MAX		512

/**
 * struct amdvi_log - what we have seen of a unit's event log
 * @records: the log, or NULL if the unit keeps none
 * @size: of the log in bytes, a power of two
 * @lock: for @cursor and @overflowed; held until all records that were claimed
 *	  have been read, so that no tap returns, and lets the kernel clear them,
 *	  while another one still reads. In NMI @cursor is read without it
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
 * By vg_unit.index. Written by vg_amdvi_log_watch() before the first tap, and
 * by vg_amdvi_log_unwatch() after the last one.
 */
static struct amdvi_log *logs;
static u32 nr_logs;

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
	WRITE_ONCE(log->cursor, head);
	return (unseen - unread) / AMDVI_EVENT_SIZE;
}

static void hand_on(const struct vg_unit *unit, const struct vg_fault *fault,
		    u64 when, bool grave)
{
	if (grave)
		vg_fault_note_grave(unit, fault);
	else
		vg_fault_note_at(unit, fault, when);
}

/*
 * Take in what is pending, and what comes meanwhile, or the driver would find
 * records that were not seen. How many were lost.
 */
static u32 take_events(const struct vg_unit *unit, struct amdvi_log *log,
		       bool grave)
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
			hand_on(unit, &fault, now, grave);
		}
		WRITE_ONCE(log->cursor, (log->cursor + AMDVI_EVENT_SIZE) &
					(log->size - 1));
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
static void intake(const struct vg_unit *unit, bool grave)
{
	struct amdvi_log *log = &logs[unit->index];
	unsigned long flags;
	bool overflow;
	u32 lost, status;

	if (!log->records)
		return;
	raw_spin_lock_irqsave(&log->lock, flags);
	status = readl(unit->regs + AMDVI_STATUS);
	if (status == U32_MAX) {
		/* Nobody answers. */
		raw_spin_unlock_irqrestore(&log->lock, flags);
		return;
	}
	lost = take_events(unit, log, grave);
	/* How many did not fit is not known: one at least. */
	overflow = status & AMDVI_STATUS_OVERFLOW;
	if (overflow && !log->overflowed)
		lost++;
	log->overflowed = overflow;
	raw_spin_unlock_irqrestore(&log->lock, flags);
	if (lost)
		vg_fault_lost(lost);
}

/**
 * vg_amdvi_log_collect() - take in records that no interrupt tells of
 * @unit: the unit
 *
 * As when it does, but their devices are stopped at once. No more than
 * the log holds, and not one that isn't written yet: the rest is taken in when
 * the driver reads it.
 *
 * Context: hard irq; the log is watched.
 */
void vg_amdvi_log_collect(const struct vg_unit *unit)
{
	intake(unit, true);
}

/*
 * Does one of the records in the last @bytes before @tail tell of an assigned
 * device?
 */
static bool look(const struct vg_unit *unit, const struct amdvi_log *log,
		 u32 tail, u32 bytes)
{
	u32 left = AMDVI_LOOK_MAX;

	for (; bytes && left; bytes -= AMDVI_EVENT_SIZE, left--) {
		u32 at = (tail - bytes) & (log->size - 1);
		struct vg_fault fault;
		u32 event[4];

		if (read_event(log->records + at / sizeof(u64), event) &&
		    vg_decode_amdvi_event(event, &fault) &&
		    vg_fault_is_ours(unit, &fault))
			return true;
	}
	return false;
}

/**
 * vg_amdvi_log_pending() - is there a record of an assigned device that nobody
 * has read, neither we nor the IOMMU driver?
 * @unit: the unit
 *
 * Without the lock, which the interrupted code may hold: the cursor is one
 * word, and what it has not come to yet is not cleared.
 *
 * Context: any, NMI too; the log is watched.
 * Return: true if there is one. Costs one read of a register if the log is
 *	   empty.
 */
bool vg_amdvi_log_pending(const struct vg_unit *unit)
{
	const struct amdvi_log *log = &logs[unit->index];
	u32 mask = log->size - 1;
	u32 cursor, head, tail;

	if (!log->records)
		return false;
	cursor = READ_ONCE(log->cursor);
	if (event_pointer(unit, AMDVI_EVTTAIL, log) == cursor)
		return false;
	/* In the order, and for the reason, of take_events(). */
	head = event_pointer(unit, AMDVI_EVTHEAD, log);
	tail = event_pointer(unit, AMDVI_EVTTAIL, log);
	/* A unit that doesn't answer has pointers, too. */
	if (readl(unit->regs + AMDVI_STATUS) == U32_MAX)
		return false;
	return look(unit, log, tail,
		    min((tail - head) & mask, (tail - cursor) & mask));
}

/**
 * vg_amdvi_log_is_watched() - are the unit's records taken in?
 * @unit: the unit
 *
 * Context: any.
 * Return: false if the driver gave it no log.
 */
bool vg_amdvi_log_is_watched(const struct vg_unit *unit)
{
	return logs[unit->index].records;
}

/* Its arguments are private to the IOMMU driver, so all units are looked at. */
static void event_interrupt(unsigned long arg0, unsigned long arg1)
{
	const struct vg_unit *unit;

	for (unit = vg_units_next(NULL); unit; unit = vg_units_next(unit))
		intake(unit, false);
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

static int add_taps(void)
{
	int ret = -EINVAL;
	size_t i;

	/* One of them is enough. */
	for (i = 0; i < ARRAY_SIZE(taps); i++)
		if (!vg_tap_add(&taps[i]))
			ret = 0;
	if (ret)
		pr_err("this kernel has no AMD event handler that can be looked on\n");
	return ret;
}

/*
 * What is pending by now is from before our time. A log that is off may be
 * switched on again, see amdvi_set_right().
 */
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
	    !(control & AMDVI_CONTROL_IOMMU_EN))
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

/**
 * vg_amdvi_log_unwatch() - let the logs go
 *
 * Context: process, may sleep; no tap and no NMI asks for them any more.
 */
void vg_amdvi_log_unwatch(void)
{
	u32 i;

	for (i = 0; i < nr_logs; i++)
		if (logs[i].records)
			memunmap((void *)logs[i].records);
	kfree(logs);
	logs = NULL;
	nr_logs = 0;
}

/**
 * vg_amdvi_log_watch() - look on as the IOMMU driver reads its event logs
 * @nr_units: how many units there are
 *
 * Context: process, may sleep.
 * Return: 0, or an errno (logged) if a log or the driver can't be looked on.
 */
int vg_amdvi_log_watch(u32 nr_units)
{
	const struct vg_unit *unit;
	bool any = false;
	int ret = 0;

	logs = kcalloc(nr_units, sizeof(*logs), GFP_KERNEL);
	if (!logs)
		return -ENOMEM;
	nr_logs = nr_units;
	for (unit = vg_units_next(NULL); unit && !ret;
	     unit = vg_units_next(unit)) {
		ret = open_log(unit, &logs[unit->index]);
		if (logs[unit->index].records)
			any = true;
	}
	/* Nothing to see where no unit keeps a log: IOMMUs that are off. */
	if (!ret && any)
		ret = add_taps();
	if (ret)
		vg_amdvi_log_unwatch();
	return ret;
}
