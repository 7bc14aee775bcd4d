// SPDX-License-Identifier: GPL-2.0
/* AMD-Vi: the device table, which says what becomes of a device's requests. */
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/mem_encrypt.h>
#include <linux/sched.h>

#include "amdvi.h"

#define AMDVI_DTE_WORDS	4
#define AMDVI_DTE_SIZE	(AMDVI_DTE_WORDS * sizeof(u64))

/* An entry that keeps changing while it is read is given up on. */
#define AMDVI_DTE_TRIES	8

/* Read until two reads agree: the IOMMU driver may be writing the entry. */
static bool read_dte(const u64 *table, u32 rid, struct vg_dte *out)
{
	const u64 *entry = table + (size_t)rid * AMDVI_DTE_WORDS;
	u64 now[AMDVI_DTE_WORDS], before[AMDVI_DTE_WORDS] = {};
	int try, i;

	for (try = 0; try < AMDVI_DTE_TRIES; try++) {
		for (i = 0; i < AMDVI_DTE_WORDS; i++)
			now[i] = READ_ONCE(entry[i]);
		if (try && !memcmp(now, before, sizeof(now))) {
			vg_decode_dte(now, out);
			return true;
		}
		memcpy(before, now, sizeof(now));
	}
	return false;
}

static bool in_group(u16 segment, u16 rid, struct iommu_group *group)
{
	struct iommu_group *other = NULL;
	struct pci_dev *pdev;

	pdev = pci_get_domain_bus_and_slot(segment, PCI_BUS_NUM(rid),
					   rid & 0xff);
	if (pdev) {
		other = iommu_group_get(&pdev->dev);
		pci_dev_put(pdev);
	}
	iommu_group_put(other);
	return other && other == group;
}

/* Sharing with its own aliases and its own group costs the device nothing. */
static enum vg_answer irt_is_shared(const u64 *table, u32 entries,
				    const struct vg_path *path, u64 irt)
{
	enum vg_answer answer = VG_NO;
	struct iommu_group *group;
	u32 rid;

	group = iommu_group_get(&path->pdev->dev);
	for (rid = 0; rid < entries; rid++) {
		struct vg_dte dte;

		if (!(rid % 1024))
			cond_resched();
		if (vg_requesters_has(&path->requesters, rid))
			continue;
		if (!read_dte(table, rid, &dte)) {
			answer = VG_UNKNOWN;
			continue;
		}
		if (dte.irq_valid &&
		    dte.intctl == VG_INTCTL_REMAP && dte.irt == irt &&
		    !in_group(path->pci.segment, rid, group)) {
			answer = VG_YES;
			break;
		}
	}
	iommu_group_put(group);
	return answer;
}

static void judge_dtes(const struct vg_amdvi_state *state, const u64 *table,
		       const struct vg_path *path, struct vg_evidence *ev)
{
	bool translated = true, remapped = true, pass = false;
	enum vg_answer shared = VG_NO;
	u8 i;

	for (i = 0; i < path->requesters.nr; i++) {
		struct vg_dte dte;

		if (path->requesters.id[i] >= state->devtab_entries ||
		    !read_dte(table, path->requesters.id[i], &dte))
			return;
		translated &= dte.translated;
		remapped &= dte.irq_valid && (dte.intctl == VG_INTCTL_REMAP ||
					      dte.intctl == VG_INTCTL_ABORT);
		pass |= dte.pass;
		if (shared != VG_YES && dte.irq_valid &&
		    dte.intctl == VG_INTCTL_REMAP)
			shared = irt_is_shared(table, state->devtab_entries,
					       path, dte.irt);
	}
	if (state->translation && !translated)
		vg_fact_set(ev, VG_FACT_TRANSLATION, VG_NO, VG_SOURCE_MEMORY);
	vg_fact_set(ev, VG_FACT_INTREMAP,
		    vg_answer_of(state->translation && remapped),
		    VG_SOURCE_MEMORY);
	vg_fact_set(ev, VG_FACT_SHARED_IRT, shared, VG_SOURCE_MEMORY);
	vg_fact_set(ev, VG_FACT_IRQ_PASS, vg_answer_of(pass),
		    VG_SOURCE_MEMORY);
}

/**
 * vg_amdvi_table_facts() - add what a device's entries say
 * @state: the unit's registers, readable
 * @path: the device, with all IDs that its requests may carry
 * @ev: the evidence; as it was if an entry can't be read
 *
 * Context: process, may sleep.
 */
void vg_amdvi_table_facts(const struct vg_amdvi_state *state,
			  const struct vg_path *path, struct vg_evidence *ev)
{
	u64 *table;

	table = memremap(__sme_clr(state->devtab),
			 state->devtab_entries * AMDVI_DTE_SIZE, MEMREMAP_WB);
	if (!table)
		return;
	judge_dtes(state, table, path, ev);
	memunmap(table);
}
