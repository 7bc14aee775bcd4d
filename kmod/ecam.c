// SPDX-License-Identifier: GPL-2.0
/*
 * Error registers in configuration space, where it can be read in an NMI.
 *
 * The kernel's accessors take a lock that the interrupted code may hold. The
 * registers are read in memory instead, one page to a function, at the address
 * that ACPI's MCFG tells (PCI Firmware spec 3.3, 4.1.2).
 */
#include <linux/acpi.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <asm/pci_x86.h>

#include "ecam.h"
#include "path.h"

/* A function's configuration space (PCIe §7.2.2). */
#define CONFIG_SIZE	PCI_CFG_SPACE_EXP_SIZE

/* Where a function's configuration space is; 0 if MCFG doesn't tell. */
static phys_addr_t find_config(struct pci_dev *pdev)
{
	struct acpi_mcfg_allocation *range, *end;
	struct acpi_table_header *table;
	u8 bus = pdev->bus->number;
	phys_addr_t at = 0;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MCFG, 0, &table)))
		return 0;
	range = (void *)table + sizeof(struct acpi_table_mcfg);
	end = (void *)table + table->length;
	for (; range + 1 <= end && !at; range++)
		if (range->pci_segment == pci_domain_nr(pdev->bus) &&
		    range->start_bus_number <= bus &&
		    bus <= range->end_bus_number)
			at = range->address +
			     PCI_DEVID(bus, pdev->devfn) * CONFIG_SIZE;
	acpi_put_table(table);
	return at;
}

/* What is read there is what the kernel reads, and not nothing. */
static bool shows(const void __iomem *config, struct pci_dev *pdev)
{
	static const u8 words[] = { PCI_VENDOR_ID, PCI_CLASS_REVISION };
	size_t i;
	u32 val;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (pci_read_config_dword(pdev, words[i], &val) ||
		    readl(config + words[i]) != val)
			return false;
	/* A virtual function has no vendor ID of its own, but a class. */
	return !PCI_POSSIBLE_ERROR(val);
}

/**
 * vg_ecam_map_function() - map a function's configuration space
 * @pdev: the function, awake
 *
 * Context: process, may sleep.
 * Return: its 4 KiB, for mmio_config_readw() and the like, and in the end for
 *	   iounmap(); NULL if they are not to be had.
 */
void __iomem *vg_ecam_map_function(struct pci_dev *pdev)
{
	phys_addr_t at = find_config(pdev);
	void __iomem *config;

	if (!at || region_intersects(at, CONFIG_SIZE, IORESOURCE_SYSTEM_RAM,
				     IORES_DESC_NONE) != REGION_DISJOINT)
		return NULL;
	config = ioremap(at, CONFIG_SIZE);
	if (config && !shows(config, pdev)) {
		iounmap(config);
		config = NULL;
	}
	return config;
}

static void map_port(struct vg_ecam *ecam, struct pci_dev *port)
{
	u16 aer = pci_find_ext_capability(port, PCI_EXT_CAP_ID_ERR);

	if (!aer)
		return;
	ecam->port_config = vg_ecam_map_function(port);
	if (!ecam->port_config)
		return;
	ecam->port = pci_dev_get(port);
	ecam->port_aer = aer;
}

static void map_physical(struct vg_ecam *ecam, struct pci_dev *physfn)
{
	u16 aer = pci_find_ext_capability(physfn, PCI_EXT_CAP_ID_ERR);

	if (!aer)
		return;
	ecam->physical = vg_ecam_map_function(physfn);
	ecam->physical_aer = aer;
}

/**
 * vg_ecam_map() - make a device's error registers readable in NMI
 * @ecam: to fill in, zeroed
 * @pdev: the device
 *
 * Where that can't be, it is said once: an NMI of the device's errors is the
 * kernel's alone then.
 *
 * Context: process, may sleep.
 */
void vg_ecam_map(struct vg_ecam *ecam, struct pci_dev *pdev)
{
	struct pci_dev *port = vg_path_error_root(pdev);
	bool awake = pm_runtime_resume_and_get(&pdev->dev) >= 0;

	ecam->config = vg_ecam_map_function(pdev);
	if (ecam->config) {
		ecam->exp = pci_pcie_cap(pdev);
		ecam->aer = pci_find_ext_capability(pdev, PCI_EXT_CAP_ID_ERR);
		if (pdev->is_virtfn)
			map_physical(ecam, pci_physfn(pdev));
		if (port)
			map_port(ecam, port);
	} else {
		pr_notice_once("%s: no configuration space in memory: an NMI that its PCIe errors alone explain is the kernel's\n",
			       pci_name(pdev));
	}
	if (awake)
		pm_runtime_put(&pdev->dev);
}

/**
 * vg_ecam_unmap() - undo vg_ecam_map()
 * @ecam: what it filled in; nobody reads it any more
 *
 * Context: process, may sleep.
 */
void vg_ecam_unmap(struct vg_ecam *ecam)
{
	if (ecam->config)
		iounmap(ecam->config);
	if (ecam->physical)
		iounmap(ecam->physical);
	if (ecam->port_config)
		iounmap(ecam->port_config);
	pci_dev_put(ecam->port);
}

/* Some processors can read it into one register only: not by readl(). */
static u32 read_config(const void __iomem *config, u16 where)
{
	return mmio_config_readl((void __iomem *)config + where);
}

/* All ones from a function that doesn't answer, for its status reads so. */
static u32 read_uncor(const void __iomem *config, u16 aer)
{
	return read_config(config, aer + PCI_ERR_UNCOR_STATUS);
}

/* What is masked left out. */
static u32 unmasked(u32 status, const void __iomem *config, u16 aer)
{
	if (!status || PCI_POSSIBLE_ERROR(status))
		return status;
	return status & ~read_config(config, aer + PCI_ERR_UNCOR_MASK);
}

static void read_header(const void __iomem *config, u16 aer,
			u32 header[VG_TLP_WORDS])
{
	int i;

	for (i = 0; i < VG_TLP_WORDS; i++)
		header[i] = read_config(config,
					aer + PCI_ERR_HEADER_LOG + 4 * i);
}

/* Status is the upper half of its word, and so is Device Status. */
static u32 read_status(const struct vg_ecam *ecam)
{
	u32 status = read_config(ecam->config, PCI_COMMAND);
	u32 device = 0;

	if (PCI_POSSIBLE_ERROR(status))
		return status;
	if (ecam->exp)
		device = read_config(ecam->config, ecam->exp + PCI_EXP_DEVCTL);
	if (PCI_POSSIBLE_ERROR(device))
		return device;
	return (device & ~0xffffU) | status >> 16;
}

/**
 * vg_ecam_read() - read what tells of a device's uncorrectable errors
 * @ecam: its configuration space
 * @regs: to fill in; zeroes where nothing is mapped
 *
 * Reads of devices are slow: of those without an error, one register each is.
 *
 * Context: any, NMI too.
 */
void vg_ecam_read(const struct vg_ecam *ecam, struct vg_aer_regs *regs)
{
	const void __iomem *rules = ecam->physical ?: ecam->config;
	u16 rules_aer = ecam->physical ? ecam->physical_aer : ecam->aer;

	memset(regs, 0, sizeof(*regs));
	if (!ecam->config)
		return;
	if (ecam->aer)
		regs->uncor = unmasked(read_uncor(ecam->config, ecam->aer),
				       rules, rules_aer);
	else
		regs->status = read_status(ecam);
	if (regs->uncor) {
		regs->severity = read_config(rules,
					     rules_aer + PCI_ERR_UNCOR_SEVER);
		read_header(ecam->config, ecam->aer, regs->header);
	}
	if (!ecam->port)
		return;
	regs->root = read_config(ecam->port_config,
				 ecam->port_aer + PCI_ERR_ROOT_STATUS);
	if (regs->root)
		regs->source = read_config(ecam->port_config, ecam->port_aer +
					   PCI_ERR_ROOT_ERR_SRC);
	regs->port = unmasked(read_uncor(ecam->port_config, ecam->port_aer),
			      ecam->port_config, ecam->port_aer);
	if (regs->port)
		read_header(ecam->port_config, ecam->port_aer,
			    regs->port_header);
}

/**
 * vg_ecam_read_masked() - read a device's uncorrectable errors, masked or not
 * @ecam: its configuration space
 *
 * Context: any, NMI too.
 * Return: Uncorrectable Error Status; 0 without AER, and from a device that
 *	   doesn't answer.
 */
u32 vg_ecam_read_masked(const struct vg_ecam *ecam)
{
	u32 status = 0;

	if (ecam->config && ecam->aer)
		status = read_uncor(ecam->config, ecam->aer);
	return PCI_POSSIBLE_ERROR(status) ? 0 : status;
}
