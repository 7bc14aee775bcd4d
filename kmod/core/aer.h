/* SPDX-License-Identifier: GPL-2.0 */
/* What PCIe Advanced Error Reporting says of an uncorrectable error. */
#ifndef VG_CORE_AER_H
#define VG_CORE_AER_H

#include "types.h"

/* The first four double words of the TLP that an error is about. */
#define VG_TLP_WORDS 4

/* Bits of the Uncorrectable Error Status register. */
#define VG_AER_BITS 32

const char *vg_aer_name(unsigned int bit);
bool vg_aer_has_header(u32 status);
u16 vg_tlp_sender(const u32 header[VG_TLP_WORDS]);

#endif /* VG_CORE_AER_H */
