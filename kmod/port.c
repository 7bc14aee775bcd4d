// SPDX-License-Identifier: GPL-2.0
/* The port above a device: what it can do to stop it, done and undone. */
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "port.h"

/* DPC Software Trigger in DPC Control (PCIe §7.9.14.3); pci_regs.h lacks it. */
#define DPC_CTL_SW_TRIGGER	0x0040

#define DPC_CTL_TRIGGER_ENABLE						\
	(PCI_EXP_DPC_CTL_EN_FATAL | PCI_EXP_DPC_CTL_EN_NONFATAL)

/*
 * After a conventional reset a device has a second to answer (PCIe §6.6.1), and
 * the link before it 100 ms to come up (§6.6.1, PCI 3.0 §4.3.2's Trhfa).
 */
#define RESET_SETTLE_MS	1100

/* What a slot's hot-plug controller notices of a link in reset (§6.7.3). */
#define SLOT_LINK_EVENTS	(PCI_EXP_SLTCTL_DLLSCE | PCI_EXP_SLTCTL_PDCE)

/**
 * struct kept_state - a device's configuration from before its bus's reset
 * @node: in its port's list
 * @pdev: the device; a reference is held
 * @state: what pci_restore_state() takes
 *
 * The kernel's own copy in the pci_dev doesn't keep: who tries to reset the
 * device while its bus is in reset saves what it reads then.
 */
struct kept_state {
	struct list_head node;
	struct pci_dev *pdev;
	struct pci_saved_state *state;
};

/**
 * struct lookout - what a walk below a port looks for
 * @id: the IOMMU group that may be there
 * @foreign: something else is
 */
struct lookout {
	int id;
	bool foreign;
};

static int look_out(struct pci_dev *pdev, void *data)
{
	struct lookout *lookout = data;
	struct iommu_group *group;

	/* What lies behind a bridge is looked at itself. */
	if (pci_is_bridge(pdev))
		return 0;
	group = iommu_group_get(&pdev->dev);
	/* Virtual functions are devices, and owners, of their own. */
	if (!group || iommu_group_id(group) != lookout->id || pci_num_vf(pdev))
		lookout->foreign = true;
	iommu_group_put(group);
	return lookout->foreign;
}

/*
 * The software trigger works only while DPC is on, and the kernel's service
 * has the interrupt that it is handled by: then the link goes down, what lies
 * below is reset, and the kernel brings the link up again.
 */
static bool has_dpc(struct pci_dev *pdev)
{
	u16 pos = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_DPC);
	u16 cap, ctl;

	if (!pos || !pci_find_host_bridge(pdev->bus)->native_dpc ||
	    pci_read_config_word(pdev, pos + PCI_EXP_DPC_CAP, &cap) ||
	    pci_read_config_word(pdev, pos + PCI_EXP_DPC_CTL, &ctl))
		return false;
	return (cap & PCI_EXP_DPC_CAP_SW_TRIGGER) &&
	       (ctl & DPC_CTL_TRIGGER_ENABLE) && (ctl & PCI_EXP_DPC_CTL_INT_EN);
}

/**
 * vg_port_init() - make a port ready to be seized
 * @port: zeroed
 *
 * Context: any.
 */
void vg_port_init(struct vg_port *port)
{
	INIT_LIST_HEAD(&port->states);
}

/**
 * vg_port_survey() - find out what a port can do to a group
 * @pdev: the port, or NULL
 * @group: id of the IOMMU group below it, -1 if it has none
 * @means: that; zeroed
 *
 * Context: process, may sleep.
 */
void vg_port_survey(struct pci_dev *pdev, int group,
		    struct vg_port_means *means)
{
	struct lookout lookout = { .id = group };

	means->present = pdev && pdev->subordinate;
	if (!means->present)
		return;
	pci_walk_bus(pdev->subordinate, look_out, &lookout);
	means->alone = group >= 0 && !lookout.foreign;
	means->dpc = has_dpc(pdev);
}

/**
 * vg_port_seize() - take a port, and wake it, before something is done to it
 * @port: where to keep it
 * @pdev: the port
 *
 * Context: process, may sleep.
 * Return: false if it can't be woken, or @port is another port already.
 */
bool vg_port_seize(struct vg_port *port, struct pci_dev *pdev)
{
	if (port->pdev)
		return port->pdev == pdev;
	if (pm_runtime_resume_and_get(&pdev->dev) < 0)
		return false;
	port->pdev = pci_dev_get(pdev);
	return true;
}

static bool trigger_dpc(struct pci_dev *pdev)
{
	u16 pos = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_DPC);
	u16 ctl;

	return !pci_read_config_word(pdev, pos + PCI_EXP_DPC_CTL, &ctl) &&
	       !pci_write_config_word(pdev, pos + PCI_EXP_DPC_CTL,
				      ctl | DPC_CTL_SW_TRIGGER);
}

/* Requests from below are refused at the port (PCIe §7.5.1.1.3). */
static bool hold_off(struct vg_port *port)
{
	struct vg_hold *hold;
	u16 cmd;

	if (pci_read_config_word(port->pdev, PCI_COMMAND, &cmd))
		return false;
	hold = vg_hold_create(port->pdev);
	if (IS_ERR(hold))
		return false;
	port->hold = hold;
	port->was_master = cmd & PCI_COMMAND_MASTER;
	vg_hold_set(hold, PCI_COMMAND_MASTER);
	return !pci_read_config_word(port->pdev, PCI_COMMAND, &cmd) &&
	       !(cmd & PCI_COMMAND_MASTER);
}

/**
 * vg_port_stop() - let no requests from below pass
 * @port: seized
 * @dpc: by Downstream Port Containment, of which the kernel recovers the link;
 *	 otherwise bus mastering of the port is held off until it is released
 *
 * Context: process, may sleep.
 * Return: false if the port reads as not stopped.
 */
bool vg_port_stop(struct vg_port *port, bool dpc)
{
	return dpc ? trigger_dpc(port->pdev) : hold_off(port);
}

static int keep_state(struct pci_dev *pdev, void *data)
{
	struct vg_port *port = data;
	struct kept_state *kept;

	if (!pci_device_is_present(pdev) || pci_save_state(pdev))
		return 0;
	kept = kzalloc(sizeof(*kept), GFP_KERNEL | __GFP_NOFAIL);
	kept->pdev = pci_dev_get(pdev);
	kept->state = pci_store_saved_state(pdev);
	list_add_tail(&kept->node, &port->states);
	return 0;
}

/* In the order they were found in: bridges before what lies behind them. */
static void restore_states(struct vg_port *port)
{
	struct kept_state *kept, *next;

	list_for_each_entry_safe(kept, next, &port->states, node) {
		pci_load_and_free_saved_state(kept->pdev, &kept->state);
		pci_restore_state(kept->pdev);
		pci_dev_put(kept->pdev);
		kfree(kept);
	}
	INIT_LIST_HEAD(&port->states);
}

/* The slot's driver would take the link in reset for an unplugged device. */
static void deafen_slot(struct vg_port *port)
{
	u16 ctl;

	if (!port->pdev->is_hotplug_bridge ||
	    pcie_capability_read_word(port->pdev, PCI_EXP_SLTCTL, &ctl))
		return;
	port->slot_events |= ctl & SLOT_LINK_EVENTS;
	pcie_capability_clear_word(port->pdev, PCI_EXP_SLTCTL,
				   SLOT_LINK_EVENTS);
}

static void undeafen_slot(struct vg_port *port)
{
	if (!port->slot_events)
		return;
	pcie_capability_write_word(port->pdev, PCI_EXP_SLTSTA,
				   PCI_EXP_SLTSTA_DLLSC | PCI_EXP_SLTSTA_PDC);
	pcie_capability_set_word(port->pdev, PCI_EXP_SLTCTL, port->slot_events);
	port->slot_events = 0;
}

static bool begin_reset(struct pci_dev *pdev)
{
	u16 ctl;

	if (pci_read_config_word(pdev, PCI_BRIDGE_CONTROL, &ctl))
		return false;
	pci_write_config_word(pdev, PCI_BRIDGE_CONTROL,
			      ctl | PCI_BRIDGE_CTL_BUS_RESET);
	return !pci_read_config_word(pdev, PCI_BRIDGE_CONTROL, &ctl) &&
	       !PCI_POSSIBLE_ERROR(ctl) && (ctl & PCI_BRIDGE_CTL_BUS_RESET);
}

/**
 * vg_port_reset() - reset the bus below, and leave it in reset
 * @port: seized
 *
 * Its devices lose what their owner made of them; what the kernel needs to know
 * of them is kept, and restored at the end.
 *
 * Context: process, may sleep.
 * Return: false if the bus is not in reset.
 */
bool vg_port_reset(struct vg_port *port)
{
	struct pci_bus *bus = port->pdev->subordinate;

	if (!bus)
		return false;
	pci_walk_bus(bus, keep_state, port);
	deafen_slot(port);
	port->in_reset = true;
	return begin_reset(port->pdev);
}

/**
 * vg_port_renew_reset() - somebody may have taken the bus below out of reset
 * @port: seized or not
 *
 * As each reset of the bus by way of VFIO does in the end.
 *
 * Context: process.
 * Return: true if that was so, and the bus is in reset again.
 */
bool vg_port_renew_reset(struct vg_port *port)
{
	u16 ctl;

	if (!port->in_reset ||
	    pci_read_config_word(port->pdev, PCI_BRIDGE_CONTROL, &ctl) ||
	    (ctl & PCI_BRIDGE_CTL_BUS_RESET))
		return false;
	/* The slot's driver ends its own reset by listening again. */
	deafen_slot(port);
	return begin_reset(port->pdev);
}

/**
 * vg_port_end_reset() - take the bus below out of reset, if it is
 * @port: seized or not
 *
 * As pci_reset_secondary_bus() does, whose second half is not exported.
 *
 * Context: process; sleeps for a second if there is something to do.
 */
void vg_port_end_reset(struct vg_port *port)
{
	u16 ctl;

	if (!port->in_reset)
		return;
	port->in_reset = false;
	/* The port itself may have been unplugged. */
	if (!pci_read_config_word(port->pdev, PCI_BRIDGE_CONTROL, &ctl) &&
	    !PCI_POSSIBLE_ERROR(ctl)) {
		pci_write_config_word(port->pdev, PCI_BRIDGE_CONTROL,
				      ctl & ~PCI_BRIDGE_CTL_BUS_RESET);
		msleep(RESET_SETTLE_MS);
		undeafen_slot(port);
	}
	restore_states(port);
}

/**
 * vg_port_release() - undo what was done, and let the port go
 * @port: seized or not; to be initialised before it is used again
 *
 * Context: process; may sleep for a second.
 */
void vg_port_release(struct vg_port *port)
{
	if (!port->pdev)
		return;
	vg_port_end_reset(port);
	if (port->hold) {
		vg_hold_destroy(port->hold);
		if (port->was_master)
			pci_set_master(port->pdev);
	}
	pm_runtime_put(&port->pdev->dev);
	pci_dev_put(port->pdev);
}
