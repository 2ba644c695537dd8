/*
 * The gate: preloaded into an unmodified QEMU that has a device of the real /dev/vfio. Each call of it goes to the
 * kernel as it is; QEMU waits before and after until a line on the socket lets it go on. Beside that device there may
 * be mailboxes, devices that only the gate knows: bus addresses where every message of a guest is told.
 *
 * VFIO_GATE names the descriptor of the lines. Numbers are decimal.
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
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES_MAX = 16384, REGION_SHIFT = 40 };
/* IOMMU groups from here on are mailboxes'. */
enum { FIRST_GROUP = 9000 };
/* What a descriptor stands for; a mailbox is MAILBOX plus its number. */
enum file { OTHER, GROUP, DEVICE, MAILBOX_GROUP, MAILBOX };

static uint8_t files[FILES_MAX];
/* The serial number of the eventfd behind a descriptor, 0 for none. */
static uint32_t serials[FILES_MAX];
static uint32_t lastSerial;
/* QEMU calls from one thread at a time, but nothing here shall depend on it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#include "lines.h"
#include "mailbox.h"

static void *real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		fail(name);
	return found;
}

#define REAL(name) \
	static __typeof__(name) *next; \
	if (!next) \
		next = (__typeof__(name) *)real(#name)

static int serialOf(int fd)
{
	if (fd < 0)
		return -1;
	return fd < FILES_MAX && serials[fd] ? (int)serials[fd] : -2;
}

/* --- files ---------------------------------------------------------------------------------------------------- */

static int remember(int fd, int file)
{
	if (fd >= FILES_MAX)
		fail("a descriptor");
	if (fd >= 0)
		files[fd] = (uint8_t)file;
	return fd;
}

static int standIn(int file)
{
	/* Not by eventfd(), which is ours: it gets no serial number. */
	int fd = (int)syscall(SYS_eventfd2, 0, EFD_CLOEXEC);
	if (fd < 0)
		fail("a descriptor");
	return remember(fd, file);
}

static int fileOf(int fd)
{
	return fd >= 0 && fd < FILES_MAX ? files[fd] : OTHER;
}

static struct mailbox *mailboxOf(int fd)
{
	return fileOf(fd) >= MAILBOX ? &mailboxes[fileOf(fd) - MAILBOX] : NULL;
}

/* What a path stands for. The container is the kernel's, whoever is in it. */
static int fileAt(const char *path)
{
	if (strncmp(path, "/dev/vfio/", 10) || path[10] < '0' || path[10] > '9')
		return OTHER;
	const char *at = path + 10;
	return number(&at) >= FIRST_GROUP ? MAILBOX_GROUP : GROUP;
}

int open64(const char *path, int flags, ...)
{
	REAL(open64);
	va_list arguments;
	va_start(arguments, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
	va_end(arguments);
	int file = fileAt(path);
	return file == MAILBOX_GROUP ? standIn(file) : remember(next(path, flags, mode), file);
}

int __open64_2(const char *path, int flags);

int __open64_2(const char *path, int flags)
{
	REAL(__open64_2);
	int file = fileAt(path);
	return file == MAILBOX_GROUP ? standIn(file) : remember(next(path, flags), file);
}

int eventfd(unsigned int count, int flags)
{
	REAL(eventfd);
	int fd = next(count, flags);
	if (fd >= 0 && fd < FILES_MAX)
		serials[fd] = ++lastSerial;
	return fd;
}

int close(int fd)
{
	REAL(close);
	if (fd >= 0 && fd < FILES_MAX) {
		files[fd] = OTHER;
		if (serials[fd]) {
			pthread_mutex_lock(&lock);
			toldLines++;
			add("x %u\n", serials[fd]);
			serials[fd] = 0;
			pthread_mutex_unlock(&lock);
		}
	}
	return next(fd);
}

/* --- regions --------------------------------------------------------------------------------------------------- */

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
	REAL(pread64);
	struct mailbox *mailbox = mailboxOf(fd);
	if (!mailbox)
		return next(fd, bytes, count, at);
	pthread_mutex_lock(&lock);
	readMailbox(mailbox, (unsigned int)(at >> REGION_SHIFT), at & ((1ULL << REGION_SHIFT) - 1), bytes, count);
	pthread_mutex_unlock(&lock);
	return (ssize_t)count;
}

ssize_t __pread64_chk(int fd, void *bytes, size_t count, off64_t at, size_t size);

ssize_t __pread64_chk(int fd, void *bytes, size_t count, off64_t at, size_t size)
{
	if (count > size)
		fail("pread beyond its buffer");
	return pread64(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	REAL(pwrite64);
	struct mailbox *mailbox = mailboxOf(fd);
	if (!mailbox)
		return next(fd, bytes, count, at);
	pthread_mutex_lock(&lock);
	writeMailbox(mailbox, (unsigned int)(at >> REGION_SHIFT), at & ((1ULL << REGION_SHIFT) - 1), bytes, count);
	pthread_mutex_unlock(&lock);
	return (ssize_t)count;
}

/* --- groups and devices ------------------------------------------------------------------------------------------ */

static int mailboxGroupIoctl(unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)argument)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
	case VFIO_GROUP_UNSET_CONTAINER:
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		return standIn(MAILBOX + openMailbox(argument));
	default:
		return refuse(ENOTTY);
	}
}

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
		const struct vfio_irq_set *set = argument;
		add("s %u %u %u %u", set->flags, set->index, set->start, set->count);
		if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
			for (uint32_t i = 0; i < set->count; i++) {
				int32_t eventfd;
				memcpy(&eventfd, set->data + i * sizeof(eventfd), sizeof(eventfd));
				add(" %d", serialOf(eventfd));
			}
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
	if (file < MAILBOX_GROUP && !isGated && !(file == GROUP && request == VFIO_GROUP_GET_DEVICE_FD))
		return next(fd, request, argument);
	pthread_mutex_lock(&lock);
	realIoctl = next;
	int result = isGated		   ? gated(fd, request, argument) :
		     file == GROUP	   ? openDevice(fd, argument) :
		     file == MAILBOX_GROUP ? mailboxGroupIoctl(request, argument) :
					     mailboxIoctl(mailboxOf(fd), request, argument);
	int reason = errno;
	pthread_mutex_unlock(&lock);
	errno = reason;
	return result;
}
