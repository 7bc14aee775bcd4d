// SPDX-License-Identifier: GPL-2.0
/* Platform errata, and masks that keep IOMMU faults from becoming NMIs. */
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "chipset.h"
#include "core/chips.h"
#include "firmware.h"
#include "report.h"

/* The vendor-specific capability that stands in for AER on Intel's I/O hubs */
#define IOH_VSEC_ID	4
#define IOH_VSEC_REV	1

/* A mask that is lost again and again is said to be once in this time. */
#define QUIET_PERIOD	(5 * HZ)

/**
 * struct chip_mask - a mask that is kept in force
 * @node: in chip_masks
 * @pdev: the chip; a reference is held
 * @rule: what asks for the mask; NULL for a root complex of which no rule speaks
 * @mask: how it stands, and what of it is ours
 * @said: enum vg_mask_state that was reported last, VG_NR_MASKS for none
 * @lost: how often it had to be set again
 * @said_lost: @lost as it was reported last
 * @quiet_until: when @lost may be reported again, in jiffies
 */
struct chip_mask {
	struct list_head node;
	struct pci_dev *pdev;
	const struct vg_chip_rule *rule;
	struct vg_chip_mask mask;
	u8 said;
	u32 lost;
	u32 said_lost;
	unsigned long quiet_until;
};

/* Protects chip_masks and everything in it. Process context. */
static DEFINE_MUTEX(lock);
static LIST_HEAD(chip_masks);

static int mmio_access(u64 at, u32 *val, bool write)
{
	void __iomem *reg;

	/* A window over memory is nobody's register, and ioremap() warns. */
	if (region_intersects(at, sizeof(*val), IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -ENXIO;
	reg = ioremap(at, sizeof(*val));
	if (!reg)
		return -ENOMEM;
	if (write)
		writel(*val, reg);
	else
		*val = readl(reg);
	iounmap(reg);
	return 0;
}

static int chip_read(void *priv, enum vg_chip_space space, u64 at, u32 *val)
{
	if (space == VG_CHIP_MMIO)
		return mmio_access(at, val, false);
	return pcibios_err_to_errno(pci_read_config_dword(priv, at, val));
}

static int chip_write(void *priv, enum vg_chip_space space, u64 at, u32 val)
{
	if (space == VG_CHIP_MMIO)
		return mmio_access(at, &val, true);
	return pcibios_err_to_errno(pci_write_config_dword(priv, at, val));
}

static const struct vg_chip_io chip_io = {
	.read = chip_read,
	.write = chip_write,
};

/* Offset to which AER's register offsets are added; 0 if there is none. */
static u16 find_errors(struct pci_dev *pdev)
{
	u16 pos = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ERR);
	u32 header;

	if (pos)
		return pos;
	while ((pos = pci_find_next_ext_capability(pdev, pos,
						   PCI_EXT_CAP_ID_VNDR))) {
		if (!pci_read_config_dword(pdev, pos + PCI_VNDR_HEADER,
					   &header) &&
		    PCI_VNDR_HEADER_ID(header) == IOH_VSEC_ID &&
		    PCI_VNDR_HEADER_REV(header) == IOH_VSEC_REV)
			return pos + PCI_VNDR_HEADER;
	}
	return 0;
}

static void describe(struct pci_dev *pdev, struct vg_chip *chip)
{
	chip->io = &chip_io;
	chip->priv = pdev;
	chip->errors = find_errors(pdev);
	chip->revision = pdev->revision;
	chip->fw_first = vg_firmware_owns_errors(pdev);
}

static struct chip_mask *find_mask(struct pci_dev *pdev,
				   const struct vg_chip_rule *rule)
{
	struct chip_mask *mask;

	list_for_each_entry(mask, &chip_masks, node)
		if (mask->pdev == pdev && mask->rule == rule)
			return mask;
	mask = kzalloc(sizeof(*mask), GFP_KERNEL);
	if (!mask)
		return NULL;
	mask->pdev = pci_dev_get(pdev);
	mask->rule = rule;
	mask->said = VG_NR_MASKS;
	mask->quiet_until = jiffies;
	list_add_tail(&mask->node, &chip_masks);
	return mask;
}

static void keep_mask(struct pci_dev *pdev, const struct vg_chip_rule *rule,
		      bool arm)
{
	struct chip_mask *mask = find_mask(pdev, rule);
	enum vg_answer before;
	struct vg_chip chip;

	/* What is not kept can't be restored, and is not armed either. */
	if (!mask)
		return;
	describe(pdev, &chip);
	if (!arm) {
		vg_chips_look(&chip, rule, &mask->mask);
		return;
	}
	before = vg_mask_in_force(mask->mask.state);
	if (vg_chips_arm(&chip, rule, &mask->mask) && before == VG_YES)
		mask->lost++;
}

/* The root complex of which no rule speaks, and no chip beside it is known. */
static void note_unlisted(void)
{
	struct pci_dev *root = pci_get_domain_bus_and_slot(0, 0, 0);
	struct chip_mask *mask;

	if (root && vg_chips_wants_rule(root->vendor,
					pci_domain_nr(root->bus),
					pci_dev_id(root))) {
		mask = find_mask(root, NULL);
		if (mask)
			mask->mask.state = VG_MASK_UNLISTED;
	}
	pci_dev_put(root);
}

/**
 * vg_chipset_arm() - keep IOMMU faults from platform error logic
 * @policy: the policy in force
 *
 * Puts the masks of XSA-59 (CVE-2013-3495) in force on every chip that has
 * one, and sees whether they are. To be called at load and again before a
 * device is judged: firmware may have cleared a mask meanwhile, and a reset
 * clears them all. One that doesn't stick is left to the verdict.
 *
 * Without @policy's prevention, and so under mode=audit, nothing is changed on
 * the host: the masks are only looked at.
 *
 * Context: process, may sleep.
 */
void vg_chipset_arm(const struct vg_policy *policy)
{
	struct pci_dev *pdev = NULL;

	mutex_lock(&lock);
	for_each_pci_dev(pdev) {
		const struct vg_chip_rule *rule = NULL;

		while ((rule = vg_chips_next(pdev->vendor, pdev->device,
					     rule)))
			if (!vg_chips_is_erratum(rule))
				keep_mask(pdev, rule, policy->prevent);
	}
	if (list_empty(&chip_masks))
		note_unlisted();
	mutex_unlock(&lock);
}

static void report(struct chip_mask *mask)
{
	vg_report_chip(mask->pdev, mask->rule, &mask->mask, mask->lost);
	if (mask->said_lost != mask->lost)
		mask->quiet_until = jiffies + QUIET_PERIOD;
	mask->said = mask->mask.state;
	mask->said_lost = mask->lost;
}

static bool has_news(const struct chip_mask *mask)
{
	if (mask->said != mask->mask.state)
		return true;
	return mask->said_lost != mask->lost &&
	       time_after_eq(jiffies, mask->quiet_until);
}

/**
 * vg_chipset_report() - say how masks stand that stand otherwise than was said
 *
 * Context: process, may sleep.
 */
void vg_chipset_report(void)
{
	struct chip_mask *mask;

	mutex_lock(&lock);
	list_for_each_entry(mask, &chip_masks, node)
		if (has_news(mask))
			report(mask);
	mutex_unlock(&lock);
}

/**
 * vg_chipset_restore() - take back what vg_chipset_arm() changed
 *
 * Only bits we set are cleared again; see vg_chips_restore().
 *
 * Context: process, may sleep; nobody arms any more.
 */
void vg_chipset_restore(void)
{
	struct chip_mask *mask, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(mask, next, &chip_masks, node) {
		struct vg_chip chip;

		if (mask->said_lost != mask->lost)
			report(mask);
		describe(mask->pdev, &chip);
		if (mask->rule &&
		    !vg_chips_restore(&chip, mask->rule, &mask->mask))
			pci_warn(mask->pdev,
				 "vfio-guard: the mask of IOMMU faults can't be taken back\n");
		list_del(&mask->node);
		pci_dev_put(mask->pdev);
		kfree(mask);
	}
	mutex_unlock(&lock);
}

/* The graver of two answers to "is something wrong?". */
static enum vg_answer or_answer(enum vg_answer a, enum vg_answer b)
{
	if (a == VG_YES || b == VG_YES)
		return VG_YES;
	if (a == VG_UNKNOWN || b == VG_UNKNOWN)
		return VG_UNKNOWN;
	return VG_NO;
}

static enum vg_answer negate(enum vg_answer answer)
{
	if (answer == VG_UNKNOWN)
		return VG_UNKNOWN;
	return vg_answer_of(answer == VG_NO);
}

static enum vg_answer escalates(const struct vg_chip *chip,
				const struct vg_chip_rule *rule)
{
	struct vg_chip_mask mask = {};

	vg_chips_look(chip, rule, &mask);
	return negate(vg_mask_in_force(mask.state));
}

/**
 * vg_chipset_facts() - what the platform's chips are known to get wrong
 * @ev: evidence to add to
 *
 * The chips are looked at anew each time: a mask that was in force at load
 * need not be in force now. Where no rule speaks of any chip, that faults
 * don't escalate is an assumption, and has no source.
 *
 * Context: process, may sleep.
 */
void vg_chipset_facts(struct vg_evidence *ev)
{
	enum vg_answer erratum = VG_NO, nmi = VG_NO;
	enum vg_source source = VG_SOURCE_NONE;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		const struct vg_chip_rule *rule = NULL;

		while ((rule = vg_chips_next(pdev->vendor, pdev->device,
					     rule))) {
			struct vg_chip chip;

			describe(pdev, &chip);
			if (vg_chips_is_erratum(rule)) {
				erratum = or_answer(erratum,
						    vg_chips_broken(&chip,
								    rule));
			} else {
				nmi = or_answer(nmi, escalates(&chip, rule));
				source = VG_SOURCE_CONFIG;
			}
		}
	}
	vg_fact_set(ev, VG_FACT_ERRATA, erratum, VG_SOURCE_CONFIG);
	vg_fact_set(ev, VG_FACT_VTD_NMI, nmi, source);
}
