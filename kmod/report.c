// SPDX-License-Identifier: GPL-2.0
/* One event in, every sink out: the kernel log, and counts. */
#include <linux/cred.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "report.h"

/* printk cuts a record at about 1000 bytes; the longest line stays below. */
#define LINE_MAX_LEN	960

/* What is said again of a device within this time is counted, not logged. */
#define QUIET_PERIOD	(5 * HZ)

/* Different things said of one device in a period, before they are counted. */
#define LINES_PER_PERIOD	8

/* "dev=0000:00:00.0 id=0000:0000 group=2147483647", and a long segment */
#define DEVICE_WORDS	64

/**
 * struct chatter - what has been said of one device lately
 * @device: the device as it is logged; it may be gone meanwhile
 * @event: of the last line
 * @reasons: of the last line
 * @uid: opener of the last line
 * @lines: logged in this period
 * @held: by event, what was counted in this period and not logged
 * @held.count: how many decisions
 * @held.reasons: all the reasons they had
 * @quiet_until: end of the period, in jiffies
 */
struct chatter {
	char device[DEVICE_WORDS];
	u8 event;
	u32 reasons;
	kuid_t uid;
	u32 lines;
	struct {
		u32 count;
		u32 reasons;
	} held[VFIO_GUARD_NR_EVENTS];
	unsigned long quiet_until;
};

/* Protects chatters and everything in them, and totals. Process context. */
static DEFINE_MUTEX(lock);
static DEFINE_XARRAY(chatters);
static u64 totals[VFIO_GUARD_NR_EVENTS];

static void flush_chatters(struct work_struct *work);
static DECLARE_DELAYED_WORK(quiet_work, flush_chatters);

static void add_reasons(struct seq_buf *line, u32 reasons)
{
	const char *sep = " reasons=";
	int i;

	for (i = 0; i < VFIO_GUARD_NR_REASONS; i++) {
		if (!(reasons & BIT(i)))
			continue;
		seq_buf_printf(line, "%s%s", sep, vg_reason_name(i));
		sep = ",";
	}
}

static void add_unread(struct seq_buf *line, u32 unread)
{
	const char *sep = " unread=";
	int i;

	for (i = 0; i < VG_NR_FACTS; i++) {
		if (!(unread & BIT(i)))
			continue;
		seq_buf_printf(line, "%s%s", sep, vg_fact_name(i));
		sep = ",";
	}
}

static void add_policy(struct seq_buf *line, const struct vg_policy *policy)
{
	seq_buf_printf(line, " profile=%s", vg_profile_name(policy->profile));
	if (policy->mode == VFIO_GUARD_MODE_AUDIT)
		seq_buf_printf(line, " mode=%s", vg_mode_name(policy->mode));
}

static void add_hint(struct seq_buf *line, const struct vg_verdict *verdict)
{
	if (verdict->lead < VFIO_GUARD_NR_REASONS)
		seq_buf_printf(line, " hint=\"%s\"",
			       vg_reason_remedy(verdict->lead));
}

/* A process may be named anything: quotes and line ends must not get out. */
static void add_opener(struct seq_buf *line)
{
	char escaped[TASK_COMM_LEN * 4 + 1];
	char comm[TASK_COMM_LEN];
	int len;

	get_task_comm(comm, current);
	len = string_escape_mem(comm, strlen(comm), escaped,
				sizeof(escaped) - 1,
				ESCAPE_ANY_NP | ESCAPE_APPEND, "\"\\");
	escaped[min_t(int, len, sizeof(escaped) - 1)] = '\0';
	seq_buf_printf(line, " pid=%d uid=%u comm=\"%s\"",
		       task_tgid_nr(current),
		       from_kuid(&init_user_ns, current_uid()), escaped);
}

static const char *level_of(u8 event)
{
	switch (event) {
	case VFIO_GUARD_EVENT_REFUSED:
		return KERN_WARNING;
	case VFIO_GUARD_EVENT_WARNED:
		return KERN_NOTICE;
	default:
		return KERN_INFO;
	}
}

static void name_device(struct pci_dev *pdev, char *buf, size_t size)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	int len;

	len = scnprintf(buf, size, "dev=%s id=%04x:%04x", pci_name(pdev),
			pdev->vendor, pdev->device);
	if (group)
		scnprintf(buf + len, size - len, " group=%d",
			  iommu_group_id(group));
	iommu_group_put(group);
}

static void log_decision(const struct vg_decision *decision,
			 const char *device)
{
	const struct vg_verdict *verdict = &decision->verdict;
	char buf[LINE_MAX_LEN];
	struct seq_buf line;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s %s", vg_event_name(verdict->event), device);
	add_reasons(&line, verdict->reasons);
	add_unread(&line, verdict->unread);
	seq_buf_printf(&line, " unit=%s",
		       decision->unit ? decision->unit->name : "none");
	add_policy(&line, &decision->policy);
	if (verdict->deny && !verdict->refuse)
		seq_buf_printf(&line, " verdict=refuse");
	if (decision->opener)
		add_opener(&line);
	add_hint(&line, verdict);
	dev_printk(level_of(verdict->event), &decision->pdev->dev,
		   "vfio-guard: %.*s\n", (int)seq_buf_used(&line), buf);
}

static void log_held(const struct chatter *c, enum vfio_guard_event event)
{
	char buf[LINE_MAX_LEN];
	struct seq_buf line;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s %s", vg_event_name(event), c->device);
	add_reasons(&line, c->held[event].reasons);
	seq_buf_printf(&line, " suppressed=%u", c->held[event].count);
	pr_notice("%.*s\n", (int)seq_buf_used(&line), buf);
}

/* What was held back is said, in one line an event. */
static void log_all_held(struct chatter *c)
{
	int i;

	for (i = 0; i < VFIO_GUARD_NR_EVENTS; i++)
		if (c->held[i].count)
			log_held(c, i);
	memset(c->held, 0, sizeof(c->held));
}

static bool holds_any(const struct chatter *c)
{
	return memchr_inv(c->held, 0, sizeof(c->held));
}

static void flush_chatters(struct work_struct *work)
{
	struct chatter *c;
	unsigned long key;
	bool more = false;

	mutex_lock(&lock);
	xa_for_each(&chatters, key, c) {
		if (!holds_any(c))
			continue;
		if (time_before(jiffies, c->quiet_until))
			more = true;
		else
			log_all_held(c);
	}
	if (more)
		schedule_delayed_work(&quiet_work, QUIET_PERIOD);
	mutex_unlock(&lock);
}

static struct chatter *find_chatter(struct pci_dev *pdev)
{
	unsigned long key = (unsigned long)pci_domain_nr(pdev->bus) << 16 |
			    pci_dev_id(pdev);
	struct chatter *c = xa_load(&chatters, key);

	if (c)
		return c;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return NULL;
	c->quiet_until = jiffies;
	if (xa_err(xa_store(&chatters, key, c, GFP_KERNEL))) {
		kfree(c);
		return NULL;
	}
	return c;
}

static bool said_already(const struct chatter *c,
			 const struct vg_verdict *verdict, const char *device)
{
	return c->lines && c->event == verdict->event &&
	       c->reasons == verdict->reasons &&
	       uid_eq(c->uid, current_uid()) && !strcmp(c->device, device);
}

/* Decide whether to log, and keep the books for when we don't. */
static bool may_log(struct chatter *c, const struct vg_verdict *verdict,
		    const char *device)
{
	if (time_after_eq(jiffies, c->quiet_until)) {
		log_all_held(c);
		c->lines = 0;
		c->quiet_until = jiffies + QUIET_PERIOD;
	}
	if (c->lines >= LINES_PER_PERIOD ||
	    said_already(c, verdict, device)) {
		c->held[verdict->event].count++;
		c->held[verdict->event].reasons |= verdict->reasons;
		schedule_delayed_work(&quiet_work, QUIET_PERIOD);
		return false;
	}
	/* In the order it happened, and under the name it happened to. */
	log_all_held(c);
	c->event = verdict->event;
	c->reasons = verdict->reasons;
	c->uid = current_uid();
	c->lines++;
	strscpy(c->device, device, sizeof(c->device));
	return true;
}

/**
 * vg_report_decision() - log and count a verdict
 * @decision: the verdict, on whom and for whom
 *
 * The same verdict on the same device for the same user is logged once in
 * 5 seconds; the rest is counted, and the count logged as ``suppressed=``
 * when the time is over, when something else happens to the device, or when
 * the module goes.
 *
 * Context: process, may sleep.
 */
void vg_report_decision(const struct vg_decision *decision)
{
	char device[DEVICE_WORDS];
	struct chatter *c;

	name_device(decision->pdev, device, sizeof(device));
	mutex_lock(&lock);
	totals[decision->verdict.event]++;
	c = find_chatter(decision->pdev);
	/* Out of memory costs the brevity, never the line. */
	if (!c || may_log(c, &decision->verdict, device))
		log_decision(decision, device);
	mutex_unlock(&lock);
}

/**
 * vg_report_posture() - log what a unit can hold
 * @unit: the unit, NULL where the platform has none
 * @ev: the facts about it
 * @policy: the policy in force
 * @verdict: what it would mean for a device behind it
 *
 * Context: process, may sleep.
 */
void vg_report_posture(const struct vg_unit *unit,
		       const struct vg_evidence *ev,
		       const struct vg_policy *policy,
		       const struct vg_verdict *verdict)
{
	static const char *const words[] = {
		[VG_UNKNOWN] = "unknown",
		[VG_NO] = "no",
		[VG_YES] = "yes",
	};
	char buf[LINE_MAX_LEN];
	struct seq_buf line;
	int i;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s unit=%s",
		       vg_event_name(VFIO_GUARD_EVENT_POSTURE),
		       unit ? unit->name : "none");
	if (unit)
		seq_buf_printf(&line, " base=%pa segment=%u", &unit->base,
			       unit->segment);
	for (i = 0; i < VG_NR_FACTS; i++)
		if (ev->fact[i].answer != VG_NA)
			seq_buf_printf(&line, " %s=%s", vg_fact_name(i),
				       words[ev->fact[i].answer]);
	add_reasons(&line, verdict->reasons);
	add_policy(&line, policy);
	add_hint(&line, verdict);
	if (verdict->reasons)
		pr_warn("%.*s\n", (int)seq_buf_used(&line), buf);
	else
		pr_info("%.*s\n", (int)seq_buf_used(&line), buf);
}

/**
 * vg_report_exit() - say what was held back, and the sums
 *
 * Context: process, may sleep; nobody reports any more.
 */
void vg_report_exit(void)
{
	struct chatter *c;
	unsigned long key;

	cancel_delayed_work_sync(&quiet_work);
	xa_for_each(&chatters, key, c) {
		xa_erase(&chatters, key);
		log_all_held(c);
		kfree(c);
	}
	xa_destroy(&chatters);
	pr_info("totals: refused=%llu warned=%llu admitted=%llu\n",
		totals[VFIO_GUARD_EVENT_REFUSED],
		totals[VFIO_GUARD_EVENT_WARNED],
		totals[VFIO_GUARD_EVENT_ADMITTED]);
}
