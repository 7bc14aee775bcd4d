/* SPDX-License-Identifier: GPL-2.0 */
/* Look on when the kernel enters a function, and let it go on. */
#ifndef VG_TAP_H
#define VG_TAP_H

#include <linux/list.h>

/**
 * struct vg_tap - a function of the kernel's that is looked on
 * @name: the function; it need not be exported
 * @enter: called at its entry with its first two arguments, in the context of
 *	   the function, preemption off
 * @node: among the taps
 * @ip: where ftrace sees it entered; tap.c's own, as @node is
 */
struct vg_tap {
	const char *name;
	void (*enter)(unsigned long arg0, unsigned long arg1);
	struct list_head node;
	unsigned long ip;
};

int vg_tap_add(struct vg_tap *tap);
int vg_tap_start(void);
void vg_tap_stop(void);

#endif /* VG_TAP_H */
