// SPDX-License-Identifier: GPL-2.0
/* What the clients share: opening a device as a VMM would, and saying so in KTAP. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "vfio.h"

/* Registers of QEMU's edu device, docs/specs/edu */
#define EDU_SRC		0x80
#define EDU_DST		0x88
#define EDU_COUNT	0x90
#define EDU_CMD		0x98
#define EDU_CMD_RUN	0x1

static int tests, failures;

/**
 * ktap_start() - say what follows
 */
void ktap_start(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("KTAP version 1\n");
}

/**
 * ktap_result() - one test and how it came out
 * @ok: whether it did as it should
 * @fmt: what was tested
 */
void ktap_result(bool ok, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%s %d - ", ok ? "ok" : "not ok", ++tests);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	failures += !ok;
}

/**
 * ktap_finish() - the plan, once all tests are done
 *
 * Return: the exit status of the client.
 */
int ktap_finish(void)
{
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}

static int errno_number(const char *name)
{
	int i;

	for (i = 1; i < MAX_ERRNO; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return i;
	return -1;
}

/**
 * client_parse() - read the words after the verb
 * @c: set to what they say, with nothing open
 * @argc: how many
 * @argv: the device, then in any order numbers, the outcome to see, cdev,
 *	  noiommu, name=TEXT, token=UUID
 *
 * Return: false if they make no sense.
 */
bool client_parse(struct client *c, int argc, char **argv)
{
	int count = 0, i;

	*c = (struct client){ .iommu = -1, .group = -1, .fd = -1 };
	if (argc < 1)
		return false;
	c->dev = argv[0];
	c->name = c->dev;
	for (i = 1; i < argc; i++) {
		char *end;
		long number = strtol(argv[i], &end, 0);

		if (!*end && count < 2)
			c->numbers[count++] = number;
		else if (!strncmp(argv[i], "name=", 5))
			c->name = argv[i] + 5;
		else if (!strncmp(argv[i], "token=", 6))
			c->token = argv[i] + 6;
		else if (!strcmp(argv[i], "any"))
			c->any = true;
		else if (!strcmp(argv[i], "noiommu"))
			c->noiommu = true;
		else if (!strcmp(argv[i], "cdev"))
			c->cdev = true;
		else if (strcmp(argv[i], "allow"))
			c->want = errno_number(argv[i]);
		if (c->want < 0)
			return false;
	}
	return true;
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

static int open_group(struct client *c)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];

	snprintf(path, sizeof(path), "/dev/vfio/%s%d", c->noiommu ? "noiommu-" : "",
		 group_number(c->dev));
	c->group = open(path, O_RDWR | O_CLOEXEC);
	if (c->group < 0)
		return failed(c, "open-group");
	if (ioctl(c->group, VFIO_GROUP_GET_STATUS, &status))
		return failed(c, "group-status");
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) {
		errno = EPERM;
		return failed(c, "group-viable");
	}
	c->iommu = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (c->iommu < 0)
		return failed(c, "open-container");
	if (ioctl(c->group, VFIO_GROUP_SET_CONTAINER, &c->iommu))
		return failed(c, "set-container");
	if (ioctl(c->iommu, VFIO_SET_IOMMU, c->noiommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU))
		return failed(c, "set-iommu");
	return 0;
}

static int open_iommufd(struct client *c)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	c->iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (c->iommu < 0)
		return failed(c, "open-iommufd");
	if (ioctl(c->iommu, IOMMU_IOAS_ALLOC, &alloc))
		return failed(c, "alloc-ioas");
	c->ioas = alloc.out_ioas_id;
	return 0;
}

/**
 * client_open_iommu() - everything up to the device itself
 * @c: the client
 *
 * Return: 0 or -errno.
 */
int client_open_iommu(struct client *c)
{
	c->iommu = -1;
	c->group = -1;
	return c->cdev ? open_iommufd(c) : open_group(c);
}

/**
 * client_open_cdev() - open the device's own file
 * @c: the client; its @cdev is set
 *
 * Return: a file descriptor, of no use before client_bind(), or -errno.
 */
int client_open_cdev(struct client *c)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", c->dev);
	dir = opendir(path);
	if (!dir)
		return failed(c, "find-cdev");
	do
		entry = readdir(dir);
	while (entry && entry->d_name[0] == '.');
	if (entry) {
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (fd < 0)
		fd = failed(c, "open-cdev");
	closedir(dir);
	return fd;
}

/**
 * client_bind() - tie the device to the iommufd, the driver's first open of it
 * @c: the client; client_open_iommu() succeeded
 * @fd: from client_open_cdev()
 *
 * Return: 0 or -errno.
 */
int client_bind(struct client *c, int fd)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = c->iommu };

	return ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? failed(c, "bind") : 0;
}

static int attach(struct client *c, int fd)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach), .pt_id = c->ioas,
	};

	return ioctl(fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? failed(c, "attach") : 0;
}

static int open_by_cdev(struct client *c)
{
	int fd = client_open_cdev(c), ret;

	if (fd < 0)
		return fd;
	ret = client_bind(c, fd);
	if (!ret)
		ret = attach(c, fd);
	if (ret)
		close(fd);
	return ret ? ret : fd;
}

static int open_by_group(struct client *c)
{
	char name[128];
	int fd;

	snprintf(name, sizeof(name), c->token ? "%s vf_token=%s" : "%s", c->name, c->token);
	fd = ioctl(c->group, VFIO_GROUP_GET_DEVICE_FD, name);
	return fd < 0 ? failed(c, "get-device") : fd;
}

/**
 * client_open_device() - open the device, ready for DMA
 * @c: the client; client_open_iommu() succeeded
 *
 * Return: a file descriptor or -errno.
 */
int client_open_device(struct client *c)
{
	return c->cdev ? open_by_cdev(c) : open_by_group(c);
}

/**
 * client_open() - go the whole way
 * @c: the client; its @fd is the outcome, to be undone by client_close()
 *
 * Return: a file descriptor or -errno.
 */
int client_open(struct client *c)
{
	int ret = client_open_iommu(c);

	c->fd = ret ? ret : client_open_device(c);
	return c->fd;
}

/**
 * client_close() - give back what is open
 * @c: the client
 */
void client_close(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->group >= 0)
		close(c->group);
	if (c->iommu >= 0)
		close(c->iommu);
}

/**
 * client_came_as_wanted() - did opening the device end as it should?
 * @c: the client
 *
 * Return: true if so.
 */
bool client_came_as_wanted(const struct client *c)
{
	return c->want ? c->fd == -c->want : c->fd >= 0;
}

/**
 * client_open_and_tell() - go the whole way and say how it ended
 * @c: the client
 *
 * Return: true if the device is open, as wanted.
 */
bool client_open_and_tell(struct client *c)
{
	int fd = client_open(c);

	if (fd >= 0)
		ktap_result(!c->want, "open %s: admitted", c->dev);
	else
		ktap_result(client_came_as_wanted(c), "open %s: %s failed: %s (%s)",
			    c->dev, c->stage, strerrorname_np(-fd), strerror(-fd));
	return fd >= 0 && !c->want;
}

/**
 * device_region() - where a region starts in the device's file
 * @c: the client
 * @index: of the region
 *
 * Return: the offset or -errno.
 */
off_t device_region(const struct client *c, int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	return ioctl(c->fd, VFIO_DEVICE_GET_REGION_INFO, &info) ? -errno : (off_t)info.offset;
}

/**
 * config_read() - read the device's configuration space, as VFIO shows it
 * @c: the client; the device is open
 * @where: offset
 * @size: of the word in bytes
 *
 * Return: the word, 0 (and a complaint) if it can't be read.
 */
unsigned int config_read(const struct client *c, int where, int size)
{
	off_t config = device_region(c, VFIO_PCI_CONFIG_REGION_INDEX);
	unsigned int value = 0;

	if (config < 0 || pread(c->fd, &value, size, config + where) != size)
		perror("# config read");
	return value;
}

/**
 * config_write() - write the device's configuration space, as VFIO lets us
 * @c: the client; the device is open
 * @where: offset
 * @size: of the word in bytes
 * @value: what to write
 *
 * Return: true if it was taken; there is a complaint if not.
 */
bool config_write(const struct client *c, int where, int size, unsigned int value)
{
	off_t config = device_region(c, VFIO_PCI_CONFIG_REGION_INDEX);

	if (config >= 0 && pwrite(c->fd, &value, size, config + where) == size)
		return true;
	perror("# config write");
	return false;
}

/**
 * device_enable() - find the registers, let the device decode and master the bus
 * @c: the client
 *
 * Return: true on success.
 */
bool device_enable(struct client *c)
{
	c->bar = device_region(c, VFIO_PCI_BAR0_REGION_INDEX);
	return c->bar >= 0 &&
	       config_write(c, PCI_COMMAND, 2, config_read(c, PCI_COMMAND, 2) |
			    PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/**
 * device_write() - write a register in BAR 0
 * @c: the client; device_enable() succeeded
 * @reg: its offset
 * @value: what to write
 */
void device_write(const struct client *c, int reg, unsigned int value)
{
	if (pwrite(c->fd, &value, 4, c->bar + reg) != 4)
		perror("# register write");
}

/* An eventfd that VFIO signals this interrupt of the device by; negative errno. */
int device_eventfd(const struct client *c, int index, int flags)
{
	struct {
		struct vfio_irq_set set;
		int fd;
	} arg = {
		.set = {
			.argsz = sizeof(arg),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = index,
			.count = 1,
		},
		.fd = eventfd(0, EFD_CLOEXEC | flags),
	};
	int error;

	if (arg.fd < 0 || !ioctl(c->fd, VFIO_DEVICE_SET_IRQS, &arg))
		return arg.fd < 0 ? -errno : arg.fd;
	error = errno;
	close(arg.fd);
	return -error;
}

/**
 * device_read() - read a register in BAR 0
 * @c: the client; device_enable() succeeded
 * @reg: its offset
 *
 * Return: its value, all ones if it can't be read.
 */
unsigned int device_read(const struct client *c, int reg)
{
	unsigned int value = ~0;

	if (pread(c->fd, &value, 4, c->bar + reg) != 4)
		perror("# register read");
	return value;
}

/* Where this page of ours is in memory; needs CAP_SYS_ADMIN. */
static __u64 physical_address(const void *page)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	__u64 entry = 0;

	/* Documentation/admin-guide/mm/pagemap.rst: frame number in bits 0-54 */
	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)page / 4096 * 8) != 8)
		perror("# pagemap");
	close(fd);
	return (entry & ((1ULL << 55) - 1)) * 4096;
}

static bool map_type1(const struct client *c, void *ram, __u64 iova, size_t size)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map), .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)ram, .iova = iova, .size = size,
	};

	return !ioctl(c->iommu, VFIO_IOMMU_MAP_DMA, &map);
}

static bool map_ioas(const struct client *c, void *ram, __u64 iova, size_t size)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map), .ioas_id = c->ioas,
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.user_va = (uintptr_t)ram, .iova = iova, .length = size,
	};

	return !ioctl(c->iommu, IOMMU_IOAS_MAP, &map);
}

/**
 * device_map_ram() - give the device new memory of ours
 * @c: the client; not with @noiommu, where it has all memory already
 * @iova: where the device sees it
 * @size: in whole pages
 *
 * Return: the memory, zeroed, or NULL.
 */
void *device_map_ram(const struct client *c, __u64 iova, size_t size)
{
	void *ram = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (ram == MAP_FAILED)
		return NULL;
	if (c->cdev ? map_ioas(c, ram, iova, size) : map_type1(c, ram, iova, size))
		return ram;
	return NULL;
}

/* Without an IOMMU all memory is the device's: only find out where ours is. */
static void *locked_page(__u64 *address)
{
	void *ram = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (ram == MAP_FAILED || mlock(ram, 4096))
		return NULL;
	*address = physical_address(ram);
	return *address ? ram : NULL;
}

/**
 * edu_ready() - open an edu device and ready it for DMA
 * @c: the client; its @iova is set to where the device sees @ram
 * @ram: set to a page the device can reach
 *
 * Return: true on success; either way it is told.
 */
bool edu_ready(struct client *c, unsigned char **ram)
{
	bool ready;

	if (!client_open_and_tell(c))
		return false;
	c->iova = IOVA;
	*ram = c->noiommu ? locked_page(&c->iova) : device_map_ram(c, IOVA, 4096);
	ready = *ram && device_enable(c);
	ktap_result(ready, "map registers and a page of memory");
	return ready;
}

/**
 * edu_dma() - one transfer of an edu device, to its end
 * @c: the client; edu_ready() succeeded
 * @src: where from: a bus address, or EDU_BUFFER in the device
 * @dst: where to, likewise
 * @count: how many bytes
 * @cmd: EDU_CMD_TO_RAM or 0
 *
 * Return: true if the device says that it is done.
 */
bool edu_dma(struct client *c, __u64 src, __u64 dst, int count, int cmd)
{
	int tries;

	device_write(c, EDU_SRC, src);
	device_write(c, EDU_DST, dst);
	device_write(c, EDU_COUNT, count);
	device_write(c, EDU_CMD, cmd | EDU_CMD_RUN);
	for (tries = 0; tries < 500; tries++) {
		if (!(device_read(c, EDU_CMD) & EDU_CMD_RUN))
			return true;
		usleep(10000);
	}
	return false;
}
