// SPDX-License-Identifier: GPL-2.0
/* What is said again and again of a device is counted, not logged. */
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "chatter.h"
#include "core/verdict.h"

/* What is said again of a device within this time is counted, not logged. */
#define QUIET_PERIOD	(5 * HZ)

/* Different things said of one device in a period, before they are counted. */
#define LINES_PER_PERIOD	8

/**
 * struct chatter - what has been said of one device lately
 * @device: the device as it is logged; it may be gone meanwhile
 * @last: the last line
 * @lines: logged in this period
 * @held: by event, the sum of what was counted in this period and not logged
 * @quiet_until: end of the period, in jiffies
 */
struct chatter {
	char device[VG_DEVICE_WORDS];
	struct vg_utterance last;
	u32 lines;
	struct vg_utterance held[VFIO_GUARD_NR_EVENTS];
	unsigned long quiet_until;
};

/*
 * Protects chatters and everything in them, and is held while a line is logged:
 * lines come in the order in which things happened. Process context.
 */
static DEFINE_MUTEX(lock);
static DEFINE_XARRAY(chatters);

static void flush_chatters(struct work_struct *work);
static DECLARE_DELAYED_WORK(quiet_work, flush_chatters);

static void log_held(const char *device, const struct vg_utterance *held)
{
	char buf[VG_LINE_MAX];
	struct seq_buf line;

	seq_buf_init(&line, buf, sizeof(buf));
	seq_buf_printf(&line, "%s %s", vg_event_name(held->event), device);
	held->words(&line, held->about);
	seq_buf_printf(&line, " suppressed=%llu", held->count);
	pr_notice("%.*s\n", (int)seq_buf_used(&line), buf);
}

/* What was held back is said, in one line an event. */
static void log_all_held(struct chatter *c)
{
	int i;

	for (i = 0; i < VFIO_GUARD_NR_EVENTS; i++)
		if (c->held[i].count)
			log_held(c->device, &c->held[i]);
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

static unsigned long key_of(struct pci_dev *pdev)
{
	return (unsigned long)pci_domain_nr(pdev->bus) << 16 | pci_dev_id(pdev);
}

static struct chatter *get_chatter(struct pci_dev *pdev)
{
	struct chatter *c = xa_load(&chatters, key_of(pdev));

	if (c)
		return c;
	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return NULL;
	c->quiet_until = jiffies;
	if (xa_err(xa_store(&chatters, key_of(pdev), c, GFP_KERNEL))) {
		kfree(c);
		return NULL;
	}
	return c;
}

static bool said_already(const struct chatter *c, const char *device,
			 const struct vg_utterance *said)
{
	return c->lines && c->last.event == said->event &&
	       c->last.about == said->about && uid_eq(c->last.uid, said->uid) &&
	       !strcmp(c->device, device);
}

static void hold_back(struct vg_utterance *held,
		      const struct vg_utterance *said)
{
	held->event = said->event;
	held->about |= said->about;
	held->words = said->words;
	held->count += said->count;
	schedule_delayed_work(&quiet_work, QUIET_PERIOD);
}

/* Decide whether to log, and keep the books for when we don't. */
static bool may_log(struct chatter *c, const char *device,
		    const struct vg_utterance *said)
{
	if (time_after_eq(jiffies, c->quiet_until)) {
		log_all_held(c);
		c->lines = 0;
		c->quiet_until = jiffies + QUIET_PERIOD;
	}
	if (c->lines >= LINES_PER_PERIOD || said_already(c, device, said)) {
		hold_back(&c->held[said->event], said);
		return false;
	}
	/* In the order it happened, and under the name it happened to. */
	log_all_held(c);
	c->last = *said;
	c->lines++;
	strscpy(c->device, device, sizeof(c->device));
	return true;
}

/**
 * vg_chatter_begin() - something is to be said of a device, if it is new
 * @pdev: the device
 * @device: the device as it is logged
 * @said: what is to be said
 *
 * The same of the same device for the same user is said once in 5 seconds; the
 * rest is counted, and the count logged as ``suppressed=`` when the time is
 * over, when something else is said of the device, or when the module goes.
 *
 * Context: process, may sleep; vg_chatter_end() must follow, either way.
 * Return: true if it is to be logged.
 */
bool vg_chatter_begin(struct pci_dev *pdev, const char *device,
		      const struct vg_utterance *said)
{
	struct chatter *c;

	mutex_lock(&lock);
	c = get_chatter(pdev);
	/* Out of memory costs the brevity, never the line. */
	return !c || may_log(c, device, said);
}

/**
 * vg_chatter_interrupt() - what is said of a device now is logged whatever it is
 * @pdev: the device
 *
 * What was held back of it goes first.
 *
 * Context: process, may sleep; vg_chatter_end() must follow.
 */
void vg_chatter_interrupt(struct pci_dev *pdev)
{
	struct chatter *c;

	mutex_lock(&lock);
	c = xa_load(&chatters, key_of(pdev));
	if (c)
		log_all_held(c);
}

/**
 * vg_chatter_end() - it has been said
 *
 * Context: process.
 */
void vg_chatter_end(void)
{
	mutex_unlock(&lock);
}

/**
 * vg_chatter_exit() - say what was held back
 *
 * Context: process, may sleep; nobody says anything any more.
 */
void vg_chatter_exit(void)
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
}
