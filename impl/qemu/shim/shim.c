/*
 * The shim: preloaded into an unmodified QEMU, it stands in for /dev/vfio. What QEMU asks of a device becomes a line on
 * a socket, QEMU waits in its ioctl until the line is answered, and the answer is what the ioctl returns. Whoever
 * answers is the kernel. Eventfds are real and QEMU's own; the answer says which of them to signal.
 *
 * VFIO_SHIM names the descriptor of the socket. Numbers are decimal unless said otherwise. A line without an answer
 * waits for the next that has one, or for a read of the count of such lines.
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
#include <linux/kvm.h>
#include "devices.h"

enum { PCI_COMMAND = 4, BELL_RING = 0 };

static int fileAt(const char *path)
{
	if (strncmp(path, "/dev/vfio/", 10))
		return OTHER;
	return strcmp(path + 10, "vfio") ? FAKED_GROUP : FAKED_CONTAINER;
}

/* --- answers -------------------------------------------------------------------------------------------------- */

static void signalSerial(uint32_t serial)
{
	uint64_t one = 1;
	for (int fd = 0; serial && fd < FILES_MAX; fd++)
		if (serials[fd] == serial) {
			if (write(fd, &one, sizeof(one)) != sizeof(one))
				fail("write of an eventfd");
			return;
		}
}

/* Takes a result, and returns it as an ioctl does. */
static int takeResult(const char **at)
{
	int isErrno = **at == '-';
	*at += isErrno;
	int value = (int)number(at);
	return isErrno ? refuse(value) : value;
}

/* Sends the line; the answer is a result and what to signal. */
static int askResult(void)
{
	const char *at = ask();
	int result = takeResult(&at);
	int reason = errno;
	for (uint32_t serial; (serial = (uint32_t)number(&at));)
		signalSerial(serial);
	errno = reason;
	return result;
}

/* --- regions -------------------------------------------------------------------------------------------------- */

static void readRegion(int device, unsigned int region, uint64_t offset, uint8_t *bytes, size_t count)
{
	if (readKnown(&devices[device], region, offset, bytes, count) || count > sizeof(uint64_t))
		return;
	add("r %d %u %llu %zu", device, region, (unsigned long long)offset, count);
	const char *at = ask();
	uint64_t value = number(&at);
	value |= number(&at) << 32;
	memcpy(bytes, &value, count);
}

/* Of all that QEMU writes through, only Command does anything; BARs and Message Control are QEMU's own. */
static void writeConfig(int device, uint64_t offset, const uint8_t *bytes, size_t count)
{
	uint8_t *config = devices[device].config;
	if (offset > PCI_COMMAND + 1 || offset + count <= PCI_COMMAND)
		return;
	for (size_t i = 0; i < count; i++)
		if (offset + i == PCI_COMMAND || offset + i == PCI_COMMAND + 1)
			config[offset + i] = bytes[i];
	add("c %d %u", device, (unsigned int)(config[PCI_COMMAND] | config[PCI_COMMAND + 1] << 8));
	askResult();
}

static void writeRegion(int device, unsigned int region, uint64_t offset, const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		writeConfig(device, offset, bytes, count);
		return;
	}
	if (count > sizeof(value))
		return;
	memcpy(&value, bytes, count);
	if (!devices[device].isBell || region != 0)
		tellWritten(device, region, offset, count, value);
	else if (offset == BELL_RING)
		signalSerial((uint32_t)value);
}

/* --- ioctls --------------------------------------------------------------------------------------------------- */

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

static int irqInfo(int device, struct vfio_irq_info *info)
{
	add("i %d %u", device, info->index);
	const char *at = ask();
	int result = takeResult(&at);
	info->flags = (uint32_t)number(&at);
	info->count = (uint32_t)number(&at);
	return result < 0 ? result : 0;
}

static int deviceIoctl(int device, unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_DEVICE_GET_IRQ_INFO:
		return irqInfo(device, argument);
	case VFIO_DEVICE_SET_IRQS:
		add("s %d", device);
		addSetIrqs(argument);
		return askResult();
	case VFIO_DEVICE_RESET:
		add("z %d", device);
		return askResult();
	default:
		return fakedDeviceIoctl(&devices[device], request, argument);
	}
}

/* KVM is real and is asked first; who answers learns what it said. */
static int kvmIrqfd(const struct kvm_irqfd *irqfd, int result, int reason)
{
	int resample = irqfd->flags & KVM_IRQFD_FLAG_RESAMPLE ? serialOf((int)irqfd->resamplefd) : -1;
	add("k %d %d %u %u %d", serialOf((int)irqfd->fd), resample, irqfd->gsi, irqfd->flags, result < 0 ? -reason : 0);
	ask();
	return result;
}

static int kvmRouting(const struct kvm_irq_routing *routing, int result)
{
	add("g");
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
	int file = fileOf(fd);
	int isFaked = file != OTHER;
	if (!isFaked && request != KVM_IRQFD && request != KVM_SET_GSI_ROUTING)
		return next(fd, request, argument);
	int result = isFaked ? 0 : next(fd, request, argument);
	int reason = errno;
	pthread_mutex_lock(&lock);
	switch (file) {
	case OTHER:
		result = request == KVM_IRQFD ? kvmIrqfd(argument, result, reason) : kvmRouting(argument, result);
		break;
	case FAKED_CONTAINER:
		result = containerIoctl(request, argument);
		break;
	case FAKED_GROUP:
		result = fakedGroupIoctl(request, argument);
		break;
	default:
		result = deviceIoctl(file - FAKED, request, argument);
		break;
	}
	if (isFaked)
		reason = errno;
	pthread_mutex_unlock(&lock);
	errno = reason;
	return result;
}
