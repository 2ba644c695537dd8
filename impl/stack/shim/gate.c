/*
 * The gate: preloaded into an unmodified QEMU that has a device of the real /dev/vfio. Each call of it goes to the
 * kernel as it is; QEMU waits before and after until a line on the socket lets it go on. Beside that device there may
 * be mailboxes, devices that only the gate knows: bus addresses where every message of a guest is told.
 *
 * VFIO_SHIM names the descriptor of the lines. Numbers are decimal.
 *
 *   from the gate                        answer            meaning
 *   o flags count                        none              the real device is opened: GET_IRQ_INFO of MSI-X
 *   s flags index start count fd...      a line            VFIO_DEVICE_SET_IRQS is about to be called
 *   z                                    a line            VFIO_DEVICE_RESET is about to be called
 *   a result                             a line            it has returned: 0, a negative errno, a positive number
 *   d N name                             flags irqs size... config
 *                                                          mailbox N is opened: VFIO_DEVICE_FLAGS_*, how many indices,
 *                                                          sizes of the 6 BARs, config space in hex
 *   w N bar offset bytes value           none              a BAR of a mailbox has been written
 *   x fd                                 none              an eventfd has been closed
 *
 * An fd is an eventfd by its serial number, which no other one ever has, or -1, or -2 for what is no eventfd.
 * Lines without an answer wait for the next that has one, or for a read of 8 in BAR 0 of the mailbox called `bell0`,
 * which tells how many there have been.
 */
#define _GNU_SOURCE
#include "../../qemu/shim/devices.h"

/* IOMMU groups from here on are mailboxes'. */
enum { FIRST_GROUP = 9000 };

/* The container is the kernel's, whoever is in it. */
static int fileAt(const char *path)
{
	if (strncmp(path, "/dev/vfio/", 10) || path[10] < '0' || path[10] > '9')
		return OTHER;
	const char *at = path + 10;
	return number(&at) >= FIRST_GROUP ? FAKED_GROUP : GROUP;
}

/* --- mailboxes -------------------------------------------------------------------------------------------------- */

static void readRegion(int mailbox, unsigned int region, uint64_t offset, uint8_t *bytes, size_t count)
{
	readKnown(&devices[mailbox], region, offset, bytes, count);
}

static void writeRegion(int mailbox, unsigned int region, uint64_t offset, const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX || count > sizeof(value))
		return;
	memcpy(&value, bytes, count);
	tellWritten(mailbox, region, offset, count, value);
}

static int mailboxIoctl(int mailbox, unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_DEVICE_GET_IRQ_INFO:
		return refuse(EINVAL);
	case VFIO_DEVICE_SET_IRQS:
	case VFIO_DEVICE_RESET:
		return 0;
	default:
		return fakedDeviceIoctl(&devices[mailbox], request, argument);
	}
}

/* --- groups and devices ------------------------------------------------------------------------------------------ */

static int (*realIoctl)(int fd, unsigned long request, ...);

static int openDevice(int group, void *name)
{
	int fd = remember(realIoctl(group, VFIO_GROUP_GET_DEVICE_FD, name), DEVICE);
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };
	int reason = errno;
	if (fd >= 0 && realIoctl(fd, VFIO_DEVICE_GET_IRQ_INFO, &info) == 0)
		add("o %u %u\n", info.flags, info.count);
	errno = reason;
	return fd;
}

static int gated(int fd, unsigned long request, void *argument)
{
	if (request == VFIO_DEVICE_RESET)
		add("z");
	else {
		add("s");
		addSetIrqs(argument);
	}
	ask();
	int result = realIoctl(fd, request, argument);
	int reason = errno;
	add("a %d", result < 0 ? -reason : result);
	ask();
	errno = reason;
	return result;
}

int ioctl(int fd, unsigned long request, ...)
{
	REAL(ioctl);
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	int file = fileOf(fd);
	int isGated = file == DEVICE && (request == VFIO_DEVICE_SET_IRQS || request == VFIO_DEVICE_RESET);
	if (file < FAKED_CONTAINER && !isGated && !(file == GROUP && request == VFIO_GROUP_GET_DEVICE_FD))
		return next(fd, request, argument);
	pthread_mutex_lock(&lock);
	realIoctl = next;
	int result = isGated		 ? gated(fd, request, argument) :
		     file == GROUP	 ? openDevice(fd, argument) :
		     file == FAKED_GROUP ? fakedGroupIoctl(request, argument) :
					   mailboxIoctl(file - FAKED, request, argument);
	int reason = errno;
	pthread_mutex_unlock(&lock);
	errno = reason;
	return result;
}
