// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/aer.c: what is said of uncorrectable errors. */
#include <kunit/test.h>
#include <linux/pci_regs.h>

#include "aer.h"

/* The kernel's own definitions of the bits, and the names in its log. */
static const struct {
	u32 bit;
	const char *name;
} known[] = {
	{ PCI_ERR_UNC_DLP, "DLP" },
	{ PCI_ERR_UNC_SURPDN, "SDES" },
	{ PCI_ERR_UNC_POISON_TLP, "TLP" },
	{ PCI_ERR_UNC_FCP, "FCP" },
	{ PCI_ERR_UNC_COMP_TIME, "CmpltTO" },
	{ PCI_ERR_UNC_COMP_ABORT, "CmpltAbrt" },
	{ PCI_ERR_UNC_UNX_COMP, "UnxCmplt" },
	{ PCI_ERR_UNC_RX_OVER, "RxOF" },
	{ PCI_ERR_UNC_MALF_TLP, "MalfTLP" },
	{ PCI_ERR_UNC_ECRC, "ECRC" },
	{ PCI_ERR_UNC_UNSUP, "UnsupReq" },
	{ PCI_ERR_UNC_ACSV, "ACSViol" },
	{ PCI_ERR_UNC_INTN, "UncorrIntErr" },
	{ PCI_ERR_UNC_MCBTLP, "BlockedTLP" },
	{ PCI_ERR_UNC_ATOMEG, "AtomicOpBlocked" },
	{ PCI_ERR_UNC_TLPPRE, "TLPBlockedErr" },
};

static void names(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		KUNIT_EXPECT_STREQ(test, vg_aer_name(__ffs(known[i].bit)),
				   known[i].name);
	KUNIT_EXPECT_NULL(test, vg_aer_name(0));
	KUNIT_EXPECT_NULL(test, vg_aer_name(11));
}

/* At least those whose header the kernel's AER logs. */
static void headers(struct kunit *test)
{
	const u32 with = PCI_ERR_UNC_POISON_TLP | PCI_ERR_UNC_ECRC |
			 PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_COMP_ABORT |
			 PCI_ERR_UNC_UNX_COMP | PCI_ERR_UNC_MALF_TLP;
	const u32 without = PCI_ERR_UNC_DLP | PCI_ERR_UNC_SURPDN |
			    PCI_ERR_UNC_FCP | PCI_ERR_UNC_COMP_TIME |
			    PCI_ERR_UNC_RX_OVER | PCI_ERR_UNC_INTN;
	unsigned int bit;

	for (bit = 0; bit < VG_AER_BITS; bit++) {
		if (with & BIT(bit))
			KUNIT_EXPECT_TRUE(test, vg_aer_has_header(BIT(bit)));
		if (without & BIT(bit))
			KUNIT_EXPECT_FALSE(test, vg_aer_has_header(BIT(bit)));
	}
	KUNIT_EXPECT_TRUE(test, vg_aer_has_header(with | without));
	KUNIT_EXPECT_FALSE(test, vg_aer_has_header(without));
}

static void senders(struct kunit *test)
{
	/* A write of one double word to 0x80000000 by 02:00.1, and a completion */
	const u32 write[VG_TLP_WORDS] = { 0x40000001, 0x0201000f, 0x80000000 };
	const u32 done[VG_TLP_WORDS] = { 0x0a000000, 0x03082000, 0x00000000 };

	KUNIT_EXPECT_EQ(test, vg_tlp_sender(write), VG_RID(2, 1));
	KUNIT_EXPECT_EQ(test, vg_tlp_sender(done), VG_RID(3, 8));
}

static struct kunit_case aer_cases[] = {
	KUNIT_CASE(names),
	KUNIT_CASE(headers),
	KUNIT_CASE(senders),
	{}
};

static struct kunit_suite aer_suite = {
	.name = "vfio_guard_aer",
	.test_cases = aer_cases,
};

kunit_test_suite(aer_suite);
