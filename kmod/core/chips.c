// SPDX-License-Identifier: GPL-2.0
/*
 * Chipsets that break interrupt remapping, or escalate IOMMU faults.
 *
 * Errata: Intel 5500/5520 specification update 47 and 53, as in Linux's
 * intel_remapping_check(); AMD SP5100 erratum 28.
 * Masks: Xen advisory XSA-59 (CVE-2013-3495) and Linux's
 * vtd_mask_spec_errors().
 *
 * checkpatch: MACRO_ARG_REUSE: the arguments are constants.
 */
#include <linux/pci_regs.h>

#include "chips.h"

/* DMIBAR, 1st to 6th generation Core datasheets vol. 2 */
#define DMIBAR_LO	0x68
#define DMIBAR_HI	0x6c
#define DMIBAR_ENABLE	BIT(0)
#define DMIBAR_ADDR	0x7ffffff000ULL

/* What a function that does not answer reads as. */
#define ALL_ONES	0xffffffffU

#define INTEL 0x8086
#define ATI 0x1002

#define RULE(v, from, to, what, where, how, chip)			\
	{ .vendor = (v), .first = (from), .last = (to), .kind = (what),	\
	  .reg = (where), .arg = (how), .name = (chip) }
#define BROKEN_BELOW_REV(v, id, rev, chip)				\
	RULE(v, id, id, VG_CHIP_BROKEN_BELOW_REV, 0, rev, chip)
#define BROKEN_IF_SET(v, id, reg, bit, chip)				\
	RULE(v, id, id, VG_CHIP_BROKEN_IF_SET, reg, bit, chip)
#define MASK_CONFIG(id, chip)						\
	RULE(INTEL, id, id, VG_CHIP_MASK_CONFIG, 0x1ac, 31, chip)
#define MASK_UR(from, to, chip)						\
	RULE(INTEL, from, to, VG_CHIP_MASK_UR, 0x20c, 4, chip)
#define MASK_DMIBAR(id, chip)						\
	RULE(INTEL, id, id, VG_CHIP_MASK_DMIBAR, 0x1c8, 20, chip)

static const struct vg_chip_rule rules[] = {
	BROKEN_BELOW_REV(INTEL, 0x3403, 0x22, "5500 I/O hub"),
	/* Every revision of the X58 chip. */
	BROKEN_BELOW_REV(INTEL, 0x3405, 0xff, "X58 I/O hub"),
	BROKEN_BELOW_REV(INTEL, 0x3406, 0x22, "5520 I/O hub"),
	BROKEN_IF_SET(ATI, 0x4385, 0xad, 3, "SP5100"),

	MASK_CONFIG(0x0e28, "Xeon E5 v2"),
	MASK_CONFIG(0x342e, "5520 I/O hub"),
	MASK_CONFIG(0x3728, "Xeon C5500"),
	MASK_CONFIG(0x3c28, "Xeon E5"),

	MASK_UR(0x3400, 0x3411, "5520 I/O hub"),
	MASK_UR(0x3420, 0x3421, "7500 I/O hub"),
	MASK_UR(0x3700, 0x370f, "Xeon C5500"),
	MASK_UR(0x3720, 0x3724, "Xeon C5500"),
	MASK_UR(0x3c00, 0x3c0b, "Xeon E5"),

	MASK_DMIBAR(0x0040, "Core, 1st generation"),
	MASK_DMIBAR(0x0044, "Core, 1st generation"),
	MASK_DMIBAR(0x0048, "Core, 1st generation"),
	MASK_DMIBAR(0x0100, "Core, 2nd generation"),
	MASK_DMIBAR(0x0104, "Core, 2nd generation"),
	MASK_DMIBAR(0x0108, "Core, 2nd generation"),
	MASK_DMIBAR(0x0150, "Core, 3rd generation"),
	MASK_DMIBAR(0x0154, "Core, 3rd generation"),
	MASK_DMIBAR(0x0158, "Core, 3rd generation"),
	MASK_DMIBAR(0x0a00, "Core, 4th generation"),
	MASK_DMIBAR(0x0a04, "Core, 4th generation"),
	MASK_DMIBAR(0x0a08, "Core, 4th generation"),
	MASK_DMIBAR(0x0a0f, "Core, 4th generation"),
	MASK_DMIBAR(0x0c00, "Core, 4th generation"),
	MASK_DMIBAR(0x0c04, "Core, 4th generation"),
	MASK_DMIBAR(0x0c08, "Core, 4th generation"),
	MASK_DMIBAR(0x0c0f, "Core, 4th generation"),
	MASK_DMIBAR(0x0d00, "Core, 4th generation"),
	MASK_DMIBAR(0x0d04, "Core, 4th generation"),
	MASK_DMIBAR(0x0d08, "Core, 4th generation"),
	MASK_DMIBAR(0x0d0f, "Core, 4th generation"),
	MASK_DMIBAR(0x1600, "Core, 5th generation"),
	MASK_DMIBAR(0x1604, "Core, 5th generation"),
	MASK_DMIBAR(0x1608, "Core, 5th generation"),
	MASK_DMIBAR(0x160f, "Core, 5th generation"),
	MASK_DMIBAR(0x1610, "Core, 5th generation"),
	MASK_DMIBAR(0x1614, "Core, 5th generation"),
	MASK_DMIBAR(0x1618, "Core, 5th generation"),
	MASK_DMIBAR(0x1900, "Core, 6th generation"),
	MASK_DMIBAR(0x1904, "Core, 6th generation"),
	MASK_DMIBAR(0x1908, "Core, 6th generation"),
	MASK_DMIBAR(0x190c, "Core, 6th generation"),
	MASK_DMIBAR(0x190f, "Core, 6th generation"),
	MASK_DMIBAR(0x1910, "Core, 6th generation"),
	MASK_DMIBAR(0x1918, "Core, 6th generation"),
	MASK_DMIBAR(0x191f, "Core, 6th generation"),
};

/**
 * vg_chips_next() - walk the rules for a chip
 * @vendor: PCI vendor ID
 * @device: PCI device ID
 * @prev: the rule returned last, NULL to begin
 *
 * Context: any.
 * Return: the next rule for the chip, or NULL.
 */
const struct vg_chip_rule *vg_chips_next(u16 vendor, u16 device,
					 const struct vg_chip_rule *prev)
{
	const struct vg_chip_rule *rule = prev ? prev + 1 : rules;

	for (; rule < rules + ARRAY_SIZE(rules); rule++)
		if (rule->vendor == vendor && rule->first <= device &&
		    device <= rule->last)
			return rule;
	return NULL;
}

/**
 * vg_chips_is_erratum() - does the rule tell of broken interrupt remapping?
 * @rule: the rule
 *
 * Context: any.
 * Return: true for an erratum, false for a mask that must be in force.
 */
bool vg_chips_is_erratum(const struct vg_chip_rule *rule)
{
	return rule->kind == VG_CHIP_BROKEN_BELOW_REV ||
	       rule->kind == VG_CHIP_BROKEN_IF_SET;
}

/**
 * vg_chips_wants_rule() - would a chip be expected to have a rule?
 * @vendor: PCI vendor ID
 * @segment: PCI segment
 * @rid: requester ID
 *
 * Every Intel platform has its root complex at 00:00.0. One of which no rule
 * speaks is newer than the advisory, which ends with the 6th generation Core
 * and the Xeon E5 v2: nothing public tells whether it masks.
 *
 * Context: any.
 * Return: true for an Intel root complex.
 */
bool vg_chips_wants_rule(u16 vendor, u16 segment, u16 rid)
{
	return vendor == INTEL && !segment && rid == VG_RID(0, 0);
}

#define MASK_ENTRY(id, word, answer)					\
	[VG_MASK_##id] = { .name = word, .in_force = VG_##answer },

static const struct {
	const char *name;
	u8 in_force;
} masks[] = {
	VG_MASKS(MASK_ENTRY)
};

static_assert(ARRAY_SIZE(masks) == VG_NR_MASKS);

/**
 * vg_mask_in_force() - does a mask that stands like this do its work?
 * @state: how it stands
 *
 * Context: any.
 * Return: VG_YES or VG_NO; VG_UNKNOWN if it could not be read; VG_NA if no
 *	   rule asks for it.
 */
enum vg_answer vg_mask_in_force(enum vg_mask_state state)
{
	return masks[state].in_force;
}

/**
 * vg_mask_name() - the word for how a mask stands
 * @state: how it stands
 *
 * Context: any.
 * Return: constant string.
 */
const char *vg_mask_name(enum vg_mask_state state)
{
	return masks[state].name;
}

/* No register that rules name has all its bits defined. */
static int read_word(const struct vg_chip *chip, enum vg_chip_space space,
		     u64 at, u32 *val)
{
	int ret = chip->io->read(chip->priv, space, at, val);

	return ret ? ret : *val == ALL_ONES ? -EIO : 0;
}

static int read_config(const struct vg_chip *chip, u16 reg, u32 *val)
{
	return read_word(chip, VG_CHIP_CONFIG, reg, val);
}

/**
 * vg_chips_broken() - does an erratum's rule hold for a chip?
 * @chip: the chip
 * @rule: the rule, one that vg_chips_is_erratum() says yes to
 *
 * Context: that of @chip's io.
 * Return: VG_YES if interrupt remapping is broken, VG_NO, or VG_UNKNOWN.
 */
enum vg_answer vg_chips_broken(const struct vg_chip *chip,
			       const struct vg_chip_rule *rule)
{
	u32 val;

	if (rule->kind == VG_CHIP_BROKEN_BELOW_REV)
		return vg_answer_of(chip->revision < rule->arg);
	if (read_config(chip, rule->reg & ~3, &val))
		return VG_UNKNOWN;
	return vg_answer_of(val & BIT(rule->reg % 4 * 8 + rule->arg));
}

static void add_word(struct vg_chip_mask *mask, u64 at, u32 bits)
{
	struct vg_chip_word *word = &mask->word[mask->nr++];

	/* What we set at another place is no longer ours to take back. */
	if (word->at != at)
		word->ours = 0;
	word->at = at;
	word->bits = bits;
	word->lacks = 0;
}

static enum vg_mask_state add_dmibar(const struct vg_chip *chip,
				     const struct vg_chip_rule *rule,
				     struct vg_chip_mask *mask)
{
	u32 lo, hi;
	u64 base;

	if (read_config(chip, DMIBAR_LO, &lo) ||
	    read_config(chip, DMIBAR_HI, &hi))
		return VG_MASK_UNREAD;
	base = ((u64)hi << 32 | lo) & DMIBAR_ADDR;
	/* A closed or unset window hides the register, not its effect. */
	if (!(lo & DMIBAR_ENABLE) || !base)
		return VG_MASK_CLOSED;
	mask->space = VG_CHIP_MMIO;
	add_word(mask, base + rule->reg, BIT(rule->arg));
	return VG_MASK_OFF;
}

/* Which registers the mask is made of; VG_MASK_OFF if they were found. */
static enum vg_mask_state find_words(const struct vg_chip *chip,
				     const struct vg_chip_rule *rule,
				     struct vg_chip_mask *mask)
{
	mask->nr = 0;
	mask->space = VG_CHIP_CONFIG;
	if (rule->kind == VG_CHIP_MASK_DMIBAR)
		return add_dmibar(chip, rule, mask);
	if (rule->kind == VG_CHIP_MASK_UR) {
		if (!chip->errors)
			return VG_MASK_ABSENT;
		add_word(mask, chip->errors + PCI_ERR_UNCOR_MASK,
			 PCI_ERR_UNC_UNSUP);
		add_word(mask, chip->errors + PCI_ERR_COR_MASK,
			 PCI_ERR_COR_ADV_NFAT);
	}
	add_word(mask, rule->reg, BIT(rule->arg));
	return VG_MASK_OFF;
}

/* No two words of a mask have a bit in common. Those out of sight count too. */
static u32 all_ours(const struct vg_chip_mask *mask)
{
	u32 ours = 0;
	u8 i;

	for (i = 0; i < VG_CHIP_WORDS_MAX; i++)
		ours |= mask->word[i].ours;
	return ours;
}

static int look_at_word(const struct vg_chip *chip,
			const struct vg_chip_mask *mask,
			struct vg_chip_word *word)
{
	u32 val;
	int ret = read_word(chip, mask->space, word->at, &val);

	if (!ret)
		word->lacks = word->bits & ~val;
	return ret;
}

/**
 * vg_chips_look() - find out how a mask stands
 * @chip: the chip
 * @rule: the rule, one that vg_chips_is_erratum() says no to
 * @mask: what is known of the mask; brought up to date
 *
 * Nothing is written.
 *
 * Context: that of @chip's io.
 */
void vg_chips_look(const struct vg_chip *chip, const struct vg_chip_rule *rule,
		   struct vg_chip_mask *mask)
{
	u32 lacks = 0;
	u8 i;

	mask->state = find_words(chip, rule, mask);
	if (mask->state != VG_MASK_OFF)
		return;
	for (i = 0; i < mask->nr; i++) {
		if (look_at_word(chip, mask, &mask->word[i])) {
			mask->state = VG_MASK_UNREAD;
			return;
		}
		lacks |= mask->word[i].lacks;
	}
	if (!lacks)
		mask->state = all_ours(mask) ? VG_MASK_SET : VG_MASK_FOUND;
}

/* Set what the word lacks, and see whether it stays: false if it doesn't. */
static bool set_word(const struct vg_chip *chip,
		     const struct vg_chip_mask *mask,
		     struct vg_chip_word *word)
{
	u32 val, wanted = word->lacks;

	if (!wanted)
		return true;
	if (read_word(chip, mask->space, word->at, &val) ||
	    chip->io->write(chip->priv, mask->space, word->at, val | wanted))
		return false;
	/* What can't be read back may have been set all the same. */
	if (look_at_word(chip, mask, word))
		word->lacks = wanted;
	else
		wanted &= ~word->lacks;
	word->ours |= wanted;
	return !word->lacks;
}

/**
 * vg_chips_arm() - put a mask in force, and see that it is
 * @chip: the chip
 * @rule: the rule, one that vg_chips_is_erratum() says no to
 * @mask: what is known of the mask; brought up to date
 *
 * As Xen's pci_vtd_quirk() does, but verified. Where firmware owns the chip's
 * error registers, or may own them, those that report unsupported requests
 * are left alone, as Xen leaves them: there firmware that watches them has
 * answered with floods of SMIs.
 *
 * Context: that of @chip's io; nobody else arms or restores @mask meanwhile.
 * Return: true if it was not in force, and was to be.
 */
bool vg_chips_arm(const struct vg_chip *chip, const struct vg_chip_rule *rule,
		  struct vg_chip_mask *mask)
{
	bool stuck = true;
	u8 i;

	vg_chips_look(chip, rule, mask);
	if (mask->state != VG_MASK_OFF)
		return false;
	if (rule->kind == VG_CHIP_MASK_UR && chip->fw_first != VG_NO) {
		mask->state = VG_MASK_FIRMWARE;
		return false;
	}
	/* Half a mask is better than none. */
	for (i = 0; i < mask->nr; i++)
		stuck &= set_word(chip, mask, &mask->word[i]);
	mask->state = stuck ? VG_MASK_SET : VG_MASK_LOOSE;
	return true;
}

static bool restore_word(const struct vg_chip *chip,
			 const struct vg_chip_mask *mask,
			 struct vg_chip_word *word)
{
	u32 val, ours = word->ours;

	if (!ours)
		return true;
	if (read_word(chip, mask->space, word->at, &val))
		return false;
	word->ours = 0;
	/* Cleared meanwhile by somebody else: it is as it was already. */
	if (!(val & ours))
		return true;
	return !chip->io->write(chip->priv, mask->space, word->at,
				val & ~ours) &&
	       !read_word(chip, mask->space, word->at, &val) && !(val & ours);
}

/**
 * vg_chips_restore() - take back what vg_chips_arm() set
 * @chip: the chip
 * @rule: the rule
 * @mask: what was armed
 *
 * Only bits that were clear before they were armed are cleared, in the
 * registers as they read now: what others changed in them since stays. A
 * DMIBAR that leads elsewhere now is not followed.
 *
 * Context: as vg_chips_arm().
 * Return: false if something could not be taken back.
 */
bool vg_chips_restore(const struct vg_chip *chip,
		      const struct vg_chip_rule *rule,
		      struct vg_chip_mask *mask)
{
	u32 ours = all_ours(mask);
	bool restored = true;
	u8 i;

	if (!ours)
		return true;
	if (find_words(chip, rule, mask) != VG_MASK_OFF ||
	    all_ours(mask) != ours)
		return false;
	for (i = 0; i < mask->nr; i++)
		restored &= restore_word(chip, mask, &mask->word[i]);
	return restored;
}
