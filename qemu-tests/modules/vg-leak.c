// SPDX-License-Identifier: GPL-2.0
/* Loses memory, for the harness to notice. */
#include <linux/module.h>
#include <linux/slab.h>

static int __init vg_leak_init(void)
{
	int i;

	/* The last one's address may be left on a stack. */
	for (i = 0; i < 10; i++)
		if (!kmalloc(64, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static void __exit vg_leak_exit(void)
{
}

module_init(vg_leak_init);
module_exit(vg_leak_exit);

MODULE_DESCRIPTION("Memory that is lost");
MODULE_LICENSE("GPL");
