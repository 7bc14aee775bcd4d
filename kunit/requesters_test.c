// SPDX-License-Identifier: GPL-2.0
/* Tests for kmod/requesters.c: who sends by which ID as devices come and go. */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/kthread.h>
#include <linux/pci_regs.h>
#include <linux/rcupdate.h>

#include "requesters.h"

#define DEVFN(device, function)	((device) << 3 | (function))
#define RID(bus, devfn)		((bus) << 8 | (devfn))

/* Device 3 on bus 2, behind a bridge that is 1:00.0; and its neighbour. */
#define OWN		RID(2, DEVFN(3, 0))
#define NEIGHBOUR	RID(2, DEVFN(4, 0))
#define BRIDGE		RID(2, 0)

#define ROUNDS		20000

/* The devices of one test, and the groups they are in. */
struct cast {
	struct vg_sender a;
	struct vg_sender b;
	struct vg_sender c;
	struct list_head group;
	struct list_head other_group;
};

static int cast_init(struct kunit *test)
{
	struct cast *cast = kunit_kzalloc(test, sizeof(*cast), GFP_KERNEL);

	if (!cast)
		return -ENOMEM;
	INIT_LIST_HEAD(&cast->group);
	INIT_LIST_HEAD(&cast->other_group);
	test->priv = cast;
	return 0;
}

/* Also if the test broke off: the next one begins with an empty index. */
static void cast_exit(struct kunit *test)
{
	struct cast *cast = test->priv;
	struct vg_sender *sender, *next;

	if (!cast)
		return;
	list_for_each_entry_safe(sender, next, &cast->group, sibling)
		vg_senders_unlink(sender, &cast->group);
	list_for_each_entry_safe(sender, next, &cast->other_group, sibling)
		vg_senders_unlink(sender, &cast->other_group);
	KUNIT_EXPECT_FALSE(test, vg_senders_any());
	vg_senders_exit();
}

static void sends_as(struct kunit *test, struct vg_sender *sender, u16 rid)
{
	KUNIT_ASSERT_TRUE(test, vg_requesters_add(&sender->requesters, rid));
}

static void link(struct kunit *test, struct vg_sender *sender,
		 struct list_head *group)
{
	KUNIT_ASSERT_EQ(test, vg_senders_link(sender, group), 0);
}

static struct vg_sender *find(u16 segment, u16 rid)
{
	struct vg_sender *sender;

	rcu_read_lock();
	sender = vg_senders_find(segment, rid);
	rcu_read_unlock();
	return sender;
}

static void own_id(struct kunit *test)
{
	struct cast *cast = test->priv;

	KUNIT_EXPECT_FALSE(test, vg_senders_any());
	sends_as(test, &cast->a, OWN);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_TRUE(test, vg_senders_any());
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->a);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, OWN));
	KUNIT_EXPECT_TRUE(test, list_empty(&cast->group));
}

static void unknown_id(struct kunit *test)
{
	struct cast *cast = test->priv;

	KUNIT_EXPECT_NULL(test, find(0, OWN));
	KUNIT_EXPECT_NULL(test, find(0, 0));
	sends_as(test, &cast->a, OWN);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, NEIGHBOUR));
	KUNIT_EXPECT_NULL(test, find(0, OWN | 1));
	KUNIT_EXPECT_NULL(test, find(0, 0));
	KUNIT_EXPECT_NULL(test, find(0, 0xffff));
}

/* The same bus, device and function is another device in another segment. */
static void another_segment(struct kunit *test)
{
	struct cast *cast = test->priv;

	cast->a.segment = 1;
	cast->b.segment = 0xffff;
	sends_as(test, &cast->a, OWN);
	sends_as(test, &cast->b, OWN);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, OWN));
	KUNIT_EXPECT_NULL(test, find(0xffff, OWN));
	/* In one list, as no group is: nor does it inherit the ID then. */
	link(test, &cast->b, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(1, OWN), &cast->a);
	KUNIT_EXPECT_PTR_EQ(test, find(0xffff, OWN), &cast->b);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(1, OWN));
	KUNIT_EXPECT_PTR_EQ(test, find(0xffff, OWN), &cast->b);
}

/* Two devices behind a bridge: theirs alone, and the bridge's for both. */
static void behind_a_bridge(struct kunit *test, struct cast *cast)
{
	sends_as(test, &cast->a, OWN);
	sends_as(test, &cast->a, BRIDGE);
	sends_as(test, &cast->b, NEIGHBOUR);
	sends_as(test, &cast->b, BRIDGE);
	link(test, &cast->a, &cast->group);
	link(test, &cast->b, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->a);
	KUNIT_EXPECT_PTR_EQ(test, find(0, NEIGHBOUR), &cast->b);
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->a);
}

static void first_leaves_first(struct kunit *test)
{
	struct cast *cast = test->priv;

	behind_a_bridge(test, cast);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, OWN));
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->b);
	/* Back again, it finds that another answers for it. */
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->a);
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->b);
	vg_senders_unlink(&cast->b, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, NEIGHBOUR));
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->a);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, BRIDGE));
}

static void second_leaves_first(struct kunit *test)
{
	struct cast *cast = test->priv;

	behind_a_bridge(test, cast);
	vg_senders_unlink(&cast->b, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, NEIGHBOUR));
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->a);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, BRIDGE));
}

/* A function that sends as another one, by a quirk, came before that one. */
static void own_before_alias(struct kunit *test)
{
	struct cast *cast = test->priv;

	sends_as(test, &cast->a, OWN | 1);
	sends_as(test, &cast->a, OWN);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->a);
	sends_as(test, &cast->b, OWN);
	link(test, &cast->b, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->b);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN | 1), &cast->a);

	vg_senders_unlink(&cast->a, &cast->group);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->b);
	vg_senders_unlink(&cast->b, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, OWN), &cast->a);
}

/* Who takes over has the ID himself, and is of the same group. */
static void heirs(struct kunit *test)
{
	struct cast *cast = test->priv;

	sends_as(test, &cast->c, RID(3, 0));
	link(test, &cast->c, &cast->group);
	behind_a_bridge(test, cast);
	vg_senders_unlink(&cast->b, &cast->group);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, BRIDGE));
	KUNIT_EXPECT_PTR_EQ(test, find(0, RID(3, 0)), &cast->c);

	/* A stranger's ID stays the stranger's. */
	sends_as(test, &cast->c, BRIDGE);
	vg_senders_unlink(&cast->c, &cast->group);
	link(test, &cast->c, &cast->other_group);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->c);
	vg_senders_unlink(&cast->a, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, BRIDGE), &cast->c);
}

/* All IDs of a device lead to it, and each turn of a walk to one of them. */
static void many_ids(struct kunit *test)
{
	struct cast *cast = test->priv;
	struct vg_requesters *set = &cast->a.requesters;
	unsigned long key = 0;
	unsigned int i;

	for (i = 0; i < VG_REQUESTERS_MAX; i++)
		sends_as(test, &cast->a, RID(7, i));
	KUNIT_EXPECT_EQ(test, set->nr, VG_REQUESTERS_MAX);
	/* What is there already needs no room. */
	KUNIT_EXPECT_TRUE(test, vg_requesters_add(set, RID(7, 0)));
	KUNIT_EXPECT_FALSE(test, vg_requesters_add(set, RID(7, i)));
	KUNIT_EXPECT_EQ(test, set->nr, VG_REQUESTERS_MAX);
	KUNIT_EXPECT_FALSE(test, vg_requesters_has(set, RID(7, i)));

	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_NULL(test, find(0, RID(7, i)));
	rcu_read_lock();
	for (i = 0; i < VG_REQUESTERS_MAX; i++) {
		KUNIT_EXPECT_PTR_EQ(test, vg_senders_find(0, RID(7, i)),
				    &cast->a);
		KUNIT_EXPECT_PTR_EQ(test, vg_senders_next(&key), &cast->a);
	}
	KUNIT_EXPECT_NULL(test, vg_senders_next(&key));
	rcu_read_unlock();
	vg_senders_unlink(&cast->a, &cast->group);
	for (i = 0; i < VG_REQUESTERS_MAX; i++)
		KUNIT_EXPECT_NULL(test, find(0, RID(7, i)));
}

/* Devices whose IDs are at the ends of the last segment are found by a walk. */
static void walk_to_the_end(struct kunit *test)
{
	struct cast *cast = test->priv;
	unsigned long key = 0;

	cast->a.segment = 0xffff;
	sends_as(test, &cast->a, 0xffff);
	sends_as(test, &cast->b, 0);
	link(test, &cast->a, &cast->group);
	link(test, &cast->b, &cast->other_group);
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, vg_senders_next(&key), &cast->b);
	KUNIT_EXPECT_PTR_EQ(test, vg_senders_next(&key), &cast->a);
	KUNIT_EXPECT_NULL(test, vg_senders_next(&key));
	rcu_read_unlock();
}

/**
 * struct phantom - what a device with phantom functions may send as
 * @name: of the case
 * @supported: Phantom Functions Supported, of Device Capabilities
 * @function: its own function number
 * @functions: those it may send as, bit n for function n
 */
struct phantom {
	const char *name;
	u32 supported;
	u8 function;
	u8 functions;
};

/* PCIe §7.5.3.3: which bits of the function number are the device's to use. */
static const struct phantom phantoms[] = {
	{ "none", 0, 0, 0x01 },
	{ "none, function 5", 0, 5, 0x20 },
	{ "one bit", 1, 0, 0x11 },
	{ "one bit, function 3", 1, 3, 0x88 },
	{ "two bits", 2, 0, 0x55 },
	{ "two bits, function 1", 2, 1, 0xaa },
	{ "all three", 3, 0, 0xff },
};

static void phantom_desc(const struct phantom *phantom, char *desc)
{
	strscpy(desc, phantom->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(phantom, phantoms, phantom_desc);

static void phantom_functions(struct kunit *test)
{
	const struct phantom *phantom = test->param_value;
	struct cast *cast = test->priv;
	/* Of the register's other bits none matters. */
	u32 devcap = ~PCI_EXP_DEVCAP_PHANTOM | phantom->supported << 3;
	u8 i;

	sends_as(test, &cast->a, OWN | phantom->function);
	KUNIT_ASSERT_TRUE(test, vg_requesters_add_phantoms(&cast->a.requesters,
							   devcap));
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_EQ(test, cast->a.requesters.id[0],
			OWN | phantom->function);
	KUNIT_EXPECT_EQ(test, cast->a.requesters.nr,
			hweight8(phantom->functions));
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_PTR_EQ_MSG(test, find(0, OWN | i),
					phantom->functions & BIT(i) ?
						&cast->a : NULL,
					"function %u", i);
}

/* A mask may name any function of the bus, and more than there is room for. */
static void quirk_slots(struct kunit *test)
{
	struct cast *cast = test->priv;
	struct vg_requesters *set = &cast->a.requesters;
	DECLARE_BITMAP(devfns, 256) = {};
	unsigned int i;

	sends_as(test, &cast->a, OWN);
	KUNIT_EXPECT_TRUE(test, vg_requesters_add_slots(set, 2, devfns));
	KUNIT_EXPECT_EQ(test, set->nr, 1);
	set_bit(0, devfns);
	set_bit(OWN & 0xff, devfns);
	set_bit(0xff, devfns);
	KUNIT_EXPECT_TRUE(test, vg_requesters_add_slots(set, 2, devfns));
	KUNIT_EXPECT_EQ(test, set->nr, 3);
	KUNIT_EXPECT_EQ(test, set->id[0], OWN);
	link(test, &cast->a, &cast->group);
	KUNIT_EXPECT_PTR_EQ(test, find(0, RID(2, 0)), &cast->a);
	KUNIT_EXPECT_PTR_EQ(test, find(0, RID(2, 0xff)), &cast->a);
	vg_senders_unlink(&cast->a, &cast->group);

	for (i = 0; i < VG_REQUESTERS_MAX; i++)
		set_bit(i, devfns);
	KUNIT_EXPECT_FALSE(test, vg_requesters_add_slots(set, 2, devfns));
	KUNIT_EXPECT_EQ(test, set->nr, VG_REQUESTERS_MAX);
	KUNIT_EXPECT_FALSE(test,
			   vg_requesters_add_phantoms(set,
						      PCI_EXP_DEVCAP_PHANTOM));
}

/**
 * struct bridge - what a bridge makes of the requests from behind it
 * @name: of the case
 * @type: pci_pcie_type(), or -ENOENT
 * @quirk: it has PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS
 * @alias: of the bridge 1:02.3 with bus 9 behind it
 */
struct bridge {
	const char *name;
	int type;
	bool quirk;
	int alias;
};

#define BRIDGE_ITSELF	RID(1, DEVFN(2, 3))

static const struct bridge bridges[] = {
	{ "conventional", -ENOENT, false, BRIDGE_ITSELF },
	{ "conventional, quirk", -ENOENT, true, RID(9, 0) },
	{ "PCIe to PCI", PCI_EXP_TYPE_PCI_BRIDGE, false, RID(9, 0) },
	{ "PCI to PCIe", PCI_EXP_TYPE_PCIE_BRIDGE, false, BRIDGE_ITSELF },
	{ "root port", PCI_EXP_TYPE_ROOT_PORT, false, -ENOENT },
	{ "upstream port", PCI_EXP_TYPE_UPSTREAM, false, -ENOENT },
	{ "downstream port", PCI_EXP_TYPE_DOWNSTREAM, false, -ENOENT },
};

static void bridge_desc(const struct bridge *bridge, char *desc)
{
	strscpy(desc, bridge->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bridge, bridges, bridge_desc);

static void bridge_alias(struct kunit *test)
{
	const struct bridge *bridge = test->param_value;

	KUNIT_EXPECT_EQ(test,
			vg_requesters_of_bridge(BRIDGE_ITSELF, 9, bridge->type,
						bridge->quirk),
			bridge->alias);
}

/**
 * struct lookups - one who looks up while devices come and go
 * @cast: two siblings that share an ID, one of which is always there, and one
 *	  that comes and goes
 * @good: how often the answer was one that can be
 * @bad: how often it wasn't
 */
struct lookups {
	struct cast *cast;
	unsigned long good;
	unsigned long bad;
};

static int look_up(void *data)
{
	struct lookups *lookups = data;
	struct cast *cast = lookups->cast;

	while (!kthread_should_stop()) {
		struct vg_sender *shared = find(0, BRIDGE);
		struct vg_sender *own = find(0, RID(3, 0));

		if ((shared == &cast->a || shared == &cast->b) &&
		    (!own || own == &cast->c))
			lookups->good++;
		else
			lookups->bad++;
		cond_resched();
	}
	return 0;
}

/* An ID that somebody has at any time is never nobody's. */
static void while_changed(struct kunit *test)
{
	struct cast *cast = test->priv;
	struct lookups lookups = { .cast = cast };
	struct task_struct *reader;
	unsigned int i;

	behind_a_bridge(test, cast);
	sends_as(test, &cast->c, RID(3, 0));
	reader = kthread_run(look_up, &lookups, "vg-look-up");
	KUNIT_ASSERT_FALSE(test, IS_ERR(reader));
	for (i = 0; i < ROUNDS || !READ_ONCE(lookups.good); i++) {
		struct vg_sender *sender = i % 2 ? &cast->b : &cast->a;

		vg_senders_unlink(sender, &cast->group);
		vg_senders_link(&cast->c, &cast->other_group);
		cond_resched();
		vg_senders_link(sender, &cast->group);
		vg_senders_unlink(&cast->c, &cast->other_group);
		cond_resched();
	}
	kthread_stop(reader);
	KUNIT_EXPECT_EQ(test, lookups.bad, 0);
	KUNIT_EXPECT_GT(test, lookups.good, 0);
}

static struct kunit_case requesters_cases[] = {
	KUNIT_CASE(own_id),
	KUNIT_CASE(unknown_id),
	KUNIT_CASE(another_segment),
	KUNIT_CASE(first_leaves_first),
	KUNIT_CASE(second_leaves_first),
	KUNIT_CASE(own_before_alias),
	KUNIT_CASE(heirs),
	KUNIT_CASE(many_ids),
	KUNIT_CASE(walk_to_the_end),
	KUNIT_CASE_PARAM(phantom_functions, phantom_gen_params),
	KUNIT_CASE(quirk_slots),
	KUNIT_CASE_PARAM(bridge_alias, bridge_gen_params),
	KUNIT_CASE(while_changed),
	{}
};

static struct kunit_suite requesters_suite = {
	.name = "vfio_guard_requesters",
	.init = cast_init,
	.exit = cast_exit,
	.test_cases = requesters_cases,
};

kunit_test_suite(requesters_suite);
