// SPDX-License-Identifier: GPL-2.0
/*
 * Plays firmware that wants the first VT-d unit's fault event to be an NMI, and
 * makes it one again every few milliseconds, whoever has set it right.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/workqueue.h>

/* Fault event data and address registers, VT-d spec §11.4.11, §11.4.12 */
#define FEDATA		0x3c
#define FEADDR		0x40
#define FEDATA_NMI	0x400
#define FEADDR_APIC	0xfee00000

static ulong base = 0xfed90000;
module_param(base, ulong, 0444);
MODULE_PARM_DESC(base, "where the unit's registers are");

static uint period = 10;
module_param(period, uint, 0444);
MODULE_PARM_DESC(period, "how often, in milliseconds");

static void __iomem *regs;

static void rearm(struct work_struct *work);
static DECLARE_DELAYED_WORK(rearm_work, rearm);

static void rearm(struct work_struct *work)
{
	writel(FEDATA_NMI, regs + FEDATA);
	writel(FEADDR_APIC, regs + FEADDR);
	schedule_delayed_work(&rearm_work, msecs_to_jiffies(period));
}

static int __init vg_firmware_init(void)
{
	regs = ioremap(base, PAGE_SIZE);
	if (!regs)
		return -ENOMEM;
	schedule_delayed_work(&rearm_work, 0);
	return 0;
}

static void __exit vg_firmware_exit(void)
{
	cancel_delayed_work_sync(&rearm_work);
	iounmap(regs);
}

module_init(vg_firmware_init);
module_exit(vg_firmware_exit);

MODULE_DESCRIPTION("Hostile firmware: VT-d fault events are NMIs");
MODULE_LICENSE("GPL");
