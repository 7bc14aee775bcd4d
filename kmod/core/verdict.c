// SPDX-License-Identifier: GPL-2.0
/*
 * From evidence and policy to reasons: the one place that decides.
 *
 * checkpatch: MACRO_ARG_UNUSED: the lists' other expansions use it.
 */
#include "verdict.h"

struct reason_entry {
	const char *name;
	u8 action[VFIO_GUARD_NR_PROFILES];
	const char *text;
	const char *remedy;
};

#define REASON_ENTRY(id, word, def, strict, what, hint)			\
	[VFIO_GUARD_REASON_##id] = {					\
		.name = word,						\
		.action = {						\
			[VFIO_GUARD_PROFILE_DEFAULT] =			\
				VFIO_GUARD_ACTION_##def,		\
			[VFIO_GUARD_PROFILE_STRICT] =			\
				VFIO_GUARD_ACTION_##strict,		\
		},							\
		.text = what,						\
		.remedy = hint,						\
	},

static const struct reason_entry reasons[] = {
	VFIO_GUARD_REASONS(REASON_ENTRY)
};

struct fact_entry {
	const char *name;
	u8 bad;
	u8 reason;
};

#define FACT_ENTRY(id, word, answer, why)				\
	[VG_FACT_##id] = {						\
		.name = word,						\
		.bad = VG_##answer,					\
		.reason = VFIO_GUARD_REASON_##why,			\
	},

static const struct fact_entry facts[] = {
	VG_FACTS(FACT_ENTRY)
};

#define NAME_ENTRY(id, word) word,

static const char *const events[] = { VFIO_GUARD_EVENTS(NAME_ENTRY) };
static const char *const profiles[] = { VFIO_GUARD_PROFILES(NAME_ENTRY) };
static const char *const modes[] = { VFIO_GUARD_MODES(NAME_ENTRY) };

static_assert(ARRAY_SIZE(reasons) == VFIO_GUARD_NR_REASONS);
static_assert(ARRAY_SIZE(facts) == VG_NR_FACTS);
static_assert(ARRAY_SIZE(events) == VFIO_GUARD_NR_EVENTS);
static_assert(ARRAY_SIZE(profiles) == VFIO_GUARD_NR_PROFILES);
static_assert(ARRAY_SIZE(modes) == VFIO_GUARD_NR_MODES);
/* Sets of reasons and of facts are kept in a u32. */
static_assert(VFIO_GUARD_NR_REASONS <= 32);
static_assert(VG_NR_FACTS <= 32);

/* Pairs in which the hardware and the kernel answer the same question. */
static const struct {
	u8 hardware;
	u8 kernel;
} claims[] = {
	{ VG_FACT_COVERED, VG_FACT_KERNEL_IOMMU },
	{ VG_FACT_TRANSLATION, VG_FACT_KERNEL_TRANSLATION },
	{ VG_FACT_INTREMAP, VG_FACT_ISOLATED_MSI },
};

/* A disagreement needs two answers: silence on either side is not one. */
static bool kernel_differs(const struct vg_evidence *ev)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(claims); i++) {
		u8 hw = ev->fact[claims[i].hardware].answer;
		u8 kernel = ev->fact[claims[i].kernel].answer;

		if ((hw == VG_YES && kernel == VG_NO) ||
		    (hw == VG_NO && kernel == VG_YES))
			return true;
	}
	return false;
}

/**
 * vg_verdict_decide() - judge a device
 * @ev: the evidence
 * @policy: profile and mode in force
 * @out: the verdict
 *
 * An unknown fact raises ``unreadable`` when its reason would deny; when its
 * reason would only warn, the fact is named in @out->unread and the event is
 * at least ``warned``. A device that is open already, or that is bound to a
 * driver with no gate, can't be refused any more: it is judged to be reported.
 *
 * Context: any.
 */
void vg_verdict_decide(const struct vg_evidence *ev,
		       const struct vg_policy *policy, struct vg_verdict *out)
{
	u8 lead_action = VFIO_GUARD_ACTION_REPORT;
	bool too_late;
	u32 i;

	memset(out, 0, sizeof(*out));
	out->lead = VFIO_GUARD_NR_REASONS;

	for (i = 0; i < VG_NR_FACTS; i++) {
		u8 answer = ev->fact[i].answer;
		u8 action = vg_reason_action(facts[i].reason, policy->profile);

		if (answer == facts[i].bad) {
			out->reasons |= 1U << facts[i].reason;
		} else if (answer == VG_UNKNOWN) {
			out->unread |= 1U << i;
			if (action == VFIO_GUARD_ACTION_DENY)
				out->reasons |=
					1U << VFIO_GUARD_REASON_UNREADABLE;
		}
	}
	if (kernel_differs(ev))
		out->reasons |= 1U << VFIO_GUARD_REASON_KERNEL_DIFFERS;

	for (i = 0; i < VFIO_GUARD_NR_REASONS; i++) {
		u8 action;

		if (!(out->reasons & 1U << i))
			continue;
		action = vg_reason_action(i, policy->profile);
		if (action == VFIO_GUARD_ACTION_DENY)
			out->deny |= 1U << i;
		if (out->lead == VFIO_GUARD_NR_REASONS ||
		    action > lead_action) {
			out->lead = i;
			lead_action = action;
		}
	}

	/* Nothing else matters while the device is out of reach. */
	if (out->reasons & 1U << VFIO_GUARD_REASON_UNGUARDED_DRIVER)
		out->lead = VFIO_GUARD_REASON_UNGUARDED_DRIVER;

	too_late = out->reasons & (1U << VFIO_GUARD_REASON_PREOPEN |
				   1U << VFIO_GUARD_REASON_UNGUARDED_DRIVER);
	out->refuse = out->deny && !too_late &&
		      policy->mode == VFIO_GUARD_MODE_ENFORCE;
	if (out->refuse)
		out->event = VFIO_GUARD_EVENT_REFUSED;
	else if (out->reasons || out->unread)
		out->event = VFIO_GUARD_EVENT_WARNED;
	else
		out->event = VFIO_GUARD_EVENT_ADMITTED;
}

/**
 * vg_reason_action() - what a reason costs under a profile
 * @reason: the reason
 * @profile: the profile
 *
 * Context: any.
 * Return: enum vfio_guard_action.
 */
enum vfio_guard_action vg_reason_action(enum vfio_guard_reason reason,
					enum vfio_guard_profile profile)
{
	return reasons[reason].action[profile];
}

/**
 * vg_reason_name() - the word a reason is logged as
 * @reason: the reason
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_reason_name(enum vfio_guard_reason reason)
{
	return reasons[reason].name;
}

/**
 * vg_reason_text() - the fact behind a reason, in words
 * @reason: the reason
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_reason_text(enum vfio_guard_reason reason)
{
	return reasons[reason].text;
}

/**
 * vg_reason_remedy() - what an administrator can do about a reason
 * @reason: the reason
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_reason_remedy(enum vfio_guard_reason reason)
{
	return reasons[reason].remedy;
}

/**
 * vg_fact_name() - the word a fact is logged as
 * @id: the fact
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_fact_name(enum vg_fact_id id)
{
	return facts[id].name;
}

/**
 * vg_event_name() - the word an event is logged as
 * @event: the event
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_event_name(enum vfio_guard_event event)
{
	return events[event];
}

/**
 * vg_profile_name() - the word for a profile
 * @profile: the profile
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_profile_name(enum vfio_guard_profile profile)
{
	return profiles[profile];
}

/**
 * vg_mode_name() - the word for a mode
 * @mode: the mode
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_mode_name(enum vfio_guard_mode mode)
{
	return modes[mode];
}

static int find_name(const char *const *names, size_t nr, const char *name)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -EINVAL;
}

/**
 * vg_profile_find() - the profile of a name
 * @name: as the administrator wrote it
 *
 * Context: any.
 * Return: enum vfio_guard_profile, or -EINVAL.
 */
int vg_profile_find(const char *name)
{
	return find_name(profiles, ARRAY_SIZE(profiles), name);
}

/**
 * vg_mode_find() - the mode of a name
 * @name: as the administrator wrote it
 *
 * Context: any.
 * Return: enum vfio_guard_mode, or -EINVAL.
 */
int vg_mode_find(const char *name)
{
	return find_name(modes, ARRAY_SIZE(modes), name);
}
