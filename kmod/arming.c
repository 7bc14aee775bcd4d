// SPDX-License-Identifier: GPL-2.0
/* Keeps the errors of open devices from becoming system errors of the host. */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "arming.h"
#include "firmware.h"
#include "path.h"

/**
 * struct arming - what has been turned off in one function of a path
 * @node: in armings
 * @pdev: an open device, or a bridge or event collector above open devices; a
 *	  reference is held
 * @users: how many open devices that is
 * @serr: of SERR# Enable in a device's COMMAND or a bridge's Bridge Control,
 *	  what was on
 * @root: the same of Root Control
 * @devctl: the same of Device Control
 */
struct arming {
	struct list_head node;
	struct pci_dev *pdev;
	unsigned int users;
	u16 serr;
	u16 root;
	u16 devctl;
};

/* Protects armings and all in them. Process context. */
static DEFINE_MUTEX(lock);
static LIST_HEAD(armings);

static struct arming *find_arming(struct pci_dev *pdev)
{
	struct arming *arming;

	lockdep_assert_held(&lock);
	list_for_each_entry(arming, &armings, node)
		if (arming->pdev == pdev)
			return arming;
	return NULL;
}

static struct arming *get_arming(struct pci_dev *pdev)
{
	struct arming *arming = find_arming(pdev);

	if (!arming) {
		arming = kzalloc(sizeof(*arming), GFP_KERNEL);
		if (!arming)
			return NULL;
		arming->pdev = pci_dev_get(pdev);
		list_add(&arming->node, &armings);
	}
	arming->users++;
	return arming;
}

/*
 * Who owns AER owns these registers as well, as far as they are PCIe's (PCI
 * Firmware spec 3.3, 4.5.1); what stands on a conventional bus is nobody's.
 */
static bool is_firmwares(struct pci_dev *pdev)
{
	return pci_is_pcie(pdev) && vg_firmware_owns_errors(pdev) != VG_NO;
}

/*
 * The kernel's AER learns of errors by messages. SERR# Enable in COMMAND lets a
 * function send those of uncorrectable ones, as Device Control does, and that in
 * Bridge Control lets them through; no system error comes of them but by Root
 * Control (PCIe §6.2.6). To turn SERR# off there would only make AER deaf.
 */
static bool aer_listens(struct pci_dev *pdev)
{
	struct pci_dev *root = vg_path_error_root(pdev);

	return root && pci_find_ext_capability(root, PCI_EXT_CAP_ID_ERR) &&
	       vg_firmware_owns_errors(root) == VG_NO;
}

static int serr_register(struct pci_dev *pdev)
{
	return pci_is_bridge(pdev) ? PCI_BRIDGE_CONTROL : PCI_COMMAND;
}

static u16 serr_bit(struct pci_dev *pdev)
{
	return pci_is_bridge(pdev) ? PCI_BRIDGE_CTL_SERR : PCI_COMMAND_SERR;
}

/* Turn bits off; those of them that were on. */
static u16 turn_off(struct pci_dev *pdev, int where, u16 bits)
{
	u16 val;

	if (pci_read_config_word(pdev, where, &val) ||
	    PCI_POSSIBLE_ERROR(val) || !(val & bits))
		return 0;
	pci_write_config_word(pdev, where, val & ~bits);
	return val & bits;
}

static u16 turn_off_root(struct pci_dev *pdev)
{
	u16 val;

	if (pcie_capability_read_word(pdev, PCI_EXP_RTCTL, &val) ||
	    PCI_POSSIBLE_ERROR(val) || !(val & VG_RTCTL_SYSTEM_ERRORS))
		return 0;
	pcie_capability_clear_word(pdev, PCI_EXP_RTCTL, VG_RTCTL_SYSTEM_ERRORS);
	return val & VG_RTCTL_SYSTEM_ERRORS;
}

static bool is_collector(struct pci_dev *pdev)
{
	return pci_is_pcie(pdev) && pci_pcie_type(pdev) == PCI_EXP_TYPE_RC_EC;
}

/* At each open: somebody may have turned them on since the last. */
static void arm_one(struct arming *arming)
{
	struct pci_dev *pdev = arming->pdev;

	if (is_firmwares(pdev))
		return;
	arming->root |= turn_off_root(pdev);
	/* What a collector itself signals is the platform's. */
	if (is_collector(pdev) || aer_listens(pdev))
		return;
	arming->serr |= turn_off(pdev, serr_register(pdev), serr_bit(pdev));
}

/* Bits only: the rest of the registers may have changed meanwhile. */
static void restore(const struct arming *arming)
{
	struct pci_dev *pdev = arming->pdev;
	u16 val;

	if (arming->serr &&
	    !pci_read_config_word(pdev, serr_register(pdev), &val) &&
	    !PCI_POSSIBLE_ERROR(val))
		pci_write_config_word(pdev, serr_register(pdev),
				      val | arming->serr);
	if (arming->root)
		pcie_capability_set_word(pdev, PCI_EXP_RTCTL, arming->root);
	if (arming->devctl)
		pcie_capability_set_word(pdev, PCI_EXP_DEVCTL, arming->devctl);
}

static void free_arming(struct arming *arming)
{
	restore(arming);
	list_del(&arming->node);
	pci_dev_put(arming->pdev);
	kfree(arming);
}

static void put_arming(struct pci_dev *pdev)
{
	struct arming *arming = find_arming(pdev);

	if (arming && !--arming->users)
		free_arming(arming);
}

/* The function after @pdev on the way up: a bridge, or at its end a collector. */
static struct pci_dev *next_up(struct pci_dev *pdev)
{
	struct pci_dev *bridge = pci_upstream_bridge(pdev);

	return bridge || is_collector(pdev) || pci_is_bridge(pdev) ?
	       bridge : vg_path_error_root(pdev);
}

/* As far as @end, which is not let go; NULL for the whole path. */
static void put_path(struct pci_dev *pdev, const struct pci_dev *end)
{
	struct pci_dev *next;

	for (; pdev != end; pdev = next) {
		next = next_up(pdev);
		put_arming(pdev);
	}
}

static int get_path(struct pci_dev *leaf, bool awake)
{
	struct pci_dev *pdev;

	for (pdev = leaf; pdev; pdev = next_up(pdev)) {
		struct arming *arming = get_arming(pdev);

		if (!arming) {
			put_path(leaf, pdev);
			return -ENOMEM;
		}
		if (awake)
			arm_one(arming);
	}
	return 0;
}

/**
 * vg_arming_get() - keep a device's errors from becoming system errors
 * @pdev: the device, which is about to be opened
 *
 * From the device up to its root port, what is on goes off: the system-error
 * enables of Root Control, and SERR# where the kernel's AER doesn't listen. AER's
 * own registers, and all that firmware owns, stay as they are. Devices beside it
 * keep their own settings.
 *
 * Context: process, may sleep.
 * Return: which of COMMAND's bits are off and must stay so while the device is
 *	   open, or -ENOMEM.
 */
int vg_arming_get(struct pci_dev *pdev)
{
	bool awake = pm_runtime_resume_and_get(&pdev->dev) >= 0;
	u16 cmd;
	int ret;

	mutex_lock(&lock);
	ret = get_path(pdev, awake);
	mutex_unlock(&lock);
	/* Where firmware has it on, and owns it, it is left on. */
	if (!ret && !aer_listens(pdev) &&
	    !pci_read_config_word(pdev, PCI_COMMAND, &cmd) &&
	    !(cmd & PCI_COMMAND_SERR))
		ret = PCI_COMMAND_SERR;
	if (awake)
		pm_runtime_put(&pdev->dev);
	return ret;
}

/**
 * vg_arming_put() - undo vg_arming_get(), for what no other open device needs
 * @pdev: the device, closed, its COMMAND held no more
 *
 * Context: process, may sleep.
 */
void vg_arming_put(struct pci_dev *pdev)
{
	bool awake = pm_runtime_resume_and_get(&pdev->dev) >= 0;

	mutex_lock(&lock);
	if (find_arming(pdev))
		put_path(pdev, NULL);
	mutex_unlock(&lock);
	if (awake)
		pm_runtime_put(&pdev->dev);
}

/**
 * vg_arming_mute() - let a device report no more correctable errors
 * @pdev: the device
 *
 * For as long as it is open; closing it, VFIO restores the register. Its owner
 * may turn them on again by way of VFIO.
 *
 * Context: process, may sleep.
 * Return: true if that was needed, and done.
 */
bool vg_arming_mute(struct pci_dev *pdev)
{
	struct arming *arming;
	bool muted = false;
	u16 val;

	mutex_lock(&lock);
	arming = find_arming(pdev);
	if (arming && !is_firmwares(pdev) &&
	    !pcie_capability_read_word(pdev, PCI_EXP_DEVCTL, &val) &&
	    !PCI_POSSIBLE_ERROR(val) && (val & PCI_EXP_DEVCTL_CERE)) {
		pcie_capability_clear_word(pdev, PCI_EXP_DEVCTL,
					   PCI_EXP_DEVCTL_CERE);
		arming->devctl = PCI_EXP_DEVCTL_CERE;
		muted = true;
	}
	mutex_unlock(&lock);
	return muted;
}

/**
 * vg_arming_exit() - turn everything on again that was
 *
 * Context: process, may sleep; the gate is closed, nothing is held any more.
 */
void vg_arming_exit(void)
{
	struct arming *arming, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(arming, next, &armings, node) {
		struct pci_dev *pdev = pci_dev_get(arming->pdev);
		bool awake = pm_runtime_resume_and_get(&pdev->dev) >= 0;

		free_arming(arming);
		if (awake)
			pm_runtime_put(&pdev->dev);
		pci_dev_put(pdev);
	}
	mutex_unlock(&lock);
}
