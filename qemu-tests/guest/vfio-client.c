// SPDX-License-Identifier: GPL-2.0
/*
 * A VFIO client that attacks: opens devices in every way a VMM could, and
 * drives QEMU's edu device to write wherever an attacker would. Reports KTAP.
 *
 *   vfio-client VERB DEVICE [NUMBER...] [allow | ERRNO] [name=TEXT]
 *
 * The last word says what opening the device shall come to (default: allow).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_CMD_RUN	0x1
#define EDU_CMD_TO_RAM	0x2
#define EDU_BUFFER	0x40000

#define IOVA		0x100000
#define MSI_WINDOW	0xfee00000
#define MAX_ERRNO	256

struct client {
	const char *dev;
	int container;
	int group;
	int fd;			/* of the device, or -errno */
	off_t bar;		/* where its BAR 0 starts in @fd */
	const char *stage;	/* the call that failed */
	int want;		/* the errno to see, 0 for success */
	const char *name;	/* asked from the group, normally @dev */
};

static int tests, failures;

[[gnu::format(printf, 2, 3)]]
static void result(bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%s %d - ", ok ? "ok" : "not ok", ++tests);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	failures += !ok;
}

static int finish(void)
{
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}

static int group_number(const char *dev)
{
	char path[PATH_MAX], link[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", dev);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -1;
	link[n] = '\0';
	return atoi(strrchr(link, '/') + 1);
}

static int failed(struct client *c, const char *stage)
{
	c->stage = stage;
	return -errno;
}

/* Everything up to the device itself; negative errno on failure. */
static int open_group(struct client *c)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];

	c->container = -1;
	c->group = -1;
	snprintf(path, sizeof(path), "/dev/vfio/%d", group_number(c->dev));
	c->group = open(path, O_RDWR | O_CLOEXEC);
	if (c->group < 0)
		return failed(c, "open-group");
	if (ioctl(c->group, VFIO_GROUP_GET_STATUS, &status))
		return failed(c, "group-status");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		errno = EPERM;
		return failed(c, "group-viable");
	}
	c->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (c->container < 0)
		return failed(c, "open-container");
	if (ioctl(c->group, VFIO_GROUP_SET_CONTAINER, &c->container))
		return failed(c, "set-container");
	if (ioctl(c->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return failed(c, "set-iommu");
	return 0;
}

static int open_device(struct client *c)
{
	int fd = ioctl(c->group, VFIO_GROUP_GET_DEVICE_FD, c->name);

	return fd < 0 ? failed(c, "get-device") : fd;
}

static int open_whole(struct client *c)
{
	int ret = open_group(c);

	c->fd = ret ? ret : open_device(c);
	return c->fd;
}

static void close_whole(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->group >= 0)
		close(c->group);
	if (c->container >= 0)
		close(c->container);
}

static bool as_wanted(const struct client *c, int fd)
{
	return c->want ? fd == -c->want : fd >= 0;
}

/* Opens and reports; true if the device is open as wanted. */
static bool open_and_tell(struct client *c)
{
	int fd = open_whole(c);

	if (fd >= 0)
		result(!c->want, "open %s: admitted", c->dev);
	else
		result(as_wanted(c, fd), "open %s: %s failed: %s (%s)", c->dev, c->stage,
		       strerrorname_np(-fd), strerror(-fd));
	return fd >= 0 && !c->want;
}

static int verb_open(struct client *c)
{
	open_and_tell(c);
	close_whole(c);
	return finish();
}

/* Where a region starts in the device's file; negative errno on failure. */
static off_t region(struct client *c, int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	return ioctl(c->fd, VFIO_DEVICE_GET_REGION_INFO, &info) ? -errno : (off_t)info.offset;
}

/* Finds the registers and lets the device decode and master the bus. */
static bool edu_map(struct client *c)
{
	off_t config = region(c, VFIO_PCI_CONFIG_REGION_INDEX);
	unsigned short command;

	c->bar = region(c, VFIO_PCI_BAR0_REGION_INDEX);
	if (c->bar < 0 || config < 0)
		return false;
	if (pread(c->fd, &command, 2, config + PCI_COMMAND) != 2)
		return false;
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	return pwrite(c->fd, &command, 2, config + PCI_COMMAND) == 2;
}

static void edu_write(struct client *c, int reg, unsigned int value)
{
	if (pwrite(c->fd, &value, 4, c->bar + reg) != 4)
		perror("# edu write");
}

static unsigned int edu_read(struct client *c, int reg)
{
	unsigned int value = ~0;

	if (pread(c->fd, &value, 4, c->bar + reg) != 4)
		perror("# edu read");
	return value;
}

static void *ram_map(struct client *c)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = IOVA, .size = 4096,
	};
	void *ram = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (ram == MAP_FAILED)
		return NULL;
	map.vaddr = (uintptr_t)ram;
	return ioctl(c->container, VFIO_IOMMU_MAP_DMA, &map) ? NULL : ram;
}

static bool edu_dma(struct client *c, unsigned int src, unsigned int dst, int count, int cmd)
{
	int tries;

	edu_write(c, EDU_SRC, src);
	edu_write(c, EDU_DST, dst);
	edu_write(c, EDU_COUNT, count);
	edu_write(c, EDU_CMD, cmd | EDU_CMD_RUN);
	for (tries = 0; tries < 500; tries++) {
		if (!(edu_read(c, EDU_CMD) & EDU_CMD_RUN))
			return true;
		usleep(10000);
	}
	return false;
}

/* Opens the device and readies it for DMA to and from @ram at IOVA. */
static bool edu_ready(struct client *c, unsigned char **ram)
{
	bool ready;

	if (!open_and_tell(c))
		return false;
	*ram = ram_map(c);
	ready = *ram && edu_map(c);
	result(ready, "map registers and a page of memory");
	return ready;
}

static int verb_dma(struct client *c)
{
	bool done;
	unsigned char *ram;
	int i;

	if (edu_ready(c, &ram)) {
		for (i = 0; i < 2048; i++) {
			ram[i] = i * 7 + 1;
			ram[2048 + i] = 0;
		}
		done = edu_dma(c, IOVA, EDU_BUFFER, 2048, 0);
		done = done && edu_dma(c, EDU_BUFFER, IOVA + 2048, 2048, EDU_CMD_TO_RAM);
		result(done && !memcmp(ram, ram + 2048, 2048), "DMA through the device and back");
	}
	close_whole(c);
	return finish();
}

/*
 * The attack: a DMA write of @vector to the interrupt window is a
 * compatibility-format interrupt to CPU 0, fixed delivery.
 */
static int verb_irq(struct client *c, long vector)
{
	unsigned char *ram;
	bool done;

	if (edu_ready(c, &ram)) {
		*(unsigned int *)ram = vector;
		done = edu_dma(c, IOVA, EDU_BUFFER, 4, 0);
		done = done && edu_dma(c, EDU_BUFFER, MSI_WINDOW, 4, EDU_CMD_TO_RAM);
		result(done, "write 0x%lx to the interrupt window", vector);
	}
	close_whole(c);
	return finish();
}

/* A DMA write to an address nothing is mapped at. */
static int verb_stray(struct client *c)
{
	unsigned char *ram;

	if (edu_ready(c, &ram))
		result(edu_dma(c, EDU_BUFFER, IOVA + 0x1000000, 4, EDU_CMD_TO_RAM),
		       "write to an unmapped address");
	close_whole(c);
	return finish();
}

static int watch_request(struct client *c)
{
	struct {
		struct vfio_irq_set set;
		int fd;
	} arg = {
		.set = {
			.argsz = sizeof(arg),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_REQ_IRQ_INDEX,
			.count = 1,
		},
	};

	arg.fd = eventfd(0, EFD_CLOEXEC);
	if (arg.fd >= 0)
		ioctl(c->fd, VFIO_DEVICE_SET_IRQS, &arg);
	return arg.fd;
}

/* Keeps the device open until stdin ends or the host asks for it back. */
static int verb_hold(struct client *c)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };

	if (open_and_tell(c)) {
		fds[1].fd = watch_request(c);
		printf("# holding %s\n", c->dev);
		poll(fds, 2, -1);
		if (fds[1].revents)
			printf("# asked to give %s back\n", c->dev);
	}
	close_whole(c);
	result(true, "close %s", c->dev);
	return finish();
}

/* While the device is open, the same process opens it again. */
static int verb_second(struct client *c)
{
	int fd;

	if (open_and_tell(c)) {
		fd = open_device(c);
		result(fd >= 0, "second open of %s", c->dev);
		if (fd >= 0)
			close(fd);
	}
	close_whole(c);
	return finish();
}

static unsigned long counts[MAX_ERRNO];

static void count_open(struct client *c)
{
	int fd = open_device(c);

	counts[fd < 0 ? -fd % MAX_ERRNO : 0]++;
	if (fd >= 0)
		close(fd);
}

static void tell_counts(void)
{
	int i;

	for (i = 0; i < MAX_ERRNO; i++)
		if (counts[i])
			printf("# %lu %s\n", counts[i], i ? strerrorname_np(i) : "admitted");
}

/* Opens the device @n times over; "any" takes either outcome of an open. */
static int verb_loop(struct client *c, long n, bool any)
{
	int ret = open_group(c);
	long i;

	c->fd = -1;
	result(!ret, "open the group of %s%s%s", c->dev, ret ? ": " : "", ret ? c->stage : "");
	if (!ret) {
		for (i = 0; i < n; i++)
			count_open(c);
		tell_counts();
		if (any)
			result(counts[0] + counts[EPERM] == (unsigned long)n,
			       "%ld opens, each admitted or EPERM", n);
		else
			result(counts[c->want] == (unsigned long)n, "%ld opens, all %s", n,
			       c->want ? strerrorname_np(c->want) : "admitted");
	}
	close_whole(c);
	return finish();
}

/* @n processes open the device at once, through one group, @rounds times. */
static int verb_crowd(struct client *c, long n, long rounds)
{
	int ret = open_group(c), gate[2], good = 0, status, i;
	char byte;

	c->fd = -1;
	result(!ret, "open the group of %s", c->dev);
	if (ret || pipe(gate))
		return finish();
	fflush(stdout);
	for (i = 0; i < n; i++) {
		if (fork())
			continue;
		close(gate[1]);
		if (read(gate[0], &byte, 1))
			_exit(2);
		while (rounds--)
			count_open(c);
		for (i = 0; i < MAX_ERRNO; i++)
			if (counts[i] && i != c->want)
				_exit(1);
		_exit(0);
	}
	close(gate[0]);
	close(gate[1]);
	for (i = 0; i < n; i++)
		if (wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
			good++;
	result(good == n, "%d of %ld processes saw only %s", good, n,
	       c->want ? strerrorname_np(c->want) : "success");
	close_whole(c);
	return finish();
}

/* @n processes each go the whole way; a group held by another is EBUSY. */
static int verb_race(struct client *c, long n)
{
	int good = 0, status, tries, i;

	fflush(stdout);
	for (i = 0; i < n; i++) {
		if (fork())
			continue;
		for (tries = 0; tries < 2000; tries++) {
			bool right = as_wanted(c, open_whole(c));
			bool busy = c->fd == -EBUSY;

			close_whole(c);
			if (!busy)
				_exit(!right);
			usleep(2000);
		}
		_exit(2);
	}
	for (i = 0; i < n; i++)
		if (wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
			good++;
	result(good == n, "%d of %ld processes came to %s", good, n,
	       c->want ? strerrorname_np(c->want) : "success");
	return finish();
}

static int errno_number(const char *name)
{
	int i;

	for (i = 1; i < MAX_ERRNO; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return i;
	return -1;
}

static int explain(void)
{
	fprintf(stderr,
		"usage: vfio-client open|dma|stray|hold|second DEVICE [allow|ERRNO]\n"
		"       vfio-client irq DEVICE VECTOR [allow|ERRNO]\n"
		"       vfio-client loop DEVICE COUNT [allow|any|ERRNO] [name=TEXT]\n"
		"       vfio-client crowd DEVICE PROCESSES ROUNDS [allow|ERRNO]\n"
		"       vfio-client race DEVICE PROCESSES [allow|ERRNO]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct client c = { .container = -1, .group = -1, .fd = -1 };
	const char *verb = argv[1];
	long numbers[2] = { 0, 0 };
	int count = 0, i;
	bool any = false;

	if (argc < 3)
		return explain();
	c.dev = argv[2];
	c.name = c.dev;
	for (i = 3; i < argc; i++) {
		char *end;
		long number = strtol(argv[i], &end, 0);

		if (!*end && count < 2)
			numbers[count++] = number;
		else if (!strncmp(argv[i], "name=", 5))
			c.name = argv[i] + 5;
		else if (!strcmp(argv[i], "any"))
			any = true;
		else if (strcmp(argv[i], "allow"))
			c.want = errno_number(argv[i]);
		if (c.want < 0)
			return explain();
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
	if (!strcmp(verb, "open"))
		return verb_open(&c);
	if (!strcmp(verb, "dma"))
		return verb_dma(&c);
	if (!strcmp(verb, "stray"))
		return verb_stray(&c);
	if (!strcmp(verb, "hold"))
		return verb_hold(&c);
	if (!strcmp(verb, "second"))
		return verb_second(&c);
	if (!strcmp(verb, "irq"))
		return verb_irq(&c, numbers[0]);
	if (!strcmp(verb, "loop"))
		return verb_loop(&c, numbers[0], any);
	if (!strcmp(verb, "crowd"))
		return verb_crowd(&c, numbers[0], numbers[1]);
	if (!strcmp(verb, "race"))
		return verb_race(&c, numbers[0]);
	return explain();
}
