// SPDX-License-Identifier: GPL-2.0
/*
 * A VFIO client whose devices make faults, as many and as fast as they can, and
 * that looks from the device's side whether somebody stopped them. Reports KTAP.
 *
 *   vfio-storm VERB DEVICE [NUMBER...] [WORD...]
 *
 * A "doorbell" is one register write that makes the device send any number of
 * requests by itself. The words say what has to be true afterwards.
 *
 * checkpatch: VOLATILE: this is no kernel, and the memory is a device's, too
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <linux/pci_regs.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vfio.h"

/* Mapped at IOVA; nothing is mapped from STRAY on. */
#define RAM_SIZE	0x20000
#define STRAY		(IOVA + 0x1000000)

/**
 * struct engine - how to make a device send requests
 * @name: of the device
 * @id: device ID << 16 | vendor ID
 * @ready: set it up; the client's memory is mapped and its registers decode
 * @ring: one doorbell, for @requests requests to unmapped memory
 * @lands: does the device reach the memory that is mapped? NULL if it can't show
 * @interrupt: send a message as an interrupt, to an address and with data of our
 *	       choice; NULL if there is no way to
 */
struct engine {
	const char *name;
	unsigned int id;
	bool (*ready)(struct client *c);
	void (*ring)(struct client *c, long requests);
	bool (*lands)(struct client *c);
	void (*interrupt)(struct client *c, __u64 address, __u32 data);
};

/* What the device may reach. */
static unsigned char *ram;

/* A device that was stopped is never done: wait, but not for long. */
static bool soon(bool (*done)(void), int milliseconds)
{
	int tries;

	for (tries = 0; !done() && tries < 10000; tries++)
		;
	for (tries = 0; !done() && tries < milliseconds * 10; tries++)
		usleep(100);
	return done();
}

/* QEMU's edu: one transfer in 100 ms, of up to 4096 bytes. */

static bool edu_no_setup(struct client *c)
{
	return c->bar >= 0;
}

static void edu_ring(struct client *c, long requests)
{
	while (requests--)
		edu_dma(c, EDU_BUFFER, STRAY, 4, EDU_CMD_TO_RAM);
}

static bool edu_lands(struct client *c)
{
	memcpy(ram, "a page the device may reach", 28);
	memset(ram + 2048, 0, 28);
	edu_dma(c, IOVA, EDU_BUFFER, 28, 0);
	edu_dma(c, EDU_BUFFER, IOVA + 2048, 28, EDU_CMD_TO_RAM);
	return !memcmp(ram, ram + 2048, 28);
}

static void edu_interrupt(struct client *c, __u64 address, __u32 data)
{
	memcpy(ram, &data, 4);
	edu_dma(c, IOVA, EDU_BUFFER, 4, 0);
	edu_dma(c, EDU_BUFFER, address, 4, EDU_CMD_TO_RAM);
}

/*
 * Intel's 82574 (e1000e), its datasheet's sections: 7.2.10.1 legacy transmit
 * descriptors, 7.4 interrupts, 10.2 registers.
 */
#define E1000_ICS	0x000c8
#define E1000_IMS	0x000d0
#define E1000_EIAC	0x000dc
#define E1000_IVAR	0x000e4
#define E1000_TCTL	0x00400
#define E1000_TDBAL	0x03800
#define E1000_TDBAH	0x03804
#define E1000_TDLEN	0x03808
#define E1000_TDH	0x03810
#define E1000_TDT	0x03818

#define E1000_TCTL_EN		0x00000002
#define E1000_TXD_LAST		0x01000000	/* end of packet */
#define E1000_TXD_REPORT	0x08000000	/* write back when done */
#define E1000_TXD_DONE		0x00000001
#define E1000_CAUSE_OTHER	0x01000000
#define E1000_IVAR_OTHER_0	0x00080000	/* cause "other": vector 0, valid */

#define E1000_RING		4096		/* descriptors */
#define E1000_BUFFER		0x10000		/* in our memory, after the ring */
#define E1000_MSIX_BAR		VFIO_PCI_BAR3_REGION_INDEX

struct e1000_descriptor {
	__u64 buffer;
	__u32 command;
	__u32 status;
};

static struct e1000_descriptor *e1000_ring;
static unsigned int e1000_tail;
/* The device's MSI-X table: VFIO lets its user map it. */
static volatile __u32 *e1000_vectors;

static bool e1000_ready(struct client *c)
{
	e1000_ring = (struct e1000_descriptor *)ram;
	device_write(c, E1000_TDBAL, IOVA);
	device_write(c, E1000_TDBAH, 0);
	device_write(c, E1000_TDLEN, E1000_RING * sizeof(*e1000_ring));
	device_write(c, E1000_TDH, 0);
	device_write(c, E1000_TDT, 0);
	device_write(c, E1000_TCTL, E1000_TCTL_EN);
	return device_read(c, E1000_TDBAL) == IOVA;
}

static void e1000_add(__u64 buffer)
{
	struct e1000_descriptor *last = &e1000_ring[e1000_tail];

	last->buffer = htole64(buffer);
	last->command = htole32(64 | E1000_TXD_LAST | E1000_TXD_REPORT);
	last->status = 0;
	e1000_tail = (e1000_tail + 1) % E1000_RING;
}

static void e1000_doorbell(struct client *c, long requests)
{
	long i;

	for (i = 0; i < requests; i++)
		e1000_add(STRAY + i * 4096);
	device_write(c, E1000_TDT, e1000_tail);
}

static volatile __u32 *e1000_awaited;

static bool e1000_written_back(void)
{
	return le32toh(*e1000_awaited) & E1000_TXD_DONE;
}

static bool e1000_lands(struct client *c)
{
	e1000_awaited = &e1000_ring[e1000_tail].status;
	e1000_add(IOVA + E1000_BUFFER);
	device_write(c, E1000_TDT, e1000_tail);
	return soon(e1000_written_back, 200);
}

/* Has the host give the device a vector, and takes the table that holds it. */
static bool e1000_take_vectors(struct client *c)
{
	off_t table = device_region(c, E1000_MSIX_BAR);
	void *map;

	if (table < 0 || device_eventfd(c, VFIO_PCI_MSIX_IRQ_INDEX, 0) < 0)
		return false;
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, table);
	if (map == MAP_FAILED)
		return false;
	e1000_vectors = map;
	device_write(c, E1000_IVAR, E1000_IVAR_OTHER_0);
	device_write(c, E1000_EIAC, E1000_CAUSE_OTHER);
	return true;
}

/*
 * The device's own interrupt, its vector re-aimed: the message carries the
 * device's requester ID, as that of a physical device does. With no address it
 * keeps that which the host gave it.
 */
static void e1000_interrupt(struct client *c, __u64 address, __u32 data)
{
	if (!e1000_vectors && !e1000_take_vectors(c)) {
		ktap_result(false, "map the vectors of %s", c->dev);
		return;
	}
	if (address) {
		e1000_vectors[0] = address;
		e1000_vectors[1] = address >> 32;
	}
	e1000_vectors[2] = data;
	e1000_vectors[3] = 0;
	/* The last one's delivery masked the cause. */
	device_write(c, E1000_IMS, E1000_CAUSE_OTHER);
	device_write(c, E1000_ICS, E1000_CAUSE_OTHER);
	usleep(5000);
}

/*
 * An NVM Express controller, specification 1.4: 3.1 registers, 4.2 commands, 4.6
 * completions. Its administrator's queues are enough.
 */
#define NVME_CC		0x0014
#define NVME_CSTS	0x001c
#define NVME_AQA	0x0024
#define NVME_ASQ	0x0028
#define NVME_ACQ	0x0030
#define NVME_SQ_TAIL	0x1000
#define NVME_CQ_HEAD	0x1004

#define NVME_CC_ENABLE		0x00460001	/* entries of 64 and 16 bytes */
#define NVME_CSTS_READY		0x00000001
#define NVME_OPCODE_IDENTIFY	0x06
#define NVME_OPCODE_VIRTUAL	0x1c	/* Virtualization Management, 5.22 */
#define NVME_IDENTIFY_CONTROLLER 0x01
#define NVME_PHASE		0x00010000

#define NVME_RING		64		/* entries of either queue */
#define NVME_CQ			0x1000		/* in our memory, after the commands */
#define NVME_BUFFER		0x2000

struct nvme_command {
	__u32 opcode;
	__u32 namespace;
	__u64 reserved[2];
	__u64 prp[2];
	__u32 arguments[6];
};

static struct nvme_command *nvme_sq;
static volatile __u32 (*nvme_cq)[4];
static unsigned int nvme_tail, nvme_head;
static __u32 nvme_phase;

static bool nvme_ready(struct client *c)
{
	int tries;

	nvme_sq = (struct nvme_command *)ram;
	nvme_cq = (void *)(ram + NVME_CQ);
	nvme_phase = NVME_PHASE;
	device_write(c, NVME_CC, 0);
	device_write(c, NVME_AQA, (NVME_RING - 1) << 16 | (NVME_RING - 1));
	device_write(c, NVME_ASQ, IOVA);
	device_write(c, NVME_ASQ + 4, 0);
	device_write(c, NVME_ACQ, IOVA + NVME_CQ);
	device_write(c, NVME_ACQ + 4, 0);
	device_write(c, NVME_CC, NVME_CC_ENABLE);
	for (tries = 0; tries < 100; tries++) {
		if (device_read(c, NVME_CSTS) & NVME_CSTS_READY)
			return true;
		usleep(10000);
	}
	return false;
}

static void nvme_add(__u64 buffer)
{
	nvme_sq[nvme_tail] = (struct nvme_command){
		.opcode = htole32(NVME_OPCODE_IDENTIFY),
		.prp = { htole64(buffer) },
		.arguments = { htole32(NVME_IDENTIFY_CONTROLLER) },
	};
	nvme_tail = (nvme_tail + 1) % NVME_RING;
}

static bool nvme_completed(void)
{
	return (le32toh(nvme_cq[nvme_head][3]) & NVME_PHASE) == nvme_phase;
}

/* Takes @count completions, as far as they come. */
static bool nvme_reap(struct client *c, long count, int milliseconds)
{
	while (count && soon(nvme_completed, milliseconds)) {
		nvme_head = (nvme_head + 1) % NVME_RING;
		if (!nvme_head)
			nvme_phase ^= NVME_PHASE;
		count--;
	}
	device_write(c, NVME_CQ_HEAD, nvme_head);
	return !count;
}

static void nvme_doorbell(struct client *c, long requests)
{
	long i;

	for (i = 0; i < requests && i < NVME_RING - 1; i++)
		nvme_add(STRAY + i * 4096);
	device_write(c, NVME_SQ_TAIL, nvme_tail);
	nvme_reap(c, i, 1);
}

static bool nvme_lands(struct client *c)
{
	nvme_add(IOVA + NVME_BUFFER);
	device_write(c, NVME_SQ_TAIL, nvme_tail);
	return nvme_reap(c, 1, 200);
}

/*
 * A USB host controller, UHCI design guide 1.1: once it runs it reads its list of
 * frames a thousand times a second, for ever, wherever that is.
 */
#define UHCI_COMMAND	0x00
#define UHCI_FRAME_BASE	0x08
#define UHCI_RUN	0x0001
#define UHCI_REGISTERS	VFIO_PCI_BAR4_REGION_INDEX

static bool uhci_ready(struct client *c)
{
	c->bar = device_region(c, UHCI_REGISTERS);
	return c->bar >= 0 &&
	       config_write(c, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
}

static void uhci_ring(struct client *c, long requests)
{
	unsigned short run = UHCI_RUN, stop = 0;

	device_write(c, UHCI_FRAME_BASE, STRAY);
	if (pwrite(c->fd, &run, 2, c->bar + UHCI_COMMAND) != 2)
		perror("# register write");
	usleep(requests * 1000);
	if (pwrite(c->fd, &stop, 2, c->bar + UHCI_COMMAND) != 2)
		perror("# register write");
}

static const struct engine engines[] = {
	{ "edu", 0x11e81234, edu_no_setup, edu_ring, edu_lands, edu_interrupt },
	{ "e1000e", 0x10d38086, e1000_ready, e1000_doorbell, e1000_lands, e1000_interrupt },
	{ "nvme", 0x00101b36, nvme_ready, nvme_doorbell, nvme_lands, NULL },
	{ "uhci", 0x70208086, uhci_ready, uhci_ring, NULL, NULL },
};

static const struct engine *find_engine(const struct client *c)
{
	unsigned int id = config_read(c, PCI_VENDOR_ID, 4);
	size_t i;

	for (i = 0; i < sizeof(engines) / sizeof(*engines); i++)
		if (engines[i].id == id)
			return &engines[i];
	return NULL;
}

/**
 * struct order - what to do, and what has to be true afterwards
 * @client: the device
 * @engine: what it is
 * @pause: microseconds between two doorbells
 * @insist: turn bus mastering on before each doorbell
 * @revivals: how often to reset the bus, and set the device up anew, when it is
 *	      found to have been reset
 * @stopped: nothing the device sends may arrive any more, whatever the guest does
 * @runs: the device must work as before
 * @errors: how often VFIO has to signal an error of the device; -1: no matter
 * @error_fd: where it does
 * @sibling: another device of its group, or none: what has to be true of the
 *	     device has to be true of it
 * @linger: seconds that the device stays open when the sibling is closed
 */
struct order {
	struct client client;
	struct client sibling;
	const struct engine *engine;
	long pause;
	bool insist;
	long revivals;
	long linger;
	bool stopped;
	bool runs;
	long errors;
	int error_fd;
};

/* The sibling is part of what the client has open: group, container, memory. */
static bool open_sibling(struct order *order)
{
	struct client *sibling = &order->sibling;
	const char *dev = sibling->dev;

	*sibling = order->client;
	sibling->dev = dev;
	sibling->name = dev;
	sibling->fd = client_open_device(sibling);
	ktap_result(sibling->fd >= 0 && device_enable(sibling), "open %s, too", dev);
	return sibling->fd >= 0;
}

static bool make_ready(struct order *order)
{
	struct client *c = &order->client;
	bool ready;

	if (!client_open_and_tell(c) || (order->sibling.dev && !open_sibling(order)))
		return false;
	order->engine = find_engine(c);
	/* Devices that aren't PCIe can't have errors, VFIO says. */
	if (order->errors >= 0)
		order->error_fd = device_eventfd(c, VFIO_PCI_ERR_IRQ_INDEX, EFD_NONBLOCK);
	ram = device_map_ram(c, IOVA, RAM_SIZE);
	ready = order->engine && ram && device_enable(c) && order->engine->ready(c);
	ktap_result(ready, "ready %s, %s", c->dev, order->engine ? order->engine->name : "unknown");
	return ready;
}

static long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* By VFIO's reset of the bus, which brings it out of any other. */
static bool reset_bus(const struct client *c)
{
	struct {
		struct vfio_pci_hot_reset reset;
		int group;
	} arg = {
		.reset = { .argsz = sizeof(arg), .count = 1 },
		.group = c->group,
	};

	if (!ioctl(c->fd, VFIO_DEVICE_PCI_HOT_RESET, &arg))
		return true;
	perror("# bus reset");
	return false;
}

static void revive(struct order *order)
{
	struct client *c = &order->client;

	if (config_read(c, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY)
		return;
	order->revivals--;
	ktap_result(reset_bus(c) && device_enable(c) && order->engine->ready(c),
		    "%s has been reset: set up anew", c->dev);
}

static void ring(struct order *order, long requests)
{
	if (order->revivals)
		revive(order);
	if (order->insist)
		device_enable(&order->client);
	order->engine->ring(&order->client, requests);
	if (order->pause)
		usleep(order->pause);
}

/* As a guest would: turn bus mastering on, and try. */
static void try(const struct order *order, struct client *c)
{
	const struct engine *engine = find_engine(c);

	if (!order->stopped && !order->runs)
		return;
	device_enable(c);
	if (engine->lands)
		ktap_result(engine->lands(c) == order->runs, "%s: DMA %s", c->dev,
			    order->runs ? "arrives" : "does not arrive");
}

/* What the words asked for. */
static int conclude(struct order *order)
{
	struct client *c = &order->client;
	__u64 errors = 0;

	if (order->errors >= 0) {
		struct pollfd fd = { .fd = order->error_fd, .events = POLLIN };

		poll(&fd, 1, order->errors ? 2000 : 200);
		if (read(order->error_fd, &errors, 8) != 8)
			errors = 0;
		ktap_result(order->error_fd >= 0 && errors == (__u64)order->errors,
			    "%ld errors signalled of %ld", (long)errors, order->errors);
	}
	try(order, c);
	if (order->sibling.dev) {
		try(order, &order->sibling);
		close(order->sibling.fd);
		sleep(order->linger);
	}
	client_close(c);
	return ktap_finish();
}

/*
 * Fault interrupts go to CPU 0. Some emulators run their CPUs in turns: made on
 * another the faults of a whole turn would be one interrupt.
 */
static void go_to_first_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		perror("# sched_setaffinity");
}

static int verb_lands(struct order *order)
{
	if (!make_ready(order))
		return ktap_finish();
	return conclude(order);
}

static int verb_storm(struct order *order, long doorbells, long requests)
{
	long start, i;

	if (!make_ready(order))
		return ktap_finish();
	start = milliseconds();
	for (i = 0; i < doorbells; i++)
		ring(order, requests);
	printf("# %ld doorbells of %ld requests in %ld ms\n", doorbells, requests,
	       milliseconds() - start);
	return conclude(order);
}

/* Until stdin ends. */
static int verb_flood(struct order *order, long requests)
{
	struct pollfd end = { .fd = 0, .events = POLLIN };
	struct client *c = &order->client;
	long doorbells = 0;

	if (!make_ready(order))
		return ktap_finish();
	printf("# holding %s\n", c->dev);
	for (; !poll(&end, 1, 0); doorbells++)
		ring(order, requests);
	printf("# %ld doorbells of %ld requests\n", doorbells, requests);
	return conclude(order);
}

/* Uses the device as one should, until stdin ends. */
static int verb_work(struct order *order)
{
	struct pollfd end = { .fd = 0, .events = POLLIN };
	struct client *c = &order->client;
	long good = 0, bad = 0;

	if (!make_ready(order) || !order->engine->lands)
		return ktap_finish();
	printf("# holding %s\n", c->dev);
	do {
		if (order->engine->lands(c))
			good++;
		else
			bad++;
	} while (!poll(&end, 1, 1));
	ktap_result(good && !bad, "%ld transfers arrived, %ld did not", good, bad);
	return conclude(order);
}

static int verb_spurious(struct order *order, long address, long data, long times)
{
	struct client *c = &order->client;

	if (!make_ready(order))
		return ktap_finish();
	while (times-- && order->engine->interrupt) {
		order->engine->interrupt(c, address, data);
		if (order->pause)
			usleep(order->pause);
	}
	return conclude(order);
}

/* One Virtualization Management command of an nvme driver's controller. */
static void nvme_virtual(int fd, long controller, unsigned int resource,
			 unsigned int action, unsigned int number)
{
	struct nvme_passthru_cmd command = {
		.opcode = NVME_OPCODE_VIRTUAL,
		.cdw10 = (unsigned int)controller << 16 | resource << 8 | action,
		.cdw11 = number,
	};
	int status = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);

	ktap_result(!status, "controller %ld: action %u: status %#x", controller,
		    action, status);
}

/*
 * A virtual function does nothing before it has queues and an interrupt: those
 * that the physical one, controller 0, gave up, and was reset then.
 */
static int verb_virtual(const char *file, long controller)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (controller) {
		nvme_virtual(fd, controller, 0, 8, 2);
		nvme_virtual(fd, controller, 1, 8, 1);
		nvme_virtual(fd, controller, 0, 9, 0);
	} else {
		nvme_virtual(fd, 0, 0, 1, 0);
		nvme_virtual(fd, 0, 1, 1, 0);
	}
	close(fd);
	return ktap_finish();
}

static int explain(void)
{
	fprintf(stderr,
		"usage: vfio-storm lands|work DEVICE [WORD...]\n"
		"       vfio-storm storm DEVICE DOORBELLS REQUESTS [WORD...]\n"
		"       vfio-storm flood DEVICE REQUESTS [WORD...]\n"
		"       vfio-storm spurious DEVICE ADDRESS DATA [times=N] [WORD...]\n"
		"       vfio-storm virtual FILE CONTROLLER\n"
		"words: every=MICROSECONDS insist revive=N with=DEVICE linger=SECONDS stopped runs errors=N, and those of vfio-client\n");
	return 2;
}

/* Takes the words that are not for client_parse() out of the command line. */
static int take_words(struct order *order, long *times, int argc, char **argv)
{
	int kept = 0, i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "stopped"))
			order->stopped = true;
		else if (!strcmp(argv[i], "runs"))
			order->runs = true;
		else if (!strcmp(argv[i], "insist"))
			order->insist = true;
		else if (!strncmp(argv[i], "revive=", 7))
			order->revivals = atol(argv[i] + 7);
		else if (!strncmp(argv[i], "every=", 6))
			order->pause = atol(argv[i] + 6);
		else if (!strncmp(argv[i], "linger=", 7))
			order->linger = atol(argv[i] + 7);
		else if (!strncmp(argv[i], "with=", 5))
			order->sibling.dev = argv[i] + 5;
		else if (!strncmp(argv[i], "errors=", 7))
			order->errors = atol(argv[i] + 7);
		else if (!strncmp(argv[i], "times=", 6))
			*times = atol(argv[i] + 6);
		else
			argv[kept++] = argv[i];
	}
	return kept;
}

int main(int argc, char **argv)
{
	struct order order = { .errors = -1, .error_fd = -1 };
	const char *verb = argv[1];
	const long *numbers = order.client.numbers;
	long times = 1;

	if (argc < 3)
		return explain();
	argc = take_words(&order, &times, argc - 2, argv + 2);
	if (!client_parse(&order.client, argc, argv + 2))
		return explain();
	ktap_start();
	go_to_first_cpu();
	if (!strcmp(verb, "lands"))
		return verb_lands(&order);
	if (!strcmp(verb, "work"))
		return verb_work(&order);
	if (!strcmp(verb, "storm"))
		return verb_storm(&order, numbers[0], numbers[1]);
	if (!strcmp(verb, "flood"))
		return verb_flood(&order, numbers[0]);
	if (!strcmp(verb, "virtual"))
		return verb_virtual(order.client.dev, numbers[0]);
	if (!strcmp(verb, "spurious"))
		return verb_spurious(&order, numbers[0], numbers[1], times);
	return explain();
}
