// SPDX-License-Identifier: GPL-2.0
/*
 * Plays a device that does not obey: turns its bus mastering on again whenever it
 * is off, past the kernel's configuration accessors and whatever watches them.
 */
#include <linux/acpi.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pci.h>

static char *dev = "";
module_param(dev, charp, 0444);
MODULE_PARM_DESC(dev, "which device, SSSS:BB:DD.F");

static unsigned long times;
module_param(times, ulong, 0444);
MODULE_PARM_DESC(times, "how often it was on again (read only)");

static void __iomem *config;
static struct task_struct *defier;

static int defy(void *unused)
{
	while (!kthread_should_stop()) {
		u16 command = readw(config + PCI_COMMAND);

		if (!(command & PCI_COMMAND_MASTER)) {
			writew(command | PCI_COMMAND_MASTER, config + PCI_COMMAND);
			times++;
		}
		usleep_range(100, 200);
	}
	return 0;
}

/* The first segment's memory-mapped configuration space, PCI Firmware spec 4.1.2. */
static int find_config(u32 bus, u32 devfn)
{
	struct acpi_table_header *table;
	struct acpi_mcfg_allocation *segment;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MCFG, 1, &table)))
		return -ENODEV;
	segment = (void *)table + sizeof(struct acpi_table_mcfg);
	config = ioremap(segment->address + (bus << 20 | devfn << 12), PAGE_SIZE);
	acpi_put_table(table);
	return config ? 0 : -ENOMEM;
}

static int __init defiant_init(void)
{
	u32 segment, bus, slot, function;
	int ret;

	if (sscanf(dev, "%x:%x:%x.%x", &segment, &bus, &slot, &function) != 4 ||
	    segment)
		return -EINVAL;
	ret = find_config(bus, PCI_DEVFN(slot, function));
	if (ret)
		return ret;
	defier = kthread_run(defy, NULL, "vg-defiant");
	if (IS_ERR(defier)) {
		iounmap(config);
		return PTR_ERR(defier);
	}
	return 0;
}

static void __exit defiant_exit(void)
{
	kthread_stop(defier);
	iounmap(config);
}

module_init(defiant_init);
module_exit(defiant_exit);
MODULE_DESCRIPTION("Turns a device's bus mastering on behind everyone's back");
MODULE_LICENSE("GPL");
