// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs that a fault of an assigned device explains.
 *
 * They are claimed in the NMI_LOCAL chain, which the kernel asks first: the
 * chain for system errors warns of a second handler, and in that for unknown
 * NMIs others (hpwdt) make a panic of them.
 */
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>
#include <asm/mach_traps.h>
#include <asm/nmi.h>

#include "assigned.h"
#include "nmi.h"
#include "report.h"
#include "units.h"

/* Claims are limited by the minute: its number, and how many it has seen. */
#define MINUTE_NS	(60 * NSEC_PER_SEC)
#define CLAIM_BITS	16
#define CLAIM_MASK	(BIT(CLAIM_BITS) - 1)

/* Set before the handler is registered, read-only from then on. */
static struct vg_policy policy;

static atomic64_t claims;
static atomic64_t claimed;

/* NMI. The first minute is number one, so that a zero is an old one. */
static bool may_claim(void)
{
	u64 minute = div64_u64(ktime_get_mono_fast_ns(), MINUTE_NS) + 1;
	s64 old = atomic64_read(&claims);
	u64 n;

	do {
		n = (u64)old >> CLAIM_BITS == minute ? old & CLAIM_MASK : 0;
		if (n >= policy.nmi_claims)
			return false;
	} while (!atomic64_try_cmpxchg(&claims, &old,
				       minute << CLAIM_BITS | (n + 1)));
	return true;
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

	while ((unit = vg_units_next(unit))) {
		done &= unit->ops->collect(unit);
		if (policy.prevent)
			unit->ops->set_right(unit);
	}
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

/* NMI. Does this NMI tell of a fault of an assigned device? */
static bool explains(const struct vg_unit *unit, u8 *reason)
{
	/* One read of a register, for the many NMIs that are not ours. */
	if (!unit->ops->pending(unit, true))
		return false;
	*reason = inb(NMI_REASON_PORT);
	return *reason & NMI_REASON_SERR || unit->ops->pending(unit, false);
}

/*
 * NMI: no locks; registers of the units, port 61h and the registry are read.
 *
 * An NMI is ours if a fault of an assigned device is pending on a unit that
 * makes NMIs of its faults, or that the platform made a system error of. All
 * others are left to the kernel, and so is one too many.
 */
static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	const struct vg_unit *unit = NULL;
	bool ours = false;
	u8 reason;

	if (!vg_assigned_any())
		return NMI_DONE;
	while (!ours && (unit = vg_units_next(unit)))
		ours = explains(unit, &reason);
	if (!ours || !may_claim())
		return NMI_DONE;

	if (reason & NMI_REASON_SERR)
		clear_serr(reason);
	atomic64_inc(&claimed);
	irq_work_queue(&collect_work);
	return NMI_HANDLED;
}

/**
 * vg_nmi_init() - begin to claim NMIs that a fault explains
 * @in_force: the policy
 *
 * Context: process, may sleep; the units are watched.
 * Return: 0 or an errno.
 */
int vg_nmi_init(const struct vg_policy *in_force)
{
	policy = *in_force;
	if (policy.mode == VFIO_GUARD_MODE_AUDIT)
		return 0;
	return register_nmi_handler(NMI_LOCAL, on_nmi, 0, "vfio-guard");
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
	unregister_nmi_handler(NMI_LOCAL, "vfio-guard");
	irq_work_sync(&collect_work);
	cancel_work_sync(&report_work);
}
