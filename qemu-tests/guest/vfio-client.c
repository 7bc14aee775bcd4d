// SPDX-License-Identifier: GPL-2.0
/*
 * A VFIO client that attacks: opens devices in every way a VMM could, and
 * drives QEMU's edu device to write wherever an attacker would. Reports KTAP.
 *
 *   vfio-client VERB DEVICE [NUMBER...] [allow | ERRNO] [OPTION...]
 *
 * One word says what opening the device shall come to (default: allow). Options
 * are cdev, to go by the device's own file and not by its group, noiommu, to do
 * without an IOMMU, name=TEXT, by which the group shall find the device, and
 * token=UUID, which sets what a physical function's virtual ones must show when
 * they are opened.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "iommufd.h"
#include "vfio.h"

/*
 * The attack: a DMA write of a vector to the interrupt window is a
 * compatibility-format interrupt to CPU 0, fixed delivery.
 */
#define MSI_WINDOW	0xfee00000

static int verb_open(struct client *c)
{
	client_open_and_tell(c);
	client_close(c);
	return ktap_finish();
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
		done = edu_dma(c, c->iova, EDU_BUFFER, 2048, 0);
		done = done && edu_dma(c, EDU_BUFFER, c->iova + 2048, 2048, EDU_CMD_TO_RAM);
		ktap_result(done && !memcmp(ram, ram + 2048, 2048),
			    "DMA through the device and back");
	}
	client_close(c);
	return ktap_finish();
}

static int verb_write(struct client *c, long address, long value)
{
	unsigned char *ram;
	bool done;

	if (edu_ready(c, &ram)) {
		*(unsigned int *)ram = value;
		done = edu_dma(c, c->iova, EDU_BUFFER, 4, 0);
		done = done && edu_dma(c, EDU_BUFFER, address, 4, EDU_CMD_TO_RAM);
		ktap_result(done, "write 0x%lx to 0x%lx", value, address);
	}
	client_close(c);
	return ktap_finish();
}

/* DMA writes to an address nothing is mapped at. */
static int verb_stray(struct client *c)
{
	unsigned char *ram;
	char byte;

	if (edu_ready(c, &ram)) {
		/* Time for what is to happen between open and attack. */
		if (c->numbers[0]) {
			printf("# holding %s\n", c->dev);
			while (read(0, &byte, 1) > 0)
				;
		}
		do
			ktap_result(edu_dma(c, EDU_BUFFER, IOVA + 0x1000000, 4, EDU_CMD_TO_RAM),
				    "write to an unmapped address");
		while (--c->numbers[0] > 0);
		/* A closed device's faults are nobody's before long. */
		sleep(c->numbers[1]);
	}
	client_close(c);
	return ktap_finish();
}

/* Nothing of the device, no registers and no address space, can be had by @fd. */
static bool is_shut(struct client *c, int fd)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .pt_id = c->ioas,
	};
	struct vfio_region_info info = { .argsz = sizeof(info) };
	char byte;

	return ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &info) &&
	       ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) &&
	       pread(fd, &byte, 1, 0) < 0 &&
	       mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED;
}

/*
 * By cdev, the device is bound to an iommufd first and gets an address space
 * later: what is there before, after a refusal, and between the two.
 */
static int verb_bind(struct client *c)
{
	int ret = client_open_iommu(c), fd;

	fd = ret ? ret : client_open_cdev(c);
	ktap_result(fd >= 0 && is_shut(c, fd), "shut before the bind");
	c->fd = fd < 0 ? fd : client_bind(c, fd);
	ktap_result(client_came_as_wanted(c), "bind %s: %s", c->dev,
		    c->fd < 0 ? strerrorname_np(-c->fd) : "admitted");
	if (c->fd < 0) {
		ktap_result(is_shut(c, fd), "shut after the refusal");
		close(fd);
	} else {
		c->fd = fd;
		ktap_result(device_enable(c) && edu_dma(c, EDU_BUFFER, IOVA, 4, EDU_CMD_TO_RAM),
			    "write with no address space attached");
	}
	client_close(c);
	return ktap_finish();
}

/* Keeps the device open until stdin ends or the host asks for it back. */
static int verb_hold(struct client *c)
{
	struct pollfd fds[2] = { { .fd = 0, .events = POLLIN }, { .events = POLLIN } };

	if (client_open_and_tell(c)) {
		fds[1].fd = device_eventfd(c, VFIO_PCI_REQ_IRQ_INDEX, 0);
		printf("# holding %s\n", c->dev);
		poll(fds, 2, -1);
		if (fds[1].revents)
			printf("# asked to give %s back\n", c->dev);
	}
	client_close(c);
	ktap_result(true, "close %s", c->dev);
	return ktap_finish();
}

/* While the device is open, the same process opens it again. */
static int verb_second(struct client *c)
{
	int fd;

	if (client_open_and_tell(c)) {
		fd = client_open_device(c);
		ktap_result(fd >= 0, "second open of %s", c->dev);
		if (fd >= 0)
			close(fd);
	}
	client_close(c);
	return ktap_finish();
}

static unsigned long counts[MAX_ERRNO];

static void count_open(struct client *c)
{
	int fd = client_open_device(c);

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
	int ret = client_open_iommu(c);
	long i;

	c->fd = -1;
	ktap_result(!ret, "open the group of %s%s%s", c->dev, ret ? ": " : "", ret ? c->stage : "");
	if (!ret) {
		for (i = 0; i < n; i++)
			count_open(c);
		tell_counts();
		if (any)
			ktap_result(counts[0] + counts[EPERM] == (unsigned long)n,
				    "%ld opens, each admitted or EPERM", n);
		else
			ktap_result(counts[c->want] == (unsigned long)n, "%ld opens, all %s", n,
				    c->want ? strerrorname_np(c->want) : "admitted");
	}
	client_close(c);
	return ktap_finish();
}

/* @n processes open the device at once, through one group, @rounds times. */
static int verb_crowd(struct client *c, long n, long rounds)
{
	int ret = client_open_iommu(c), gate[2], good = 0, status, i;
	char byte;

	c->fd = -1;
	ktap_result(!ret, "open the group of %s", c->dev);
	if (ret || pipe(gate))
		return ktap_finish();
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
	ktap_result(good == n, "%d of %ld processes saw only %s", good, n,
		    c->want ? strerrorname_np(c->want) : "success");
	client_close(c);
	return ktap_finish();
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
			bool busy = client_open(c) == -EBUSY;
			bool right = client_came_as_wanted(c);

			client_close(c);
			if (!busy)
				_exit(!right);
			usleep(2000);
		}
		_exit(2);
	}
	for (i = 0; i < n; i++)
		if (wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
			good++;
	ktap_result(good == n, "%d of %ld processes came to %s", good, n,
		    c->want ? strerrorname_np(c->want) : "success");
	return ktap_finish();
}

static int explain(void)
{
	fprintf(stderr,
		"usage: vfio-client open|dma|bind|hold|second DEVICE [allow|ERRNO]\n"
		"       vfio-client stray DEVICE [COUNT [SECONDS-AFTER]] [allow|ERRNO]\n"
		"       vfio-client irq DEVICE VECTOR [allow|ERRNO]\n"
		"       vfio-client write DEVICE ADDRESS VALUE [allow|ERRNO]\n"
		"       vfio-client loop DEVICE COUNT [allow|any|ERRNO] [name=TEXT]\n"
		"       vfio-client crowd DEVICE PROCESSES ROUNDS [allow|ERRNO]\n"
		"       vfio-client race DEVICE PROCESSES [allow|ERRNO]\n"
		"options: cdev, noiommu, name=TEXT, token=UUID\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *verb = argv[1];
	struct client c;

	if (argc < 3 || !client_parse(&c, argc - 2, argv + 2))
		return explain();
	ktap_start();
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
		return verb_write(&c, MSI_WINDOW, c.numbers[0]);
	if (!strcmp(verb, "write"))
		return verb_write(&c, c.numbers[0], c.numbers[1]);
	if (!strcmp(verb, "bind"))
		return verb_bind(&c);
	if (!strcmp(verb, "loop"))
		return verb_loop(&c, c.numbers[0], c.any);
	if (!strcmp(verb, "crowd"))
		return verb_crowd(&c, c.numbers[0], c.numbers[1]);
	if (!strcmp(verb, "race"))
		return verb_race(&c, c.numbers[0]);
	return explain();
}
