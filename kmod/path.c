// SPDX-License-Identifier: GPL-2.0
/* A device's way to the root of its PCI hierarchy, and what it can contain. */
#include <linux/iommu.h>

#include "firmware.h"
#include "path.h"

/* What Linux too wants of a port before it separates what lies behind. */
#define PORT_ACS (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

/* Between functions of one device only redirection matters (PCIe §6.12.1.2) */
#define FUNCTION_ACS (PCI_ACS_RR | PCI_ACS_CR)

/* The requester ID a bridge puts in place of those behind it, if it does. */
static int bridge_alias(struct pci_dev *bridge)
{
	int type = pci_is_pcie(bridge) ? pci_pcie_type(bridge) : -ENOENT;

	return vg_requesters_of_bridge(pci_dev_id(bridge),
				       bridge->subordinate->number, type,
				       bridge->dev_flags &
				       PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS);
}

/* pci_for_each_dma_alias(), which is not exported, has the same rules. */
static bool add_aliases(struct vg_path *path, struct pci_dev *pdev)
{
	struct pci_dev *bridge;

	if (pdev->dma_alias_mask &&
	    !vg_requesters_add_slots(&path->requesters, pdev->bus->number,
				     pdev->dma_alias_mask))
		return false;

	for (bridge = pci_upstream_bridge(pdev); bridge;
	     bridge = pci_upstream_bridge(bridge)) {
		int alias;

		if (bridge->dev_flags & PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT)
			break;
		alias = bridge_alias(bridge);
		if (alias >= 0 && !vg_requesters_add(&path->requesters, alias))
			return false;
	}
	return true;
}

static bool add_hops(struct vg_path *path, struct pci_dev *leaf)
{
	struct pci_dev *pdev;
	u8 depth = 0;

	for (pdev = leaf; pdev; pdev = pci_upstream_bridge(pdev))
		if (++depth > VG_PCI_PATH_MAX)
			return false;
	path->pci.hops = depth;
	for (pdev = leaf; pdev; pdev = pci_upstream_bridge(pdev)) {
		depth--;
		path->pci.hop[depth].bus = pdev->bus->number;
		path->pci.hop[depth].devfn = pdev->devfn;
	}
	return true;
}

/**
 * vg_path_init() - find a device's way to its root
 * @path: to fill in
 * @pdev: the device; the caller keeps a reference while it uses @path
 *
 * A device behind a VMD controller does DMA as that controller, which is in
 * the segment the firmware's tables know.
 *
 * Context: process.
 */
void vg_path_init(struct vg_path *path, struct pci_dev *pdev)
{
	struct pci_dev *requester = pdev;

#if IS_ENABLED(CONFIG_VMD)
	if (is_vmd(pdev->bus))
		requester = to_pci_sysdata(pdev->bus)->vmd_dev;
#endif
	memset(path, 0, sizeof(*path));
	path->pdev = pdev;
	path->pci.segment = pci_domain_nr(requester->bus);
	path->whole = add_hops(path, pci_physfn(requester)) &&
		      vg_requesters_add(&path->requesters,
					pci_dev_id(requester)) &&
		      add_aliases(path, requester);
}

/* What ACS the capability offers and is not switched on among @wanted. */
static enum vg_answer acs_in_force(struct pci_dev *pdev, u16 wanted)
{
	u16 acs = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ACS);
	u16 cap, ctrl;

	if (!acs)
		return VG_NO;
	if (pci_read_config_word(pdev, acs + PCI_ACS_CAP, &cap) ||
	    pci_read_config_word(pdev, acs + PCI_ACS_CTRL, &ctrl))
		return VG_UNKNOWN;
	/* What a port can't do at all it does not need to be told. */
	wanted &= cap;
	return vg_answer_of((ctrl & wanted) == wanted);
}

/* Functions of one device may reach each other inside it. */
static bool has_foreign_siblings(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	bool foreign = false;
	unsigned int fn;

	for (fn = 0; fn < 8 && !foreign; fn++) {
		struct iommu_group *theirs;
		struct pci_dev *sibling;

		sibling = pci_get_slot(pdev->bus,
				       PCI_DEVFN(PCI_SLOT(pdev->devfn), fn));
		if (!sibling)
			continue;
		theirs = iommu_group_get(&sibling->dev);
		foreign = theirs != group;
		iommu_group_put(theirs);
		pci_dev_put(sibling);
	}
	iommu_group_put(group);
	return foreign;
}

static enum vg_answer port_isolates(struct pci_dev *port)
{
	if (!pci_is_pcie(port))
		return VG_NO;
	switch (pci_pcie_type(port)) {
	case PCI_EXP_TYPE_ROOT_PORT:
	case PCI_EXP_TYPE_DOWNSTREAM:
		return acs_in_force(port, PORT_ACS);
	case PCI_EXP_TYPE_UPSTREAM:
		return port->multifunction ? acs_in_force(port, PORT_ACS) :
					     VG_YES;
	default:
		/* Bridges to conventional PCI have no ACS (§6.12.1). */
		return VG_NO;
	}
}

/* The worst answer wins: no over unknown over yes. */
static enum vg_answer and_answer(enum vg_answer a, enum vg_answer b)
{
	if (a == VG_NO || b == VG_NO)
		return VG_NO;
	if (a == VG_UNKNOWN || b == VG_UNKNOWN)
		return VG_UNKNOWN;
	return VG_YES;
}

static void acs_fact(struct pci_dev *pdev, struct vg_evidence *ev)
{
	struct pci_dev *port = pci_upstream_bridge(pdev);
	enum vg_answer answer = VG_YES;

	if (pdev->multifunction && !pdev->is_virtfn &&
	    has_foreign_siblings(pdev))
		answer = acs_in_force(pdev, FUNCTION_ACS);
	else if (!port)
		answer = VG_NA;
	for (; port; port = pci_upstream_bridge(port))
		answer = and_answer(answer, port_isolates(port));
	vg_fact_set(ev, VG_FACT_ACS, answer, VG_SOURCE_CONFIG);
}

static bool can_report(struct pci_dev *pdev)
{
	return pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ERR) ||
	       pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_DPC);
}

/* Firmware handles an error where it first sees it: anywhere on the path. */
static enum vg_answer firmware_owns_any(struct pci_dev *pdev)
{
	enum vg_answer answer = VG_NO;

	for (; pdev; pdev = pci_upstream_bridge(pdev)) {
		enum vg_answer owned = vg_firmware_owns_errors(pdev);

		if (owned == VG_YES)
			return VG_YES;
		if (owned == VG_UNKNOWN)
			answer = VG_UNKNOWN;
	}
	return answer;
}

static void aer_facts(struct pci_dev *pdev, struct vg_evidence *ev)
{
	struct pci_dev *port;
	bool aer = false;

	for (port = pdev; port && !aer; port = pci_upstream_bridge(port))
		aer = can_report(port);
	vg_fact_set(ev, VG_FACT_AER, vg_answer_of(aer), VG_SOURCE_CONFIG);
	/* Without AER there is nothing for firmware to own. */
	vg_fact_set(ev, VG_FACT_FW_FIRST,
		    aer ? firmware_owns_any(pdev) : VG_NA, VG_SOURCE_ACPI);
}

/**
 * vg_path_error_root() - where error messages of a device end up
 * @pdev: the device
 *
 * Context: any.
 * Return: the root port, or the event collector of an integrated endpoint (PCIe
 *	   §1.3.4), or NULL; no reference is taken.
 */
struct pci_dev *vg_path_error_root(struct pci_dev *pdev)
{
	struct pci_dev *root = pcie_find_root_port(pdev);

#ifdef CONFIG_PCIEPORTBUS
	if (!root)
		root = pci_physfn(pdev)->rcec;
#endif
	return root;
}

/*
 * Where error messages end up, only Root Control there turns them into a system
 * error (PCIe §6.2.6); elsewhere SERR# of the device itself does.
 */
static void serr_fact(struct pci_dev *pdev, struct vg_evidence *ev)
{
	struct pci_dev *root = vg_path_error_root(pdev);
	enum vg_answer answer = VG_UNKNOWN;
	u16 val = 0;

	if (root) {
		if (!pcie_capability_read_word(root, PCI_EXP_RTCTL, &val))
			answer = vg_answer_of(val & VG_RTCTL_SYSTEM_ERRORS);
	} else {
		if (!pci_read_config_word(pdev, PCI_COMMAND, &val))
			answer = vg_answer_of(val & PCI_COMMAND_SERR);
	}
	vg_fact_set(ev, VG_FACT_SERR_NMI, answer, VG_SOURCE_CONFIG);
}

static void ats_fact(struct pci_dev *pdev, struct vg_evidence *ev)
{
	u16 ats = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ATS);
	enum vg_answer answer = VG_NO;
	u16 ctrl;

	if (ats && pci_read_config_word(pdev, ats + PCI_ATS_CTRL, &ctrl))
		answer = VG_UNKNOWN;
	else if (ats)
		answer = vg_answer_of(ctrl & PCI_ATS_CTRL_ENABLE);
	vg_fact_set(ev, VG_FACT_ATS, answer, VG_SOURCE_CONFIG);
}

/**
 * vg_path_facts() - what the device and the ports above it can contain
 * @path: the device, powered
 * @ev: evidence to add to
 *
 * The facts of a device that does not answer stay unknown.
 *
 * Context: process; reads config space, takes pci_lock.
 */
void vg_path_facts(const struct vg_path *path, struct vg_evidence *ev)
{
	struct pci_dev *pdev = path->pdev;

	/* The kernel probed each method in turn when it found the device. */
	vg_fact_set(ev, VG_FACT_RESET, vg_answer_of(pdev->reset_methods[0]),
		    VG_SOURCE_KERNEL);

	if (!pci_device_is_present(pdev))
		return;
	acs_fact(pdev, ev);
	aer_facts(pdev, ev);
	serr_fact(pdev, ev);
	ats_fact(pdev, ev);
}
