// SPDX-License-Identifier: GPL-2.0
/* What PCIe Advanced Error Reporting says of an uncorrectable error. */
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
