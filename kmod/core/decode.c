// SPDX-License-Identifier: GPL-2.0
/*
 * What registers, in-memory entries and fault records of an IOMMU say, as facts.
 *
 * checkpatch: MACRO_ARG_UNUSED: the list's other expansion uses it.
 */
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

/* Fault recording register, VT-d spec §11.4.14: the high word; low: FI 63:12 */
#define FRCD_F			BIT_ULL(63)
#define FRCD_T1			BIT_ULL(62)
#define FRCD_AT_SHIFT		60
#define FRCD_AT_MASK		3
#define FRCD_AT_TRANSLATION	1
#define FRCD_PASID_SHIFT	40
#define FRCD_PASID_MASK		0xfffff
#define FRCD_REASON_SHIFT	32
#define FRCD_PP			BIT_ULL(31)
#define FRCD_EXE		BIT_ULL(30)
#define FRCD_T2			BIT_ULL(28)
#define FRCD_ADDR		0xfffffffffffff000ULL
#define FRCD_INDEX_SHIFT	48

/* Fault reasons of interrupt remapping, Appendix A */
#define REASON_IRQ_FIRST	0x20
#define REASON_IRQ_LAST		0x26
#define REASON_IRQ_COMPAT	0x25

/* Event log entry, AMD IOMMU spec §2.5, by 32-bit word; not all have all */
#define EVENT0_PASID_HI		0xf0000
#define EVENT1_PASID_LO		0xffff
#define EVENT1_GN		BIT(16)
#define EVENT1_I		BIT(19)
#define EVENT1_RW		BIT(21)
#define EVENT1_TR		BIT(24)
#define EVENT1_TYPE_SHIFT	25
#define EVENT1_TYPE_MASK	7
#define EVENT1_CODE_SHIFT	28

/* Event codes */
#define EVENT_ILLEGAL_DEV_TABLE	0x1
#define EVENT_IO_PAGE_FAULT	0x2
#define EVENT_DEV_TAB_HARDWARE	0x3
#define EVENT_PAGE_TAB_HARDWARE	0x4
#define EVENT_INVALID_DEVICE	0x8
#define EVENT_INVALID_PPR	0x9
#define EVENT_RMP_PAGE_FAULT	0xd
#define EVENT_RMP_HARDWARE	0xe

/* INVALID_DEVICE_REQUEST types, §2.5.9, of requests that want no translation */
#define INVALID_SYSMGT_WRITE	3
#define INVALID_IRQ_BLOCKED	5
#define INVALID_IRQ_RESERVED	6

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

#define NAME_ENTRY(id, word) word,

static const char *const accesses[] = { VG_ACCESSES(NAME_ENTRY) };

static_assert(ARRAY_SIZE(accesses) == VG_NR_ACCESSES);

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

static u8 vtd_access(u64 high)
{
	if ((high >> FRCD_AT_SHIFT & FRCD_AT_MASK) == FRCD_AT_TRANSLATION)
		return VG_ACCESS_TRANSLATION;
	switch (high & (FRCD_T1 | FRCD_T2)) {
	case FRCD_T1 | FRCD_T2:
		return VG_ACCESS_ATOMIC;
	case FRCD_T1:
		/* EXE means something only in a request with PASID. */
		return high & FRCD_PP && high & FRCD_EXE ? VG_ACCESS_EXECUTE :
							   VG_ACCESS_READ;
	case FRCD_T2:
		/* A page request asks for one, too. */
		return VG_ACCESS_TRANSLATION;
	default:
		return VG_ACCESS_WRITE;
	}
}

/**
 * vg_decode_vtd_fault() - decode a VT-d fault recording register
 * @record: its low and its high 64 bits (VT-d spec §11.4.14)
 * @out: what it means, if it holds a fault
 *
 * Interrupt remapping reports through the same registers: reasons 20h to 26h.
 * They have an index for an address, but for 25h, a compatibility format
 * interrupt, which has none.
 *
 * Context: any.
 * Return: false if F is clear, or if the unit doesn't answer.
 */
bool vg_decode_vtd_fault(const u64 record[2], struct vg_fault *out)
{
	u64 high = record[1];

	if (!(high & FRCD_F) || high == U64_MAX)
		return false;

	memset(out, 0, sizeof(*out));
	out->requester = (u16)high;
	out->has_requester = true;
	out->reason = (u8)(high >> FRCD_REASON_SHIFT);

	if (out->reason >= REASON_IRQ_FIRST && out->reason <= REASON_IRQ_LAST) {
		out->kind = VG_FAULT_IRQ;
		out->access = VG_ACCESS_INTERRUPT;
		out->has_index = out->reason != REASON_IRQ_COMPAT;
		if (out->has_index)
			out->index = (u16)(record[0] >> FRCD_INDEX_SHIFT);
		return true;
	}

	out->kind = VG_FAULT_DMA;
	out->access = vtd_access(high);
	out->addr = record[0] & FRCD_ADDR;
	out->has_pasid = high & FRCD_PP;
	if (out->has_pasid)
		out->pasid = (u32)(high >> FRCD_PASID_SHIFT) & FRCD_PASID_MASK;
	return true;
}

/* By the flags that say what the request was. */
static void amdvi_request(u32 flags, struct vg_fault *out)
{
	if (flags & EVENT1_I) {
		out->kind = VG_FAULT_IRQ;
		out->access = VG_ACCESS_INTERRUPT;
	} else if (flags & EVENT1_TR) {
		out->access = VG_ACCESS_TRANSLATION;
	} else {
		out->access = flags & EVENT1_RW ? VG_ACCESS_WRITE :
						  VG_ACCESS_READ;
	}
}

/* By what was wrong with it. */
static void amdvi_invalid_request(u32 flags, struct vg_fault *out)
{
	if (flags & EVENT1_TR) {
		out->access = VG_ACCESS_TRANSLATION;
		return;
	}
	switch (flags >> EVENT1_TYPE_SHIFT & EVENT1_TYPE_MASK) {
	case INVALID_IRQ_BLOCKED:
	case INVALID_IRQ_RESERVED:
		out->kind = VG_FAULT_IRQ;
		out->access = VG_ACCESS_INTERRUPT;
		break;
	case INVALID_SYSMGT_WRITE:
		out->access = VG_ACCESS_WRITE;
		break;
	default:
		/* Reads or writes, of memory, ports or the interrupt range */
		out->access = VG_ACCESS_UNKNOWN;
	}
}

/**
 * vg_decode_amdvi_event() - decode an AMD IOMMU event log entry
 * @event: its four 32-bit words (AMD IOMMU spec §2.5)
 * @out: what it means, if it is about a request that a device made
 *
 * That includes errors of the memory which holds the tables: it is the device
 * that makes the IOMMU read there, as often as it likes. RW is taken for true
 * whether the page is present or not, as amd_iommu_report_page_fault() does,
 * though the specification promises it only where it is.
 *
 * What is about commands and counters is no device's request, nor is a device
 * that doesn't answer an invalidation in time.
 *
 * Context: any.
 * Return: false for those, and for an entry that hardware hasn't written yet,
 * whose code is zero.
 */
bool vg_decode_amdvi_event(const u32 event[4], struct vg_fault *out)
{
	u32 code = event[1] >> EVENT1_CODE_SHIFT;

	memset(out, 0, sizeof(*out));
	out->kind = VG_FAULT_DMA;

	switch (code) {
	case EVENT_ILLEGAL_DEV_TABLE:
	case EVENT_IO_PAGE_FAULT:
	case EVENT_PAGE_TAB_HARDWARE:
		amdvi_request(event[1], out);
		/* Without GN it is a domain ID, or nothing. */
		out->has_pasid = event[1] & EVENT1_GN;
		break;
	case EVENT_DEV_TAB_HARDWARE:
	case EVENT_RMP_PAGE_FAULT:
	case EVENT_RMP_HARDWARE:
		amdvi_request(event[1], out);
		break;
	case EVENT_INVALID_DEVICE:
		amdvi_invalid_request(event[1], out);
		out->has_pasid = event[1] & EVENT1_GN;
		break;
	case EVENT_INVALID_PPR:
		out->access = VG_ACCESS_TRANSLATION;
		break;
	default:
		return false;
	}

	out->requester = (u16)event[0];
	out->has_requester = true;
	out->reason = (u8)code;
	out->addr = (u64)event[3] << 32 | event[2];
	if (out->has_pasid)
		out->pasid = (event[0] & EVENT0_PASID_HI) |
			     (event[1] & EVENT1_PASID_LO);
	return true;
}

/**
 * vg_access_name() - the word a kind of access is logged as
 * @access: the kind
 *
 * Context: any.
 * Return: constant text.
 */
const char *vg_access_name(enum vg_access access)
{
	return accesses[access];
}
