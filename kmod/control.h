/* SPDX-License-Identifier: GPL-2.0 */
/* The administrator's files in securityfs. */
#ifndef VG_CONTROL_H
#define VG_CONTROL_H

void vg_control_init(void);
void vg_control_exit(void);

#endif /* VG_CONTROL_H */
