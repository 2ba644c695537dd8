/*
 * Faked devices: what they are is asked when they are opened, and all that is written to their BARs is told.
 */
#include <stddef.h>
#include "files.h"

enum { DEVICES_MAX = 8, BARS = 6, CONFIG_BYTES = 256, BELL_COUNT = 8 };

static struct device {
	uint32_t flags;
	uint32_t irqs;
	uint64_t sizes[BARS];
	uint8_t config[CONFIG_BYTES];
	int isBell;
} devices[DEVICES_MAX];
static int deviceCount;

static int refuse(int reason)
{
	errno = reason;
	return -1;
}

static uint8_t digit(char letter)
{
	return (uint8_t)(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

static int openFaked(const char *name)
{
	if (deviceCount == DEVICES_MAX)
		fail("too many devices");
	struct device *device = &devices[deviceCount];
	add("d %d %s", deviceCount, name);
	const char *at = ask();
	device->flags = (uint32_t)number(&at);
	device->irqs = (uint32_t)number(&at);
	for (int bar = 0; bar < BARS; bar++)
		device->sizes[bar] = number(&at);
	at += strspn(at, " ");
	for (int i = 0; i < CONFIG_BYTES && at[0] && at[1]; i++, at += 2)
		device->config[i] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
	device->isBell = !strcmp(name, "bell0");
	return standIn(FAKED + deviceCount++);
}

static int fakedGroupIoctl(unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)argument)->flags = VFIO_GROUP_FLAGS_VIABLE;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
	case VFIO_GROUP_UNSET_CONTAINER:
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		return openFaked(argument);
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

/* The ioctls that are answered by what the device is. */
static int fakedDeviceIoctl(const struct device *device, unsigned long request, void *argument)
{
	if (request == VFIO_DEVICE_GET_REGION_INFO)
		return regionInfo(device, argument);
	if (request != VFIO_DEVICE_GET_INFO)
		return refuse(ENOTTY);
	struct vfio_device_info *info = argument;
	info->argsz = offsetof(struct vfio_device_info, cap_offset);
	info->flags = device->flags;
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	info->num_irqs = device->irqs;
	return 0;
}

/* Reads what nobody is asked for: configuration space, and the bell. Returns whether it is that. */
static int readKnown(const struct device *device, unsigned int region, uint64_t offset, uint8_t *bytes, size_t count)
{
	memset(bytes, 0, count);
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (offset + count <= CONFIG_BYTES)
			memcpy(bytes, device->config + offset, count);
		return 1;
	}
	if (!device->isBell || region != 0)
		return 0;
	if (offset == BELL_COUNT) {
		flush();
		memcpy(bytes, &toldLines, count < sizeof(toldLines) ? count : sizeof(toldLines));
	}
	return 1;
}

static void tellWritten(int device, unsigned int region, uint64_t offset, size_t count, uint64_t value)
{
	toldLines++;
	add("w %d %u %llu %zu %llu\n", device, region, (unsigned long long)offset, count, (unsigned long long)value);
}

/* What a SET_IRQS says, its eventfds last. */
static void addSetIrqs(const struct vfio_irq_set *set)
{
	add(" %u %u %u %u", set->flags, set->index, set->start, set->count);
	if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD)
		for (uint32_t i = 0; i < set->count; i++) {
			int32_t fd;
			memcpy(&fd, set->data + i * sizeof(fd), sizeof(fd));
			add(" %d", serialOf(fd));
		}
}
