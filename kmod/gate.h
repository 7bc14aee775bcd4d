/* SPDX-License-Identifier: GPL-2.0 */
/* The only way in: interposition on VFIO's device open and close. */
#ifndef VG_GATE_H
#define VG_GATE_H

#include "core/verdict.h"

int vg_gate_init(const struct vg_policy *policy);
void vg_gate_exit(void);
void vg_gate_survey(void);

#endif /* VG_GATE_H */
