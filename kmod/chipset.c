// SPDX-License-Identifier: GPL-2.0
/* Platform errata, and masks that keep IOMMU faults from becoming NMIs. */
#include <linux/io.h>
#include <linux/pci.h>

#include "chipset.h"
#include "core/chips.h"

#define UR_UNCOR_MASK	PCI_ERR_UNC_UNSUP
#define UR_COR_MASK	PCI_ERR_COR_ADV_NFAT

/* DMIBAR, 1st to 6th generation Core datasheets vol. 2 */
#define DMIBAR_LO	0x68
#define DMIBAR_HI	0x6c
#define DMIBAR_ENABLE	BIT(0)
#define DMIBAR_ADDR	0x7ffffff000ULL

/* The vendor-specific capability that stands in for AER on Intel's I/O hubs */
#define IOH_VSEC_ID	4
#define IOH_VSEC_REV	1

static enum vg_answer config_bit(struct pci_dev *pdev, u16 reg, u8 bit)
{
	u32 val;

	if (pci_read_config_dword(pdev, reg, &val))
		return VG_UNKNOWN;
	return vg_answer_of(val & BIT(bit));
}

/* Offset to which AER's register offsets are added; 0 if there is none. */
static u16 find_aer_layout(struct pci_dev *pdev)
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

static enum vg_answer ur_masked(struct pci_dev *pdev,
				const struct vg_chip_rule *rule)
{
	u16 pos = find_aer_layout(pdev);
	u32 uncor, cor;

	if (!pos)
		return VG_NO;
	if (pci_read_config_dword(pdev, pos + PCI_ERR_UNCOR_MASK, &uncor) ||
	    pci_read_config_dword(pdev, pos + PCI_ERR_COR_MASK, &cor))
		return VG_UNKNOWN;
	if (!(uncor & UR_UNCOR_MASK) || !(cor & UR_COR_MASK))
		return VG_NO;
	return config_bit(pdev, rule->reg, rule->arg);
}

static enum vg_answer dmibar_masked(struct pci_dev *pdev,
				    const struct vg_chip_rule *rule)
{
	enum vg_answer answer;
	void __iomem *regs;
	u32 lo, hi;
	u64 base;

	if (pci_read_config_dword(pdev, DMIBAR_LO, &lo) ||
	    pci_read_config_dword(pdev, DMIBAR_HI, &hi))
		return VG_UNKNOWN;
	base = ((u64)hi << 32 | lo) & DMIBAR_ADDR;
	/* A closed or unset window hides the register, not its effect. */
	if (!(lo & DMIBAR_ENABLE) || !base)
		return VG_UNKNOWN;
	regs = ioremap(base, PAGE_SIZE);
	if (!regs)
		return VG_UNKNOWN;
	answer = vg_answer_of(readl(regs + rule->reg) & BIT(rule->arg));
	iounmap(regs);
	return answer;
}

/* Is remapping broken, or the mask in force? */
static enum vg_answer apply_rule(struct pci_dev *pdev,
				 const struct vg_chip_rule *rule)
{
	u8 byte;

	switch (rule->kind) {
	case VG_CHIP_BROKEN_BELOW_REV:
		return vg_answer_of(pdev->revision < rule->arg);
	case VG_CHIP_BROKEN_IF_SET:
		if (pci_read_config_byte(pdev, rule->reg, &byte))
			return VG_UNKNOWN;
		return vg_answer_of(byte & BIT(rule->arg));
	case VG_CHIP_MASK_CONFIG:
		return config_bit(pdev, rule->reg, rule->arg);
	case VG_CHIP_MASK_UR:
		return ur_masked(pdev, rule);
	case VG_CHIP_MASK_DMIBAR:
		return dmibar_masked(pdev, rule);
	}
	return VG_UNKNOWN;
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

/**
 * vg_chipset_facts() - what the platform's chips are known to get wrong
 * @ev: evidence to add to
 *
 * The chips are looked at anew each time: a mask that was in force at load
 * need not be in force now.
 *
 * Context: process, may sleep.
 */
void vg_chipset_facts(struct vg_evidence *ev)
{
	enum vg_answer erratum = VG_NO, escalates = VG_NO;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		const struct vg_chip_rule *rule = NULL;

		while ((rule = vg_chips_next(pdev->vendor, pdev->device,
					     rule))) {
			enum vg_answer answer = apply_rule(pdev, rule);

			if (vg_chips_is_erratum(rule))
				erratum = or_answer(erratum, answer);
			else
				escalates = or_answer(escalates,
						      negate(answer));
		}
	}
	vg_fact_set(ev, VG_FACT_ERRATA, erratum, VG_SOURCE_CONFIG);
	vg_fact_set(ev, VG_FACT_VTD_NMI, escalates, VG_SOURCE_CONFIG);
}
