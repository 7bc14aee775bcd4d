// SPDX-License-Identifier: GPL-2.0
/* The only way in: interposition on VFIO's device open and close. */
#include <linux/delay.h>
#include <linux/ftrace.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/vfio_pci_core.h>

#include "arming.h"
#include "assigned.h"
#include "chipset.h"
#include "compat.h"
#include "evidence.h"
#include "gate.h"
#include "quarantine.h"
#include "report.h"
#include "units.h"

#if !defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS) && \
	!defined(CONFIG_DYNAMIC_FTRACE_WITH_REGS)
#error "vfio-guard needs ftrace that can redirect a function (DYNAMIC_FTRACE)"
#endif

/* A BPF trampoline on the function may hold us off for a moment. */
#define HOOK_TRIES	20
#define HOOK_WAIT_MS	10

/* Whoever probes or resets a device has it locked for a second, perhaps. */
#define LOCK_TRIES	100
#define LOCK_WAIT_MS	20

/**
 * struct hook - a function of VFIO's that ours stands in for
 * @name: its name, for messages
 * @addr: its address, from the exported symbol
 * @ours: the function that is called instead
 * @ops: the redirection
 */
struct hook {
	const char *name;
	unsigned long addr;
	unsigned long ours;
	struct ftrace_ops ops;
};

/**
 * struct own_call - a call of ours to the function we stand in for
 * @node: in own_calls
 * @task: who makes it
 * @vdev: for which device
 *
 * On the caller's stack for as long as the call lasts. A return address would
 * tell our own calls too, but not if the compiler makes them tail calls.
 */
struct own_call {
	struct list_head node;
	struct task_struct *task;
	struct vfio_pci_core_device *vdev;
};

/*
 * Protects own_calls; taken in process context and by the ftrace callback,
 * which may not sleep: raw, for kernels on which other spinlocks do.
 */
static DEFINE_RAW_SPINLOCK(own_calls_lock);
static LIST_HEAD(own_calls);

/* Held by whoever is inside a function of ours that VFIO calls. */
DEFINE_STATIC_SRCU(inside);

/* Set before the hooks are, read-only while they stand. */
static struct vg_policy policy;

static void own_call_begin(struct own_call *call,
			   struct vfio_pci_core_device *vdev)
{
	call->task = current;
	call->vdev = vdev;
	raw_spin_lock(&own_calls_lock);
	list_add(&call->node, &own_calls);
	raw_spin_unlock(&own_calls_lock);
}

static void own_call_end(struct own_call *call)
{
	raw_spin_lock(&own_calls_lock);
	list_del(&call->node);
	raw_spin_unlock(&own_calls_lock);
}

static bool notrace is_own_call(unsigned long vdev)
{
	struct own_call *call;
	bool own = false;

	raw_spin_lock(&own_calls_lock);
	list_for_each_entry(call, &own_calls, node) {
		if (call->task == current &&
		    (unsigned long)call->vdev == vdev) {
			own = true;
			break;
		}
	}
	raw_spin_unlock(&own_calls_lock);
	return own;
}

/* At the entry of the function: process context, preemption off. */
static void notrace redirect(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct hook *hook = container_of(ops, struct hook, ops);

	if (!is_own_call(ftrace_regs_get_argument(fregs, 0)))
		ftrace_regs_set_instruction_pointer(fregs, hook->ours);
}

/*
 * Judge and report. @found is the fact that makes it too late to refuse, for a
 * device found at load; VG_NR_FACTS when current is about to open it.
 */
static bool judge(struct pci_dev *pdev, enum vg_fact_id found)
{
	struct vg_decision decision = {
		.pdev = pdev,
		.policy = policy,
		.opener = found == VG_NR_FACTS,
	};
	struct vg_evidence ev;

	vg_evidence_gather(pdev, &ev, &decision.unit);
	if (!decision.opener)
		vg_fact_set(&ev, found, VG_YES, VG_SOURCE_KERNEL);
	vg_verdict_decide(&ev, &policy, &decision.verdict);
	vg_report_decision(&decision);
	return !decision.verdict.refuse;
}

/* What could escalate goes off before anybody judges whether it is off. */
static int arm_path(struct pci_dev *pdev)
{
	int held;

	vg_chipset_arm(&policy);
	vg_chipset_report();
	held = policy.prevent ? vg_arming_get(pdev) : 0;
	if (held < 0)
		pci_err(pdev, "vfio-guard: can't arm the device's path: %d\n",
			held);
	return held;
}

static void disarm_path(struct pci_dev *pdev)
{
	if (policy.prevent)
		vg_arming_put(pdev);
}

static int register_device(struct pci_dev *pdev, u16 held)
{
	int ret = vg_assigned_open(pdev, held);

	if (ret)
		pci_err(pdev, "vfio-guard: can't register the device: %d\n",
			ret);
	return ret;
}

/*
 * Stands in for vfio_pci_core_enable(), which VFIO PCI drivers call on a
 * device's first open: process context, the device set's lock held.
 */
static int hook_vfio_pci_core_enable(struct vfio_pci_core_device *vdev)
{
	struct own_call call;
	struct pci_dev *pdev = vdev->pdev;
	int ret, held;
	int idx;

	idx = srcu_read_lock(&inside);
	if (policy.prevent)
		vg_units_set_right();
	if (policy.until_reset)
		vg_quarantine_after_reset(pdev);
	ret = arm_path(pdev);
	if (ret < 0)
		goto out;
	held = ret;
	ret = -EPERM;
	if (!judge(pdev, VG_NR_FACTS))
		goto out_disarm;
	ret = register_device(pdev, held);
	if (ret)
		goto out_disarm;

	own_call_begin(&call, vdev);
	ret = vfio_pci_core_enable(vdev);
	own_call_end(&call);
	if (!ret)
		goto out;
	vg_assigned_close(pdev);
out_disarm:
	disarm_path(pdev);
out:
	srcu_read_unlock(&inside, idx);
	return ret;
}

/* Stands in for vfio_pci_core_disable(), on the last close: as above. */
static void hook_vfio_pci_core_disable(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	struct own_call call;
	int idx;

	idx = srcu_read_lock(&inside);
	vg_quarantine_before_close(pdev);
	own_call_begin(&call, vdev);
	vfio_pci_core_disable(vdev);
	own_call_end(&call);
	vg_assigned_close(pdev);
	disarm_path(pdev);
	srcu_read_unlock(&inside, idx);
}

#define HOOK(symbol)							\
	{								\
		.name = #symbol,					\
		.addr = (unsigned long)symbol,				\
		.ours = (unsigned long)hook_##symbol,			\
		.ops = {						\
			.func = redirect,				\
			.flags = HOOK_FLAGS,				\
		},							\
	}

/* As live patches do; PERMANENT keeps kernel.ftrace_enabled=0 from undoing us */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
#define HOOK_FLAGS							\
	(FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT |		\
	 FTRACE_OPS_FL_RECURSION)
#else
#define HOOK_FLAGS							\
	(FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT |		\
	 FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_SAVE_REGS)
#endif

/* Close first: no device may come in whose close would go unseen. */
static struct hook hooks[] = {
	HOOK(vfio_pci_core_disable),
	HOOK(vfio_pci_core_enable),
};

static void hook_remove(struct hook *hook)
{
	int ret;

	ret = unregister_ftrace_function(&hook->ops);
	WARN(ret, "vfio-guard: can't unhook %s: %d\n", hook->name, ret);
	ftrace_free_filter(&hook->ops);
}

static int hook_install(struct hook *hook)
{
	int ret, try;

	ret = ftrace_set_filter_ip(&hook->ops, hook->addr, 0, 0);
	if (ret) {
		pr_err("can't hook %s: the kernel can't trace it: %d\n",
		       hook->name, ret);
		return ret;
	}
	for (try = 0; try < HOOK_TRIES; try++) {
		ret = register_ftrace_function(&hook->ops);
		if (ret != -EAGAIN)
			break;
		msleep(HOOK_WAIT_MS);
	}
	if (!ret)
		return 0;

	if (ret == -EBUSY)
		pr_err("can't hook %s: a live patch or another module redirects it, or tracing is off (kernel.ftrace_enabled=0)\n",
		       hook->name);
	else if (ret == -EAGAIN)
		pr_err("can't hook %s: a BPF program holds it\n", hook->name);
	else
		pr_err("can't hook %s: %d\n", hook->name, ret);
	ftrace_free_filter(&hook->ops);
	return ret;
}

/* Wait for everybody who was redirected to have left our functions. */
static void drain(void)
{
	/*
	 * Those between the redirection and srcu_read_lock() have got on: to
	 * remove a dynamic ops waits for that. Then those inside,
	 */
	synchronize_srcu(&inside);
	/* and those between srcu_read_unlock() and their return. */
	synchronize_rcu_tasks();
}

/**
 * vg_gate_init() - stand in for VFIO's open and close
 * @in_force: the policy to judge opens by
 *
 * Context: process, may sleep.
 * Return: 0, or the errno of the redirection that failed (logged); then none
 *	   is in place.
 */
int vg_gate_init(const struct vg_policy *in_force)
{
	size_t i;
	int ret;

	policy = *in_force;
	for (i = 0; i < ARRAY_SIZE(hooks); i++) {
		ret = hook_install(&hooks[i]);
		if (!ret)
			continue;
		while (i--)
			hook_remove(&hooks[i]);
		drain();
		return ret;
	}
	return 0;
}

/**
 * vg_gate_exit() - step out of VFIO's way
 *
 * Context: process, may sleep; returns when nobody runs our code any more.
 */
void vg_gate_exit(void)
{
	size_t i = ARRAY_SIZE(hooks);

	while (i--)
		hook_remove(&hooks[i]);
	drain();
}

/* Whoever shares vfio-pci-core's error handler is built on vfio-pci-core. */
static struct vfio_pci_core_device *vfio_device_of(struct pci_dev *pdev)
{
	struct pci_driver *drv = to_pci_driver(pdev->dev.driver);

	if (!pdev->dev.driver || !drv->err_handler ||
	    drv->err_handler->error_detected != vfio_pci_core_aer_err_detected)
		return NULL;
	return pci_get_drvdata(pdev);
}

static void survey_vfio(struct pci_dev *pdev, struct vfio_pci_core_device *vdev)
{
	/* As at open: nobody opens or closes the device while we look. */
	mutex_lock(&vdev->vdev.dev_set->lock);
	if (vdev->vdev.open_count && !vg_assigned_is_open(pdev)) {
		int held = arm_path(pdev);

		judge(pdev, VG_FACT_PREOPEN);
		if (register_device(pdev, max(held, 0)) && held >= 0)
			disarm_path(pdev);
	}
	mutex_unlock(&vdev->vdev.dev_set->lock);
}

/* These give userspace DMA, and no function of theirs is there to stand in. */
static bool is_unguarded(struct pci_dev *pdev)
{
	static const char *const drivers[] = { "uio_pci_generic", "igb_uio" };

	return pdev->dev.driver &&
	       match_string(drivers, ARRAY_SIZE(drivers),
			    pdev->dev.driver->name) >= 0;
}

/*
 * Keeps the driver bound, and its drvdata what we think. Not at any price: who
 * unbinds a device has it locked for as long as its user likes.
 */
static bool lock_device(struct pci_dev *pdev)
{
	int try;

	for (try = 0; try < LOCK_TRIES; try++) {
		if (device_trylock(&pdev->dev))
			return true;
		msleep(LOCK_WAIT_MS);
	}
	pci_warn(pdev, "vfio-guard: locked, by an unbind it may be: not looked at\n");
	return false;
}

/**
 * vg_gate_survey() - judge the devices that came in before the gate stood
 *
 * Context: process, may sleep; after vg_gate_init(), so that a device opened
 *	    meanwhile is seen by one of the two.
 */
void vg_gate_survey(void)
{
	struct vfio_pci_core_device *vdev;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (!lock_device(pdev))
			continue;
		vdev = vfio_device_of(pdev);
		if (vdev)
			survey_vfio(pdev, vdev);
		else if (is_unguarded(pdev))
			judge(pdev, VG_FACT_UNGUARDED);
		device_unlock(&pdev->dev);
	}
}
