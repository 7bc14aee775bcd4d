// SPDX-License-Identifier: GPL-2.0
/* Look on when the kernel enters a function, and let it go on. */
#include <linux/ftrace.h>
#include <linux/kprobes.h>

#include "compat.h"
#include "tap.h"

/* Changed while ops is not registered, read-only from then on. */
static LIST_HEAD(taps);
static bool started;

/* At the entry of the function: its own context, preemption off. */
static void notrace enter(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vg_tap *tap;

	list_for_each_entry(tap, &taps, node)
		if (tap->ip == ip)
			tap->enter(ftrace_regs_get_argument(fregs, 0),
				   ftrace_regs_get_argument(fregs, 1));
}

/*
 * One for all taps: to take one back the kernel waits until every task has been
 * seen outside of it. PERMANENT: kernel.ftrace_enabled=0 must not blind us.
 */
static struct ftrace_ops ops = {
	.func = enter,
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
	.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION,
#else
	.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION |
		 FTRACE_OPS_FL_SAVE_REGS,
#endif
};

/*
 * Modules can't ask for the address of what isn't exported, but who registers a
 * kprobe is told it: one that is never armed. ftrace, given a name, would look up
 * the name of every function there is.
 */
static int find_entry(const char *name, unsigned long *ip)
{
	struct kprobe probe = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};
	int ret = register_kprobe(&probe);

	if (ret)
		return ret;
	*ip = (unsigned long)probe.addr;
	/* Else ftrace would tell us of another address than this. */
	if (!(probe.flags & KPROBE_FLAG_FTRACE))
		ret = -EINVAL;
	unregister_kprobe(&probe);
	return ret;
}

/**
 * vg_tap_add() - have a function looked on
 * @tap: the function, and what to do
 *
 * Context: process, may sleep; before vg_tap_start().
 * Return: 0; -ENOENT if this kernel has no such function, -EINVAL if it doesn't
 *	   let it be traced, -EOPNOTSUPP if it has no kprobes; -ENOMEM.
 */
int vg_tap_add(struct vg_tap *tap)
{
	int ret = find_entry(tap->name, &tap->ip);

	if (!ret)
		ret = ftrace_set_filter_ip(&ops, tap->ip, 0, 0);
	if (!ret)
		list_add_tail(&tap->node, &taps);
	return ret;
}

/**
 * vg_tap_start() - begin to look on
 *
 * Context: process, may sleep.
 * Return: 0, also if there is nothing to look on; or an errno, logged.
 */
int vg_tap_start(void)
{
	int ret;

	/* Without a filter every function would be looked on. */
	if (list_empty(&taps))
		return 0;
	ret = register_ftrace_function(&ops);
	started = !ret;
	if (ret == -EBUSY)
		pr_err("can't look on the kernel's handlers: tracing is off (kernel.ftrace_enabled=0)\n");
	else if (ret)
		pr_err("can't look on the kernel's handlers: %d\n", ret);
	return ret;
}

/**
 * vg_tap_stop() - look away, and forget what was added
 *
 * Context: process, may sleep. When it returns nobody runs a tap: they are
 *	    entered with preemption off and from a dynamic ops' trampoline, and
 *	    unregistering waits for both.
 */
void vg_tap_stop(void)
{
	if (started)
		unregister_ftrace_function(&ops);
	started = false;
	ftrace_free_filter(&ops);
	INIT_LIST_HEAD(&taps);
}
