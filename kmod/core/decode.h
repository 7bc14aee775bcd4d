/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What registers, in-memory entries and fault records of an IOMMU say, as facts.
 *
 * checkpatch: COMPLEX_MACRO, MACRO_ARG_REUSE, MACRO_ARG_UNUSED: lists that are
 * expanded into enums and tables can't be written in parentheses.
 */
#ifndef VG_CORE_DECODE_H
#define VG_CORE_DECODE_H

#include "types.h"

/**
 * struct vg_vtd_regs - the VT-d registers a posture rests on, as read
 * @cap: capability register, VT-d spec §11.4.2
 * @ecap: extended capability register, §11.4.3
 * @irta: interrupt remapping table address register, §11.4.25
 * @gsts: global status register, §11.4.4.2
 * @fectl: fault event control register, §11.4.10
 * @fedata: fault event data register
 * @feaddr: fault event address register
 * @feuaddr: fault event upper address register
 */
struct vg_vtd_regs {
	u64 cap;
	u64 ecap;
	u64 irta;
	u32 gsts;
	u32 fectl;
	u32 fedata;
	u32 feaddr;
	u32 feuaddr;
};

/**
 * struct vg_vtd_state - what they mean
 * @readable: they are a live unit's: neither all-ones nor all-zero
 * @translation: GSTS.TES
 * @intremap: ECAP.IR and GSTS.IRES
 * @compat_irq: GSTS.CFIS without extended interrupt mode
 * @eim: extended interrupt mode in force (IRTA.EIME)
 * @fault_nmi: the fault event is an NMI, SMI, INIT or ExtINT
 * @fault_masked: the fault event is masked or addresses no APIC
 * @irt: physical address of the interrupt remapping table
 * @irt_entries: number of its entries
 */
struct vg_vtd_state {
	bool readable;
	bool translation;
	bool intremap;
	bool compat_irq;
	bool eim;
	bool fault_nmi;
	bool fault_masked;
	u64 irt;
	u32 irt_entries;
};

/**
 * struct vg_irte - a VT-d interrupt remapping table entry (§9.9, §9.10)
 * @present: P
 * @verified: SVT is 01b or 10b: the request's source is checked
 * @sid: source ID the check compares with
 */
struct vg_irte {
	bool present;
	bool verified;
	u16 sid;
};

/* DTE.IntCtl, AMD IOMMU spec §2.2.2.1 */
enum vg_intctl {
	VG_INTCTL_ABORT,
	VG_INTCTL_FORWARD,
	VG_INTCTL_REMAP,
	VG_INTCTL_RESERVED,
};

/**
 * struct vg_dte - an AMD device table entry (§2.2.2.1)
 * @valid: V
 * @translated: DMA can't reach memory but through a page table
 * @irq_valid: IV
 * @intctl: enum vg_intctl
 * @pass: INITPass, EIntPass, NMIPass, Lint0Pass or Lint1Pass is set
 * @irt: physical address of the interrupt remapping table
 */
struct vg_dte {
	bool valid;
	bool translated;
	bool irq_valid;
	u8 intctl;
	bool pass;
	u64 irt;
};

/**
 * struct vg_amdvi_regs - the AMD IOMMU registers a posture rests on, as read
 * @devtab: device table base address register, MMIO 0000h
 * @control: control register, MMIO 0018h
 * @msi_address: of the IOMMU function's MSI capability
 * @msi_data: likewise
 * @msi_enabled: likewise
 */
struct vg_amdvi_regs {
	u64 devtab;
	u64 control;
	u64 msi_address;
	u16 msi_data;
	bool msi_enabled;
};

/**
 * struct vg_amdvi_state - what they mean
 * @readable: they are a live unit's, and its device table is one we can follow
 * @translation: IommuEn
 * @fault_nmi: the event interrupt is an NMI, SMI, INIT or ExtINT
 * @fault_masked: no event log, no event interrupt, or one that reaches no APIC
 * @devtab: physical address of the device table
 * @devtab_entries: number of its entries
 */
struct vg_amdvi_state {
	bool readable;
	bool translation;
	bool fault_nmi;
	bool fault_masked;
	u64 devtab;
	u32 devtab_entries;
};

/**
 * enum vg_fault_kind - what an IOMMU blocked, each kind with its own limit
 * @VG_FAULT_DMA: a memory request
 * @VG_FAULT_IRQ: an interrupt request
 * @VG_NR_FAULT_KINDS: how many kinds there are
 */
enum vg_fault_kind {
	VG_FAULT_DMA,
	VG_FAULT_IRQ,
	VG_NR_FAULT_KINDS,
};

/* What the blocked request wanted. X(id, word in access=) */
#define VG_ACCESSES(X)							\
X(UNKNOWN, "unknown")							\
X(READ, "read")								\
X(WRITE, "write")							\
X(EXECUTE, "execute")							\
X(ATOMIC, "atomic")							\
X(INTERRUPT, "interrupt")						\
X(TRANSLATION, "translation")

#define VG_ENUM_ACCESS_(id, word)  VG_ACCESS_##id,
enum vg_access {
	VG_ACCESSES(VG_ENUM_ACCESS_)
	VG_NR_ACCESSES
};

/**
 * struct vg_fault - one fault record of either vendor
 * @addr: address of the request; 0 if the record has none
 * @pasid: PASID, valid if @has_pasid
 * @requester: requester ID
 * @index: interrupt remapping index, valid if @has_index
 * @reason: VT-d fault reason (VT-d spec §7.1.3, Appendix A), or AMD event code
 *	    (AMD IOMMU spec §2.5)
 * @kind: enum vg_fault_kind
 * @access: enum vg_access
 * @has_pasid: the request had a PASID
 * @has_index: the request had a remapping index: VT-d's interrupt faults
 * @has_requester: the record says who it was; hardware errors may not
 */
struct vg_fault {
	u64 addr;
	u32 pasid;
	u16 requester;
	u16 index;
	u8 reason;
	u8 kind;
	u8 access;
	bool has_pasid;
	bool has_index;
	bool has_requester;
};

bool vg_decode_vtd_fault(const u64 record[2], struct vg_fault *out);
bool vg_decode_amdvi_event(const u32 event[4], struct vg_fault *out);
const char *vg_access_name(enum vg_access access);
void vg_decode_vtd(const struct vg_vtd_regs *regs, struct vg_vtd_state *out);
void vg_decode_irte(u64 low, u64 high, struct vg_irte *out);
void vg_decode_dte(const u64 dte[4], struct vg_dte *out);
void vg_decode_amdvi(const struct vg_amdvi_regs *regs,
		     struct vg_amdvi_state *out);

#endif /* VG_CORE_DECODE_H */
