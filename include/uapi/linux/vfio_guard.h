/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The words vfio-guard speaks: reasons, actions, events. Names are ABI.
 *
 * checkpatch: COMPLEX_MACRO, MACRO_ARG_REUSE, MACRO_ARG_UNUSED: lists that are
 * expanded into enums and tables can't be written in parentheses.
 */
#ifndef _UAPI_LINUX_VFIO_GUARD_H
#define _UAPI_LINUX_VFIO_GUARD_H

/*
 * The reason catalogue, in the order reasons are printed in.
 *
 * X(ID, name, action in profile default, action in profile strict,
 *   the fact in words, the remedy)
 *
 * Everything that prints or documents a reason is generated from this list.
 */
#define VFIO_GUARD_REASONS(X)						\
X(NO_IOMMU, "no-iommu", DENY, DENY,					\
	"no IOMMU covers the device, or VFIO runs without one",		\
	"enable the IOMMU (VT-d or AMD-Vi) in firmware and on the kernel command line") \
X(NO_TRANSLATION, "no-translation", DENY, DENY,				\
	"the covering IOMMU does not translate the device's DMA",		\
	"boot with intel_iommu=on or amd_iommu=on and without iommu=off")	\
X(NO_INTREMAP, "no-intremap", DENY, DENY,				\
	"the device's interrupts are not remapped",				\
	"enable interrupt remapping in firmware and drop intremap=off")	\
X(COMPAT_IRQ, "compat-irq", DENY, DENY,					\
	"compatibility-format interrupts bypass remapping",			\
	"enable x2APIC in firmware and drop intremap=no_x2apic_optout")	\
X(NO_SID_CHECK, "no-sid-check", DENY, DENY,				\
	"interrupt remapping entries do not verify the source of a request",	\
	"drop intremap=nosid")						\
X(SHARED_IRT, "shared-irt", DENY, DENY,					\
	"the device shares its interrupt remapping table with foreign devices (XSA-36)", \
	"update firmware: each device needs an interrupt remapping table of its own") \
X(IRQ_PASS, "irq-pass", DENY, DENY,					\
	"the device table entry lets NMI, INIT, ExtInt or LINT requests through", \
	"update firmware: its IVRS table must not grant these to the device")	\
X(ERRATA, "errata", DENY, DENY,						\
	"interrupt remapping is known to be broken on this chipset",		\
	"update firmware; the stepping may be beyond repair")			\
X(FAULT_NMI, "fault-nmi", DENY, DENY,					\
	"the IOMMU's fault event is delivered as NMI, SMI or INIT",		\
	"update firmware: it aims the IOMMU's fault event at the platform")	\
X(FAULT_MASKED, "fault-masked", WARN, DENY,				\
	"the IOMMU's fault event is masked or goes nowhere: faults go unseen", \
	"find out who masked it; reboot lets the IOMMU driver set it again")	\
X(VTD_NMI, "vtd-nmi", DENY, DENY,					\
	"the chipset reports IOMMU faults to platform error logic",		\
	"update firmware: it must mask VT-d errors in the chipset (XSA-59)")	\
X(SERR_NMI, "serr-nmi", WARN, DENY,					\
	"the path turns PCI errors into system errors",			\
	"disable SERR and root-port system-error reporting in firmware")	\
X(FW_FIRST, "fw-first", WARN, DENY,					\
	"firmware owns PCIe errors: a fatal one may end in a firmware NMI",	\
	"disable firmware-first error handling in firmware") \
X(NO_AER, "no-aer", WARN, WARN,						\
	"nothing on the path can report or contain a PCIe error",		\
	"use a slot below a root port with AER")				\
X(NO_ACS, "no-acs", WARN, DENY,						\
	"a port on the path lacks ACS in force: peers can be reached past the IOMMU", \
	"enable ACS in firmware, or use a slot directly below a root port")	\
X(ATS, "ats", WARN, DENY,						\
	"ATS is on: the device's translated requests are not checked",	\
	"boot with pci=noats")						\
X(RMRR, "rmrr", WARN, DENY,						\
	"firmware reserved memory regions map the device",			\
	"disable the firmware feature that uses the device (legacy USB, iLO)") \
X(NO_RESET, "no-reset", WARN, DENY,					\
	"the device has no reset method: its state outlives the guest",	\
	"use a device with function level reset, or a slot of its own")	\
X(KERNEL_DIFFERS, "kernel-differs", WARN, DENY,				\
	"the kernel reports other than the hardware shows",			\
	"something changed the hardware underneath the kernel: update firmware, reboot") \
X(UNTRUSTED, "untrusted", DENY, DENY,					\
	"a trust policy is loaded and no rule admits the opener",		\
	"admit the owner by a rule of the trust policy")			\
X(QUARANTINED, "quarantined", DENY, DENY,				\
	"the device is held after faults",					\
	"release it once the cause is known")					\
X(UNREADABLE, "unreadable", DENY, DENY,					\
	"a fact the verdict needs could not be read",				\
	"see unread= for the facts, and the posture lines for the cause")	\
X(PREOPEN, "preopen", REPORT, REPORT,					\
	"the device was open before the guard was loaded",			\
	"load vfio-guard before vfio-pci (modprobe.d softdep)")		\
X(UNGUARDED_DRIVER, "unguarded-driver", REPORT, REPORT,			\
	"the driver gives userspace DMA with no gate",			\
	"bind the device to vfio-pci instead")

/* What a reason costs the opener. */
#define VFIO_GUARD_ACTIONS(X)						\
X(REPORT, "report")							\
X(WARN, "warn")								\
X(DENY, "deny")

#define VFIO_GUARD_PROFILES(X)						\
X(DEFAULT, "default")							\
X(STRICT, "strict")

#define VFIO_GUARD_MODES(X)						\
X(AUDIT, "audit")							\
X(ENFORCE, "enforce")

/* The first word of every line vfio-guard logs. */
#define VFIO_GUARD_EVENTS(X)						\
X(POSTURE, "posture")							\
X(REFUSED, "refused")							\
X(ADMITTED, "admitted")							\
X(WARNED, "warned")							\
X(FAULT, "fault")							\
X(QUARANTINED, "quarantined")						\
X(RELEASED, "released")							\
X(NMI_CLAIMED, "nmi-claimed")						\
X(CONTAINED, "contained")						\
X(POLICY, "policy")							\
X(SEALED, "sealed")

#define VFIO_GUARD_ENUM_REASON_(id, ...)  VFIO_GUARD_REASON_##id,
enum vfio_guard_reason {
	VFIO_GUARD_REASONS(VFIO_GUARD_ENUM_REASON_)
	VFIO_GUARD_NR_REASONS
};

#define VFIO_GUARD_ENUM_ACTION_(id, name)  VFIO_GUARD_ACTION_##id,
enum vfio_guard_action {
	VFIO_GUARD_ACTIONS(VFIO_GUARD_ENUM_ACTION_)
	VFIO_GUARD_NR_ACTIONS
};

#define VFIO_GUARD_ENUM_PROFILE_(id, name)  VFIO_GUARD_PROFILE_##id,
enum vfio_guard_profile {
	VFIO_GUARD_PROFILES(VFIO_GUARD_ENUM_PROFILE_)
	VFIO_GUARD_NR_PROFILES
};

#define VFIO_GUARD_ENUM_MODE_(id, name)  VFIO_GUARD_MODE_##id,
enum vfio_guard_mode {
	VFIO_GUARD_MODES(VFIO_GUARD_ENUM_MODE_)
	VFIO_GUARD_NR_MODES
};

#define VFIO_GUARD_ENUM_EVENT_(id, name)  VFIO_GUARD_EVENT_##id,
enum vfio_guard_event {
	VFIO_GUARD_EVENTS(VFIO_GUARD_ENUM_EVENT_)
	VFIO_GUARD_NR_EVENTS
};

#endif /* _UAPI_LINUX_VFIO_GUARD_H */
