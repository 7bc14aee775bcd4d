// SPDX-License-Identifier: GPL-2.0
/* The administrator's files in securityfs. */
#include <linux/fs.h>
#include <linux/pci.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "control.h"
#include "quarantine.h"

/* "10000:00:00.0", a line end, and a few blanks around it */
#define ADDRESS_MAX_LEN	32

static struct dentry *dir, *release_file;

/* The device at an address as the log has it, or NULL if it is none. */
static struct pci_dev *find_device(const char *address, bool *valid)
{
	unsigned int domain, bus, slot, fn;
	int len = 0;

	*valid = sscanf(address, "%8x:%2x:%2x.%1x%n", &domain, &bus, &slot, &fn,
			&len) == 4 &&
		 !address[len] && bus <= 0xff && slot <= 0x1f && fn <= 7;
	if (!*valid)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, fn));
}

static int release_device(const char *address)
{
	struct pci_dev *pdev;
	bool valid;
	int ret;

	pdev = find_device(address, &valid);
	if (!valid) {
		pr_err("\"%*pE\" is no PCI address like 0000:01:00.0\n",
		       (int)strlen(address), address);
		return -EINVAL;
	}
	if (!pdev)
		return -ENODEV;
	ret = vg_quarantine_release(pdev);
	pci_dev_put(pdev);
	return ret;
}

/* -ENODEV: there is no such device; -ENOENT: it is not quarantined. */
static ssize_t release_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	char *text;
	int ret;

	text = memdup_user_nul(buf, min_t(size_t, len, ADDRESS_MAX_LEN));
	if (IS_ERR(text))
		return PTR_ERR(text);
	/* A longer one is no address: what is kept of it won't pass for one. */
	ret = len > ADDRESS_MAX_LEN ? release_device("") :
				       release_device(strim(text));
	kfree(text);
	return ret ?: len;
}

static const struct file_operations release_fops = {
	.owner = THIS_MODULE,
	.write = release_write,
	.llseek = noop_llseek,
};

/**
 * vg_control_init() - make the files
 *
 * Without securityfs there are none, and that is logged; a quarantine then ends
 * with the module only, or by a reset if the policy says so.
 *
 * Context: process, may sleep.
 */
void vg_control_init(void)
{
	dir = securityfs_create_dir("vfio-guard", NULL);
	if (!IS_ERR(dir))
		release_file = securityfs_create_file("release", 0200, dir,
						      NULL, &release_fops);
	if (IS_ERR(dir) || IS_ERR(release_file))
		pr_warn("no files in securityfs: %ld\n",
			PTR_ERR(IS_ERR(dir) ? dir : release_file));
}

/**
 * vg_control_exit() - remove them
 *
 * Context: process, may sleep.
 */
void vg_control_exit(void)
{
	securityfs_remove(release_file);
	securityfs_remove(dir);
}
