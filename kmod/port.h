/* SPDX-License-Identifier: GPL-2.0 */
/* The port above a device: what it can do to stop it, done and undone. */
#ifndef VG_PORT_H
#define VG_PORT_H

#include <linux/list.h>
#include <linux/pci.h>

#include "core/ladder.h"
#include "hold.h"

/**
 * struct vg_port - a port that stops what lies below it
 * @pdev: the port, awake, or NULL as long as none has been touched; a reference
 *	  is held
 * @hold: what keeps its bus mastering off, or NULL
 * @was_master: it was on before
 * @in_reset: its secondary bus is held in reset
 * @states: configuration of the devices below, from before the reset
 * @slot_events: what the slot's hot-plug controller noticed before the reset
 *
 * All of it is port.c's to change, under a lock of the owner's.
 */
struct vg_port {
	struct pci_dev *pdev;
	struct vg_hold *hold;
	bool was_master;
	bool in_reset;
	struct list_head states;
	u16 slot_events;
};

void vg_port_init(struct vg_port *port);
void vg_port_survey(struct pci_dev *pdev, int group,
		    struct vg_port_means *means);
bool vg_port_seize(struct vg_port *port, struct pci_dev *pdev);
bool vg_port_stop(struct vg_port *port, bool dpc);
bool vg_port_reset(struct vg_port *port);
bool vg_port_renew_reset(struct vg_port *port);
void vg_port_end_reset(struct vg_port *port);
void vg_port_release(struct vg_port *port);

#endif /* VG_PORT_H */
