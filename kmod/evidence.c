// SPDX-License-Identifier: GPL-2.0
/* Everything that is known of one device when it is judged. */
#include <linux/iommu.h>
#include <linux/pm_runtime.h>

#include "assigned.h"
#include "chipset.h"
#include "compat.h"
#include "evidence.h"
#include "path.h"

/* Facts that are read off the unit that covers the device. */
static const u8 unit_facts[] = {
	VG_FACT_TRANSLATION, VG_FACT_INTREMAP, VG_FACT_COMPAT_IRQ,
	VG_FACT_SID_CHECK, VG_FACT_SHARED_IRT, VG_FACT_IRQ_PASS,
	VG_FACT_FAULT_NMI, VG_FACT_FAULT_MASKED, VG_FACT_RMRR,
};

static void fill(struct vg_evidence *ev, enum vg_answer answer)
{
	int i;

	for (i = 0; i < VG_NR_FACTS; i++)
		vg_fact_set(ev, i, answer, VG_SOURCE_NONE);
}

static void unit_evidence(const struct vg_unit *unit,
			  const struct vg_path *path, struct vg_evidence *ev)
{
	size_t i;

	if (unit) {
		vg_fact_set(ev, VG_FACT_COVERED, VG_YES, VG_SOURCE_ACPI);
		unit->ops->facts(unit, ev);
		unit->ops->device_facts(unit, path, ev);
		return;
	}
	/* With a table that can't be read, nothing is known: all unknown. */
	if (!vg_units_known())
		return;
	vg_fact_set(ev, VG_FACT_COVERED, VG_NO, VG_SOURCE_ACPI);
	for (i = 0; i < ARRAY_SIZE(unit_facts); i++)
		vg_fact_set(ev, unit_facts[i], VG_NA, VG_SOURCE_NONE);
}

/* A blocked or paging domain confines the device, an identity one doesn't. */
static enum vg_answer kernel_translates(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	if (!domain)
		return VG_NA;
	return vg_answer_of(domain->type != IOMMU_DOMAIN_IDENTITY);
}

static void kernel_evidence(struct device *dev, const struct vg_unit *unit,
			    struct vg_evidence *ev)
{
	struct iommu_device *iommu = dev->iommu ? dev->iommu->iommu_dev : NULL;

	/* noiommu groups are VFIO's own: no IOMMU driver stands behind them. */
	vg_fact_set(ev, VG_FACT_KERNEL_IOMMU, vg_answer_of(iommu),
		    VG_SOURCE_KERNEL);
	if (!iommu) {
		vg_fact_set(ev, VG_FACT_KERNEL_TRANSLATION, VG_NA,
			    VG_SOURCE_KERNEL);
		vg_fact_set(ev, VG_FACT_ISOLATED_MSI, VG_NA, VG_SOURCE_KERNEL);
		vg_fact_set(ev, VG_FACT_SAME_UNIT, VG_NA, VG_SOURCE_KERNEL);
		return;
	}
	vg_fact_set(ev, VG_FACT_KERNEL_TRANSLATION, kernel_translates(dev),
		    VG_SOURCE_KERNEL);
	vg_fact_set(ev, VG_FACT_ISOLATED_MSI,
		    vg_answer_of(msi_device_has_isolated_msi(dev)),
		    VG_SOURCE_KERNEL);
	if (unit && iommu->dev)
		vg_fact_set(ev, VG_FACT_SAME_UNIT,
			    vg_answer_of(!strcmp(dev_name(iommu->dev),
						 unit->name)),
			    VG_SOURCE_KERNEL);
	else
		vg_fact_set(ev, VG_FACT_SAME_UNIT, VG_NA, VG_SOURCE_KERNEL);
}

/* Held itself, or with the group that its requests can't be told apart from. */
static bool is_quarantined(struct pci_dev *pdev)
{
	struct vg_group *group = vg_group_of(pdev);
	bool held = group && vg_group_is_quarantined(group);

	if (group)
		vg_group_put(group);
	return held;
}

/**
 * vg_evidence_gather() - find out all there is to know of a device
 * @pdev: the device
 * @ev: the evidence; what can't be read stays VG_UNKNOWN
 * @unit: the IOMMU unit that covers it, or NULL
 *
 * The device is powered up while it is looked at. No domain needs to be
 * attached yet: with iommufd, open comes before attach.
 *
 * Context: process, may sleep; VFIO's locks of the device may be held.
 */
void vg_evidence_gather(struct pci_dev *pdev, struct vg_evidence *ev,
			const struct vg_unit **unit)
{
	struct vg_path path;

	fill(ev, VG_UNKNOWN);
	vg_path_init(&path, pdev);
	*unit = path.whole ? vg_units_find(&path) : NULL;

	/* A path longer than we can follow is covered by we know not what. */
	if (path.whole)
		unit_evidence(*unit, &path, ev);
	kernel_evidence(&pdev->dev, *unit, ev);
	vg_chipset_facts(ev);

	if (pm_runtime_resume_and_get(&pdev->dev) >= 0) {
		vg_path_facts(&path, ev);
		pm_runtime_put(&pdev->dev);
	}

	vg_fact_set(ev, VG_FACT_QUARANTINED,
		    vg_answer_of(is_quarantined(pdev)), VG_SOURCE_NONE);
	/* Decided by a room that is not there yet. */
	vg_fact_set(ev, VG_FACT_TRUSTED, VG_NA, VG_SOURCE_NONE);
	/* Those who look at a device that is open already say otherwise. */
	vg_fact_set(ev, VG_FACT_PREOPEN, VG_NO, VG_SOURCE_KERNEL);
	vg_fact_set(ev, VG_FACT_UNGUARDED, VG_NO, VG_SOURCE_KERNEL);
}

/**
 * vg_evidence_of_unit() - what holds for every device behind a unit
 * @unit: the unit, NULL for a platform that has none
 * @ev: the evidence; what depends on the device is VG_NA
 *
 * Context: process, may sleep.
 */
void vg_evidence_of_unit(const struct vg_unit *unit, struct vg_evidence *ev)
{
	int i;

	fill(ev, VG_NA);
	vg_fact_set(ev, VG_FACT_COVERED,
		    vg_units_known() ? vg_answer_of(unit) : VG_UNKNOWN,
		    VG_SOURCE_ACPI);
	vg_chipset_facts(ev);
	if (!unit)
		return;
	for (i = 0; i < VG_NR_FACTS; i++)
		if (unit->ops->unit_facts & BIT(i))
			vg_fact_set(ev, i, VG_UNKNOWN, VG_SOURCE_NONE);
	unit->ops->facts(unit, ev);
}
