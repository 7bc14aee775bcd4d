// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up and tear-down in order, and the posture report at load.
 *
 * checkpatch: MACRO_ARG_UNUSED: the lists' other expansions use it.
 */
#include <linux/module.h>

#include "arming.h"
#include "assigned.h"
#include "chipset.h"
#include "control.h"
#include "error.h"
#include "evidence.h"
#include "fault.h"
#include "firmware.h"
#include "gate.h"
#include "hold.h"
#include "nmi.h"
#include "quarantine.h"
#include "report.h"
#include "tap.h"
#include "units.h"

static char *mode = "enforce";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "enforce: refuse (default); audit: report and let through");

static char *profile = "default";
module_param(profile, charp, 0444);
MODULE_PARM_DESC(profile, "which reasons deny: default or strict");

static char *quarantine = "until-release";
module_param(quarantine, charp, 0444);
MODULE_PARM_DESC(quarantine, "how a device gets free again: until-release (default) by the administrator; until-reset: by a reset that works, at the next open");

static uint dma_fault_limit = 10;
module_param(dma_fault_limit, uint, 0444);
MODULE_PARM_DESC(dma_fault_limit, "DMA faults in a burst that stop a device (10); half a burst is forgotten in 10 ms");

static uint irq_fault_limit = 2;
module_param(irq_fault_limit, uint, 0444);
MODULE_PARM_DESC(irq_fault_limit, "interrupt faults in a burst that stop a device (2); half a burst is forgotten in 1 s");

static uint pcie_error_limit = 3;
module_param(pcie_error_limit, uint, 0444);
MODULE_PARM_DESC(pcie_error_limit, "uncorrectable PCIe errors in a burst that stop a device (3), half a burst is forgotten in 10 s; a fatal one always does");

static uint pcie_noise_limit = 100;
module_param(pcie_noise_limit, uint, 0444);
MODULE_PARM_DESC(pcie_noise_limit, "correctable PCIe errors in a burst that are the last a device reports (100); half a burst is forgotten in 1 s");

static bool prevent = true;
module_param(prevent, bool, 0444);
MODULE_PARM_DESC(prevent, "set right what would make NMIs or system errors of faults (Y); N: judge it as it is");

static ushort nmi_claim_limit = 8;
module_param(nmi_claim_limit, ushort, 0444);
MODULE_PARM_DESC(nmi_claim_limit, "NMIs a minute that may be explained by a fault of an assigned device (8); all others go to the kernel");

#define WORD(id, name) " " name

static int __init read_limit(const char *name, uint value, u32 half_life_us,
			     struct vg_storm_limit *limit)
{
	if (!value || value > VG_STORM_LIMIT_MAX) {
		pr_err("%s=%u is not between 1 and %u\n", name, value,
		       VG_STORM_LIMIT_MAX);
		return -EINVAL;
	}
	limit->limit = value;
	limit->half_life_us = half_life_us;
	return 0;
}

static int __init read_limits(struct vg_policy *policy)
{
	int ret;

	ret = read_limit("dma_fault_limit", dma_fault_limit,
			 10 * USEC_PER_MSEC, &policy->storm[VG_FAULT_DMA]);
	if (!ret)
		ret = read_limit("irq_fault_limit", irq_fault_limit,
				 USEC_PER_SEC, &policy->storm[VG_FAULT_IRQ]);
	/* Some 70 faults a second are a storm, too, if they go on. */
	policy->steady.limit = min_t(uint, 10 * dma_fault_limit,
				     VG_STORM_LIMIT_MAX);
	policy->steady.half_life_us = USEC_PER_SEC;
	if (!ret)
		ret = read_limit("pcie_error_limit", pcie_error_limit,
				 10 * USEC_PER_SEC, &policy->error);
	if (!ret)
		ret = read_limit("pcie_noise_limit", pcie_noise_limit,
				 USEC_PER_SEC, &policy->noise);
	return ret;
}

static int __init read_policy(struct vg_policy *policy)
{
	int ret;

	ret = vg_mode_find(mode);
	if (ret < 0) {
		pr_err("mode=%.32s is not one of:" VFIO_GUARD_MODES(WORD) "\n",
		       mode);
		return ret;
	}
	policy->mode = ret;

	ret = vg_profile_find(profile);
	if (ret < 0) {
		pr_err("profile=%.32s is not one of:"
		       VFIO_GUARD_PROFILES(WORD) "\n", profile);
		return ret;
	}
	policy->profile = ret;

	if (!strcmp(quarantine, "until-reset")) {
		policy->until_reset = true;
	} else if (strcmp(quarantine, "until-release")) {
		pr_err("quarantine=%.32s is not one of: until-release until-reset\n",
		       quarantine);
		return -EINVAL;
	}
	/* An audit changes nothing on the host. */
	policy->prevent = prevent && policy->mode != VFIO_GUARD_MODE_AUDIT;
	policy->nmi_claims = nmi_claim_limit;
	return read_limits(policy);
}

static void __init report_posture(const struct vg_policy *policy)
{
	const struct vg_unit *unit = vg_units_next(NULL);

	do {
		struct vg_verdict verdict;
		struct vg_evidence ev;

		vg_evidence_of_unit(unit, &ev);
		vg_verdict_decide(&ev, policy, &verdict);
		vg_report_posture(unit, &ev, policy, &verdict);
		if (unit)
			unit = vg_units_next(unit);
	} while (unit);
}

static int __init vfio_guard_init(void)
{
	struct vg_policy policy = {};
	int ret;

	ret = read_policy(&policy);
	if (ret)
		return ret;
	ret = vg_firmware_init();
	if (ret)
		return ret;
	ret = vg_units_init();
	if (ret)
		goto err_firmware;
	ret = vg_assigned_init();
	if (ret)
		goto err_units;
	vg_fault_init(&policy);
	ret = vg_quarantine_init();
	if (ret)
		goto err_assigned;
	ret = vg_units_watch();
	if (ret)
		goto err_watch;
	ret = vg_nmi_init(&policy);
	if (ret)
		goto err_watch;
	vg_error_init(&policy);
	ret = vg_tap_start();
	if (ret)
		goto err_nmi;
	vg_chipset_arm(&policy);
	report_posture(&policy);
	if (policy.prevent && vg_units_set_right())
		report_posture(&policy);
	vg_chipset_report();
	vg_firmware_report();
	ret = vg_gate_init(&policy);
	if (ret)
		goto err_chipset;

	vg_gate_survey();
	vg_control_init();
	return 0;

err_chipset:
	vg_chipset_restore();
err_nmi:
	vg_nmi_exit();
err_watch:
	vg_tap_stop();
	vg_error_exit();
	vg_quarantine_exit();
err_assigned:
	vg_assigned_exit();
err_units:
	vg_units_exit();
err_firmware:
	vg_firmware_exit();
	return ret;
}

static void __exit vfio_guard_exit(void)
{
	unsigned long open;

	vg_control_exit();
	vg_nmi_exit();
	/* Nothing is taken in any more, so nothing is quarantined any more. */
	vg_tap_stop();
	vg_error_exit();
	/* Nobody may open a device whose bus is still held in reset. */
	vg_quarantine_exit();
	vg_gate_exit();
	open = vg_assigned_exit();
	vg_hold_exit();
	vg_arming_exit();
	vg_chipset_restore();
	vg_report_exit();
	vg_units_exit();
	vg_firmware_exit();
	if (open)
		pr_warn("unloaded with %lu device%s open, unguarded from now on\n",
			open, open == 1 ? "" : "s");
}

module_init(vfio_guard_init);
module_exit(vfio_guard_exit);

MODULE_DESCRIPTION("Contain VFIO-assigned PCI devices, or refuse them");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
