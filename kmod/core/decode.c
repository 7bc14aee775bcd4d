// SPDX-License-Identifier: GPL-2.0
/* What registers and in-memory entries of an IOMMU say, as facts. */
#include "decode.h"

/* Global status, VT-d spec §11.4.4.2 */
#define GSTS_TES		BIT(31)
#define GSTS_IRES		BIT(25)
#define GSTS_CFIS		BIT(23)
/* Extended capability, §11.4.3 */
#define ECAP_IR			BIT_ULL(3)
/* Interrupt remapping table address, §11.4.25 */
#define IRTA_ADDR		0xfffffffffffff000ULL
#define IRTA_EIME		BIT_ULL(11)
#define IRTA_S			0xfULL
/* Fault event control, §11.4.10 */
#define FECTL_IM		BIT(31)
/* Interrupt remapping table entry, §9.9 */
#define IRTE_P			BIT_ULL(0)
#define IRTE_SVT_SHIFT		18
#define IRTE_SVT_MASK		3

/* A local APIC is addressed at FEExxxxxh; the mode is in data 10:8 (SDM 3A) */
#define MSI_ADDR_MASK		0xfffffffffff00000ULL
#define MSI_ADDR_APIC		0xfee00000ULL
#define MSI_MODE_SHIFT		8
#define MSI_MODE_MASK		7
#define MSI_MODE_FIXED		0
#define MSI_MODE_LOWEST		1
#define MSI_VECTOR_MASK		0xff
#define MSI_VECTOR_MIN		0x10

/* AMD IOMMU control register, AMD IOMMU spec §3.4.1 */
#define CONTROL_IOMMU_EN	BIT_ULL(0)
#define CONTROL_EVENT_LOG_EN	BIT_ULL(2)
#define CONTROL_EVENT_INT_EN	BIT_ULL(3)
#define CONTROL_DEVTAB_SEG_EN	(7ULL << 34)
#define CONTROL_INTCAPXT_EN	BIT_ULL(51)
/* Device table base address */
#define DEVTAB_ADDR		0x000ffffffffff000ULL
#define DEVTAB_SIZE		0x1ffULL
#define DTES_PER_PAGE		(4096 / 32)

/* Device table entry, AMD IOMMU spec §2.2.2.1, by 64-bit word */
#define DTE0_V			BIT_ULL(0)
#define DTE0_TV			BIT_ULL(1)
#define DTE0_MODE		(7ULL << 9)
#define DTE0_GV			BIT_ULL(55)
#define DTE0_IR			BIT_ULL(61)
#define DTE0_IW			BIT_ULL(62)
#define DTE2_IV			BIT_ULL(0)
#define DTE2_IRT		0x000fffffffffffc0ULL
#define DTE2_INIT_PASS		BIT_ULL(56)
#define DTE2_EINT_PASS		BIT_ULL(57)
#define DTE2_NMI_PASS		BIT_ULL(58)
#define DTE2_INTCTL_SHIFT	60
#define DTE2_INTCTL_MASK	3
#define DTE2_LINT0_PASS		BIT_ULL(62)
#define DTE2_LINT1_PASS		BIT_ULL(63)

/* Delivery modes other than fixed and lowest priority take over a CPU. */
static bool msi_takes_over(u32 data)
{
	u32 mode = data >> MSI_MODE_SHIFT & MSI_MODE_MASK;

	return mode != MSI_MODE_FIXED && mode != MSI_MODE_LOWEST;
}

/* A message that is no interrupt: wrong address, or a vector APICs reject. */
static bool msi_goes_nowhere(u64 address, u32 data)
{
	if ((address & MSI_ADDR_MASK) != MSI_ADDR_APIC)
		return true;
	return !msi_takes_over(data) &&
	       (data & MSI_VECTOR_MASK) < MSI_VECTOR_MIN;
}

/**
 * vg_decode_vtd() - judge a VT-d unit's registers
 * @regs: as read
 * @out: what they mean
 *
 * Extended destination IDs of x2APIC live in FEUADDR (VT-d spec §11.4.13), so
 * only the low half of the fault event's address tells whether it is an
 * interrupt.
 *
 * Context: any.
 */
void vg_decode_vtd(const struct vg_vtd_regs *regs, struct vg_vtd_state *out)
{
	memset(out, 0, sizeof(*out));

	/* A live unit has a supported domain count and address width in CAP. */
	out->readable = regs->cap && regs->cap != U64_MAX &&
			regs->ecap != U64_MAX && regs->gsts != ~0U;
	out->translation = regs->gsts & GSTS_TES;
	out->intremap = (regs->ecap & ECAP_IR) && (regs->gsts & GSTS_IRES);
	out->eim = regs->irta & IRTA_EIME;
	out->compat_irq = (regs->gsts & GSTS_CFIS) && !out->eim;
	out->fault_nmi = msi_takes_over(regs->fedata);
	out->fault_masked = (regs->fectl & FECTL_IM) ||
			    msi_goes_nowhere(regs->feaddr, regs->fedata);
	out->irt = regs->irta & IRTA_ADDR;
	out->irt_entries = 1U << ((regs->irta & IRTA_S) + 1);
}

/**
 * vg_decode_irte() - decode an interrupt remapping table entry
 * @low: bits 63:0
 * @high: bits 127:64
 * @out: what it means
 *
 * SVT and SID stand at the same bits in the remapped and the posted format.
 *
 * Context: any.
 */
void vg_decode_irte(u64 low, u64 high, struct vg_irte *out)
{
	u32 svt = (u32)(high >> IRTE_SVT_SHIFT) & IRTE_SVT_MASK;

	out->present = low & IRTE_P;
	/* 00b checks nothing; 11b is reserved and promises nothing. */
	out->verified = svt == 1 || svt == 2;
	out->sid = (u16)high;
}

/**
 * vg_decode_dte() - decode a device table entry
 * @dte: its four 64-bit words
 * @out: what it means
 *
 * Without V, DMA goes through untranslated. With V, mode 0 and no guest
 * tables, DMA passes untranslated as far as IR and IW let it (§2.2.2.2).
 *
 * Context: any.
 */
void vg_decode_dte(const u64 dte[4], struct vg_dte *out)
{
	bool identity = (dte[0] & DTE0_TV) && !(dte[0] & DTE0_MODE) &&
			!(dte[0] & DTE0_GV) && (dte[0] & (DTE0_IR | DTE0_IW));

	out->valid = dte[0] & DTE0_V;
	out->translated = out->valid && !identity;
	out->irq_valid = dte[2] & DTE2_IV;
	out->intctl = dte[2] >> DTE2_INTCTL_SHIFT & DTE2_INTCTL_MASK;
	out->pass = dte[2] & (DTE2_INIT_PASS | DTE2_EINT_PASS | DTE2_NMI_PASS |
			      DTE2_LINT0_PASS | DTE2_LINT1_PASS);
	out->irt = dte[2] & DTE2_IRT;
}

/**
 * vg_decode_amdvi() - judge an AMD IOMMU's registers
 * @regs: as read
 * @out: what they mean
 *
 * With IntCapXTEn the event interrupt comes from the INTCAPXT registers, which
 * know no delivery mode but fixed and arbitrated (§3.4.13).
 *
 * Context: any.
 */
void vg_decode_amdvi(const struct vg_amdvi_regs *regs,
		     struct vg_amdvi_state *out)
{
	bool xt = regs->control & CONTROL_INTCAPXT_EN;

	memset(out, 0, sizeof(*out));

	/* Linux never segments the device table; we don't follow one that is. */
	out->readable = regs->control != U64_MAX && regs->devtab != U64_MAX &&
			!(regs->control & CONTROL_DEVTAB_SEG_EN);
	out->translation = regs->control & CONTROL_IOMMU_EN;
	out->fault_nmi = !xt && regs->msi_enabled &&
			 msi_takes_over(regs->msi_data);
	out->fault_masked = !(regs->control & CONTROL_EVENT_LOG_EN) ||
			    !(regs->control & CONTROL_EVENT_INT_EN);
	if (!xt && (!regs->msi_enabled ||
		    msi_goes_nowhere(regs->msi_address, regs->msi_data)))
		out->fault_masked = true;
	out->devtab = regs->devtab & DEVTAB_ADDR;
	out->devtab_entries =
		(u32)((regs->devtab & DEVTAB_SIZE) + 1) * DTES_PER_PAGE;
}
