// SPDX-License-Identifier: GPL-2.0
/* Bits of a device's COMMAND register that nobody can turn on again. */
#include <linux/delay.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "hold.h"

#ifndef CONFIG_PCI_LOCKLESS_CONFIG
#error "vfio-guard calls a bus's pci_ops without pci_lock (PCI_LOCKLESS_CONFIG)"
#endif

/* How long a bus without held devices is kept, for the next one to come. */
#define IDLE_TIME	HZ

/* How often to see whether those who stand above us have gone. */
#define RETRY_TIME	(5 * HZ)

/**
 * struct layer - what a bus's accesses go through while a device there is held
 * @node: in layers
 * @ops: the bus's own, with our read and write
 * @below: the bus's own
 *
 * One for each set of operations met, not for each bus: a bus that the kernel
 * finds below a bus of ours gets its parent's operations, unknown to us. They
 * stay until the module goes.
 */
struct layer {
	struct list_head node;
	struct pci_ops ops;
	struct pci_ops *below;
};

/**
 * struct held_bus - a bus with devices that are held, or may have to be
 * @node: in buses
 * @bus: the bus; a reference is held
 * @layer: what to put before its operations
 * @below: its operations before ours, NULL while they never were replaced
 * @holds: struct vg_hold.node; changed under the lock, walked under RCU
 * @write_lock: makes changes to COMMAND registers one; taken inside pci_lock by
 *		writers that come through us
 * @passed: accesses that came through us, to see whether they do
 * @refs: holds on it; under the lock
 * @installed: ours are in the way; under the lock
 * @leaving: to be freed, unless somebody comes back meanwhile; under the lock
 * @dead: in the list of those that are being freed
 * @rcu: frees it when the last lock-free reader is gone
 */
struct held_bus {
	struct hlist_node node;
	struct pci_bus *bus;
	struct layer *layer;
	struct pci_ops *below;
	struct list_head holds;
	raw_spinlock_t write_lock;
	atomic_t passed;
	unsigned int refs;
	bool installed;
	bool leaving;
	struct list_head dead;
	struct rcu_head rcu;
};

/**
 * struct vg_hold - one device's bits
 * @node: in its bus's list
 * @bus: its bus
 * @devfn: device and function number
 * @bits: what is held off; changed under the lock
 * @retired: it has been taken off its bus; under the lock
 * @rcu: frees it when the last lock-free reader is gone
 */
struct vg_hold {
	struct list_head node;
	struct held_bus *bus;
	u8 devfn;
	u16 bits;
	bool retired;
	struct rcu_head rcu;
};

/*
 * Protects what is said to be under the lock, and changes of buses. Taken in
 * any context but NMI, outside pci_lock: never from our read and write.
 */
static DEFINE_RAW_SPINLOCK(lock);

/* By the address of the bus; looked up under RCU. */
static DEFINE_HASHTABLE(buses, 6);

/* Protects layers. Process context. */
static DEFINE_MUTEX(layers_lock);
static LIST_HEAD(layers);

static void reap_buses(struct work_struct *work);
static DECLARE_DELAYED_WORK(reap_work, reap_buses);

static int held_read(struct pci_bus *bus, unsigned int devfn, int where,
		     int size, u32 *val);
static int held_write(struct pci_bus *bus, unsigned int devfn, int where,
		      int size, u32 val);

/* The operations themselves, if they are ours those they stand before. */
static struct pci_ops *beneath(struct pci_ops *ops)
{
	if (ops->write != held_write)
		return ops;
	return container_of(ops, struct layer, ops)->below;
}

static struct held_bus *find_bus(struct pci_bus *bus)
{
	struct held_bus *held;

	hash_for_each_possible_rcu(buses, held, node, (unsigned long)bus)
		if (held->bus == bus)
			return held;
	return NULL;
}

/*
 * The operations under ours. Not by way of bus->ops while we know better: they
 * may be somebody's who was put above us, and calls us.
 */
static struct pci_ops *below(struct pci_bus *bus)
{
	struct pci_bus *b;

	/* A child has its parent's, if the parent had ours when it was found. */
	for (b = bus; b; b = b->parent) {
		struct held_bus *held = find_bus(b);
		struct pci_ops *ops = held ? READ_ONCE(held->below) : NULL;

		if (ops)
			return ops;
	}
	return beneath(READ_ONCE(bus->ops));
}

static u16 held_bits(const struct held_bus *held, unsigned int devfn)
{
	struct vg_hold *hold;
	u16 bits = 0;

	list_for_each_entry_rcu(hold, &held->holds, node)
		if (hold->devfn == devfn)
			bits |= READ_ONCE(hold->bits);
	return bits;
}

/* Any context config space is accessed in; pci_lock may be held. */
static int held_read(struct pci_bus *bus, unsigned int devfn, int where,
		     int size, u32 *val)
{
	struct held_bus *held;
	int ret;

	rcu_read_lock();
	held = find_bus(bus);
	if (held)
		atomic_inc(&held->passed);
	ret = below(bus)->read(bus, devfn, where, size, val);
	rcu_read_unlock();
	return ret;
}

static int write_command(struct held_bus *held, unsigned int devfn, int where,
			 int size, u32 val)
{
	unsigned long flags;
	u32 mask;
	int ret;

	raw_spin_lock_irqsave(&held->write_lock, flags);
	mask = held_bits(held, devfn);
	if (where > PCI_COMMAND)
		mask >>= 8 * (where - PCI_COMMAND);
	ret = below(held->bus)->write(held->bus, devfn, where, size,
				      val & ~mask);
	raw_spin_unlock_irqrestore(&held->write_lock, flags);
	return ret;
}

static int held_write(struct pci_bus *bus, unsigned int devfn, int where,
		      int size, u32 val)
{
	struct held_bus *held;
	int ret;

	rcu_read_lock();
	held = find_bus(bus);
	/* Accesses are aligned: none begins before COMMAND and reaches it. */
	if (held && where >= PCI_COMMAND && where < PCI_STATUS)
		ret = write_command(held, devfn, where, size, val);
	else
		ret = below(bus)->write(bus, devfn, where, size, val);
	rcu_read_unlock();
	return ret;
}

/* Do accesses come through us, below somebody else's operations it may be? */
static bool is_passed(struct held_bus *held)
{
	int passed = atomic_read(&held->passed);
	u16 id;

	if (READ_ONCE(held->bus->ops)->write == held_write)
		return true;
	pci_bus_read_config_word(held->bus, 0, PCI_VENDOR_ID, &id);
	return atomic_read(&held->passed) != passed;
}

static void install(struct held_bus *held)
{
	struct pci_ops *ops = READ_ONCE(held->bus->ops);
	struct pci_ops *old;

	lockdep_assert_held(&lock);
	if (held->installed && is_passed(held))
		return;
	/* Whoever comes through us from now on must find the way on. */
	WRITE_ONCE(held->below, beneath(ops));
	old = pci_bus_set_ops(held->bus, &held->layer->ops);
	if (old != ops)
		WRITE_ONCE(held->below, beneath(old));
	held->installed = true;
}

/* Get out of the way, unless somebody stands above who would come back to us. */
static void withdraw(struct held_bus *held)
{
	struct pci_ops *old;

	lockdep_assert_held(&lock);
	if (!held->installed)
		return;
	if (READ_ONCE(held->bus->ops)->write == held_write) {
		old = pci_bus_set_ops(held->bus, held->below);
		if (old->write == held_write)
			held->installed = false;
		else
			pci_bus_set_ops(held->bus, old);
	} else if (!is_passed(held)) {
		/* Whose turn it was before us took us away with himself. */
		held->installed = false;
	}
}

/*
 * Past our own write, which would wait for the lock. Who writes at the same
 * time by way of bus->ops does it before or after; a write that was under way
 * past us when we were installed is over if it was VFIO's, which holds pci_lock.
 */
static void turn_off(struct vg_hold *hold)
{
	struct held_bus *held = hold->bus;
	struct pci_ops *ops = below(held->bus);
	u32 cmd;

	raw_spin_lock(&held->write_lock);
	if (!ops->read(held->bus, hold->devfn, PCI_COMMAND, 2, &cmd) &&
	    (cmd & 0xffff) != 0xffff && (cmd & hold->bits))
		ops->write(held->bus, hold->devfn, PCI_COMMAND, 2,
			   cmd & ~hold->bits);
	raw_spin_unlock(&held->write_lock);
}

static struct layer *layer_above(struct pci_ops *ops)
{
	struct layer *layer;

	lockdep_assert_held(&layers_lock);
	list_for_each_entry(layer, &layers, node)
		if (layer->below == ops)
			return layer;
	layer = kzalloc(sizeof(*layer), GFP_KERNEL);
	if (!layer)
		return NULL;
	layer->below = ops;
	layer->ops = *ops;
	layer->ops.read = held_read;
	layer->ops.write = held_write;
	list_add(&layer->node, &layers);
	return layer;
}

static struct held_bus *new_bus(struct pci_bus *bus)
{
	struct held_bus *held = kzalloc(sizeof(*held), GFP_KERNEL);

	if (!held)
		return NULL;
	mutex_lock(&layers_lock);
	held->layer = layer_above(beneath(READ_ONCE(bus->ops)));
	mutex_unlock(&layers_lock);
	if (!held->layer) {
		kfree(held);
		return NULL;
	}
	held->bus = bus;
	INIT_LIST_HEAD(&held->holds);
	raw_spin_lock_init(&held->write_lock);
	return held;
}

/* Put the hold on its bus, and @spare into use if the bus is not known yet. */
static bool join_bus(struct vg_hold *hold, struct pci_bus *bus,
		     struct held_bus *spare)
{
	struct held_bus *held;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	held = find_bus(bus);
	if (!held && spare) {
		get_device(&bus->dev);
		hash_add_rcu(buses, &spare->node, (unsigned long)bus);
		held = spare;
	}
	if (held) {
		held->refs++;
		held->leaving = false;
		hold->bus = held;
		list_add_rcu(&hold->node, &held->holds);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
	return held;
}

/**
 * vg_hold_create() - prepare to hold bits of a device off
 * @pdev: the device
 *
 * All memory that vg_hold_set() could need is had here. Nothing changes for the
 * device or its bus until then.
 *
 * Context: process, may sleep.
 * Return: the hold, or ERR_PTR(-ENOMEM).
 */
struct vg_hold *vg_hold_create(struct pci_dev *pdev)
{
	struct vg_hold *hold = kzalloc(sizeof(*hold), GFP_KERNEL);
	struct held_bus *spare;

	if (!hold)
		return ERR_PTR(-ENOMEM);
	hold->devfn = pdev->devfn;
	if (join_bus(hold, pdev->bus, NULL))
		return hold;
	spare = new_bus(pdev->bus);
	if (!spare) {
		kfree(hold);
		return ERR_PTR(-ENOMEM);
	}
	join_bus(hold, pdev->bus, spare);
	/* Somebody else may have brought the bus in just now. */
	if (hold->bus != spare)
		kfree(spare);
	return hold;
}

/**
 * vg_hold_set() - turn bits of the device's COMMAND register off, for good
 * @hold: the device's; in an RCU read section, unless the caller owns it
 * @bits: which, e.g. PCI_COMMAND_MASTER
 *
 * Nobody turns them on again until vg_hold_clear(), by way of VFIO, of sysfs or
 * of the kernel's own functions; all other bits stay as they are. Again is no
 * error, and makes sure. A device that doesn't answer is held all the same.
 *
 * Context: any but NMI.
 */
void vg_hold_set(struct vg_hold *hold, u16 bits)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (!hold->retired) {
		WRITE_ONCE(hold->bits, hold->bits | bits);
		install(hold->bus);
		turn_off(hold);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

static void clear_bits(struct vg_hold *hold, u16 bits)
{
	struct held_bus *held = hold->bus;
	struct vg_hold *other;

	lockdep_assert_held(&lock);
	WRITE_ONCE(hold->bits, hold->bits & ~bits);
	list_for_each_entry(other, &held->holds, node)
		if (other->bits)
			return;
	withdraw(held);
}

/**
 * vg_hold_clear() - let bits be turned on again
 * @hold: as for vg_hold_set()
 * @bits: which
 *
 * Doesn't turn them on. With the last bit of the last device the bus has its
 * own operations again.
 *
 * Context: any but NMI.
 */
void vg_hold_clear(struct vg_hold *hold, u16 bits)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (!hold->retired)
		clear_bits(hold, bits);
	raw_spin_unlock_irqrestore(&lock, flags);
}

/**
 * vg_hold_bits() - what is held off
 * @hold: as for vg_hold_set()
 *
 * Context: any.
 * Return: bits of the COMMAND register.
 */
u16 vg_hold_bits(const struct vg_hold *hold)
{
	return READ_ONCE(hold->bits);
}

/**
 * vg_hold_retire() - the device goes, or nobody may hold it any more
 * @hold: the device's; again is no error
 *
 * Clears all bits and leaves the bus. Whoever sets bits later does nothing.
 *
 * Context: any but NMI.
 */
void vg_hold_retire(struct vg_hold *hold)
{
	struct held_bus *held = hold->bus;
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	if (!hold->retired) {
		clear_bits(hold, hold->bits);
		hold->retired = true;
		list_del_rcu(&hold->node);
		if (!--held->refs)
			queue_delayed_work(system_long_wq, &reap_work,
					   IDLE_TIME);
	}
	raw_spin_unlock_irqrestore(&lock, flags);
}

/**
 * vg_hold_destroy() - the end of a hold
 * @hold: the device's; retired now if it isn't yet
 *
 * Context: any but NMI; nobody else finds @hold any more.
 */
void vg_hold_destroy(struct vg_hold *hold)
{
	vg_hold_retire(hold);
	kfree_rcu(hold, rcu);
}

/* Choose the buses to free; true if others have to wait for their turn. */
static bool choose_leaving(bool *were_used)
{
	struct held_bus *held;
	bool stuck = false;
	int bucket;

	lockdep_assert_held(&lock);
	hash_for_each(buses, bucket, held, node) {
		if (held->refs)
			continue;
		withdraw(held);
		held->leaving = !held->installed;
		stuck |= held->installed;
		*were_used |= !!held->below;
	}
	return stuck;
}

static void unhash_leaving(struct list_head *dead)
{
	struct hlist_node *next;
	struct held_bus *held;
	int bucket;

	lockdep_assert_held(&lock);
	hash_for_each_safe(buses, bucket, next, held, node) {
		if (!held->leaving)
			continue;
		hash_del_rcu(&held->node);
		list_add(&held->dead, dead);
	}
}

/* Free the buses that no hold is on; true if some are still in use by others. */
static bool reap(void)
{
	struct held_bus *held, *next;
	bool were_used = false;
	LIST_HEAD(dead);
	bool stuck;

	raw_spin_lock_irq(&lock);
	stuck = choose_leaving(&were_used);
	raw_spin_unlock_irq(&lock);

	/* Who took our operations from the bus may not have looked it up yet. */
	if (were_used)
		synchronize_rcu_tasks();

	raw_spin_lock_irq(&lock);
	unhash_leaving(&dead);
	raw_spin_unlock_irq(&lock);

	list_for_each_entry_safe(held, next, &dead, dead) {
		put_device(&held->bus->dev);
		kfree_rcu(held, rcu);
	}
	return stuck;
}

static void reap_buses(struct work_struct *work)
{
	if (reap())
		queue_delayed_work(system_long_wq, &reap_work, RETRY_TIME);
}

static void mend_bus(struct pci_bus *bus)
{
	struct pci_ops *ops = READ_ONCE(bus->ops);

	if (ops->write == held_write)
		pci_bus_set_ops(bus, beneath(ops));
}

static int mend_around(struct pci_dev *pdev, void *unused)
{
	mend_bus(pdev->bus);
	if (pdev->subordinate)
		mend_bus(pdev->subordinate);
	return 0;
}

/* Buses that were found while their parent had our operations have them, too. */
static void mend_children(void)
{
	struct pci_dev *pdev = NULL;
	struct pci_bus *root = NULL;

	while ((root = pci_find_next_bus(root)))
		pci_walk_bus(root, mend_around, NULL);
	/* No bridge leads to a bus that is there for virtual functions alone. */
	for_each_pci_dev(pdev)
		mend_bus(pdev->bus);
}

/**
 * vg_hold_exit() - give all buses their own operations back
 *
 * Waits for those who stand above us on a bus and would come back to us.
 *
 * Context: process, may sleep; all holds have been destroyed.
 */
void vg_hold_exit(void)
{
	struct layer *layer, *next;
	bool said = false;

	cancel_delayed_work_sync(&reap_work);
	while (reap()) {
		if (!said)
			pr_warn("waiting for another module (aer_inject?) to restore a PCI bus's operations: unload it\n");
		said = true;
		msleep(1000);
	}
	/* Nothing has been prepared to be held. */
	if (list_empty(&layers))
		return;
	mend_children();
	/* Those who are in our read and write still. */
	synchronize_rcu_tasks();
	list_for_each_entry_safe(layer, next, &layers, node) {
		list_del(&layer->node);
		kfree(layer);
	}
}
