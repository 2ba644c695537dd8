/*
 * The regions of the faked devices.
 */
#include <linux/vfio.h>
#include "eventfds.h"

enum { DEVICES_MAX = 8, BARS = 6, CONFIG_BYTES = 256 };
enum { PCI_COMMAND = 4, BELL_RING = 0, BELL_COUNT = 8 };

static struct device {
	uint32_t flags;
	uint32_t irqs;
	uint64_t sizes[BARS];
	uint8_t config[CONFIG_BYTES];
	int isBell;
} devices[DEVICES_MAX];
static int deviceCount;

/* Lines without an answer so far. */
static uint32_t toldLines;

static void readRegion(struct device *device, unsigned int region, uint64_t offset, uint8_t *bytes, size_t count)
{
	uint64_t value = 0;
	memset(bytes, 0, count);
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (offset + count <= CONFIG_BYTES)
			memcpy(bytes, device->config + offset, count);
		return;
	}
	if (count > sizeof(value))
		return;
	if (device->isBell && region == 0)
		value = offset == BELL_COUNT ? toldLines : 0;
	else {
		begin("r %d %u %llu %zu", (int)(device - devices), region, (unsigned long long)offset, count);
		char *at = ask();
		value = strtoull(at, &at, 10);
		value |= strtoull(at, &at, 10) << 32;
	}
	memcpy(bytes, &value, count);
}

static void writeRegion(struct device *device, unsigned int region, uint64_t offset, const uint8_t *bytes, size_t count)
{
	uint64_t value = 0;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		/* Of all that QEMU writes through, only Command does anything; BARs and Message Control are QEMU's own. */
		if (offset > PCI_COMMAND + 1 || offset + count <= PCI_COMMAND)
			return;
		for (size_t i = 0; i < count; i++)
			if (offset + i == PCI_COMMAND || offset + i == PCI_COMMAND + 1)
				device->config[offset + i] = bytes[i];
		unsigned int command = device->config[PCI_COMMAND] | device->config[PCI_COMMAND + 1] << 8;
		begin("c %d %u", (int)(device - devices), command);
		askResult();
		return;
	}
	if (count > sizeof(value))
		return;
	memcpy(&value, bytes, count);
	if (device->isBell && region == 0) {
		if (offset == BELL_RING)
			signalSerial((uint32_t)value);
		return;
	}
	toldLines++;
	begin("w %d %u %llu %zu %llu", (int)(device - devices), region, (unsigned long long)offset, count,
	      (unsigned long long)value);
	sendLine();
}
