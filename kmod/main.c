// SPDX-License-Identifier: GPL-2.0
/*
 * Bring-up and tear-down in order, and the posture report at load.
 *
 * checkpatch: MACRO_ARG_UNUSED: the lists' other expansions use it.
 */
#include <linux/module.h>

#include "assigned.h"
#include "evidence.h"
#include "gate.h"
#include "report.h"
#include "units.h"

static char *mode = "enforce";
module_param(mode, charp, 0444);
MODULE_PARM_DESC(mode, "enforce: refuse (default); audit: report and let through");

static char *profile = "default";
module_param(profile, charp, 0444);
MODULE_PARM_DESC(profile, "which reasons deny: default or strict");

#define WORD(id, name) " " name

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
	return 0;
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
	struct vg_policy policy;
	int ret;

	ret = read_policy(&policy);
	if (ret)
		return ret;
	ret = vg_units_init();
	if (ret)
		return ret;
	ret = vg_gate_init(&policy);
	if (ret)
		goto err_units;

	report_posture(&policy);
	vg_gate_survey();
	return 0;

err_units:
	vg_units_exit();
	return ret;
}

static void __exit vfio_guard_exit(void)
{
	unsigned long open;

	vg_gate_exit();
	open = vg_assigned_clear();
	vg_report_exit();
	vg_units_exit();
	if (open)
		pr_warn("unloaded with %lu device%s open, unguarded from now on\n",
			open, open == 1 ? "" : "s");
}

module_init(vfio_guard_init);
module_exit(vfio_guard_exit);

MODULE_DESCRIPTION("Contain VFIO-assigned PCI devices, or refuse them");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
