/* SPDX-License-Identifier: GPL-2.0 */
/* What is said again and again of a device is counted, not logged. */
#ifndef VG_CHATTER_H
#define VG_CHATTER_H

#include <linux/pci.h>
#include <linux/seq_buf.h>
#include <linux/uidgid.h>
#include <uapi/linux/vfio_guard.h>

/* A line stays below what printk cuts a record at, about 1000 bytes. */
#define VG_LINE_MAX		960

/* "dev=0000:00:00.0 id=0000:0000 group=2147483647", and a long segment */
#define VG_DEVICE_WORDS		64

/**
 * struct vg_utterance - what makes a line the same as the one before
 * @event: its first word
 * @about: bits: what the decision or the faults were about
 * @words: adds to a line the names of such bits, those of one event or more
 * @uid: opener
 * @count: how many decisions or faults it stands for
 */
struct vg_utterance {
	enum vfio_guard_event event;
	u32 about;
	void (*words)(struct seq_buf *line, u32 about);
	kuid_t uid;
	u64 count;
};

bool vg_chatter_begin(struct pci_dev *pdev, const char *device,
		      const struct vg_utterance *said);
void vg_chatter_interrupt(struct pci_dev *pdev);
void vg_chatter_end(void);
void vg_chatter_exit(void);

#endif /* VG_CHATTER_H */
