/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Chipsets that break interrupt remapping, or escalate IOMMU faults.
 *
 * checkpatch: COMPLEX_MACRO, MACRO_ARG_REUSE: a list that is expanded into an
 * enum and a table can't be written in parentheses.
 */
#ifndef VG_CORE_CHIPS_H
#define VG_CORE_CHIPS_H

#include "types.h"
#include "verdict.h"

/* No rule needs more words than unsupported requests do. */
#define VG_CHIP_WORDS_MAX 3

/**
 * enum vg_chip_kind - what a rule says of a chip
 * @VG_CHIP_BROKEN_BELOW_REV: remapping is broken below revision @arg
 * @VG_CHIP_BROKEN_IF_SET: remapping is broken if bit @arg of config byte @reg
 *			   is set
 * @VG_CHIP_MASK_CONFIG: bit @arg of config dword @reg must be set to keep
 *			 VT-d faults from platform error logic
 * @VG_CHIP_MASK_UR: unsupported requests must be masked in the AER capability
 *		     (uncorrectable bit 20, correctable bit 13), or in the
 *		     vendor-specific one (ID 4, revision 1) that stands in for
 *		     it, and bit @arg of config dword @reg must be set
 * @VG_CHIP_MASK_DMIBAR: bit @arg of MMIO dword @reg behind DMIBAR must be set
 */
enum vg_chip_kind {
	VG_CHIP_BROKEN_BELOW_REV,
	VG_CHIP_BROKEN_IF_SET,
	VG_CHIP_MASK_CONFIG,
	VG_CHIP_MASK_UR,
	VG_CHIP_MASK_DMIBAR,
};

/**
 * struct vg_chip_rule - one rule
 * @vendor: PCI vendor ID
 * @first: first PCI device ID
 * @last: last PCI device ID, inclusive
 * @reg: register offset, see @kind
 * @arg: revision or bit number, see @kind
 * @kind: enum vg_chip_kind
 * @name: the chip
 */
struct vg_chip_rule {
	u16 vendor;
	u16 first;
	u16 last;
	u16 reg;
	u8 arg;
	u8 kind;
	const char *name;
};

/* Where a chip keeps its registers. */
enum vg_chip_space {
	VG_CHIP_CONFIG,
	VG_CHIP_MMIO,
};

/**
 * struct vg_chip_io - how the registers of chips are reached
 * @read: read the dword at an offset into configuration space, or at a
 *	  physical address; 0 or a negative errno
 * @write: write it, likewise
 */
struct vg_chip_io {
	int (*read)(void *priv, enum vg_chip_space space, u64 at, u32 *val);
	int (*write)(void *priv, enum vg_chip_space space, u64 at, u32 val);
};

/**
 * struct vg_chip - a chip that rules are applied to
 * @io: how its registers are reached
 * @priv: what @io is to be called with
 * @errors: offset into configuration space that the offsets of AER's registers
 *	    are added to, 0 if neither AER nor what stands in for it is there
 * @revision: PCI revision ID
 * @fw_first: enum vg_answer: do its error registers belong to firmware?
 */
struct vg_chip {
	const struct vg_chip_io *io;
	void *priv;
	u16 errors;
	u8 revision;
	u8 fw_first;
};

/*
 * How a mask stands.
 *
 * X(ID, name, the answer to "is it in force?")
 *
 * UNREAD: a register can't be read
 * CLOSED: DMIBAR is not enabled, or leads nowhere
 * ABSENT: the chip has no register for it where one was expected
 * OFF: not in force, and not touched
 * FIRMWARE: not in force, and not touched because it belongs to firmware
 * LOOSE: not in force, though it was written
 * FOUND: in force, by whoever came before
 * SET: in force, by our doing
 * UNLISTED: no rule tells where it is. Newer Intel chips mask in hardware, or
 *	     keep the register to themselves: nothing is held against them.
 */
#define VG_MASKS(X)							\
X(UNREAD, "unreadable", UNKNOWN)					\
X(CLOSED, "closed", UNKNOWN)						\
X(ABSENT, "absent", NO)							\
X(OFF, "off", NO)							\
X(FIRMWARE, "firmware", NO)						\
X(LOOSE, "loose", NO)							\
X(FOUND, "found", YES)							\
X(SET, "set", YES)							\
X(UNLISTED, "unlisted", NA)

#define VG_ENUM_MASK_(id, ...)  VG_MASK_##id,
enum vg_mask_state {
	VG_MASKS(VG_ENUM_MASK_)
	VG_NR_MASKS
};

/**
 * struct vg_chip_word - one register of a mask
 * @at: offset into configuration space, or physical address
 * @bits: those that have to be set
 * @lacks: those of @bits that are not set
 * @ours: those of @bits that were not set before we set them
 */
struct vg_chip_word {
	u64 at;
	u32 bits;
	u32 lacks;
	u32 ours;
};

/**
 * struct vg_chip_mask - how the mask of one rule stands on one chip
 * @state: enum vg_mask_state
 * @space: enum vg_chip_space, of all its words
 * @nr: how many @word are in use
 * @word: its registers
 *
 * All zeroes before it is first looked at.
 */
struct vg_chip_mask {
	u8 state;
	u8 space;
	u8 nr;
	struct vg_chip_word word[VG_CHIP_WORDS_MAX];
};

const struct vg_chip_rule *vg_chips_next(u16 vendor, u16 device,
					 const struct vg_chip_rule *prev);
bool vg_chips_is_erratum(const struct vg_chip_rule *rule);
bool vg_chips_wants_rule(u16 vendor, u16 segment, u16 rid);
enum vg_answer vg_chips_broken(const struct vg_chip *chip,
			       const struct vg_chip_rule *rule);
void vg_chips_look(const struct vg_chip *chip, const struct vg_chip_rule *rule,
		   struct vg_chip_mask *mask);
bool vg_chips_arm(const struct vg_chip *chip, const struct vg_chip_rule *rule,
		  struct vg_chip_mask *mask);
bool vg_chips_restore(const struct vg_chip *chip,
		      const struct vg_chip_rule *rule,
		      struct vg_chip_mask *mask);
enum vg_answer vg_mask_in_force(enum vg_mask_state state);
const char *vg_mask_name(enum vg_mask_state state);

#endif /* VG_CORE_CHIPS_H */
