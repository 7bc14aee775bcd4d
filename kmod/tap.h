/* SPDX-License-Identifier: GPL-2.0 */
/* Look on when the kernel enters a function, and let it go on. */
#ifndef VG_TAP_H
#define VG_TAP_H

#include <linux/ftrace.h>

/**
 * struct vg_tap - a function of the kernel's that is looked on
 * @name: the function; it need not be exported
 * @enter: called at its entry with its first two arguments, in the context of
 *	   the function, preemption off
 * @ops: the redirection
 */
struct vg_tap {
	const char *name;
	void (*enter)(unsigned long arg0, unsigned long arg1);
	struct ftrace_ops ops;
};

int vg_tap_install(struct vg_tap *tap);
void vg_tap_remove(struct vg_tap *tap);

#endif /* VG_TAP_H */
