/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From evidence and policy to reasons: the one place that decides.
 *
 * checkpatch: COMPLEX_MACRO, MACRO_ARG_REUSE: lists that are expanded into enums
 * and tables can't be written in parentheses.
 */
#ifndef VG_CORE_VERDICT_H
#define VG_CORE_VERDICT_H

#include <uapi/linux/vfio_guard.h>

#include "decode.h"
#include "storm.h"
#include "types.h"

/*
 * The facts a verdict rests on.
 *
 * X(id, name in unread=, the answer that raises the reason, the reason)
 *
 * A fact nobody answered is VG_UNKNOWN, which fails closed.
 */
#define VG_FACTS(X)							\
X(COVERED, "iommu", NO, NO_IOMMU)					\
X(KERNEL_IOMMU, "kernel-iommu", NO, NO_IOMMU)				\
X(TRANSLATION, "translation", NO, NO_TRANSLATION)			\
X(KERNEL_TRANSLATION, "kernel-translation", NO, NO_TRANSLATION)		\
X(INTREMAP, "intremap", NO, NO_INTREMAP)				\
X(ISOLATED_MSI, "isolated-msi", NO, NO_INTREMAP)			\
X(COMPAT_IRQ, "compat-irq", YES, COMPAT_IRQ)				\
X(SID_CHECK, "sid-check", NO, NO_SID_CHECK)				\
X(SHARED_IRT, "shared-irt", YES, SHARED_IRT)				\
X(IRQ_PASS, "irq-pass", YES, IRQ_PASS)					\
X(ERRATA, "errata", YES, ERRATA)					\
X(FAULT_NMI, "fault-nmi", YES, FAULT_NMI)				\
X(FAULT_MASKED, "fault-masked", YES, FAULT_MASKED)			\
X(VTD_NMI, "vtd-nmi", YES, VTD_NMI)					\
X(SERR_NMI, "serr-nmi", YES, SERR_NMI)					\
X(FW_FIRST, "fw-first", YES, FW_FIRST)					\
X(AER, "aer", NO, NO_AER)						\
X(ACS, "acs", NO, NO_ACS)						\
X(ATS, "ats", YES, ATS)							\
X(RMRR, "rmrr", YES, RMRR)						\
X(RESET, "reset", NO, NO_RESET)						\
X(SAME_UNIT, "same-unit", NO, KERNEL_DIFFERS)				\
X(TRUSTED, "trusted", NO, UNTRUSTED)					\
X(QUARANTINED, "quarantined", YES, QUARANTINED)				\
X(PREOPEN, "preopen", YES, PREOPEN)					\
X(UNGUARDED, "unguarded", YES, UNGUARDED_DRIVER)

#define VG_ENUM_FACT_(id, ...)  VG_FACT_##id,
enum vg_fact_id {
	VG_FACTS(VG_ENUM_FACT_)
	VG_NR_FACTS
};

/**
 * enum vg_answer - what is known of a fact
 * @VG_UNKNOWN: it could not be read; zero, so that forgetting fails closed
 * @VG_NO: read, and it is not so
 * @VG_YES: read, and it is so
 * @VG_NA: the question does not arise on this hardware or for this device
 */
enum vg_answer {
	VG_UNKNOWN,
	VG_NO,
	VG_YES,
	VG_NA,
};

/* Where a fact was read. */
enum vg_source {
	VG_SOURCE_NONE,
	VG_SOURCE_REGISTER,
	VG_SOURCE_MEMORY,
	VG_SOURCE_ACPI,
	VG_SOURCE_CONFIG,
	VG_SOURCE_KERNEL,
};

/**
 * struct vg_fact - one fact
 * @answer: enum vg_answer
 * @source: enum vg_source
 */
struct vg_fact {
	u8 answer;
	u8 source;
};

/**
 * struct vg_evidence - all that is known of one device when it is judged
 * @fact: by enum vg_fact_id
 */
struct vg_evidence {
	struct vg_fact fact[VG_NR_FACTS];
};

/**
 * struct vg_policy - what to do about reasons
 * @profile: enum vfio_guard_profile
 * @mode: enum vfio_guard_mode
 * @until_reset: a quarantine ends with a reset that worked, not with the
 *		 administrator's release alone
 * @prevent: set right what would escalate faults, and not just refuse
 * @nmi_claims: how many NMIs a minute may be claimed
 * @storm: by enum vg_fault_kind, how many faults are too many
 * @steady: how many are, if they never come in a burst
 * @error: how many uncorrectable PCIe errors are
 * @noise: how many correctable ones are
 */
struct vg_policy {
	u8 profile;
	u8 mode;
	bool until_reset;
	bool prevent;
	u16 nmi_claims;
	struct vg_storm_limit storm[VG_NR_FAULT_KINDS];
	struct vg_storm_limit steady;
	struct vg_storm_limit error;
	struct vg_storm_limit noise;
};

/**
 * struct vg_verdict - the decision on one device
 * @reasons: every reason raised, bit n for enum vfio_guard_reason n
 * @deny: those of @reasons that the profile denies
 * @unread: facts behind deny or warn reasons that could not be read, bit n
 *	    for enum vg_fact_id n
 * @lead: the reason whose remedy is shown: ``unguarded-driver``, or else the
 *	  gravest; VFIO_GUARD_NR_REASONS if there is none
 * @event: VFIO_GUARD_EVENT_REFUSED, _WARNED or _ADMITTED
 * @refuse: the open is to fail
 */
struct vg_verdict {
	u32 reasons;
	u32 deny;
	u32 unread;
	u8 lead;
	u8 event;
	bool refuse;
};

/**
 * vg_fact_set() - record a fact
 * @ev: evidence to record it in
 * @id: which fact
 * @answer: what was found
 * @source: where
 *
 * Context: any.
 */
static inline void vg_fact_set(struct vg_evidence *ev, enum vg_fact_id id,
			       enum vg_answer answer, enum vg_source source)
{
	ev->fact[id].answer = answer;
	ev->fact[id].source = source;
}

/**
 * vg_answer_of() - a condition that was read, as an answer
 * @cond: the condition
 *
 * Context: any.
 * Return: VG_YES or VG_NO.
 */
static inline enum vg_answer vg_answer_of(bool cond)
{
	return cond ? VG_YES : VG_NO;
}

void vg_verdict_decide(const struct vg_evidence *ev,
		       const struct vg_policy *policy, struct vg_verdict *out);
enum vfio_guard_action vg_reason_action(enum vfio_guard_reason reason,
					enum vfio_guard_profile profile);
const char *vg_reason_name(enum vfio_guard_reason reason);
const char *vg_reason_text(enum vfio_guard_reason reason);
const char *vg_reason_remedy(enum vfio_guard_reason reason);
const char *vg_fact_name(enum vg_fact_id id);
const char *vg_event_name(enum vfio_guard_event event);
const char *vg_profile_name(enum vfio_guard_profile profile);
const char *vg_mode_name(enum vfio_guard_mode mode);
int vg_profile_find(const char *name);
int vg_mode_find(const char *name);

#endif /* VG_CORE_VERDICT_H */
