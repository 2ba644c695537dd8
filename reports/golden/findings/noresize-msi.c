// SPDX-License-Identifier: MIT
/*
 * noresize-error-unchanged is broken: Where NORESIZE is reported, a request beyond the allocation
 *   fails and changes nothing.
 *
 * Operation 1: the request failed and yet the registers went from MSI-enable MSI-message to
 *   MSI-enable.
 *
 * Promised by: VFIO_IRQ_INFO_NORESIZE, include/uapi/linux/vfio.h; the cover letter of dynamic
 *   MSI-X for vfio-pci, 2023
 * Known: noresize-error-unchanged on linux-6.12, by vfio.msi-trigger.block-undone: 63972f63a63f
 *   (vfio/pci: Remove interrupt context counter), Linux 6.5; the discussion of the dynamic MSI-X
 *   series, spring 2023
 * Seen on: linux-6.12; judged by: linux-6.12; finding b4a51ab1
 * Needs: device 0: MSI of 16 vectors; INTx; PCI Express; never raises
 *
 * Bind the device to vfio-pci, then as root:
 *   gcc -Wall -Wextra -O2 -o reproducer reproducer.c
 *   ./reproducer 0000:00:04.0
 * Exit code: 1 the fault shows, 0 it does not, 2 the program could not get so far.
 *
 * Made by vfio-irq-conformance; the same in its own words: npm start -- replay reports/golden/findings/noresize-msi.jsonl
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

enum { VECTORS = 2048 };

/* "0-3 7", or "none" */
static const char *list_of(const char *is)
{
	static char text[8 * VECTORS];
	size_t length = 0;

	for (int first = 0; first < VECTORS; first++) {
		int last = first;

		if (!is[first])
			continue;
		while (last + 1 < VECTORS && is[last + 1])
			last++;
		length += (size_t)snprintf(text + length, sizeof(text) - length, last == first ? "%s%d" : "%s%d-%d",
					   length ? " " : "", first, last);
		first = last;
	}
	return length ? text : "none";
}

static int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = 0;
	return length < 0 ? -1 : 0;
}

/* The vectors that have a Linux irq, or those of them alone that have a handler and so a trigger. */
static const char *irqs_of(const struct device *dev, int with_handler)
{
	char is[VECTORS] = { 0 }, path[PATH_MAX], text[64];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/msi_irqs", dev->address);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		int irq = atoi(entry->d_name);
		unsigned long vector;

		snprintf(path, sizeof(path), "/sys/kernel/irq/%d/hwirq", irq);
		if (irq <= 0 || read_file(path, text, sizeof(text)))
			continue;
		vector = strtoul(text, NULL, 10) % VECTORS;
		snprintf(path, sizeof(path), "/sys/kernel/irq/%d/actions", irq);
		is[vector] = !read_file(path, text, sizeof(text)) && (!with_handler || text[0] > '\n');
	}
	if (folder)
		closedir(folder);
	return list_of(is);
}

static const char *registers_of(const struct device *dev)
{
	static char text[128];
	int msi = capability(dev, PCI_CAP_ID_MSI);
	char actions[512] = "", handler[64], path[PATH_MAX], irq[16];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", dev->address);
	if (!read_file(path, irq, sizeof(irq))) {
		snprintf(path, sizeof(path), "/sys/kernel/irq/%d/actions", atoi(irq));
		read_file(path, actions, sizeof(actions));
	}
	snprintf(handler, sizeof(handler), "vfio-intx(%s)", dev->address);
	snprintf(text, sizeof(text), "%s%s%s%s%s",
		 msi && (physical(dev, msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE) ? " MSI-enable" : "",
		 msi && (physical(dev, msi + 4, 4) || physical(dev, msi + 8, 4)) ? " MSI-message" : "",
		 physical(dev, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE ? " INTx-disable" : "",
		 physical(dev, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT ? " INTx-status" : "",
		 strstr(actions, handler) ? " INTx-handler" : "");
	return text[0] ? text + 1 : "none";
}

static struct device dev0;

static void step_0(void)
{
	const __s32 data[] = { e0 };

	begin(0, "vfio.setIrqs MSI EVENTFD|TRIGGER 0+1 [e0]");
	expect(ON_THE_WAY, "result", "ok", set_irqs(&dev0, VFIO_PCI_MSI_IRQ_INDEX,
			VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 1, data,
			sizeof(data)));
	expect(ON_THE_WAY, "signalled", "none", signalled());
}

/*
 * noresize-error-unchanged: Where NORESIZE is reported, a request beyond the allocation fails and
 *   changes nothing.
 * vfio.msi-trigger.block-undone: At the first vector that fails, the vectors of the range up to
 *   it lose their triggers; later ones keep theirs. (vfio_msi_set_block, Linux 6.1 and 6.12)
 */
static void step_1(void)
{
	const __s32 data[] = { e0, e0 };

	begin(1, "vfio.setIrqs MSI EVENTFD|TRIGGER 0+2 [e0 e0]");
	expect(ON_THE_WAY, "result", "EINVAL", set_irqs(&dev0, VFIO_PCI_MSI_IRQ_INDEX,
			VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 2, data,
			sizeof(data)));
	expect(ON_THE_WAY, "signalled", "none", signalled());
	expect(AT_ISSUE, "registers", "MSI-enable MSI-message", registers_of(&dev0));
	expect(AT_ISSUE, "triggers", "0", irqs_of(&dev0, 1));
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
	step_0();
	step_1();
	if (fault) {
		printf("The fault shows: %s\n",
		       "noresize-error-unchanged is broken: Where NORESIZE is reported, a request beyond the allocation fails and changes nothing.");
		return 1;
	}
	if (astray) {
		printf("Something on the way differs: this says nothing about the fault.\n");
		return 2;
	}
	printf("The fault does not show.\n");
	return 0;
}
