// SPDX-License-Identifier: GPL-2.0
/*
 * Plays a CPU that an NMI reaches late, as one that was in System Management Mode:
 * CPU 0 waits until the others have had theirs, and a while longer.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/nmi.h>

/* At most, in microseconds; and what the others need to deal with theirs. */
#define LIMIT	100000
#define AFTER	2000

static bool seen;

/* NMI, before all other handlers. */
static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	unsigned int us;

	if (smp_processor_id()) {
		WRITE_ONCE(seen, true);
		return NMI_DONE;
	}
	for (us = 0; us < LIMIT && !READ_ONCE(seen); us++)
		udelay(1);
	udelay(AFTER);
	WRITE_ONCE(seen, false);
	return NMI_DONE;
}

static int __init vg_late_init(void)
{
	return register_nmi_handler(NMI_LOCAL, on_nmi, NMI_FLAG_FIRST, "vg-late");
}

static void __exit vg_late_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "vg-late");
}

module_init(vg_late_init);
module_exit(vg_late_exit);

MODULE_DESCRIPTION("A CPU that NMIs reach late");
MODULE_LICENSE("GPL");
