// SPDX-License-Identifier: GPL-2.0
/*
 * A VFIO client that does with PCIe errors what a VMM would, and what a guest
 * should not. Reports KTAP.
 *
 *   vfio-errors watch DEVICE		hold it until stdin ends; count what VFIO
 *					tells of errors
 *   vfio-errors serr DEVICE on|off	turn SERR# on; it reads so, or doesn't
 *   vfio-errors noise DEVICE TIMES	turn correctable errors on whenever they
 *					are off, so many times; then hold it
 *   vfio-errors harden DEVICE		let all errors be fatal, and none masked
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vfio.h"

static int find_cap(const struct client *c, unsigned int id)
{
	int at = config_read(c, PCI_CAPABILITY_LIST, 1);

	while (at && config_read(c, at, 1) != id)
		at = config_read(c, at + 1, 1);
	return at;
}

static int find_ext_cap(const struct client *c, unsigned int id)
{
	int at = PCI_CFG_SPACE_SIZE;

	while (at && PCI_EXT_CAP_ID(config_read(c, at, 4)) != id)
		at = PCI_EXT_CAP_NEXT(config_read(c, at, 4));
	return at;
}

static int verb_watch(struct client *c)
{
	struct pollfd end = { .fd = 0, .events = POLLIN };
	__u64 told = 0;
	int fd;

	if (client_open_and_tell(c)) {
		fd = device_eventfd(c, VFIO_PCI_ERR_IRQ_INDEX, EFD_NONBLOCK);
		ktap_result(fd >= 0 && device_enable(c), "watch errors of %s", c->dev);
		printf("# holding %s\n", c->dev);
		poll(&end, 1, -1);
		if (read(fd, &told, sizeof(told)) < 0 && errno != EAGAIN)
			perror("# eventfd");
		printf("# told of errors %llu times\n", (unsigned long long)told);
		printf("# bus mastering is %s\n",
		       config_read(c, PCI_COMMAND, 2) & PCI_COMMAND_MASTER ? "on" : "off");
	}
	client_close(c);
	return ktap_finish();
}

static int verb_serr(struct client *c, bool want)
{
	bool on;

	if (client_open_and_tell(c)) {
		config_write(c, PCI_COMMAND, 2, config_read(c, PCI_COMMAND, 2) | PCI_COMMAND_SERR);
		/* The upper half of the register by itself, as well. */
		config_write(c, PCI_COMMAND + 1, 1,
			     config_read(c, PCI_COMMAND + 1, 1) | PCI_COMMAND_SERR >> 8);
		on = config_read(c, PCI_COMMAND, 2) & PCI_COMMAND_SERR;
		ktap_result(on == want, "SERR# is %s", on ? "on" : "off");
	}
	client_close(c);
	return ktap_finish();
}

static int verb_noise(struct client *c, long times)
{
	struct pollfd end = { .fd = 0, .events = POLLIN };
	int at = 0, done = 0, wait;

	if (client_open_and_tell(c))
		at = find_cap(c, PCI_CAP_ID_EXP) + PCI_EXP_DEVCTL;
	printf("# holding %s\n", c->dev);
	for (wait = 0; at && done < times && wait < 3000; wait++) {
		unsigned int ctl = config_read(c, at, 2);

		if (!(ctl & PCI_EXP_DEVCTL_CERE)) {
			config_write(c, at, 2, ctl | PCI_EXP_DEVCTL_CERE);
			printf("# on again\n");
			done++;
		}
		usleep(10000);
	}
	poll(&end, 1, -1);
	ktap_result(at && done == times, "correctable errors turned on again %d times", done);
	client_close(c);
	return ktap_finish();
}

static int verb_harden(struct client *c)
{
	struct pollfd end = { .fd = 0, .events = POLLIN };
	int at = 0;

	if (client_open_and_tell(c))
		at = find_ext_cap(c, PCI_EXT_CAP_ID_ERR);
	if (at) {
		config_write(c, at + PCI_ERR_UNCOR_MASK, 4, 0);
		config_write(c, at + PCI_ERR_UNCOR_SEVER, 4, ~0U);
		printf("# mask %#x, severity %#x\n", config_read(c, at + PCI_ERR_UNCOR_MASK, 4),
		       config_read(c, at + PCI_ERR_UNCOR_SEVER, 4));
	}
	ktap_result(at, "all errors of %s fatal", c->dev);
	printf("# holding %s\n", c->dev);
	poll(&end, 1, -1);
	client_close(c);
	return ktap_finish();
}

static int explain(void)
{
	fprintf(stderr, "usage: vfio-errors watch|harden DEVICE\n"
			"       vfio-errors serr DEVICE on|off\n"
			"       vfio-errors noise DEVICE TIMES\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct client c;

	if (argc < 3 || !client_parse(&c, 1, argv + 2))
		return explain();
	ktap_start();
	if (!strcmp(argv[1], "watch"))
		return verb_watch(&c);
	if (!strcmp(argv[1], "harden"))
		return verb_harden(&c);
	if (!strcmp(argv[1], "serr") && argc == 4)
		return verb_serr(&c, !strcmp(argv[3], "on"));
	if (!strcmp(argv[1], "noise") && argc == 4)
		return verb_noise(&c, atol(argv[3]));
	return explain();
}
