// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space, where it can be read in an NMI.
 *
 * The kernel's accessors take a lock that the interrupted code may hold. The
 * registers are read in memory instead, one page to a function, at the address
 * that ACPI's MCFG tells (PCI Firmware spec 3.3, 4.1.2).
 */
#include <linux/acpi.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/pci.h>

#include "ecam.h"

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
