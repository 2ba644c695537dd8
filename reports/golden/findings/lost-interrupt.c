// SPDX-License-Identifier: MIT
/*
 * no-lost-interrupt is broken: Every event of a vector in use reaches its eventfd, or its guest
 *   as a message, or stays pending until it can.
 *
 * Operation 3: vector 0 raised in the teardown-gap, after operation 2 had turned its interrupts
 *   off; it is armed again and the event never came (with operation 2).
 *
 * Promised by: PCIe 6.0, 6.1.4.5; the question of the VFIO MSI-X virtualization mail of 2021
 * Known: no-lost-interrupt on linux-6.1, by pci.msix-message.dropped-while-off: the VFIO MSI-X
 *   virtualization mail of 2021; the cover letter of dynamic MSI-X for vfio-pci, 2023
 * Seen on: linux-6.1; judged by: linux-6.1; finding a48e87e1
 * Needs: device 0: MSI-X table of 4 vectors; drops events while MSI-X is off
 *
 * Bind the device to vfio-pci, then as root:
 *   gcc -Wall -Wextra -O2 -o reproducer reproducer.c
 *   ./reproducer 0000:00:04.0
 * Exit code: 1 the fault shows, 0 it does not, 2 the program could not get so far.
 *
 * Made by vfio-irq-conformance; the same in its own words: npm start -- replay reports/golden/findings/lost-interrupt.jsonl
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static int e0;

static const struct {
	const char *name;
	int *fd;
} eventfds[] = {
	{ "e0", &e0 },
};
enum { EVENTFDS = sizeof(eventfds) / sizeof(eventfds[0]) };

static int fault, astray, at_issue_seen;

static void __attribute__((noreturn)) trouble(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static void begin(int number, const char *operation)
{
	printf("%3d  %s\n", number, operation);
	/* What follows may be the end of this machine. */
	fflush(stdout);
}

enum { ON_THE_WAY, AT_ISSUE };

/* What is at issue counts only when everything on the way there went as it should. */
static void expect(int at_issue, const char *what, const char *expected, const char *got)
{
	int differs = strcmp(expected, got) != 0;

	printf("       %-10s expected %s, got %s%s\n", what, expected, got,
	       !differs ? "" : at_issue && !astray ? "  <-- broken" : "  (differs)");
	if (at_issue) {
		at_issue_seen = 1;
		fault |= differs && !astray;
	} else if (!at_issue_seen) {
		astray |= differs;
	}
}

static const struct {
	int number;
	const char *name;
} errors[] = {
	{ EBADF, "EBADF" },   { EBUSY, "EBUSY" },   { EEXIST, "EEXIST" }, { EFAULT, "EFAULT" },
	{ EINVAL, "EINVAL" }, { EIO, "EIO" },       { ENODEV, "ENODEV" }, { ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" }, { ENOTTY, "ENOTTY" }, { ENXIO, "ENXIO" },   { ERANGE, "ERANGE" },
};

/* The result of a system call in words; errno is that of the call. */
static const char *result_of(long result)
{
	static char text[32];

	if (result == 0)
		return "ok";
	snprintf(text, sizeof(text), result > 0 ? "returns %ld" : "errno %ld", result > 0 ? result : (long)errno);
	for (size_t i = 0; result < 0 && i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == errno)
			return errors[i].name;
	return text;
}

static void new_eventfd(int *fd)
{
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*fd < 0)
		trouble("eventfd");
}

/* The eventfds that were signalled since the last look, each with its count. */
static const char *signalled(void)
{
	static char text[64 * (EVENTFDS + 1)];
	size_t length = 0;
	uint64_t count;

	/* Interrupts, and what the kernel leaves to a work queue, take a moment. */
	usleep(20000);
	text[0] = 0;
	for (int i = 0; i < EVENTFDS; i++)
		if (read(*eventfds[i].fd, &count, sizeof(count)) == sizeof(count))
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s +%llu",
						   length ? ", " : "", eventfds[i].name,
						   (unsigned long long)count);
	return length ? text : "none";
}

/* Of configuration space (PCIe 6.0, 7.5, 7.7). */
enum { PCI_VENDOR_ID = 0, PCI_COMMAND = 4, PCI_STATUS = 6, PCI_CAPABILITY_LIST = 0x34 };
enum { PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_INTX_DISABLE = 0x400, PCI_STATUS_INTERRUPT = 8 };
enum { PCI_CAP_ID_PM = 1, PCI_CAP_ID_MSI = 5, PCI_CAP_ID_MSIX = 0x11 };
enum { PCI_MSI_FLAGS = 2, PCI_MSI_FLAGS_ENABLE = 1 };
enum { PCI_MSIX_FLAGS = 2, PCI_MSIX_FLAGS_ENABLE = 0x8000, PCI_MSIX_FLAGS_MASKALL = 0x4000 };
enum { PCI_MSIX_FLAGS_QSIZE = 0x7ff };
enum { PCI_MSIX_TABLE = 4, PCI_MSIX_PBA = 8, PCI_MSIX_ENTRY_SIZE = 16, PCI_MSIX_ENTRY_MASKED = 1 };

enum { DESCRIPTORS = 64 };

struct device {
	const char *address;
	int group;
	/* The device descriptors, the last one opened last. */
	int fds[DESCRIPTORS];
	int open;
};

static int fd_of(const struct device *dev)
{
	return dev->open ? dev->fds[dev->open - 1] : -1;
}

static off_t region_at(const struct device *dev, __u32 index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(fd_of(dev), VFIO_DEVICE_GET_REGION_INFO, &info))
		trouble("VFIO_DEVICE_GET_REGION_INFO");
	return (off_t)info.offset;
}

static const char *open_device(struct device *dev)
{
	int first = dev->open == 0;
	int fd = dev->open < DESCRIPTORS ? ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->address) : -1;
	__u16 command;
	off_t at;

	if (fd < 0)
		return result_of(-1);
	dev->fds[dev->open++] = fd;
	if (!first)
		return "ok";
	/* The first open turns bus mastering off, and without it no message ever arrives. */
	at = region_at(dev, VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND;
	if (pread(fd, &command, sizeof(command), at) != sizeof(command))
		trouble("read of Command");
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, &command, sizeof(command), at) != sizeof(command))
		trouble("write of Command");
	return "ok";
}

static void set_up(struct device *dev, const char *address)
{
	static int container = -1;
	char path[PATH_MAX + 32], link[PATH_MAX], *group;
	ssize_t length;
	int kind = VFIO_TYPE1_IOMMU;

	dev->address = address;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		trouble(path);
	link[length] = 0;
	group = strrchr(link, '/') + 1;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0) {
		snprintf(path, sizeof(path), "/dev/vfio/noiommu-%s", group);
		dev->group = open(path, O_RDWR | O_CLOEXEC);
		kind = VFIO_NOIOMMU_IOMMU;
	}
	if (dev->group < 0)
		trouble("no group of this device below /dev/vfio; is it bound to vfio-pci?");
	if (container >= 0) {
		if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &container))
			trouble("VFIO_GROUP_SET_CONTAINER");
	} else {
		container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
		if (container < 0 || ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &container))
			trouble("VFIO_GROUP_SET_CONTAINER");
		if (ioctl(container, VFIO_SET_IOMMU, kind))
			trouble("VFIO_SET_IOMMU");
	}
	if (strcmp(open_device(dev), "ok"))
		trouble("VFIO_GROUP_GET_DEVICE_FD");
}

enum { NOT_OPEN = 1000000 };

/* The argument ends where a page ends, so that the kernel cannot read too much unseen. */
static const char *set_irqs_raw(const struct device *dev, __u32 index, __u32 flags, __u32 start, __u32 count,
				const void *data, size_t size, __u32 argsz, int unreadable)
{
	static const size_t room = 1 << 20;
	static char *end;
	struct vfio_irq_set header = { argsz, flags, index, start, count };
	char *argument;

	if (!end) {
		char *pages = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED || mprotect(pages + room, 4096, PROT_NONE))
			trouble("mmap");
		end = pages + room;
	}
	argument = end - sizeof(header) - size;
	memcpy(argument, &header, sizeof(header));
	if (size)
		memcpy(argument + sizeof(header), data, size);
	return result_of(ioctl(fd_of(dev), VFIO_DEVICE_SET_IRQS, unreadable ? end : argument));
}

static const char *set_irqs(const struct device *dev, __u32 index, __u32 flags, __u32 start, __u32 count,
			    const void *data, size_t size)
{
	return set_irqs_raw(dev, index, flags, start, count, data, size, (__u32)(sizeof(struct vfio_irq_set) + size), 0);
}

/* Configuration space as the device has it; what the vfio descriptor shows is partly made up. */
static __u32 physical(const struct device *dev, int at, size_t size)
{
	char path[PATH_MAX];
	__u32 value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", dev->address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &value, size, at) != (ssize_t)size)
		trouble(path);
	close(fd);
	return value;
}

/* Where a capability is, or 0. */
static int capability(const struct device *dev, __u32 id)
{
	int at = (int)physical(dev, PCI_CAPABILITY_LIST, 1);

	while (at && physical(dev, at, 1) != id)
		at = (int)physical(dev, at + 1, 1);
	return at;
}

/* Where the MSI-X table or the PBA is, as the capability tells it. */
static __u32 msix_address(const struct device *dev, int which)
{
	return physical(dev, capability(dev, PCI_CAP_ID_MSIX) + which, 4);
}

/* For what no program can do from here. */
static void ask(const char *what)
{
	printf("       now %s, and press Enter\n", what);
	fflush(stdout);
	if (getchar() == EOF) {
		errno = ENODATA;
		trouble("nobody pressed Enter");
	}
}

/* Devices of QEMU that raise when they are told: rocker any vector of MSI-X, edu its one of MSI. */
enum { ROCKER = 0x00061b36, ROCKER_RAISE = 0x20, EDU = 0x11e81234, EDU_RAISE = 0x60, EDU_ACKNOWLEDGE = 0x64 };

static void store(const struct device *dev, off_t at, __u32 value)
{
	at += region_at(dev, VFIO_PCI_BAR0_REGION_INDEX);
	if (pwrite(fd_of(dev), &value, sizeof(value), at) != sizeof(value))
		trouble("store into BAR 0");
}

/* With drops, rocker is as a device that forgets what happens while MSI-X is off: it keeps it otherwise. */
static void raise_vector(const struct device *dev, __u32 vector, int drops)
{
	__u32 id = physical(dev, PCI_VENDOR_ID, 4);
	int msi = capability(dev, PCI_CAP_ID_MSI), msix = capability(dev, PCI_CAP_ID_MSIX);
	char what[80];

	if (id == ROCKER && fd_of(dev) >= 0) {
		if (!drops || (physical(dev, msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE))
			store(dev, ROCKER_RAISE, vector);
	} else if (id == EDU && fd_of(dev) >= 0) {
		if (vector != 0 || !(physical(dev, msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE))
			return;
		store(dev, EDU_RAISE, 1);
		store(dev, EDU_ACKNOWLEDGE, 1);
	} else {
		snprintf(what, sizeof(what), "make %s raise vector %u", dev->address, vector);
		ask(what);
	}
}

/* Pending bits outlive who used the device before: what is pending goes into an eventfd of its own. */
static void drain(const struct device *dev)
{
	__u32 address = msix_address(dev, PCI_MSIX_PBA), word;
	int vectors = (int)(physical(dev, capability(dev, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
	off_t pba = region_at(dev, address & 7) + (off_t)(address & ~7u);
	__s32 sinks[2048];
	int sink = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), pending = 0;

	for (int vector = 0; vector < vectors; vector++) {
		sinks[vector] = sink;
		if (pread(fd_of(dev), &word, sizeof(word), pba + vector / 32 * 4) != sizeof(word))
			trouble("read of the PBA");
		pending = (word >> (vector % 32)) & 1 ? vector + 1 : pending;
	}
	if (pending) {
		set_irqs(dev, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0,
			 (__u32)pending, sinks, (size_t)pending * sizeof(sinks[0]));
		set_irqs(dev, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL, 0);
	}
	close(sink);
}

static struct device dev0;

static void step_0(void)
{
	const __s32 data[] = { e0 };

	begin(0, "vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]");
	expect(ON_THE_WAY, "result", "ok", set_irqs(&dev0, VFIO_PCI_MSIX_IRQ_INDEX,
			VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, data,
			sizeof(data)));
	expect(ON_THE_WAY, "signalled", "none", signalled());
}

static void step_1(void)
{
	begin(1, "device.arm 0 teardown-gap");
	expect(ON_THE_WAY, "signalled", "none", signalled());
}

/*
 * pci.msix-message.dropped-while-off: An event while MSI-X is off is forgotten, in a function
 *   that drops. (PCIe 6.0, 6.1.4.5 leaves it to the function; ivshmem_vector_notify, QEMU 7.2)
 */
static void step_2(void)
{
	begin(2, "vfio.setIrqs MSIX NONE|TRIGGER 0+0 []");
	expect(ON_THE_WAY, "result", "ok", set_irqs(&dev0, VFIO_PCI_MSIX_IRQ_INDEX,
			VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL, 0));
	raise_vector(&dev0, 0, 1);
	expect(ON_THE_WAY, "signalled", "none", signalled());
}

/*
 * no-lost-interrupt: Every event of a vector in use reaches its eventfd, or its guest as a
 *   message, or stays pending until it can.
 */
static void step_3(void)
{
	const __s32 data[] = { e0 };

	begin(3, "vfio.setIrqs MSIX EVENTFD|TRIGGER 0+1 [e0]");
	expect(ON_THE_WAY, "result", "ok", set_irqs(&dev0, VFIO_PCI_MSIX_IRQ_INDEX,
			VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, data,
			sizeof(data)));
	expect(AT_ISSUE, "signalled", "e0 +1", signalled());
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s ADDRESS (such as 0000:00:04.0)\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < EVENTFDS; i++)
		new_eventfd(eventfds[i].fd);
	set_up(&dev0, argv[1]);
	drain(&dev0);
	step_0();
	step_1();
	step_2();
	step_3();
	if (fault) {
		printf("The fault shows: %s\n",
		       "no-lost-interrupt is broken: Every event of a vector in use reaches its eventfd, or its guest as a message, or stays pending until it can.");
		return 1;
	}
	if (astray) {
		printf("Something on the way differs: this says nothing about the fault.\n");
		return 2;
	}
	printf("The fault does not show.\n");
	return 0;
}
