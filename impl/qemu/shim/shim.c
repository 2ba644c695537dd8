/*
 * The shim: preloaded into an unmodified QEMU, it stands in for /dev/vfio. What QEMU asks of a device becomes a line on
 * a socket, QEMU waits in its ioctl until the line is answered, and the answer is what the ioctl returns. Whoever
 * answers is the kernel. Eventfds are real and QEMU's own; the answer says which of them to signal.
 *
 * VFIO_SHIM names the descriptor of the socket. Numbers are decimal unless said otherwise.
 *
 *   from the shim                        answer            meaning
 *   d N name                             flags irqs size... config
 *                                                          device N is opened: VFIO_DEVICE_FLAGS_*, how many indices,
 *                                                          sizes of the 6 BARs, config space in hex
 *   i N index                            result flags count   VFIO_DEVICE_GET_IRQ_INFO
 *   s N flags index start count fd...    result fd...      VFIO_DEVICE_SET_IRQS
 *   z N                                  result fd...      VFIO_DEVICE_RESET
 *   c N command                          result fd...      Command has been written
 *   r N bar offset bytes                 low high          a BAR is read: two halves of 32 bits
 *   w N bar offset bytes value           none              a BAR has been written
 *   x fd                                 none              an eventfd has been closed
 *   k fd resample gsi flags result       result            KVM_IRQFD has returned
 *   g gsi:address:high:data...           result            KVM_SET_GSI_ROUTING has returned; its messages
 *
 * A result is 0, a negative errno or a positive number. An fd is an eventfd by its serial number, which no other one
 * ever has, or -1, or -2 for a descriptor that is not an eventfd. Those behind a result are signalled, each as often
 * as it stands there.
 *
 * BAR 0 of the device called `bell0` is the shim's own, for the guest to ring: who writes a serial number at 0 signals
 * that eventfd, and who reads 8 is told how many lines without an answer there have been.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
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
#include "regions.h"

enum { REGION_SHIFT = 40 };
/* What a faked descriptor stands for; a device is DEVICE plus its number. */
enum file { REAL, CONTAINER, GROUP, DEVICE };

static uint8_t files[FILES_MAX];

/* QEMU asks from one thread at a time, but nothing here shall depend on it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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

/* --- files ---------------------------------------------------------------------------------------------------- */

static int standIn(uint8_t file)
{
	/* Not by eventfd(), which is ours: it gets no serial number. */
	int fd = (int)syscall(SYS_eventfd2, 0, EFD_CLOEXEC);
	if (fd < 0 || fd >= FILES_MAX)
		fail("a descriptor");
	files[fd] = file;
	return fd;
}

static uint8_t fileOf(int fd)
{
	return fd >= 0 && fd < FILES_MAX ? files[fd] : (uint8_t)REAL;
}

static struct device *deviceOf(int fd)
{
	return fileOf(fd) >= DEVICE ? &devices[fileOf(fd) - DEVICE] : NULL;
}

static int openFaked(const char *path)
{
	if (strncmp(path, "/dev/vfio/", 10))
		return -1;
	return standIn(strcmp(path + 10, "vfio") ? GROUP : CONTAINER);
}

int open64(const char *path, int flags, ...)
{
	REAL(open64);
	va_list arguments;
	va_start(arguments, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
	va_end(arguments);
	int fd = openFaked(path);
	return fd >= 0 ? fd : next(path, flags, mode);
}

int __open64_2(const char *path, int flags);

int __open64_2(const char *path, int flags)
{
	REAL(__open64_2);
	int fd = openFaked(path);
	return fd >= 0 ? fd : next(path, flags);
}

int eventfd(unsigned int count, int flags)
{
	REAL(eventfd);
	int fd = next(count, flags);
	if (fd >= 0 && fd < FILES_MAX)
		serials[fd] = ++lastSerial;
	return fd;
}

static void tellClosed(int fd)
{
	pthread_mutex_lock(&lock);
	toldLines++;
	begin("x %u", serials[fd]);
	serials[fd] = 0;
	sendLine();
	pthread_mutex_unlock(&lock);
}

int close(int fd)
{
	REAL(close);
	if (fd >= 0 && fd < FILES_MAX) {
		files[fd] = REAL;
		/* Without a socket this is a QEMU that has no device of ours. */
		if (serials[fd] && getenv("VFIO_SHIM"))
			tellClosed(fd);
	}
	return next(fd);
}

/* --- regions -------------------------------------------------------------------------------------------------- */

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
	REAL(pread64);
	struct device *device = deviceOf(fd);
	if (!device)
		return next(fd, bytes, count, at);
	pthread_mutex_lock(&lock);
	readRegion(device, (unsigned int)(at >> REGION_SHIFT), at & ((1ULL << REGION_SHIFT) - 1), bytes, count);
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
	struct device *device = deviceOf(fd);
	if (!device)
		return next(fd, bytes, count, at);
	pthread_mutex_lock(&lock);
	writeRegion(device, (unsigned int)(at >> REGION_SHIFT), at & ((1ULL << REGION_SHIFT) - 1), bytes, count);
	pthread_mutex_unlock(&lock);
	return (ssize_t)count;
}

/* --- ioctls --------------------------------------------------------------------------------------------------- */

static int refuse(int reason)
{
	errno = reason;
	return -1;
}

static int openDevice(const char *name)
{
	if (deviceCount == DEVICES_MAX)
		fail("too many devices");
	struct device *device = &devices[deviceCount];
	begin("d %d %s", deviceCount, name);
	char *at = ask();
	device->flags = (uint32_t)strtoul(at, &at, 10);
	device->irqs = (uint32_t)strtoul(at, &at, 10);
	for (int bar = 0; bar < BARS; bar++)
		device->sizes[bar] = strtoull(at, &at, 10);
	at += strspn(at, " ");
	for (int i = 0; i < CONFIG_BYTES && at[0] && at[1]; i++, at += 2) {
		const char digits[3] = { at[0], at[1], 0 };
		device->config[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	device->isBell = !strcmp(name, "bell0");
	return standIn((uint8_t)(DEVICE + deviceCount++));
}

static int containerIoctl(unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_GET_API_VERSION:
		return VFIO_API_VERSION;
	case VFIO_CHECK_EXTENSION:
		return (uintptr_t)argument == VFIO_TYPE1v2_IOMMU;
	case VFIO_SET_IOMMU:
	case VFIO_IOMMU_MAP_DMA:
	case VFIO_IOMMU_UNMAP_DMA:
		return 0;
	case VFIO_IOMMU_GET_INFO: {
		struct vfio_iommu_type1_info *info = argument;
		info->argsz = offsetof(struct vfio_iommu_type1_info, cap_offset);
		info->flags = VFIO_IOMMU_INFO_PGSIZES;
		info->iova_pgsizes = 4096;
		return 0;
	}
	default:
		return refuse(ENOTTY);
	}
}

static int groupIoctl(unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)argument)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
	case VFIO_GROUP_UNSET_CONTAINER:
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		return openDevice(argument);
	default:
		return refuse(ENOTTY);
	}
}

static int regionInfo(const struct device *device, struct vfio_region_info *info)
{
	if (info->index > VFIO_PCI_CONFIG_REGION_INDEX)
		return refuse(EINVAL);
	info->offset = (uint64_t)info->index << REGION_SHIFT;
	info->size = info->index < BARS ? device->sizes[info->index] : 0;
	if (info->index == VFIO_PCI_CONFIG_REGION_INDEX)
		info->size = CONFIG_BYTES;
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	info->argsz = sizeof(*info);
	info->cap_offset = 0;
	return 0;
}

static int irqInfo(int number, struct vfio_irq_info *info)
{
	begin("i %d %u", number, info->index);
	char *at = ask();
	long result = strtol(at, &at, 10);
	info->flags = (uint32_t)strtoul(at, &at, 10);
	info->count = (uint32_t)strtoul(at, &at, 10);
	return result < 0 ? refuse((int)-result) : 0;
}

static int setIrqs(int number, const struct vfio_irq_set *set)
{
	begin("s %d %u %u %u %u", number, set->flags, set->index, set->start, set->count);
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		for (uint32_t i = 0; i < set->count; i++) {
			int32_t fd;
			memcpy(&fd, set->data + i * sizeof(fd), sizeof(fd));
			add(" %d", serialOf(fd));
		}
	return askResult();
}

static int deviceIoctl(struct device *device, unsigned long request, void *argument)
{
	int number = (int)(device - devices);
	switch (request) {
	case VFIO_DEVICE_GET_INFO: {
		struct vfio_device_info *info = argument;
		info->argsz = offsetof(struct vfio_device_info, cap_offset);
		info->flags = device->flags;
		info->num_regions = VFIO_PCI_NUM_REGIONS;
		info->num_irqs = device->irqs;
		return 0;
	}
	case VFIO_DEVICE_GET_REGION_INFO:
		return regionInfo(device, argument);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return irqInfo(number, argument);
	case VFIO_DEVICE_SET_IRQS:
		return setIrqs(number, argument);
	case VFIO_DEVICE_RESET:
		begin("z %d", number);
		return askResult();
	default:
		return refuse(ENOTTY);
	}
}

/* KVM is real and is asked first; who answers learns what it said. */
static int kvmIrqfd(const struct kvm_irqfd *irqfd, int result, int reason)
{
	int resample = irqfd->flags & KVM_IRQFD_FLAG_RESAMPLE ? serialOf((int)irqfd->resamplefd) : -1;
	begin("k %d %d %u %u %d", serialOf((int)irqfd->fd), resample, irqfd->gsi, irqfd->flags, result < 0 ? -reason : 0);
	ask();
	return result;
}

static int kvmRouting(const struct kvm_irq_routing *routing, int result)
{
	begin("g");
	for (uint32_t i = 0; i < routing->nr; i++) {
		const struct kvm_irq_routing_entry *entry = &routing->entries[i];
		if (entry->type == KVM_IRQ_ROUTING_MSI)
			add(" %u:%u:%u:%u", entry->gsi, entry->u.msi.address_lo, entry->u.msi.address_hi, entry->u.msi.data);
	}
	ask();
	return result;
}

int ioctl(int fd, unsigned long request, ...)
{
	REAL(ioctl);
	va_list arguments;
	va_start(arguments, request);
	void *argument = va_arg(arguments, void *);
	va_end(arguments);
	int isFaked = fileOf(fd) != REAL;
	if (!isFaked && request != KVM_IRQFD && request != KVM_SET_GSI_ROUTING)
		return next(fd, request, argument);
	int result = isFaked ? 0 : next(fd, request, argument);
	int reason = errno;
	pthread_mutex_lock(&lock);
	switch (fileOf(fd)) {
	case REAL:
		result = request == KVM_IRQFD ? kvmIrqfd(argument, result, reason) : kvmRouting(argument, result);
		break;
	case CONTAINER:
		result = containerIoctl(request, argument);
		break;
	case GROUP:
		result = groupIoctl(request, argument);
		break;
	default:
		result = deviceIoctl(deviceOf(fd), request, argument);
		break;
	}
	if (isFaked)
		reason = errno;
	pthread_mutex_unlock(&lock);
	errno = reason;
	return result;
}
