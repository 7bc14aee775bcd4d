/* SPDX-License-Identifier: GPL-2.0 */
/* What PCIe Advanced Error Reporting says of an uncorrectable error. */
#ifndef VG_CORE_AER_H
#define VG_CORE_AER_H

#include "types.h"

/* The first four double words of the TLP that an error is about. */
#define VG_TLP_WORDS 4

/* Bits of the Uncorrectable Error Status register. */
#define VG_AER_BITS 32

/**
 * struct vg_aer_regs - registers that speak of a device's errors, at one moment
 * @uncor: the device's Uncorrectable Error Status, what is masked left out; 0
 *	   if it has no AER
 * @severity: Uncorrectable Error Severity, if @uncor isn't 0
 * @header: likewise Header Log
 * @status: without AER, its Status register, and above it Device Status if it is
 *	    a PCIe device; else 0
 * @root: Root Error Status of its root port, 0 if that has no AER; likewise
 * @source: Error Source Identification
 * @port: Uncorrectable Error Status, what is masked left out
 * @port_header: Header Log
 *
 * A register of a device that doesn't answer reads as all ones.
 */
struct vg_aer_regs {
	u32 uncor;
	u32 severity;
	u32 header[VG_TLP_WORDS];
	u32 status;
	u32 root;
	u32 source;
	u32 port;
	u32 port_header[VG_TLP_WORDS];
};

/**
 * struct vg_aer_errors - a device's uncorrectable errors
 * @uncor: that it saw, as in Uncorrectable Error Status
 * @status: that it saw, as in Status and Device Status
 * @root: that it told its root port of, as in Root Error Status
 * @port: that its root port saw in what it sent, as @uncor
 */
struct vg_aer_errors {
	u32 uncor;
	u32 status;
	u32 root;
	u32 port;
};

/* Any context, NMI too. */
static inline bool vg_aer_any(const struct vg_aer_errors *errors)
{
	return errors->uncor || errors->status || errors->root || errors->port;
}

const char *vg_aer_name(unsigned int bit);
bool vg_aer_has_header(u32 status);
u16 vg_tlp_sender(const u32 header[VG_TLP_WORDS]);
void vg_aer_attribute(const struct vg_aer_regs *regs, const u16 *requester,
		      u8 nr_requesters, struct vg_aer_errors *errors);
bool vg_aer_subtract(struct vg_aer_errors *errors,
		     const struct vg_aer_errors *known);
void vg_aer_settle(struct vg_aer_errors *known, struct vg_aer_errors *seen,
		   const struct vg_aer_errors *now);
bool vg_aer_is_fatal(const struct vg_aer_errors *errors,
		     const struct vg_aer_regs *regs);

#endif /* VG_CORE_AER_H */
