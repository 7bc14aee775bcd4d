// SPDX-License-Identifier: GPL-2.0
/* Look on when the kernel enters a function, and let it go on. */
#include "compat.h"
#include "tap.h"

/* At the entry of the function: its own context, preemption off. */
static void notrace enter(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct vg_tap *tap = container_of(ops, struct vg_tap, ops);

	tap->enter(ftrace_regs_get_argument(fregs, 0),
		   ftrace_regs_get_argument(fregs, 1));
}

/**
 * vg_tap_install() - begin to look on
 * @tap: the function, and what to do
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if this kernel has no such function, or doesn't let it be
 *	   traced, which is the caller's to log; another errno, logged.
 */
int vg_tap_install(struct vg_tap *tap)
{
	int ret;

	tap->ops.func = enter;
	/* PERMANENT: kernel.ftrace_enabled=0 must not blind us. */
	tap->ops.flags = FTRACE_OPS_FL_PERMANENT | FTRACE_OPS_FL_RECURSION;
#ifndef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
	tap->ops.flags |= FTRACE_OPS_FL_SAVE_REGS;
#endif
	ret = ftrace_set_filter(&tap->ops, (unsigned char *)tap->name,
				strlen(tap->name), 0);
	if (!ret)
		ret = register_ftrace_function(&tap->ops);
	if (!ret)
		return 0;

	ftrace_free_filter(&tap->ops);
	if (ret == -EBUSY)
		pr_err("can't look on %s(): tracing is off (kernel.ftrace_enabled=0)\n",
		       tap->name);
	else if (ret != -EINVAL)
		pr_err("can't look on %s(): %d\n", tap->name, ret);
	return ret;
}

/**
 * vg_tap_remove() - look away
 * @tap: an installed one
 *
 * Context: process, may sleep. When it returns nobody runs @tap->enter: it is
 *	    entered with preemption off and from a dynamic ops' trampoline, and
 *	    unregistering waits for both.
 */
void vg_tap_remove(struct vg_tap *tap)
{
	unregister_ftrace_function(&tap->ops);
	ftrace_free_filter(&tap->ops);
}
