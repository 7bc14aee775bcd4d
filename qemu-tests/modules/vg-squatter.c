// SPDX-License-Identifier: GPL-2.0
/* A test's rival: takes the function that vfio-guard needs for itself. */
#include <linux/ftrace.h>
#include <linux/module.h>

static void squat(unsigned long ip, unsigned long parent_ip,
		  struct ftrace_ops *op, struct ftrace_regs *fregs)
{
}

static struct ftrace_ops squatter = {
	.func = squat,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init squatter_init(void)
{
	char name[] = "vfio_pci_core_enable";
	int ret = ftrace_set_filter(&squatter, name, strlen(name), 1);

	if (!ret)
		ret = register_ftrace_function(&squatter);
	if (ret)
		ftrace_free_filter(&squatter);
	return ret;
}

static void __exit squatter_exit(void)
{
	unregister_ftrace_function(&squatter);
	ftrace_free_filter(&squatter);
}

module_init(squatter_init);
module_exit(squatter_exit);
MODULE_DESCRIPTION("Takes vfio_pci_core_enable() for itself");
MODULE_LICENSE("GPL");
