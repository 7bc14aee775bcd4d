// SPDX-License-Identifier: GPL-2.0
/* What PCIe Advanced Error Reporting says of an uncorrectable error. */
#include <linux/pci_regs.h>

#include "aer.h"

/* Uncorrectable errors (PCIe §7.8.4.2), as the kernel's AER abbreviates them. */
static const char *const names[VG_AER_BITS] = {
	[4] = "DLP",
	[5] = "SDES",
	[12] = "TLP",
	[13] = "FCP",
	[14] = "CmpltTO",
	[15] = "CmpltAbrt",
	[16] = "UnxCmplt",
	[17] = "RxOF",
	[18] = "MalfTLP",
	[19] = "ECRC",
	[20] = "UnsupReq",
	[21] = "ACSViol",
	[22] = "UncorrIntErr",
	[23] = "BlockedTLP",
	[24] = "AtomicOpBlocked",
	[25] = "TLPBlockedErr",
	[26] = "PoisonTLPBlocked",
	[27] = "DMWrReqBlocked",
	[28] = "IDECheck",
	[29] = "MisIDETLP",
	[30] = "PCRC_CHECK",
	[31] = "TLPXlatBlocked",
};

/* Those that a TLP is to blame for, and logged with (PCIe §6.2.7). */
#define HEADER_ERRORS							\
	(BIT(12) | BIT(15) | BIT(16) | BIT(18) | BIT(19) | BIT(20) |	\
	 BIT(21) | BIT(23) | BIT(24) | BIT(25))

/**
 * vg_aer_name() - an uncorrectable error's name
 * @bit: its bit in the status register, less than VG_AER_BITS
 *
 * Context: any.
 * Return: constant text, or NULL if the bit is reserved.
 */
const char *vg_aer_name(unsigned int bit)
{
	return names[bit];
}

/**
 * vg_aer_has_header() - is there a TLP header to an error?
 * @status: errors, as in the status register
 *
 * Context: any.
 * Return: true if one of them is logged with the TLP that it is about.
 */
bool vg_aer_has_header(u32 status)
{
	return status & HEADER_ERRORS;
}

/**
 * vg_tlp_sender() - who sent a TLP?
 * @header: its first double words, as the header log has them (PCIe §7.8.4.8)
 *
 * A request's requester and a completion's completer stand in the same place
 * (PCIe §2.2.4.1 and §2.2.9). The sender may have lied: ACS source validation
 * lets it be no one but a device below the same port.
 *
 * Context: any.
 * Return: bus, device and function number.
 */
u16 vg_tlp_sender(const u32 header[VG_TLP_WORDS])
{
	return header[1] >> 16;
}

/* Of Root Error Status, what uncorrectable errors leave (PCIe §7.8.4.10). */
#define ROOT_ERRORS							\
	(PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV |		\
	 PCI_ERR_ROOT_FATAL_RCV)

/* Device Status, above Status (PCIe §7.5.3.5, §7.5.1.1.4). */
#define DEVICE_STATUS(bits)	((u32)(bits) << 16)
#define STATUS_ERRORS							\
	(PCI_STATUS_SIG_SYSTEM_ERROR |					\
	 DEVICE_STATUS(PCI_EXP_DEVSTA_NFED | PCI_EXP_DEVSTA_FED))

/* What is no answer is no error. */
static u32 answered(u32 reg)
{
	return reg == ~0U ? 0 : reg;
}

static bool is_among(u16 rid, const u16 *requester, u8 nr_requesters)
{
	u8 i;

	for (i = 0; i < nr_requesters; i++)
		if (requester[i] == rid)
			return true;
	return false;
}

/**
 * vg_aer_attribute() - which errors are a device's?
 * @regs: its registers and its root port's
 * @requester: the requester IDs of what it sends
 * @nr_requesters: how many
 * @errors: those errors
 *
 * A root port tells who sent the first of several error messages (PCIe
 * §7.8.4.11), and logs the request that it found an error in; of errors that
 * ports in between saw, it names that port, and they are nobody's here.
 *
 * Context: any, NMI too.
 */
void vg_aer_attribute(const struct vg_aer_regs *regs, const u16 *requester,
		      u8 nr_requesters, struct vg_aer_errors *errors)
{
	u32 root = answered(regs->root);
	u32 port = answered(regs->port);

	memset(errors, 0, sizeof(*errors));
	errors->uncor = answered(regs->uncor);
	errors->status = answered(regs->status) & STATUS_ERRORS;
	if (root & PCI_ERR_ROOT_UNCOR_RCV &&
	    is_among(regs->source >> 16, requester, nr_requesters))
		errors->root = root & ROOT_ERRORS;
	if (vg_aer_has_header(port) &&
	    is_among(vg_tlp_sender(regs->port_header), requester, nr_requesters))
		errors->port = port;
}

/**
 * vg_aer_subtract() - leave out the errors that are known already
 * @errors: errors
 * @known: those that are known
 *
 * Context: any, NMI too.
 * Return: true if any are left.
 */
bool vg_aer_subtract(struct vg_aer_errors *errors,
		     const struct vg_aer_errors *known)
{
	errors->uncor &= ~known->uncor;
	errors->status &= ~known->status;
	errors->root &= ~known->root;
	errors->port &= ~known->port;
	return vg_aer_any(errors);
}

/**
 * vg_aer_settle() - what has been seen at two looks in a row is known
 * @known: the errors that are known; what is not there any more no longer is
 * @seen: the errors that were there at the last look, then at this one
 * @now: the errors that are there
 *
 * Context: any, NMI too.
 */
void vg_aer_settle(struct vg_aer_errors *known, struct vg_aer_errors *seen,
		   const struct vg_aer_errors *now)
{
	known->uncor = seen->uncor & now->uncor;
	known->status = seen->status & now->status;
	known->root = seen->root & now->root;
	known->port = seen->port & now->port;
	*seen = *now;
}

/**
 * vg_aer_is_fatal() - is one of the errors fatal?
 * @errors: errors
 * @regs: the registers that tell of them
 *
 * Context: any.
 * Return: true if the device, or its root port's account of it, says so.
 */
bool vg_aer_is_fatal(const struct vg_aer_errors *errors,
		     const struct vg_aer_regs *regs)
{
	return errors->uncor & regs->severity ||
	       errors->root & PCI_ERR_ROOT_FATAL_RCV ||
	       errors->status & DEVICE_STATUS(PCI_EXP_DEVSTA_FED);
}
