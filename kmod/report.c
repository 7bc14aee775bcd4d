// SPDX-License-Identifier: GPL-2.0
/* One event in, every sink out: the kernel log, and counts. */
#include <linux/cred.h>
#include <linux/iommu.h>
#include <linux/sched.h>
#include <linux/seq_buf.h>
#include <linux/string_helpers.h>
#include <linux/uidgid.h>

#include "chatter.h"
#include "fault.h"
#include "report.h"

/* In vg_utterance.about of a fault: in audit mode, it was one too many. */
#define ABOUT_LIMIT	BIT(31)

/* How many decisions and faults there were of each event, logged or not. */
static atomic64_t totals[VFIO_GUARD_NR_EVENTS];

static const char *reason_name(int i)
{
	return vg_reason_name(i);
}

static const char *fact_name(int i)
{
	return vg_fact_name(i);
}

static const char *kind_name(int i)
{
	static const char *const kinds[] = {
		[VG_FAULT_DMA] = "dma",
		[VG_FAULT_IRQ] = "interrupt",
	};

	static_assert(ARRAY_SIZE(kinds) == VG_NR_FAULT_KINDS);
	return kinds[i];
}

/* " @key=name,name" for the first @n bits of @bits. */
static void add_names(struct seq_buf *line, const char *key, u32 bits, int n,
		      const char *(*name)(int i))
{
	const char *sep = "=";
	int i;

	for (i = 0; i < n; i++) {
		if (!(bits & BIT(i)))
			continue;
		seq_buf_printf(line, "%s%s%s", *sep == '=' ? key : "", sep,
			       name(i));
		sep = ",";
	}
}

static void add_reasons(struct seq_buf *line, u32 reasons)
{
	add_names(line, " reasons", reasons, VFIO_GUARD_NR_REASONS,
		  reason_name);
}

static void add_kinds(struct seq_buf *line, u32 kinds)
{
	add_names(line, " kind", kinds, VG_NR_FAULT_KINDS, kind_name);
}

static void add_unit(struct seq_buf *line, const struct vg_unit *unit)
{
	seq_buf_printf(line, " unit=%s", unit ? unit->name : "none");
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
	case VFIO_GUARD_EVENT_QUARANTINED:
		return KERN_ERR;
	case VFIO_GUARD_EVENT_REFUSED:
	case VFIO_GUARD_EVENT_FAULT:
	case VFIO_GUARD_EVENT_CONTAINED:
		return KERN_WARNING;
	case VFIO_GUARD_EVENT_WARNED:
	case VFIO_GUARD_EVENT_RELEASED:
		return KERN_NOTICE;
	default:
		return KERN_INFO;
	}
}

/* @group is negative where there is none. */
static void name_device(struct pci_dev *pdev, int group, char *buf, size_t size)
{
	int len;

	len = scnprintf(buf, size, "dev=%s id=%04x:%04x", pci_name(pdev),
			pdev->vendor, pdev->device);
	if (group >= 0)
		scnprintf(buf + len, size - len, " group=%d", group);
}

static int group_id(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	int id = group ? iommu_group_id(group) : -1;

	iommu_group_put(group);
	return id;
}

static void log_decision(const struct vg_decision *decision,
			 const char *device)
{
	const struct vg_verdict *verdict = &decision->verdict;
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s %s", vg_event_name(verdict->event), device);
	add_reasons(&line, verdict->reasons);
	add_names(&line, " unread", verdict->unread, VG_NR_FACTS, fact_name);
	add_unit(&line, decision->unit);
	add_policy(&line, &decision->policy);
	if (verdict->deny && !verdict->refuse)
		seq_buf_printf(&line, " verdict=refuse");
	if (decision->opener)
		add_opener(&line);
	add_hint(&line, verdict);
	dev_printk(level_of(verdict->event), &decision->pdev->dev,
		   "vfio-guard: %.*s\n", (int)seq_buf_used(&line), buf);
}

/**
 * vg_report_decision() - log and count a verdict
 * @decision: the verdict, on whom and for whom
 *
 * The same verdict on the same device for the same user is logged once in a
 * while, see vg_chatter_begin().
 *
 * Context: process, may sleep.
 */
void vg_report_decision(const struct vg_decision *decision)
{
	const struct vg_utterance said = {
		.event = decision->verdict.event,
		.about = decision->verdict.reasons,
		.words = add_reasons,
		.uid = current_uid(),
		.count = 1,
	};
	char device[VG_DEVICE_WORDS];

	atomic64_inc(&totals[said.event]);
	name_device(decision->pdev, group_id(decision->pdev), device,
		    sizeof(device));
	if (vg_chatter_begin(decision->pdev, device, &said))
		log_decision(decision, device);
	vg_chatter_end();
}

static void log_line(const struct vg_assigned *entry, u8 event,
		     struct seq_buf *line)
{
	dev_printk(level_of(event), &entry->pdev->dev, "vfio-guard: %.*s\n",
		   (int)seq_buf_used(line), line->buffer);
}

static void add_requester(struct seq_buf *line, u16 rid)
{
	seq_buf_printf(line, " requester=%02x:%02x.%u", PCI_BUS_NUM(rid),
		       PCI_SLOT(rid), PCI_FUNC(rid));
}

static void log_faults(const struct vg_fault_news *news, u64 count,
		       const char *device)
{
	const struct vg_fault *fault = &news->sample;
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s %s", vg_event_name(VFIO_GUARD_EVENT_FAULT),
		       device);
	add_kinds(&line, BIT(fault->kind));
	seq_buf_printf(&line, " access=%s addr=%#llx",
		       vg_access_name(fault->access), fault->addr);
	if (fault->has_index)
		seq_buf_printf(&line, " index=%#x", fault->index);
	if (fault->has_pasid)
		seq_buf_printf(&line, " pasid=%#x", fault->pasid);
	add_requester(&line, fault->requester);
	seq_buf_printf(&line, " reason=%#04x", fault->reason);
	add_unit(&line, news->entry->unit);
	seq_buf_printf(&line, " faults=%llu", count);
	if (news->would_quarantine)
		seq_buf_printf(&line, " verdict=quarantine");
	log_line(news->entry, VFIO_GUARD_EVENT_FAULT, &line);
}

/**
 * vg_report_faults() - log and count what an IOMMU blocked of a device
 * @news: the faults since the last time, one of them in full
 *
 * Logged as decisions are: what is the same but for the address is counted.
 *
 * Context: process, may sleep.
 */
void vg_report_faults(const struct vg_fault_news *news)
{
	struct vg_utterance said = {
		.event = VFIO_GUARD_EVENT_FAULT,
		.words = add_kinds,
		.uid = GLOBAL_ROOT_UID,
	};
	char device[VG_DEVICE_WORDS];
	int kind;

	for (kind = 0; kind < VG_NR_FAULT_KINDS; kind++) {
		said.count += news->count[kind];
		if (news->count[kind])
			said.about |= BIT(kind);
	}
	if (news->would_quarantine)
		said.about |= ABOUT_LIMIT;
	/* The last line was about this one already. */
	if (!said.count)
		return;

	atomic64_add(said.count, &totals[said.event]);
	name_device(news->entry->pdev, news->entry->group->id, device,
		    sizeof(device));
	if (vg_chatter_begin(news->entry->pdev, device, &said))
		log_faults(news, said.count, device);
	vg_chatter_end();
}

/* Where a line that is never held back begins, which end_line() ends. */
static void begin_line(const struct vg_assigned *entry, u8 event,
		       struct seq_buf *line, char *buf, size_t size)
{
	char device[VG_DEVICE_WORDS];

	vg_chatter_interrupt(entry->pdev);
	name_device(entry->pdev, entry->group->id, device, sizeof(device));
	seq_buf_init(line, buf, size);
	seq_buf_printf(line, "%s %s", vg_event_name(event), device);
}

static void end_line(const struct vg_assigned *entry, u8 event,
		     struct seq_buf *line)
{
	log_line(entry, event, line);
	vg_chatter_end();
}

static void add_cause(struct seq_buf *line, const struct vg_group *group)
{
	seq_buf_printf(line, " cause=%s", vg_cause_name(group->cause));
}

/**
 * vg_report_quarantined() - log and count a step that stops a device
 * @entry: the device
 * @port: the port above that has been touched, or NULL
 * @first: it is the first step
 *
 * Context: process, may sleep.
 */
void vg_report_quarantined(const struct vg_assigned *entry,
			   struct pci_dev *port, bool first)
{
	const struct vg_group *group = entry->group;
	enum vg_rung rung = atomic_read(&group->rung);
	s64 ns = group->stopped_ns - group->first_ns;
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	if (first)
		atomic64_inc(&totals[VFIO_GUARD_EVENT_QUARANTINED]);
	begin_line(entry, VFIO_GUARD_EVENT_QUARANTINED, &line, buf,
		   sizeof(buf));
	add_cause(&line, group);
	seq_buf_printf(&line, " step=%s", vg_rung_name(rung));
	if (port)
		seq_buf_printf(&line, " port=%s", pci_name(port));
	add_requester(&line, group->culprit);
	seq_buf_printf(&line, " faults=%u us=%lld", group->faults,
		       div_s64(ns, NSEC_PER_USEC));
	add_unit(&line, entry->unit);
	seq_buf_printf(&line, " told=%s", group->told ? "yes" : "no");
	seq_buf_printf(&line, " hint=\"%s\"",
		       rung == VG_RUNG_EXHAUSTED ?
		       "nothing is left to stop it by: unplug it, or power it off" :
		       vg_reason_remedy(VFIO_GUARD_REASON_QUARANTINED));
	end_line(entry, VFIO_GUARD_EVENT_QUARANTINED, &line);
}

/**
 * vg_report_released() - log and count the end of a device's quarantine
 * @entry: the device
 * @by: what ended it, in a word
 *
 * Context: process, may sleep.
 */
void vg_report_released(const struct vg_assigned *entry, const char *by)
{
	char buf[VG_LINE_MAX];
	struct seq_buf line;
	u64 faults = 0;
	int kind;

	for (kind = 0; kind < VG_NR_FAULT_KINDS; kind++)
		faults += atomic64_read(&entry->seen[kind]);
	faults += entry->errors.uncorrectable;
	atomic64_inc(&totals[VFIO_GUARD_EVENT_RELEASED]);
	begin_line(entry, VFIO_GUARD_EVENT_RELEASED, &line, buf, sizeof(buf));
	add_cause(&line, entry->group);
	seq_buf_printf(&line, " faults=%llu by=%s", faults, by);
	end_line(entry, VFIO_GUARD_EVENT_RELEASED, &line);
}

static void add_errors(struct seq_buf *line, u32 status)
{
	const char *sep = " error=";
	unsigned int bit;

	if (!status)
		seq_buf_printf(line, "%sunknown", sep);
	for (bit = 0; bit < VG_AER_BITS; bit++) {
		if (!(status & BIT(bit)))
			continue;
		if (vg_aer_name(bit))
			seq_buf_printf(line, "%s%s", sep, vg_aer_name(bit));
		else
			seq_buf_printf(line, "%sbit%u", sep, bit);
		sep = ",";
	}
}

/* The device itself, unless it is known by what a port above it saw. */
static void add_reporter(struct seq_buf *line, const struct vg_assigned *entry,
			 struct pci_dev *pdev)
{
	if (pdev != entry->pdev)
		seq_buf_printf(line, " reporter=%s", pci_name(pdev));
}

static void add_header(struct seq_buf *line, const struct vg_error *error)
{
	if (error->has_header)
		seq_buf_printf(line, " header=\"%08x %08x %08x %08x\"",
			       error->header[0], error->header[1],
			       error->header[2], error->header[3]);
}

/**
 * vg_report_contained() - log and count an uncorrectable PCIe error
 * @entry: the device that is held to be its cause
 * @error: the error
 * @would_quarantine: the device would be quarantined but for mode=audit
 * @log: say so; otherwise it is only counted
 *
 * Context: process, may sleep.
 */
void vg_report_contained(const struct vg_assigned *entry,
			 const struct vg_error *error, bool would_quarantine,
			 bool log)
{
	bool fatal = error->severity == VG_SEVERITY_FATAL;
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	atomic64_inc(&totals[VFIO_GUARD_EVENT_CONTAINED]);
	if (!log)
		return;
	begin_line(entry, VFIO_GUARD_EVENT_CONTAINED, &line, buf, sizeof(buf));
	add_errors(&line, error->status);
	seq_buf_printf(&line, " severity=%s status=%#010x",
		       fatal ? "fatal" : "nonfatal", error->status);
	add_header(&line, error);
	add_reporter(&line, entry, error->pdev);
	seq_buf_printf(&line, " count=%llu", entry->errors.uncorrectable);
	if (would_quarantine)
		seq_buf_printf(&line, " verdict=quarantine");
	end_line(entry, VFIO_GUARD_EVENT_CONTAINED, &line);
}

/**
 * vg_report_noise() - log that a device has too many correctable errors
 * @entry: the device
 * @pdev: who reported them
 * @muted: the device reports no more of them
 *
 * Context: process, may sleep.
 */
void vg_report_noise(const struct vg_assigned *entry, struct pci_dev *pdev,
		     bool muted)
{
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	begin_line(entry, VFIO_GUARD_EVENT_CONTAINED, &line, buf, sizeof(buf));
	seq_buf_printf(&line, " severity=correctable");
	add_reporter(&line, entry, pdev);
	seq_buf_printf(&line, " count=%lld muted=%s",
		       (s64)atomic64_read(&entry->errors.correctable),
		       muted ? "yes" : "no");
	end_line(entry, VFIO_GUARD_EVENT_CONTAINED, &line);
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
	char buf[VG_LINE_MAX];
	struct seq_buf line;
	int i;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s", vg_event_name(VFIO_GUARD_EVENT_POSTURE));
	add_unit(&line, unit);
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

/* The registers of a mask that is not in force. */
static void add_lacks(struct seq_buf *line, const struct vg_chip_mask *mask)
{
	const char *sep = " lacks=";
	u8 i;

	for (i = 0; i < mask->nr; i++) {
		if (!mask->word[i].lacks)
			continue;
		seq_buf_printf(line, "%s%#llx", sep, mask->word[i].at);
		sep = ",";
	}
}

/**
 * vg_report_chip() - log how a chip's mask of IOMMU faults stands
 * @pdev: the chip
 * @rule: what asks for the mask, NULL if no rule speaks of the chip
 * @mask: how it stands
 * @lost: how often somebody had cleared it when it was looked for
 *
 * Context: process, may sleep.
 */
void vg_report_chip(struct pci_dev *pdev, const struct vg_chip_rule *rule,
		    const struct vg_chip_mask *mask, u32 lost)
{
	bool loose = vg_mask_in_force(mask->state) == VG_NO ||
		     vg_mask_in_force(mask->state) == VG_UNKNOWN;
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s dev=%s id=%04x:%04x",
		       vg_event_name(VFIO_GUARD_EVENT_POSTURE), pci_name(pdev),
		       pdev->vendor, pdev->device);
	if (rule)
		seq_buf_printf(&line, " chip=\"%s\"", rule->name);
	seq_buf_printf(&line, " vtd-mask=%s", vg_mask_name(mask->state));
	add_lacks(&line, mask);
	if (lost)
		seq_buf_printf(&line, " lost=%u", lost);
	dev_printk(loose ? KERN_WARNING : KERN_INFO, &pdev->dev,
		   "vfio-guard: %.*s\n", (int)seq_buf_used(&line), buf);
}

/**
 * vg_report_firmware() - log what firmware keeps to itself
 * @ports: the root ports whose errors it handles first; or all, none, some, or
 *	   unknown
 * @nmi_sources: how many error sources it tells of by an NMI, in which Linux
 *		 panics if the error is a fatal one (ghes_notify_nmi()), before
 *		 any other handler is asked
 *
 * Context: process, may sleep.
 */
void vg_report_firmware(const char *ports, u32 nmi_sources)
{
	pr_notice("%s fw-first=%s ghes-nmi=%u hint=\"%s\"\n",
		  vg_event_name(VFIO_GUARD_EVENT_POSTURE), ports, nmi_sources,
		  vg_reason_remedy(VFIO_GUARD_REASON_FW_FIRST));
}

/**
 * vg_report_nmi_claimed() - log that faults explained an NMI
 * @claimed: how many there have been
 *
 * Context: process, may sleep.
 */
void vg_report_nmi_claimed(u64 claimed)
{
	pr_warn("%s total=%llu\n",
		vg_event_name(VFIO_GUARD_EVENT_NMI_CLAIMED), claimed);
}

static u64 total(enum vfio_guard_event event)
{
	return atomic64_read(&totals[event]);
}

/**
 * vg_report_exit() - say what was held back, and the sums
 *
 * Context: process, may sleep; nobody reports any more.
 */
void vg_report_exit(void)
{
	u64 unassigned, lost;

	vg_chatter_exit();
	vg_fault_totals(&unassigned, &lost);
	pr_info("totals: refused=%llu warned=%llu admitted=%llu contained=%llu faults=%llu quarantined=%llu released=%llu unassigned=%llu lost=%llu\n",
		total(VFIO_GUARD_EVENT_REFUSED), total(VFIO_GUARD_EVENT_WARNED),
		total(VFIO_GUARD_EVENT_ADMITTED),
		total(VFIO_GUARD_EVENT_CONTAINED),
		total(VFIO_GUARD_EVENT_FAULT),
		total(VFIO_GUARD_EVENT_QUARANTINED),
		total(VFIO_GUARD_EVENT_RELEASED), unassigned, lost);
}
