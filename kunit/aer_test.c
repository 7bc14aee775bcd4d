// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/core/aer.c: uncorrectable errors, what is said of them and whose. */
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

/* A device of two requester IDs, and registers without an error. */
static const u16 own[] = { VG_RID(2, 1), VG_RID(1, 0) };

static bool attributes(const struct vg_aer_regs *regs,
		       struct vg_aer_errors *errors)
{
	const struct vg_aer_errors none = {};

	vg_aer_attribute(regs, own, ARRAY_SIZE(own), errors);
	return vg_aer_subtract(errors, &none);
}

static void attribution(struct kunit *test)
{
	struct vg_aer_regs regs = {};
	struct vg_aer_errors errors;

	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));

	regs.uncor = PCI_ERR_UNC_MALF_TLP;
	KUNIT_EXPECT_TRUE(test, attributes(&regs, &errors));
	KUNIT_EXPECT_EQ(test, errors.uncor, (u32)PCI_ERR_UNC_MALF_TLP);

	/* Capabilities, an interrupt, and correctable errors are none. */
	regs = (struct vg_aer_regs){
		.status = PCI_STATUS_CAP_LIST | PCI_STATUS_INTERRUPT |
			  (u32)PCI_EXP_DEVSTA_CED << 16,
	};
	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));
	regs.status |= PCI_STATUS_SIG_SYSTEM_ERROR;
	KUNIT_EXPECT_TRUE(test, attributes(&regs, &errors));
	regs.status = (u32)PCI_EXP_DEVSTA_NFED << 16;
	KUNIT_EXPECT_TRUE(test, attributes(&regs, &errors));
}

static void attribution_by_port(struct kunit *test)
{
	struct vg_aer_regs regs = {
		.root = PCI_ERR_ROOT_UNCOR_RCV | PCI_ERR_ROOT_NONFATAL_RCV,
		.source = (u32)VG_RID(1, 0) << 16 | VG_RID(5, 0),
	};
	struct vg_aer_errors errors;

	KUNIT_EXPECT_TRUE(test, attributes(&regs, &errors));
	KUNIT_EXPECT_EQ(test, errors.root, regs.root);
	/* The lower half is who sent the correctable one. */
	regs.source = (u32)VG_RID(5, 0) << 16 | VG_RID(1, 0);
	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));
	regs.root = PCI_ERR_ROOT_COR_RCV;
	regs.source = (u32)VG_RID(1, 0) << 16 | VG_RID(1, 0);
	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));

	regs = (struct vg_aer_regs){
		.port = PCI_ERR_UNC_MALF_TLP,
		.port_header = { 0x40000001, 0x0201000f, 0x80000000 },
	};
	KUNIT_EXPECT_TRUE(test, attributes(&regs, &errors));
	KUNIT_EXPECT_EQ(test, errors.port, regs.port);
	regs.port_header[1] = 0x0200000f;
	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));
	/* An error of the link has no TLP: what is logged is an older one's. */
	regs.port_header[1] = 0x0201000f;
	regs.port = PCI_ERR_UNC_DLP;
	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));
}

static void gone(struct kunit *test)
{
	const struct vg_aer_regs regs = {
		.uncor = ~0U,
		.severity = ~0U,
		.header = { ~0U, ~0U, ~0U, ~0U },
		.status = ~0U,
		.root = ~0U,
		.source = (u32)VG_RID(1, 0) << 16,
		.port = ~0U,
		.port_header = { ~0U, (u32)VG_RID(1, 0) << 16, ~0U, ~0U },
	};
	struct vg_aer_errors errors;

	KUNIT_EXPECT_FALSE(test, attributes(&regs, &errors));
}

static void known_errors(struct kunit *test)
{
	const struct vg_aer_errors known = {
		.uncor = PCI_ERR_UNC_UNSUP,
		.status = PCI_STATUS_SIG_SYSTEM_ERROR,
		.root = PCI_ERR_ROOT_UNCOR_RCV,
		.port = PCI_ERR_UNC_MALF_TLP,
	};
	struct vg_aer_errors errors = known;

	KUNIT_EXPECT_FALSE(test, vg_aer_subtract(&errors, &known));
	errors = known;
	errors.uncor |= PCI_ERR_UNC_COMP_ABORT;
	KUNIT_EXPECT_TRUE(test, vg_aer_subtract(&errors, &known));
	KUNIT_EXPECT_EQ(test, errors.uncor, (u32)PCI_ERR_UNC_COMP_ABORT);
	KUNIT_EXPECT_EQ(test, errors.status, 0U);
	KUNIT_EXPECT_EQ(test, errors.root, 0U);
	KUNIT_EXPECT_EQ(test, errors.port, 0U);
}

static void settling(struct kunit *test)
{
	struct vg_aer_errors known = {
		.uncor = PCI_ERR_UNC_UNSUP,
		.root = PCI_ERR_ROOT_UNCOR_RCV,
	};
	struct vg_aer_errors seen = known;
	struct vg_aer_errors now = {
		.uncor = PCI_ERR_UNC_UNSUP | PCI_ERR_UNC_COMP_ABORT,
		.status = PCI_STATUS_SIG_SYSTEM_ERROR,
		.port = PCI_ERR_UNC_MALF_TLP,
	};

	/* What is new isn't known yet, and what is gone is no longer. */
	vg_aer_settle(&known, &seen, &now);
	KUNIT_EXPECT_EQ(test, known.uncor, (u32)PCI_ERR_UNC_UNSUP);
	KUNIT_EXPECT_EQ(test, known.status, 0U);
	KUNIT_EXPECT_EQ(test, known.root, 0U);
	KUNIT_EXPECT_EQ(test, known.port, 0U);
	vg_aer_settle(&known, &seen, &now);
	KUNIT_EXPECT_EQ(test, memcmp(&known, &now, sizeof(now)), 0);

	/* One that goes and comes again is new again. */
	now.uncor = PCI_ERR_UNC_UNSUP;
	vg_aer_settle(&known, &seen, &now);
	now.uncor |= PCI_ERR_UNC_COMP_ABORT;
	vg_aer_settle(&known, &seen, &now);
	KUNIT_EXPECT_EQ(test, known.uncor, (u32)PCI_ERR_UNC_UNSUP);
}

static void fatal(struct kunit *test)
{
	const struct vg_aer_regs regs = { .severity = PCI_ERR_UNC_MALF_TLP };
	struct vg_aer_errors errors = { .uncor = PCI_ERR_UNC_UNSUP };

	KUNIT_EXPECT_FALSE(test, vg_aer_is_fatal(&errors, &regs));
	errors.uncor |= PCI_ERR_UNC_MALF_TLP;
	KUNIT_EXPECT_TRUE(test, vg_aer_is_fatal(&errors, &regs));

	errors = (struct vg_aer_errors){ .root = PCI_ERR_ROOT_UNCOR_RCV |
						 PCI_ERR_ROOT_NONFATAL_RCV };
	KUNIT_EXPECT_FALSE(test, vg_aer_is_fatal(&errors, &regs));
	errors.root |= PCI_ERR_ROOT_FATAL_RCV;
	KUNIT_EXPECT_TRUE(test, vg_aer_is_fatal(&errors, &regs));

	errors = (struct vg_aer_errors){
		.status = (u32)PCI_EXP_DEVSTA_NFED << 16,
	};
	KUNIT_EXPECT_FALSE(test, vg_aer_is_fatal(&errors, &regs));
	errors.status = (u32)PCI_EXP_DEVSTA_FED << 16;
	KUNIT_EXPECT_TRUE(test, vg_aer_is_fatal(&errors, &regs));
}

static struct kunit_case aer_cases[] = {
	KUNIT_CASE(names),
	KUNIT_CASE(headers),
	KUNIT_CASE(senders),
	KUNIT_CASE(attribution),
	KUNIT_CASE(attribution_by_port),
	KUNIT_CASE(gone),
	KUNIT_CASE(known_errors),
	KUNIT_CASE(settling),
	KUNIT_CASE(fatal),
	{}
};

static struct kunit_suite aer_suite = {
	.name = "vfio_guard_aer",
	.test_cases = aer_cases,
};

kunit_test_suite(aer_suite);
