// SPDX-License-Identifier: GPL-2.0
/* What firmware keeps to itself: PCIe errors, and the NMIs it tells of them by. */
#include <linux/acpi.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>

#include "core/hest.h"
#include "firmware.h"
#include "report.h"

/* Some 30 root ports by name; more are "some". */
#define PORTS_LEN	400

/*
 * Written by vg_firmware_init() before the gate opens and by
 * vg_firmware_exit() after it closed; read without a lock in between.
 */
static struct vg_hest hest;
static bool known;

static void drop(void)
{
	kfree(hest.aers);
	kfree(hest.generics);
	memset(&hest, 0, sizeof(hest));
}

static int parse(const u8 *table, size_t len)
{
	struct vg_table_err err = {};
	int ret;

	ret = vg_hest_parse(table, len, &hest, &err);
	if (ret)
		goto bad;

	hest.aers = kcalloc(hest.nr_aers, sizeof(*hest.aers), GFP_KERNEL);
	hest.generics = kcalloc(hest.nr_generics, sizeof(*hest.generics),
				GFP_KERNEL);
	if (!hest.aers || !hest.generics) {
		drop();
		return -ENOMEM;
	}
	ret = vg_hest_parse(table, len, &hest, &err);
	if (!ret)
		return 0;
bad:
	pr_err("ACPI table HEST: %s at offset %#zx\n", err.why, err.offset);
	drop();
	return ret;
}

/**
 * vg_firmware_init() - find out what errors firmware handles
 *
 * As with the IOMMU's tables, a malformed HEST does not fail the load: who
 * handles errors is unknown then.
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vg_firmware_init(void)
{
	struct acpi_table_header *table;
	acpi_status status;
	int ret;

	status = acpi_get_table(ACPI_SIG_HEST, 0, &table);
	if (status == AE_NOT_FOUND) {
		known = true;
		return 0;
	}
	if (ACPI_FAILURE(status)) {
		pr_err("ACPI table HEST: %s\n", acpi_format_exception(status));
		return 0;
	}
	ret = parse((const u8 *)table, table->length);
	acpi_put_table(table);
	known = !ret;
	return ret == -ENOMEM ? ret : 0;
}

/**
 * vg_firmware_exit() - forget it
 *
 * Context: process; nobody may ask any more.
 */
void vg_firmware_exit(void)
{
	drop();
}

static bool is_root_port(struct pci_dev *pdev)
{
	return pci_is_pcie(pdev) &&
	       pci_pcie_type(pdev) == PCI_EXP_TYPE_ROOT_PORT;
}

/* Linux's hest_match_type(), while it still read the table, had these types. */
static enum vg_hest_aer_type aer_type(struct pci_dev *pdev)
{
	if (is_root_port(pdev))
		return VG_HEST_ROOT_PORT;
	if (pdev->class >> 16 == PCI_BASE_CLASS_BRIDGE)
		return VG_HEST_BRIDGE;
	return VG_HEST_ENDPOINT;
}

/**
 * vg_firmware_owns_errors() - do a device's error registers belong to firmware?
 * @pdev: the device
 *
 * They do if firmware did not grant the kernel AER by _OSC, or if the HEST has
 * it handle the device's errors first. Linux since 5.8 goes by _OSC alone; but
 * who writes these registers where either says so may wake firmware up.
 *
 * Context: process.
 * Return: VG_YES or VG_NO; VG_UNKNOWN if the HEST can't be understood.
 */
enum vg_answer vg_firmware_owns_errors(struct pci_dev *pdev)
{
	if (!pci_find_host_bridge(pdev->bus)->native_aer)
		return VG_YES;
	if (!known)
		return VG_UNKNOWN;
	return vg_answer_of(vg_hest_owns(&hest, pci_domain_nr(pdev->bus),
					 pdev->bus->number, pdev->devfn,
					 aer_type(pdev)));
}

/* The root ports that firmware owns, in as few words as will do. */
static void name_ports(struct seq_buf *ports)
{
	struct pci_dev *pdev = NULL;
	u32 owned = 0, others = 0;

	for_each_pci_dev(pdev) {
		if (!is_root_port(pdev))
			continue;
		if (vg_firmware_owns_errors(pdev) == VG_NO) {
			others++;
			continue;
		}
		seq_buf_printf(ports, "%s%s", owned++ ? "," : "",
			       pci_name(pdev));
	}
	if (owned && others && !seq_buf_has_overflowed(ports))
		return;
	seq_buf_clear(ports);
	seq_buf_printf(ports, "%s", !owned ? "none" : others ? "some" : "all");
}

/**
 * vg_firmware_report() - say which root ports firmware owns, and what it may do
 *
 * Nothing is said where firmware leaves everything to the kernel.
 *
 * Context: process, may sleep.
 */
void vg_firmware_report(void)
{
	u32 nmi_sources = vg_hest_nmi_sources(&hest);
	struct seq_buf ports;
	char buf[PORTS_LEN];

	seq_buf_init(&ports, buf, sizeof(buf) - 1);
	if (known)
		name_ports(&ports);
	else
		seq_buf_printf(&ports, "unknown");
	buf[seq_buf_used(&ports)] = '\0';
	if (nmi_sources || strcmp(buf, "none"))
		vg_report_firmware(buf, nmi_sources);
}
