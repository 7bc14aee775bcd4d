// SPDX-License-Identifier: GPL-2.0
/*
 * Plays a platform that latches system errors in port 61h, which QEMU's doesn't:
 * as long as it is loaded, every NMI is told to be one.
 */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/vmalloc.h>
#include <asm/mach_traps.h>
#include <asm/x86_init.h>

static unsigned char (*real)(void);

/* NMI. */
static unsigned char latched(void)
{
	return real() | NMI_REASON_SERR;
}

/* Of x86_platform, which is read-only where it is. */
static int set_reason(unsigned char (*reason)(void))
{
	void *where = &x86_platform.get_nmi_reason;
	struct page *page = pfn_to_page(PHYS_PFN(__pa_symbol(where)));
	void *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	if (!alias)
		return -ENOMEM;
	WRITE_ONCE(*(void **)(alias + offset_in_page(where)), reason);
	vunmap(alias);
	return 0;
}

static int __init vg_latch_init(void)
{
	real = x86_platform.get_nmi_reason;
	return set_reason(latched);
}

static void __exit vg_latch_exit(void)
{
	WARN_ON(set_reason(real));
	/* NMI handlers are RCU readers. */
	synchronize_rcu();
}

module_init(vg_latch_init);
module_exit(vg_latch_exit);

MODULE_DESCRIPTION("A platform whose NMIs are all system errors");
MODULE_LICENSE("GPL");
