// SPDX-License-Identifier: GPL-2.0
/* Plays firmware that granted the kernel Downstream Port Containment by _OSC. */
#include <linux/module.h>
#include <linux/pci.h>

static struct pci_host_bridge *host;
static unsigned int was_native;

static int __init dpc_init(void)
{
	struct pci_bus *root = pci_find_bus(0, 0);

	if (!root)
		return -ENODEV;
	host = pci_find_host_bridge(root);
	was_native = host->native_dpc;
	host->native_dpc = 1;
	return 0;
}

static void __exit dpc_exit(void)
{
	host->native_dpc = was_native;
}

module_init(dpc_init);
module_exit(dpc_exit);
MODULE_DESCRIPTION("Has the first host bridge's DPC be the kernel's");
MODULE_LICENSE("GPL");
