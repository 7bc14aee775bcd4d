// SPDX-License-Identifier: GPL-2.0
/*
 * Tests for kmod/core/verdict.c. Names, actions and facts are spelled out here
 * once more: they are ABI, and a change must show in two places.
 */
#include <kunit/test.h>

#include "verdict.h"

#define NR_REASONS	VFIO_GUARD_NR_REASONS
#define REPORT		VFIO_GUARD_ACTION_REPORT
#define WARN_ONLY	VFIO_GUARD_ACTION_WARN
#define DENY		VFIO_GUARD_ACTION_DENY

/* In the order reasons are printed in; action by profile: default, strict */
static const struct {
	const char *name;
	u8 action[2];
} catalogue[] = {
	{ "no-iommu", { DENY, DENY } },
	{ "no-translation", { DENY, DENY } },
	{ "no-intremap", { DENY, DENY } },
	{ "compat-irq", { DENY, DENY } },
	{ "no-sid-check", { DENY, DENY } },
	{ "shared-irt", { DENY, DENY } },
	{ "irq-pass", { DENY, DENY } },
	{ "errata", { DENY, DENY } },
	{ "fault-nmi", { DENY, DENY } },
	{ "fault-masked", { WARN_ONLY, DENY } },
	{ "vtd-nmi", { DENY, DENY } },
	{ "serr-nmi", { WARN_ONLY, DENY } },
	{ "fw-first", { WARN_ONLY, DENY } },
	{ "no-aer", { WARN_ONLY, WARN_ONLY } },
	{ "no-acs", { WARN_ONLY, DENY } },
	{ "ats", { WARN_ONLY, DENY } },
	{ "rmrr", { WARN_ONLY, DENY } },
	{ "no-reset", { WARN_ONLY, DENY } },
	{ "kernel-differs", { WARN_ONLY, DENY } },
	{ "untrusted", { DENY, DENY } },
	{ "quarantined", { DENY, DENY } },
	{ "unreadable", { DENY, DENY } },
	{ "preopen", { REPORT, REPORT } },
	{ "unguarded-driver", { REPORT, REPORT } },
};

static_assert(ARRAY_SIZE(catalogue) == VFIO_GUARD_NR_REASONS);

/* Each fact: its name, the answer that raises a reason, the reason's name */
static const struct {
	const char *name;
	u8 bad;
	const char *reason;
} facts[] = {
	{ "iommu", VG_NO, "no-iommu" },
	{ "kernel-iommu", VG_NO, "no-iommu" },
	{ "translation", VG_NO, "no-translation" },
	{ "kernel-translation", VG_NO, "no-translation" },
	{ "intremap", VG_NO, "no-intremap" },
	{ "isolated-msi", VG_NO, "no-intremap" },
	{ "compat-irq", VG_YES, "compat-irq" },
	{ "sid-check", VG_NO, "no-sid-check" },
	{ "shared-irt", VG_YES, "shared-irt" },
	{ "irq-pass", VG_YES, "irq-pass" },
	{ "errata", VG_YES, "errata" },
	{ "fault-nmi", VG_YES, "fault-nmi" },
	{ "fault-masked", VG_YES, "fault-masked" },
	{ "vtd-nmi", VG_YES, "vtd-nmi" },
	{ "serr-nmi", VG_YES, "serr-nmi" },
	{ "fw-first", VG_YES, "fw-first" },
	{ "aer", VG_NO, "no-aer" },
	{ "acs", VG_NO, "no-acs" },
	{ "ats", VG_YES, "ats" },
	{ "rmrr", VG_YES, "rmrr" },
	{ "reset", VG_NO, "no-reset" },
	{ "same-unit", VG_NO, "kernel-differs" },
	{ "trusted", VG_NO, "untrusted" },
	{ "quarantined", VG_YES, "quarantined" },
	{ "preopen", VG_YES, "preopen" },
	{ "unguarded", VG_YES, "unguarded-driver" },
};

static_assert(ARRAY_SIZE(facts) == VG_NR_FACTS);

/* Pairs in which hardware and kernel answer one question */
static const u8 claims[][2] = {
	{ VG_FACT_COVERED, VG_FACT_KERNEL_IOMMU },
	{ VG_FACT_TRANSLATION, VG_FACT_KERNEL_TRANSLATION },
	{ VG_FACT_INTREMAP, VG_FACT_ISOLATED_MSI },
};

/* Both profiles in both modes */
static const struct vg_policy policies[] = {
	{ VFIO_GUARD_PROFILE_DEFAULT, VFIO_GUARD_MODE_AUDIT },
	{ VFIO_GUARD_PROFILE_DEFAULT, VFIO_GUARD_MODE_ENFORCE },
	{ VFIO_GUARD_PROFILE_STRICT, VFIO_GUARD_MODE_AUDIT },
	{ VFIO_GUARD_PROFILE_STRICT, VFIO_GUARD_MODE_ENFORCE },
};

static int reason_of(const char *name)
{
	int i;

	for (i = 0; i < NR_REASONS; i++)
		if (!strcmp(catalogue[i].name, name))
			return i;
	return -1;
}

static u8 good(size_t fact)
{
	return facts[fact].bad == VG_NO ? VG_YES : VG_NO;
}

static struct vg_evidence healthy(void)
{
	struct vg_evidence ev;
	size_t i;

	for (i = 0; i < VG_NR_FACTS; i++)
		vg_fact_set(&ev, i, good(i), VG_SOURCE_REGISTER);
	return ev;
}

/*
 * Make the evidence raise a reason: every fact behind it turns bad, so that
 * hardware and kernel agree. Nothing is bad about ``unreadable``, it takes a
 * deny fact that nobody could read: one that @spare isn't raised by.
 */
static void raise(struct vg_evidence *ev, int reason, int spare)
{
	size_t i;

	if (!strcmp(catalogue[reason].name, "unreadable")) {
		i = spare == reason_of("errata") ? VG_FACT_QUARANTINED :
						   VG_FACT_ERRATA;
		ev->fact[i].answer = VG_UNKNOWN;
		return;
	}
	for (i = 0; i < VG_NR_FACTS; i++)
		if (!strcmp(facts[i].reason, catalogue[reason].name))
			ev->fact[i].answer = facts[i].bad;
}

/* The verdict on evidence that raises @reasons, by the catalogue above */
static void check_verdict(struct kunit *test, const struct vg_evidence *ev,
			  u32 reasons, u32 unread)
{
	u32 late = BIT(reason_of("preopen")) |
		   BIT(reason_of("unguarded-driver"));
	struct vg_verdict v;
	u32 deny, action;
	size_t p;
	int lead, i;
	bool refuse;

	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		deny = 0;
		lead = NR_REASONS;
		action = 0;
		for (i = 0; i < NR_REASONS; i++) {
			u8 cost = catalogue[i].action[policies[p].profile];

			if (!(reasons & BIT(i)))
				continue;
			if (cost == DENY)
				deny |= BIT(i);
			if (lead == NR_REASONS || cost > action) {
				lead = i;
				action = cost;
			}
		}
		if (reasons & BIT(reason_of("unguarded-driver")))
			lead = reason_of("unguarded-driver");
		refuse = deny && !(reasons & late) &&
			 policies[p].mode == VFIO_GUARD_MODE_ENFORCE;

		memset(&v, 0xff, sizeof(v));
		vg_verdict_decide(ev, &policies[p], &v);
		KUNIT_EXPECT_EQ_MSG(test, v.reasons, reasons, "policy %zu", p);
		KUNIT_EXPECT_EQ_MSG(test, v.deny, deny, "policy %zu: %#x", p,
				    reasons);
		KUNIT_EXPECT_EQ_MSG(test, v.unread, unread, "policy %zu: %#x",
				    p, reasons);
		KUNIT_EXPECT_EQ_MSG(test, v.lead, lead, "policy %zu: %#x", p,
				    reasons);
		KUNIT_EXPECT_EQ_MSG(test, v.refuse, refuse, "policy %zu: %#x",
				    p, reasons);
		if (refuse)
			KUNIT_EXPECT_EQ(test, v.event,
					VFIO_GUARD_EVENT_REFUSED);
		else if (reasons || unread)
			KUNIT_EXPECT_EQ(test, v.event,
					VFIO_GUARD_EVENT_WARNED);
		else
			KUNIT_EXPECT_EQ(test, v.event,
					VFIO_GUARD_EVENT_ADMITTED);
	}
}

static void reason_names(struct kunit *test)
{
	int i, j;

	for (i = 0; i < NR_REASONS; i++) {
		KUNIT_EXPECT_STREQ(test, vg_reason_name(i), catalogue[i].name);
		KUNIT_EXPECT_GT(test, strlen(vg_reason_text(i)), 0);
		KUNIT_EXPECT_GT(test, strlen(vg_reason_remedy(i)), 0);
		/* They stand in quotes in the log. */
		KUNIT_EXPECT_NULL(test, strchr(vg_reason_text(i), '"'));
		KUNIT_EXPECT_NULL(test, strchr(vg_reason_remedy(i), '"'));
		for (j = 0; j < 2; j++)
			KUNIT_EXPECT_EQ_MSG(test, vg_reason_action(i, j),
					    catalogue[i].action[j],
					    "%s, profile %d",
					    catalogue[i].name, j);
	}
}

static void other_names(struct kunit *test)
{
	static const char *const events[] = {
		"posture", "refused", "admitted", "warned", "fault",
		"quarantined", "released", "nmi-claimed", "contained",
		"policy", "sealed",
	};
	size_t i;

	KUNIT_ASSERT_EQ(test, ARRAY_SIZE(events), VFIO_GUARD_NR_EVENTS);
	for (i = 0; i < ARRAY_SIZE(events); i++)
		KUNIT_EXPECT_STREQ(test, vg_event_name(i), events[i]);
	for (i = 0; i < ARRAY_SIZE(facts); i++) {
		KUNIT_EXPECT_STREQ(test, vg_fact_name(i), facts[i].name);
		KUNIT_EXPECT_GE(test, reason_of(facts[i].reason), 0);
	}
}

static void profiles_and_modes(struct kunit *test)
{
	static const char *const wrong[] = {
		"", " ", "Default", "defaul", "default ", "defaults", "none",
		"enforce,audit", "strict\n",
	};
	size_t i;

	KUNIT_EXPECT_STREQ(test, vg_profile_name(0), "default");
	KUNIT_EXPECT_STREQ(test, vg_profile_name(1), "strict");
	KUNIT_EXPECT_EQ(test, VFIO_GUARD_NR_PROFILES, 2);
	KUNIT_EXPECT_STREQ(test, vg_mode_name(0), "audit");
	KUNIT_EXPECT_STREQ(test, vg_mode_name(1), "enforce");
	KUNIT_EXPECT_EQ(test, VFIO_GUARD_NR_MODES, 2);

	KUNIT_EXPECT_EQ(test, vg_profile_find("default"), 0);
	KUNIT_EXPECT_EQ(test, vg_profile_find("strict"), 1);
	KUNIT_EXPECT_EQ(test, vg_profile_find("audit"), -EINVAL);
	KUNIT_EXPECT_EQ(test, vg_mode_find("audit"), 0);
	KUNIT_EXPECT_EQ(test, vg_mode_find("enforce"), 1);
	KUNIT_EXPECT_EQ(test, vg_mode_find("strict"), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ(test, vg_profile_find(wrong[i]), -EINVAL);
		KUNIT_EXPECT_EQ(test, vg_mode_find(wrong[i]), -EINVAL);
	}
}

static void nothing_wrong(struct kunit *test)
{
	struct vg_evidence ev = healthy();

	check_verdict(test, &ev, 0, 0);
}

static void nothing_known(struct kunit *test)
{
	struct vg_evidence ev = {};
	struct vg_verdict v;
	size_t p;

	check_verdict(test, &ev, BIT(reason_of("unreadable")),
		      GENMASK(VG_NR_FACTS - 1, 0));
	/* Evidence that nobody filled in must never open a device. */
	for (p = 0; p < ARRAY_SIZE(policies); p++) {
		vg_verdict_decide(&ev, &policies[p], &v);
		KUNIT_EXPECT_EQ(test, v.refuse, policies[p].mode ==
				VFIO_GUARD_MODE_ENFORCE);
	}
}

/* A question that doesn't arise raises nothing, whichever it is. */
static void not_applicable(struct kunit *test)
{
	struct vg_evidence ev;
	size_t i;

	for (i = 0; i < VG_NR_FACTS; i++) {
		ev = healthy();
		ev.fact[i].answer = VG_NA;
		check_verdict(test, &ev, 0, 0);
	}
}

static void catalogue_desc(const typeof(catalogue[0]) *entry, char *desc)
{
	strscpy(desc, entry->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reason, catalogue, catalogue_desc);

static int param_reason(struct kunit *test)
{
	return (const typeof(catalogue[0]) *)test->param_value - catalogue;
}

/* The facts that were left unread to raise "unreadable" */
static u32 unread(const struct vg_evidence *ev)
{
	u32 set = 0;
	size_t i;

	for (i = 0; i < VG_NR_FACTS; i++)
		if (ev->fact[i].answer == VG_UNKNOWN)
			set |= BIT(i);
	return set;
}

static void alone(struct kunit *test)
{
	int reason = param_reason(test);
	struct vg_evidence ev = healthy();

	raise(&ev, reason, reason);
	check_verdict(test, &ev, BIT(reason), unread(&ev));
}

static void in_pairs(struct kunit *test)
{
	int reason = param_reason(test);
	struct vg_evidence ev;
	int other;

	for (other = 0; other < NR_REASONS; other++) {
		ev = healthy();
		raise(&ev, reason, other);
		raise(&ev, other, reason);
		check_verdict(test, &ev, BIT(reason) | BIT(other),
			      unread(&ev));
	}
}

static void all_at_once(struct kunit *test)
{
	struct vg_evidence ev = healthy();
	u32 reasons = GENMASK(NR_REASONS - 1, 0);
	int i;

	for (i = 0; i < NR_REASONS; i++)
		raise(&ev, i, NR_REASONS);
	/* One fact had to go unread, and its reason with it. */
	ev.fact[VG_FACT_ERRATA].answer = VG_UNKNOWN;
	check_verdict(test, &ev, reasons & ~BIT(reason_of("errata")),
		      BIT(VG_FACT_ERRATA));
}

/* Each fact is enough alone to raise its reason, by its bad answer only. */
static void each_fact(struct kunit *test)
{
	struct vg_evidence ev;
	u32 reasons;
	size_t i, c;

	for (i = 0; i < VG_NR_FACTS; i++) {
		ev = healthy();
		ev.fact[i].answer = facts[i].bad;
		reasons = BIT(reason_of(facts[i].reason));
		for (c = 0; c < ARRAY_SIZE(claims); c++)
			if (claims[c][0] == i || claims[c][1] == i)
				reasons |= BIT(reason_of("kernel-differs"));
		check_verdict(test, &ev, reasons, 0);
	}
}

/* A fact that can't be read denies if its reason would, else it warns. */
static void each_fact_unknown(struct kunit *test)
{
	struct vg_evidence ev;
	struct vg_verdict v;
	size_t i, p;

	for (i = 0; i < VG_NR_FACTS; i++) {
		int reason = reason_of(facts[i].reason);

		ev = healthy();
		ev.fact[i].answer = VG_UNKNOWN;
		for (p = 0; p < ARRAY_SIZE(policies); p++) {
			u8 cost = catalogue[reason].action[policies[p].profile];
			u32 raised = cost == DENY ?
				     BIT(reason_of("unreadable")) : 0;
			bool refuse = raised && policies[p].mode ==
				      VFIO_GUARD_MODE_ENFORCE;

			vg_verdict_decide(&ev, &policies[p], &v);
			KUNIT_EXPECT_EQ_MSG(test, v.reasons, raised, "%s",
					    facts[i].name);
			KUNIT_EXPECT_EQ_MSG(test, v.deny, raised, "%s",
					    facts[i].name);
			KUNIT_EXPECT_EQ_MSG(test, v.unread, BIT(i), "%s",
					    facts[i].name);
			KUNIT_EXPECT_EQ_MSG(test, v.refuse, refuse, "%s",
					    facts[i].name);
			KUNIT_EXPECT_EQ_MSG(test, v.event, refuse ?
					    VFIO_GUARD_EVENT_REFUSED :
					    VFIO_GUARD_EVENT_WARNED, "%s",
					    facts[i].name);
		}
	}
}

/* Every pair of answers of hardware and kernel to the same question */
static void claims_differ(struct kunit *test)
{
	struct vg_evidence ev;
	struct vg_verdict v;
	size_t c, hw, kernel;

	for (c = 0; c < ARRAY_SIZE(claims); c++) {
		for (hw = VG_UNKNOWN; hw <= VG_NA; hw++) {
			for (kernel = VG_UNKNOWN; kernel <= VG_NA; kernel++) {
				/* Only yes against no is a contradiction. */
				bool differ = hw + kernel == VG_YES + VG_NO &&
					      hw && kernel;

				ev = healthy();
				ev.fact[claims[c][0]].answer = hw;
				ev.fact[claims[c][1]].answer = kernel;
				vg_verdict_decide(&ev, &policies[1], &v);
				KUNIT_EXPECT_EQ_MSG(test, !!(v.reasons &
						    BIT(reason_of("kernel-differs"))),
						    differ, "%s: %zu, %zu",
						    facts[claims[c][0]].name,
						    hw, kernel);
			}
		}
	}
}

static struct kunit_case verdict_cases[] = {
	KUNIT_CASE(reason_names),
	KUNIT_CASE(other_names),
	KUNIT_CASE(profiles_and_modes),
	KUNIT_CASE(nothing_wrong),
	KUNIT_CASE(nothing_known),
	KUNIT_CASE(not_applicable),
	KUNIT_CASE_PARAM(alone, reason_gen_params),
	KUNIT_CASE_PARAM(in_pairs, reason_gen_params),
	KUNIT_CASE(all_at_once),
	KUNIT_CASE(each_fact),
	KUNIT_CASE(each_fact_unknown),
	KUNIT_CASE(claims_differ),
	{}
};

static struct kunit_suite verdict_suite = {
	.name = "vfio_guard_verdict",
	.test_cases = verdict_cases,
};

kunit_test_suite(verdict_suite);
