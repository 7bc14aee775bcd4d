// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs that a fault or an error of an assigned device explains.
 *
 * What an IOMMU's record explains, or what comes as a system error, is claimed in
 * the NMI_LOCAL chain, which the kernel asks first: the chain for system errors
 * warns of a second handler, and others there (hpwdt) make a panic of all. An
 * NMI that tells no reason is looked into when nobody else knows it.
 */
#include <linux/bitmap.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>
#include <asm/mach_traps.h>
#include <asm/nmi.h>
#include <asm/x86_init.h>

#include "assigned.h"
#include "core/storm.h"
#include "error.h"
#include "fault.h"
#include "nmi.h"
#include "report.h"
#include "units.h"

/* Claims are limited by the minute: its number, and how many it has seen. */
#define MINUTE_NS	(60 * NSEC_PER_SEC)
#define CLAIM_BITS	16
#define CLAIM_MASK	(BIT(CLAIM_BITS) - 1)

/* Set before the handler is registered, read-only from then on. */
static struct vg_policy policy;

/* An NMI that all CPUs got is claimed by each, and counts once. */
#define BROADCAST_NS	((s64)(10 * NSEC_PER_MSEC))

/* It may reach one of them late, as out of System Management Mode. */
#define LATE_NS		((s64)NSEC_PER_SEC)

/* Units that can be told from each other; a large host has some tens. */
#define UNITS_MAX	256

/*
 * What explains an NMI: a unit, by vg_unit.index; a PCIe error; or a fault that
 * an interrupt has told of before.
 */
#define REASON_ERROR	UNITS_MAX
#define REASON_FAULT	(UNITS_MAX + 1)
#define NR_REASONS	(UNITS_MAX + 2)

static atomic64_t claims;
static atomic64_t claimed;

/* Monotonic clock at the last claim that was counted as one of its minute. */
static atomic64_t counted_ns;

/* What that was when this CPU claimed last. */
static DEFINE_PER_CPU(s64, answered_ns);

/* What explained the NMIs that have been claimed, and is to be taken in. */
static DECLARE_BITMAP(to_collect, NR_REASONS);

/* NMI. Has one just been counted, at @now or, by another CPU, a bit later? */
static bool is_counted(s64 now)
{
	return vg_is_recent(atomic64_read(&counted_ns), now, BROADCAST_NS);
}

/* NMI. The first minute is number one, so that a zero is an old one. */
static bool may_claim(void)
{
	u64 now = ktime_get_mono_fast_ns();
	u64 minute = div64_u64(now, MINUTE_NS) + 1;
	s64 old = atomic64_read(&claims);
	u64 n;

	if (is_counted(now))
		return true;
	do {
		n = (u64)old >> CLAIM_BITS == minute ? old & CLAIM_MASK : 0;
		/* The last one may have been this one, on another CPU. */
		if (n >= policy.nmi_claims)
			return is_counted(now);
	} while (!atomic64_try_cmpxchg(&claims, &old,
				       minute << CLAIM_BITS | (n + 1)));
	atomic64_set(&counted_ns, now);
	return true;
}

/*
 * NMI that nothing explains. If another CPU has claimed one just now and this one
 * hasn't, it is that one, whose reason has been dealt with since. Which NMIs all
 * CPUs get can't be known: at worst it was another's, once on each other CPU for
 * each that is counted.
 */
static bool came_late(void)
{
	s64 counted = atomic64_read(&counted_ns);

	return vg_is_recent(counted, ktime_get_mono_fast_ns(), LATE_NS) &&
	       this_cpu_read(answered_ns) != counted;
}

static unsigned int reason_of(const struct vg_unit *unit)
{
	return min_t(u32, unit->index, UNITS_MAX - 1);
}

/* Process context. */
static void report_claims(struct work_struct *work)
{
	vg_report_nmi_claimed(atomic64_read(&claimed));
}

static DECLARE_WORK(report_work, report_claims);

static void collect(struct irq_work *work);
static DEFINE_IRQ_WORK(collect_work, collect);

/* Hard irq, right after the NMI: what its handler could not do. */
static void collect(struct irq_work *work)
{
	const struct vg_unit *unit = NULL;
	bool done = true;

	/* All else that is pending is an interrupt's business, or AER's. */
	while ((unit = vg_units_next(unit))) {
		if (test_and_clear_bit(reason_of(unit), to_collect) &&
		    !unit->ops->collect(unit)) {
			set_bit(reason_of(unit), to_collect);
			done = false;
		}
		if (policy.prevent)
			unit->ops->set_right(unit);
	}
	if (test_and_clear_bit(REASON_ERROR, to_collect))
		vg_error_collect();
	if (test_and_clear_bit(REASON_FAULT, to_collect))
		vg_fault_collect();
	queue_work(system_unbound_wq, &report_work);
	if (!done)
		irq_work_queue(work);
}

/*
 * Clear the latch of port 61h and let it latch again, as io_check_error()
 * does but without its two seconds: the error is accounted for.
 */
static void clear_serr(u8 reason)
{
	reason = (reason & NMI_REASON_CLEAR_MASK) | NMI_REASON_CLEAR_SERR;
	outb(reason, NMI_REASON_PORT);
	outb(reason & ~NMI_REASON_CLEAR_SERR, NMI_REASON_PORT);
}

/* NMI. A fault of an assigned device is pending on a unit. */
static bool unit_explains(const struct vg_unit *unit, u8 reason)
{
	return unit->ops->pending(unit, true) &&
	       (reason & NMI_REASON_SERR || unit->ops->pending(unit, false));
}

/* NMI. A system error that no unit's records explain. */
static void explain_serr(unsigned long *why)
{
	if (vg_error_explains(true))
		__set_bit(REASON_ERROR, why);
	else if (vg_fault_explains())
		__set_bit(REASON_FAULT, why);
}

static int claim(const unsigned long *why)
{
	unsigned int i;

	for_each_set_bit(i, why, NR_REASONS)
		set_bit(i, to_collect);
	this_cpu_write(answered_ns, atomic64_read(&counted_ns));
	atomic64_inc(&claimed);
	irq_work_queue(&collect_work);
	return NMI_HANDLED;
}

/*
 * NMI: no locks; registers of the units and of devices, port 61h and the
 * registry are read.
 *
 * An NMI is ours if a fault of an assigned device is pending on a unit that
 * makes NMIs of its faults; or if the platform made a system error of such a
 * fault, or of a PCI error of the device. All others are left to the kernel, and
 * so is one too many. Most are others' (perf): they cost a register of each unit,
 * and the port.
 */
static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	DECLARE_BITMAP(why, NR_REASONS) = {};
	const struct vg_unit *unit = NULL;
	u8 reason;

	if (!vg_assigned_any())
		return NMI_DONE;
	reason = x86_platform.get_nmi_reason();
	/* Two units' NMIs may have become one. */
	while ((unit = vg_units_next(unit)))
		if (unit_explains(unit, reason))
			__set_bit(reason_of(unit), why);
	if (reason & NMI_REASON_SERR && bitmap_empty(why, NR_REASONS))
		explain_serr(why);
	if (bitmap_empty(why, NR_REASONS) || !may_claim())
		return NMI_DONE;

	if (reason & NMI_REASON_SERR)
		clear_serr(reason);
	return claim(why);
}

/*
 * NMI, as above, with no reason in port 61h, and nobody in NMI_LOCAL knew one.
 * Platforms differ in whether a system error is latched there; and its reason
 * may have been dealt with on another CPU.
 */
static int on_unknown_nmi(unsigned int type, struct pt_regs *regs)
{
	DECLARE_BITMAP(why, NR_REASONS) = {};
	bool late;

	if (!vg_assigned_any())
		return NMI_DONE;
	late = came_late();
	if (vg_error_explains(!late))
		__set_bit(REASON_ERROR, why);
	if (bitmap_empty(why, NR_REASONS) ? !late : !may_claim())
		return NMI_DONE;
	return claim(why);
}

/**
 * vg_nmi_init() - begin to claim NMIs that a fault or an error explains
 * @in_force: the policy
 *
 * Context: process, may sleep; the units are watched.
 * Return: 0 or an errno.
 */
int vg_nmi_init(const struct vg_policy *in_force)
{
	int ret;

	policy = *in_force;
	if (policy.mode == VFIO_GUARD_MODE_AUDIT)
		return 0;
	ret = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "vfio-guard");
	if (ret)
		return ret;
	ret = register_nmi_handler(NMI_UNKNOWN, on_unknown_nmi, 0,
				   "vfio-guard");
	if (ret)
		unregister_nmi_handler(NMI_LOCAL, "vfio-guard");
	return ret;
}

/**
 * vg_nmi_exit() - leave all NMIs to the kernel
 *
 * Context: process, may sleep; units are watched still.
 */
void vg_nmi_exit(void)
{
	if (policy.mode == VFIO_GUARD_MODE_AUDIT)
		return;
	/* Waits for handlers that are under way. */
	unregister_nmi_handler(NMI_UNKNOWN, "vfio-guard");
	unregister_nmi_handler(NMI_LOCAL, "vfio-guard");
	irq_work_sync(&collect_work);
	cancel_work_sync(&report_work);
}
