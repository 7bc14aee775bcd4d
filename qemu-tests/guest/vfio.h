/* SPDX-License-Identifier: GPL-2.0 */
/* What the clients share: opening a device as a VMM would, and saying so in KTAP. */
#ifndef GUEST_VFIO_H
#define GUEST_VFIO_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define EDU_BUFFER	0x40000
#define EDU_CMD_TO_RAM	0x2

/* Where the clients map the first page a device may reach. */
#define IOVA		0x100000

#define MAX_ERRNO	256

/**
 * struct client - one way to one device
 * @dev: its PCI address
 * @name: what the group is asked for, normally @dev
 * @cdev: by the device's own file and an iommufd, not by its IOMMU group
 * @noiommu: VFIO makes do without an IOMMU, DMA goes by physical address
 * @want: the errno that opening it shall end with, 0 for success
 * @token: what a physical function and its virtual ones share, or NULL
 * @numbers: the command line's numbers
 * @any: either outcome of an open will do
 * @iommu: the container or the iommufd, or -1
 * @ioas: the address space in the iommufd
 * @group: or -1
 * @fd: of the device, or -errno
 * @bar: where its BAR 0 starts in @fd
 * @iova: where the device sees the page that edu_ready() gave it
 * @stage: the call that failed
 */
struct client {
	const char *dev;
	const char *name;
	bool cdev;
	bool noiommu;
	int want;
	const char *token;
	long numbers[2];
	bool any;
	int iommu;
	unsigned int ioas;
	int group;
	int fd;
	off_t bar;
	__u64 iova;
	const char *stage;
};

[[gnu::format(printf, 2, 3)]] void ktap_result(bool ok, const char *fmt, ...);
void ktap_start(void);
int ktap_finish(void);

bool client_parse(struct client *c, int argc, char **argv);
int client_open_iommu(struct client *c);
int client_open_device(struct client *c);
int client_open_cdev(struct client *c);
int client_bind(struct client *c, int fd);
int client_open(struct client *c);
bool client_open_and_tell(struct client *c);
bool client_came_as_wanted(const struct client *c);
void client_close(struct client *c);

off_t device_region(const struct client *c, int index);
int device_eventfd(const struct client *c, int index, int flags);
bool device_enable(struct client *c);
unsigned int config_read(const struct client *c, int where, int size);
bool config_write(const struct client *c, int where, int size, unsigned int value);
unsigned int device_read(const struct client *c, int reg);
void device_write(const struct client *c, int reg, unsigned int value);
void *device_map_ram(const struct client *c, __u64 iova, size_t size);

bool edu_ready(struct client *c, unsigned char **ram);
bool edu_dma(struct client *c, __u64 src, __u64 dst, int count, int cmd);

#endif /* GUEST_VFIO_H */
