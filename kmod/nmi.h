/* SPDX-License-Identifier: GPL-2.0 */
/* NMIs that a fault or an error of an assigned device explains. */
#ifndef VG_NMI_H
#define VG_NMI_H

#include "core/verdict.h"

int vg_nmi_init(const struct vg_policy *policy);
void vg_nmi_exit(void);

#endif /* VG_NMI_H */
