/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernel versions, under the newest kernel's names.
 *
 * checkpatch: LINUX_VERSION_CODE, CONSTANT_COMPARISON: this is the one place.
 */
#ifndef VG_COMPAT_H
#define VG_COMPAT_H

#include <linux/device.h>
#include <linux/ftrace.h>
#include <linux/iommu.h>
#include <linux/irqnr.h>
#include <linux/msi.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)

/*
 * Macros in the newer kernels too, so that the arguments' types stay open.
 * Full pt_regs aren't needed: arguments and IP are always there on x86-64.
 */
#define ftrace_regs_get_argument(fregs, n)				\
	regs_get_kernel_argument(&(fregs)->regs, n)
#define ftrace_regs_set_instruction_pointer(fregs, ip)			\
	ftrace_instruction_pointer_set(fregs, ip)

/* The same question as it was asked before irq domains knew the answer. */
static inline bool msi_device_has_isolated_msi(struct device *dev)
{
	return device_iommu_capable(dev, IOMMU_CAP_INTR_REMAP);
}

#endif /* < 6.3 */

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)

static inline unsigned int irq_get_nr_irqs(void)
{
	return nr_irqs;
}

#endif /* < 6.13 */

#endif /* VG_COMPAT_H */
