/*
 * The agent: PID 1 of the virtual machine. It performs scenarios on real vfio-pci devices and says what it sees.
 *
 * It reads lines from a virtio-serial port and answers in lines. Numbers are decimal.
 *
 *   to the agent                                   meaning
 *   S N slot:drops ...                             a scenario begins, on N devices named by their slots
 *   F                                              answer each operation at once (after a crash, to find where)
 *   o D | c D                                      open, close
 *   g D index argsz unreadable                     VFIO_DEVICE_GET_IRQ_INFO
 *   s D flags index start count argsz unreadable n element...   VFIO_DEVICE_SET_IRQS; an element is eK, p (a pipe) or a number
 *   z D                                            VFIO_DEVICE_RESET
 *   p D field value | q D field                    write, read a field of configuration space, see `fields`
 *   u D vector value | t D vector                  write, read Vector Control of an MSI-X entry through the region of its BAR
 *   b D vector                                     read the 32 bits of the PBA where the vector's is, through the region
 *   m D | n D                                      map BAR 0, remove the first mapping
 *   w K | x K                                      the user writes 1 to eventfd K, closes it
 *   r D vector | a D vector                        raise now; raise after the next call on the device, of those above
 *   i D | d D                                      the device asserts INTx, deasserts it
 *   k D                                            the device loses its MSI-X table
 *   l count                                        leave count host vectors free
 *   Z slot pattern milliseconds                    fire and change at once, and count what is lost (storm.h)
 *   E                                              perform all of it, then make the devices as a scenario finds them
 *
 *   from the agent
 *   R total shape...                               ready: host vectors that can be armed, and what is in each slot:
 *      shape: MSI-X vectors,MSI vectors,INTx,Express,reset,power management,silent
 *   A result|K:count,...|device|device...          one answer; the first is the state before the first operation
 *      result: 0, a negative errno, a positive number, "i flags count" or "v value"
 *      device: enable functionMask infoFlags registers vector=state,... (only vectors whose state changed)
 *   D                                              the scenario is done, and the devices are fresh
 *   X words                                        the agent cannot go on
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS_MAX = 16, VECTORS_MAX = 2048, EVENTFDS_MAX = 4096, DESCRIPTORS_MAX = 64, ARMED_MAX = 512, IRQS_MAX = 4096 };
/* Descriptors of this process: every eventfd, and one for each irq. */
enum { FILES_MAX = 16384 };
enum { ALLOCATED = 1, ARMED = 2, UNMASKED = 4, PENDING = 8, ADDRESS_0 = 16 };
enum { MSI_ENABLE = 1, MSI_MESSAGE = 2, INTX_DISABLE = 4, INTX_STATUS = 8, INTX_HANDLER = 16 };
enum { PCI_COMMAND = 4, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_INTX_DISABLE = 0x400 };
/* In the 32 bits of Command and Status. */
enum { PCI_STATUS_INTX = 8 << 16 };
enum { PCI_CAPABILITIES = 0x34, PCI_CAP_ID_POWER = 1, PCI_CAP_ID_MSI = 5, PCI_CAP_ID_MSIX = 0x11 };
/* Rocker fires a vector of its own when its number is stored here (hw/net/rocker/rocker_hw.h, ROCKER_TEST_IRQ). */
enum { ROCKER_TEST_IRQ = 0x20 };
/* Edu sets and clears bits of its status here; with any of them set it interrupts (docs/specs/edu.rst). */
enum { EDU_RAISE = 0x60, EDU_ACKNOWLEDGE = 0x64, EDU_EVENT = 1, EDU_LEVEL = 2 };
enum { MAPPINGS_MAX = 64, PAGE = 4096 };
/* No descriptor ever has this number, so as an eventfd it is EBADF. */
enum { NEVER_OPEN = 1000000 };

/* How the events of a device are caused. */
enum events { ROCKER, EDU, SILENT };

static const struct kind {
	const char *vendor, *device;
	enum events events;
} kinds[] = {
	{ "0x1b36", "0x0006", ROCKER },
	{ "0x1234", "0x11e8", EDU },
	/* nvme and nec-usb-xhci */
	{ "0x1b36", "0x0010", SILENT },
	{ "0x1033", "0x0194", SILENT },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct device {
	char bdf[16];
	enum events events;
	int group;
	int config;
	/* Its folder in sysfs, and that of its irqs by name from there: fewer steps for each look. */
	int folder;
	/* Its capabilities by their offset, 0 for none. */
	int msix;
	int msi;
	int power;
	/* Table size; MSI vectors; the larger of them. */
	int vectors;
	int msiVectors;
	int states;
	int intx;
	int express;
	int reset;
	/* What the kernel says of it has been asked. */
	int met;
	int drops;
	/* Of its table and its PBA in the vfio device. */
	off_t tableRegion;
	off_t pbaRegion;
	volatile uint32_t *registers;
	volatile uint8_t *table;
	volatile uint64_t *pba;
	int descriptors[DESCRIPTORS_MAX];
	int open;
	void *mappings[MAPPINGS_MAX];
	int mapped;
	int armed[ARMED_MAX];
	int armedCount;
	/* The irq of its pin, and who handles it. */
	int intxIrq;
	int intxActions;
	/* The scenario has turned memory decoding off: only then is it looked at, which takes time. */
	int memoryOff;
	/* What was last said of each vector, and of the irqs behind them. */
	uint8_t said[VECTORS_MAX];
	uint8_t irqState[VECTORS_MAX];
	int infoFlags;
	int registersSeen;
};

static struct device devices[SLOTS_MAX];
static int deviceCount;
/* The slots of the current scenario. */
static struct device *places[SLOTS_MAX];
static int placeCount;

static int eventfds[EVENTFDS_MAX];
static int eventfdUsed[EVENTFDS_MAX];
static int eventfdUsedCount;
static int sink;
static int pipeEnd;

/* Two devices that only use up host vectors: `held` of their vectors are armed, counted through both. */
static struct device *holders[2];
static int held;
static int hostVectors;

static int port;
static char out[1 << 20];
static size_t outLength;
/* SET_IRQS arguments end where this ends: the page behind it is not mapped. */
static uint8_t *argumentEnd;

static void flushOut(void)
{
	for (size_t done = 0; done < outLength;) {
		ssize_t written = write(port, out + done, outLength - done);
		if (written < 0 && errno != EINTR && errno != EAGAIN)
			break;
		if (written > 0)
			done += (size_t)written;
	}
	outLength = 0;
}

static void say(const char *format, ...)
{
	va_list arguments;
	if (outLength > sizeof(out) - 65536)
		flushOut();
	va_start(arguments, format);
	outLength += (size_t)vsnprintf(out + outLength, sizeof(out) - outLength, format, arguments);
	va_end(arguments);
}

/* The agent has failed, not the kernel: say so on both lines and stop the machine. */
static void __attribute__((noreturn)) fail(const char *what)
{
	int reason = errno;
	dprintf(2, "agent: %s: %s\n", what, strerror(reason));
	if (port > 0) {
		say("X %s: %s\n", what, strerror(reason));
		flushOut();
		tcdrain(port);
		usleep(200000);
	}
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static int readText(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t length = read(fd, text, size - 1);
	close(fd);
	if (length < 0)
		return -1;
	text[length] = 0;
	return (int)length;
}

static void writeText(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail(path);
	close(fd);
}

/* --- start ---------------------------------------------------------------------------------------------------- */

static const char *moduleOptions(const char *name)
{
	/* Without interrupt remapping vfio asks for this; the machine has one user, us. */
	if (strcmp(name, "vfio_iommu_type1.ko") == 0)
		return "allow_unsafe_interrupts=1";
	/* A device that nobody uses stays in D0: asleep it only costs time at each open and close. */
	return strcmp(name, "vfio-pci.ko") == 0 ? "disable_idle_d3=1" : "";
}

static void loadModules(void)
{
	char names[4096];
	if (readText("/mods/order", names, sizeof(names)) < 0)
		fail("/mods/order");
	for (char *name = strtok(names, "\n"); name; name = strtok(NULL, "\n")) {
		char path[256];
		snprintf(path, sizeof(path), "/mods/%s", name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		const char *options = moduleOptions(name);
		if (fd < 0 || (syscall(SYS_finit_module, fd, options, 0) != 0 && errno != EEXIST))
			fail(path);
		close(fd);
	}
}

static void *mapResource(const char *bdf, int bar)
{
	char path[128];
	struct stat status;
	/* Through sysfs and not through vfio: a mapping of the vfio device would keep it open. */
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%d", bdf, bar);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		fail(path);
	void *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		fail(path);
	close(fd);
	return mapped;
}

static uint32_t readConfig(const struct device *device, int offset, int size)
{
	uint32_t value = 0;
	if (pread(device->config, &value, (size_t)size, offset) != size)
		fail("read of configuration space");
	return value;
}

static void writeConfig(const struct device *device, int offset, uint16_t value)
{
	if (pwrite(device->config, &value, 2, offset) != 2)
		fail("write of configuration space");
}

static void addCommand(const struct device *device, uint16_t bits)
{
	writeConfig(device, PCI_COMMAND, (uint16_t)(readConfig(device, PCI_COMMAND, 2) | bits));
}

static int findCapability(const struct device *device, uint32_t id)
{
	int at = (int)readConfig(device, PCI_CAPABILITIES, 1);
	while (at != 0 && readConfig(device, at, 1) != id)
		at = (int)readConfig(device, at + 1, 1);
	return at;
}

/* A BAR is in the region of its number; regions are this far apart (VFIO_PCI_OFFSET_SHIFT). */
static off_t regionOf(uint32_t region)
{
	return (off_t)region << 40;
}

static void findTable(struct device *device)
{
	device->msix = findCapability(device, PCI_CAP_ID_MSIX);
	if (device->msix == 0)
		return;
	uint32_t table = readConfig(device, device->msix + 4, 4);
	uint32_t pba = readConfig(device, device->msix + 8, 4);
	device->vectors = (int)(readConfig(device, device->msix + 2, 2) & 0x7ff) + 1;
	device->table = (volatile uint8_t *)mapResource(device->bdf, (int)(table & 7)) + (table & ~7u);
	device->pba =
		(volatile uint64_t *)(void *)((uint8_t *)mapResource(device->bdf, (int)(pba & 7)) + (pba & ~7u));
	device->tableRegion = regionOf(table & 7) + (off_t)(table & ~7u);
	device->pbaRegion = regionOf(pba & 7) + (off_t)(pba & ~7u);
}

static void bindDevice(struct device *device, const char *bdf, int container)
{
	char path[128], link[256], *name;
	snprintf(device->bdf, sizeof(device->bdf), "%s", bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", bdf);
	writeText(path, "vfio-pci");
	writeText("/sys/bus/pci/drivers_probe", bdf);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		fail(path);
	link[length] = 0;
	name = strrchr(link, '/') + 1;
	snprintf(path, sizeof(path), "/dev/vfio/%s", name);
	device->group = open(path, O_RDWR | O_CLOEXEC);
	if (device->group < 0 || ioctl(device->group, VFIO_GROUP_SET_CONTAINER, &container) != 0)
		fail(path);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	device->config = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	device->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (device->config < 0 || device->folder < 0)
		fail(path);
	addCommand(device, PCI_COMMAND_MEMORY);
	findTable(device);
	device->msi = findCapability(device, PCI_CAP_ID_MSI);
	device->power = findCapability(device, PCI_CAP_ID_POWER);
	if (device->events != SILENT)
		device->registers = mapResource(bdf, 0);
}

static int byName(const void *left, const void *right)
{
	return strcmp(left, right);
}

static const struct kind *kindOf(const char *bdf)
{
	char path[300], vendor[16], device[16];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", bdf);
	if (readText(path, vendor, sizeof(vendor)) < 0)
		return NULL;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", bdf);
	if (readText(path, device, sizeof(device)) < 0)
		return NULL;
	for (int kind = 0; kind < KINDS; kind++)
		if (strncmp(vendor, kinds[kind].vendor, 6) == 0 && strncmp(device, kinds[kind].device, 6) == 0)
			return &kinds[kind];
	return NULL;
}

static void findDevices(int container)
{
	char found[SLOTS_MAX][16];
	int count = 0;
	DIR *folder = opendir("/sys/bus/pci/devices");
	if (!folder)
		fail("/sys/bus/pci/devices");
	for (struct dirent *entry; (entry = readdir(folder)) && count < SLOTS_MAX;) {
		if (entry->d_name[0] == '.' || !kindOf(entry->d_name))
			continue;
		memcpy(found[count], entry->d_name, 15);
		found[count++][15] = 0;
	}
	closedir(folder);
	qsort(found, (size_t)count, sizeof(found[0]), byName);
	for (deviceCount = 0; deviceCount < count; deviceCount++) {
		devices[deviceCount].events = kindOf(found[deviceCount])->events;
		bindDevice(&devices[deviceCount], found[deviceCount], container);
	}
}

/* --- vfio ----------------------------------------------------------------------------------------------------- */

static int descriptorOf(const struct device *device)
{
	return device->open > 0 ? device->descriptors[device->open - 1] : -1;
}

/* A mapping of a BAR holds the device as a descriptor does. */
static int isHeld(const struct device *device)
{
	return device->open > 0 || device->mapped > 0;
}

static long openDevice(struct device *device)
{
	if (device->open == DESCRIPTORS_MAX) {
		errno = EMFILE;
		fail("too many descriptors of one device");
	}
	int held = isHeld(device);
	int fd = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, device->bdf);
	if (fd < 0)
		return -errno;
	device->descriptors[device->open++] = fd;
	/* The first open turns bus mastering off, and without it no message ever arrives. */
	if (!held)
		addCommand(device, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return 0;
}

/* Raises and observations go on while nobody holds the device. */
static void keepDecoding(const struct device *device)
{
	if (!isHeld(device))
		addCommand(device, PCI_COMMAND_MEMORY);
}

static long closeDevice(struct device *device)
{
	if (device->open == 0)
		return -EBADF;
	close(device->descriptors[--device->open]);
	keepDecoding(device);
	return 0;
}

static long mapBar(struct device *device)
{
	if (device->open == 0)
		return -EBADF;
	if (device->mapped == MAPPINGS_MAX) {
		errno = EMFILE;
		fail("too many mappings of one device");
	}
	void *mapping = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, descriptorOf(device), regionOf(0));
	if (mapping == MAP_FAILED)
		return -errno;
	device->mappings[device->mapped++] = mapping;
	return 0;
}

static void unmapBar(struct device *device)
{
	if (device->mapped == 0)
		return;
	munmap(device->mappings[0], PAGE);
	device->mapped--;
	memmove(device->mappings, device->mappings + 1, (size_t)device->mapped * sizeof(device->mappings[0]));
	keepDecoding(device);
}

/* A field of configuration space, in the order in which the other side numbers them. */
static const struct field {
	/* The capability it is in, 0 for the header. */
	int capability;
	int offset;
	uint16_t mask;
} fields[] = {
	{ 0, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE },
	{ 0, PCI_COMMAND, PCI_COMMAND_MEMORY },
	{ 0, PCI_COMMAND, PCI_COMMAND_MASTER },
	{ PCI_CAP_ID_POWER, 4, 3 },
	{ PCI_CAP_ID_MSI, 2, 1 },
	{ PCI_CAP_ID_MSIX, 2, 0xffff },
};
enum { FIELDS = sizeof(fields) / sizeof(fields[0]) };

static const struct field *fieldOf(long number)
{
	if (number < 0 || number >= FIELDS) {
		errno = EINVAL;
		fail("field of configuration space");
	}
	return &fields[number];
}

/* Where a field is, or -1 in a function without the capability. */
static int offsetOf(const struct device *device, const struct field *field)
{
	int capability = field->capability == PCI_CAP_ID_POWER ? device->power :
			 field->capability == PCI_CAP_ID_MSI   ? device->msi :
								 device->msix;
	return field->capability == 0 ? field->offset : capability == 0 ? -1 : capability + field->offset;
}

/* Reads or writes through a region of the vfio device. */
static long transfer(const struct device *device, off_t offset, void *value, size_t size, int writes)
{
	ssize_t done = writes ? pwrite(descriptorOf(device), value, size, offset) :
				pread(descriptorOf(device), value, size, offset);
	return done < 0 ? -errno : done == (ssize_t)size ? 0 : -EIO;
}

/* Reads a field; with a value to write, writes it there and leaves the bits around it as they read. */
static long accessField(struct device *device, const struct field *field, uint32_t *value, int writes)
{
	uint16_t word;
	if (device->open == 0)
		return -EBADF;
	int offset = offsetOf(device, field);
	if (offset < 0)
		return -EINVAL;
	off_t at = regionOf(VFIO_PCI_CONFIG_REGION_INDEX) + offset;
	long result = transfer(device, at, &word, sizeof(word), 0);
	int shift = __builtin_ctz(field->mask);
	if (result != 0 || !writes) {
		*value = (uint32_t)(word & field->mask) >> shift;
		return result;
	}
	word = (uint16_t)((word & ~field->mask) | ((*value << shift) & field->mask));
	device->memoryOff |= field->mask == PCI_COMMAND_MEMORY && *value == 0;
	return transfer(device, at, &word, sizeof(word), 1);
}

/* Vector Control of an entry, or the part of the PBA with the vector's bit, through the region. */
static long accessTable(const struct device *device, char verb, long vector, uint32_t *value)
{
	if (device->open == 0)
		return -EBADF;
	if (vector < 0 || vector >= device->vectors)
		return -EINVAL;
	off_t at = verb == 'b' ? device->pbaRegion + vector / 32 * 4 : device->tableRegion + vector * 16 + 12;
	return transfer(device, at, value, sizeof(*value), verb == 'u');
}

static long resetDevice(const struct device *device)
{
	return ioctl(descriptorOf(device), VFIO_DEVICE_RESET) < 0 ? -errno : 0;
}

static long setIrqs(const struct device *device, uint32_t argsz, uint32_t flags, uint32_t index, uint32_t start,
		    uint32_t count, const void *data, size_t dataSize, int unreadable)
{
	struct vfio_irq_set header = { argsz, flags, index, start, count };
	uint8_t *argument = argumentEnd - sizeof(header) - dataSize;
	memcpy(argument, &header, sizeof(header));
	if (dataSize > 0)
		memcpy(argument + sizeof(header), data, dataSize);
	long result = ioctl(descriptorOf(device), VFIO_DEVICE_SET_IRQS, unreadable ? argumentEnd : argument);
	return result < 0 ? -errno : result;
}

/* Sets `count` MSI-X triggers to one descriptor. */
static long setAll(const struct device *device, int start, int count, int fd)
{
	static int32_t data[VECTORS_MAX];
	for (int place = 0; place < count; place++)
		data[place] = fd;
	size_t size = (size_t)count * sizeof(data[0]);
	return setIrqs(device, (uint32_t)(sizeof(struct vfio_irq_set) + size),
		       VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_PCI_MSIX_IRQ_INDEX, (uint32_t)start,
		       (uint32_t)count, data, size, 0);
}

static long disable(const struct device *device)
{
	return setIrqs(device, sizeof(struct vfio_irq_set), VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		       VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, NULL, 0, 0);
}

/* What GET_IRQ_INFO says of an index: 0 in both for one that there is not. */
static struct vfio_irq_info irqInfo(const struct device *device, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };
	if (ioctl(descriptorOf(device), VFIO_DEVICE_GET_IRQ_INFO, &info) != 0)
		info.flags = info.count = 0;
	return info;
}

/* Asks the kernel what the device can do, once, while nothing is enabled yet. */
static void meetDevice(struct device *device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	char path[128], text[16];
	if (ioctl(descriptorOf(device), VFIO_DEVICE_GET_INFO, &info) != 0)
		fail("VFIO_DEVICE_GET_INFO");
	device->reset = (info.flags & VFIO_DEVICE_FLAGS_RESET) != 0;
	device->intx = irqInfo(device, VFIO_PCI_INTX_IRQ_INDEX).count != 0;
	device->express = irqInfo(device, VFIO_PCI_ERR_IRQ_INDEX).count != 0;
	device->msiVectors = (int)irqInfo(device, VFIO_PCI_MSI_IRQ_INDEX).count;
	device->states = device->vectors > device->msiVectors ? device->vectors : device->msiVectors;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", device->bdf);
	if (readText(path, text, sizeof(text)) < 0)
		fail(path);
	device->intxIrq = atoi(text);
	device->intxActions = -1;
	device->met = 1;
}

static void readInfoFlags(struct device *device)
{
	device->infoFlags = device->open > 0 ? (int)irqInfo(device, VFIO_PCI_MSIX_IRQ_INDEX).flags : 0;
}

/* --- host vectors --------------------------------------------------------------------------------------------- */

enum { HOLD_ALL = 2 * VECTORS_MAX };

/* Arms or disarms holders until `wanted` vectors are held, or no more can be; says how many are. */
static int hold(int wanted)
{
	for (int place = 0, first = 0; place < 2; first += holders[place]->vectors, place++) {
		struct device *holder = holders[place];
		int last = first + holder->vectors;
		int from = held < first ? first : held;
		int to = wanted > last ? last : wanted;
		for (int vector = from; vector < to; vector++) {
			if (setAll(holder, vector - first, 1, sink) != 0)
				return held;
			held++;
		}
	}
	for (int place = 1, first = holders[0]->vectors; place >= 0; place--, first = 0) {
		int from = wanted < first ? first : wanted;
		if (held > from) {
			if (setAll(holders[place], from - first, held - from, -1) != 0)
				fail("release of held vectors");
			held = from;
		}
	}
	return held;
}

static void prepareHolders(void)
{
	int first = deviceCount - 2;
	for (int place = 0; place < 2; place++) {
		holders[place] = &devices[first + place];
		/* With -1 everywhere the irqs are allocated and no host vector is used yet. */
		if (openDevice(holders[place]) != 0 || setAll(holders[place], 0, holders[place]->vectors, -1) != 0)
			fail("holder");
	}
	hostVectors = hold(HOLD_ALL);
	hold(0);
	deviceCount = first;
}

/* Counted from what is left, whoever holds the rest: an MSI vector uses a host vector before anything is armed. */
static void limitVectors(int count)
{
	/* With more processors than one there are more vectors than our devices can hold. */
	if (hold(HOLD_ALL) == holders[0]->vectors + holders[1]->vectors)
		fail("the host has more vectors than there are to hold");
	hold(held > count ? held - count : 0);
}

/* --- observation ---------------------------------------------------------------------------------------------- */

/* A Linux irq: its file `actions`, which is gone with the irq, and the vector it stands for as long as it is there. */
struct irq {
	int actions;
	int vector;
};
static struct irq irqs[IRQS_MAX];
static int irqFolder;

/* Whether a handler is registered; -1 when there is no such irq any more. */
static int isRequested(const struct irq *irq)
{
	char text[4];
	/* The file holds the names of the handlers, and a newline at least. */
	ssize_t length = irq->actions < 0 ? -1 : pread(irq->actions, text, sizeof(text), 0);
	return length < 0 ? -1 : length > 1;
}

static void meetIrq(int number)
{
	char name[32], text[32] = "";
	struct irq *irq = &irqs[number];
	if (irq->actions >= 0)
		close(irq->actions);
	snprintf(name, sizeof(name), "%d/actions", number);
	irq->actions = openat(irqFolder, name, O_RDONLY | O_CLOEXEC);
	snprintf(name, sizeof(name), "%d/hwirq", number);
	int hwirq = openat(irqFolder, name, O_RDONLY | O_CLOEXEC);
	if (irq->actions < 0 || hwirq < 0 || read(hwirq, text, sizeof(text) - 1) <= 0)
		fail(name);
	close(hwirq);
	/* The low 11 bits of the hwirq of a message are its vector (pci_msi_domain_calc_hwirq). */
	irq->vector = (int)(strtoul(text, NULL, 10) & 0x7ff);
}

static void noteIrq(struct device *device, int number)
{
	if (number <= 0)
		return;
	if (number >= IRQS_MAX) {
		errno = ERANGE;
		fail("irq number");
	}
	int requested = isRequested(&irqs[number]);
	if (requested < 0) {
		meetIrq(number);
		requested = isRequested(&irqs[number]);
	}
	if (irqs[number].vector < device->states)
		device->irqState[irqs[number].vector] = (uint8_t)(ALLOCATED | (requested > 0 ? ARMED : 0));
}

/* struct linux_dirent64 of getdents64(2) */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

static void readIrqs(struct device *device)
{
	static uint64_t buffer[8192];
	long length;
	memset(device->irqState, 0, (size_t)device->states);
	int folder = openat(device->folder, "msi_irqs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return;
	while ((length = syscall(SYS_getdents64, folder, buffer, sizeof(buffer))) > 0)
		for (long at = 0; at < length;) {
			struct entry *entry = (struct entry *)(void *)((uint8_t *)buffer + at);
			noteIrq(device, atoi(entry->name));
			at += entry->length;
		}
	close(folder);
}

static int physicallyEnabled(const struct device *device)
{
	return device->msix != 0 && (readConfig(device, device->msix + 2, 2) & 0x8000) != 0;
}

/* Turns memory decoding on where it is off, for a moment; says whether it did. */
static int openBars(const struct device *device)
{
	if (!device->memoryOff || (readConfig(device, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY))
		return 0;
	addCommand(device, PCI_COMMAND_MEMORY);
	return 1;
}

/* Only the one bit: an interrupt may have come meanwhile, and DisINTx may be set. */
static void closeBars(const struct device *device, int opened)
{
	if (opened)
		writeConfig(device, PCI_COMMAND, (uint16_t)(readConfig(device, PCI_COMMAND, 2) & ~PCI_COMMAND_MEMORY));
}

/* The table changes only while a call on the device runs, or when the device loses it. */
static void readTable(struct device *device)
{
	int opened = openBars(device);
	for (int vector = 0; vector < device->vectors; vector++) {
		volatile uint8_t *entry = device->table + vector * 16;
		if ((*(volatile uint32_t *)(entry + 12) & 1) != 0)
			continue;
		int address0 = *(volatile uint64_t *)(void *)entry == 0;
		device->irqState[vector] |= (uint8_t)(UNMASKED | (address0 ? ADDRESS_0 : 0));
	}
	closeBars(device, opened);
}

static void look(struct device *device)
{
	readIrqs(device);
	readTable(device);
	readInfoFlags(device);
}

static int hasIntxHandler(struct device *device)
{
	char name[64], text[512];
	ssize_t length = device->intxActions < 0 ? -1 : pread(device->intxActions, text, sizeof(text) - 1, 0);
	if (length < 0) {
		/* The kernel gives the irq of a pin back with the last user of the line, and makes it again. */
		if (device->intxActions >= 0)
			close(device->intxActions);
		snprintf(name, sizeof(name), "%d/actions", device->intxIrq);
		device->intxActions = openat(irqFolder, name, O_RDONLY | O_CLOEXEC);
		length = device->intxActions < 0 ? -1 : pread(device->intxActions, text, sizeof(text) - 1, 0);
	}
	if (length < 0)
		return 0;
	text[length] = 0;
	snprintf(name, sizeof(name), "vfio-intx(%s)", device->bdf);
	return strstr(text, name) != NULL;
}

/* What there is beside MSI-X. */
static int readRegisters(struct device *device)
{
	int registers = 0;
	if (device->msi) {
		/* Message Control, then the address in two halves: no function here has the short form. */
		uint32_t words[3];
		if (pread(device->config, words, sizeof(words), device->msi) != sizeof(words))
			fail("read of the MSI capability");
		registers |= words[0] & 0x10000 ? MSI_ENABLE : 0;
		registers |= words[1] || words[2] ? MSI_MESSAGE : 0;
	}
	if (device->intx || device->msi) {
		uint32_t word = readConfig(device, PCI_COMMAND, 4);
		registers |= word & PCI_COMMAND_INTX_DISABLE ? INTX_DISABLE : 0;
		registers |= word & PCI_STATUS_INTX ? INTX_STATUS : 0;
	}
	if (device->intx)
		registers |= hasIntxHandler(device) ? INTX_HANDLER : 0;
	return registers;
}

static void storeRegister(const struct device *device, int offset, uint32_t value)
{
	int opened = openBars(device);
	device->registers[offset / 4] = value;
	closeBars(device, opened);
}

/*
 * QEMU's I/O APIC forgets a level that came while its entry was masked; a real one looks at the line when it is unmasked.
 * So a pin that is asserted, not disabled, and has a handler that was not called, is told once more.
 */
static void lookBeside(struct device *device)
{
	device->registersSeen = readRegisters(device);
	if (device->events != EDU ||
	    (device->registersSeen & (INTX_DISABLE | INTX_STATUS | INTX_HANDLER)) != (INTX_STATUS | INTX_HANDLER))
		return;
	storeRegister(device, EDU_ACKNOWLEDGE, EDU_LEVEL);
	storeRegister(device, EDU_RAISE, EDU_LEVEL);
	device->registersSeen = readRegisters(device);
}

static void sayVectors(struct device *device)
{
	uint64_t pending = 0;
	const char *separator = "";
	int opened = openBars(device);
	for (int vector = 0; vector < device->states; vector++) {
		if (vector % 64 == 0)
			pending = vector < device->vectors ? device->pba[vector / 64] : 0;
		uint8_t state = (uint8_t)(device->irqState[vector] | ((pending >> (vector % 64)) & 1 ? PENDING : 0));
		if (state == device->said[vector])
			continue;
		device->said[vector] = state;
		say("%s%d=%d", separator, vector, state);
		separator = ",";
	}
	closeBars(device, opened);
}

static void sayDevice(struct device *device)
{
	uint32_t control = device->msix ? readConfig(device, device->msix + 2, 2) : 0;
	say("|%d %d %d %d ", (control >> 15) & 1, (control >> 14) & 1, device->infoFlags, device->registersSeen);
	sayVectors(device);
}

static void sayEventfds(void)
{
	static struct pollfd polled[EVENTFDS_MAX];
	for (int place = 0; place < eventfdUsedCount; place++)
		polled[place] = (struct pollfd){ eventfds[eventfdUsed[place]], POLLIN, 0 };
	if (eventfdUsedCount == 0 || poll(polled, (nfds_t)eventfdUsedCount, 0) <= 0)
		return;
	const char *separator = "";
	for (int place = 0; place < eventfdUsedCount; place++) {
		uint64_t count;
		if (!(polled[place].revents & POLLIN) || read(polled[place].fd, &count, sizeof(count)) != sizeof(count))
			continue;
		say("%s%d:%llu", separator, eventfdUsed[place], (unsigned long long)count);
		separator = ",";
	}
}

static void answer(const char *result)
{
	for (int place = 0; place < placeCount; place++)
		lookBeside(places[place]);
	say("A %s|", result);
	sayEventfds();
	for (int place = 0; place < placeCount; place++)
		sayDevice(places[place]);
	say("\n");
}

/* Lets what the kernel has put off for a work queue happen: this process yields to anything else, see main. */
static void settle(void)
{
	sched_yield();
}

/* --- scenario ------------------------------------------------------------------------------------------------- */

static int eventfdOf(int number)
{
	if (number < 0 || number >= EVENTFDS_MAX) {
		errno = ERANGE;
		fail("eventfd number");
	}
	if (eventfds[number] < 0) {
		eventfds[number] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (eventfds[number] < 0)
			fail("eventfd");
		eventfdUsed[eventfdUsedCount++] = number;
	}
	return eventfds[number];
}

static void closeEventfd(int number)
{
	if (number < 0 || number >= EVENTFDS_MAX || eventfds[number] < 0)
		return;
	close(eventfds[number]);
	eventfds[number] = -1;
	for (int place = 0; place < eventfdUsedCount; place++) {
		if (eventfdUsed[place] != number)
			continue;
		eventfdUsedCount--;
		memmove(eventfdUsed + place, eventfdUsed + place + 1, (size_t)(eventfdUsedCount - place) * sizeof(int));
		break;
	}
}

/* In D3hot a function has no events. */
static int isAsleep(const struct device *device)
{
	return device->power != 0 && (readConfig(device, device->power + 4, 2) & 3) == 3;
}

static uint16_t messageControl(const struct device *device)
{
	return device->msi ? (uint16_t)readConfig(device, device->msi + 2, 2) : 0;
}

static void raiseVector(const struct device *device, int vector)
{
	if (device->events == SILENT || isAsleep(device))
		return;
	if (device->events == EDU) {
		if (vector != 0 || !(messageControl(device) & 1))
			return;
		storeRegister(device, EDU_RAISE, EDU_EVENT);
		storeRegister(device, EDU_ACKNOWLEDGE, EDU_EVENT);
	} else if (vector >= 0 && vector < device->vectors && (!device->drops || physicallyEnabled(device)))
		storeRegister(device, ROCKER_TEST_IRQ, (uint32_t)vector);
}

static void assertIntx(const struct device *device)
{
	if (device->events == EDU && !isAsleep(device) && !(messageControl(device) & 1))
		storeRegister(device, EDU_RAISE, EDU_LEVEL);
}

static void deassertIntx(const struct device *device)
{
	if (device->events != EDU)
		return;
	uint16_t control = messageControl(device);
	/* While MSI is on, edu leaves its pin as it is. */
	if (control & 1)
		writeConfig(device, device->msi + 2, control & ~1);
	storeRegister(device, EDU_ACKNOWLEDGE, EDU_LEVEL);
	if (control & 1)
		writeConfig(device, device->msi + 2, control);
}

static void wipeTable(const struct device *device)
{
	int opened = openBars(device);
	for (int vector = 0; vector < device->vectors; vector++) {
		volatile uint32_t *entry = (volatile uint32_t *)(void *)(device->table + vector * 16);
		entry[3] = 1;
		entry[0] = entry[1] = entry[2] = 0;
	}
	closeBars(device, opened);
}

static int highestPending(const struct device *device)
{
	for (int vector = device->vectors - 1; vector >= 0; vector--)
		if ((device->pba[vector / 64] >> (vector % 64)) & 1)
			return vector;
	return -1;
}

static int isStale(const struct device *device)
{
	int stale = highestPending(device) >= 0 || physicallyEnabled(device);
	for (int vector = 0; vector < device->states; vector++)
		stale |= device->irqState[vector] != 0;
	return stale;
}

/*
 * As a scenario finds a device: opened once, nothing enabled, nothing pending. Pending bits outlive a close, so they are
 * delivered into the sink.
 */
static void freshen(struct device *device)
{
	device->memoryOff = 0;
	if (openDevice(device) != 0)
		fail("open");
	if (!device->met)
		meetDevice(device);
	int highest = highestPending(device);
	if (highest >= 0 && (setAll(device, 0, highest + 1, sink) != 0 || disable(device) != 0))
		fail("delivery of what was pending");
	device->armedCount = 0;
	look(device);
	memset(device->said, 0, sizeof(device->said));
	if (isStale(device) || isAsleep(device) || readRegisters(device) != 0) {
		errno = EBUSY;
		fail("a device is not fresh after it was closed, drained and opened");
	}
}

/* What it may use up: one for each message, or one for its pin. */
static int vectorsOf(const struct device *device)
{
	return device->states > device->intx ? device->states : device->intx;
}

/* Leaves enough host vectors for the devices of the scenario; those held beyond that stay held, as arming them again takes time. */
static void leaveVectors(void)
{
	int vectors = 0;
	for (int place = 0; place < placeCount; place++)
		vectors += vectorsOf(places[place]);
	int spare = hostVectors > vectors ? hostVectors - vectors : 0;
	if (held > spare)
		hold(spare);
}

static long number(char **text)
{
	while (**text == ' ')
		(*text)++;
	return strtol(*text, text, 10);
}

static void beginScenario(char *text)
{
	placeCount = (int)number(&text);
	for (int place = 0; place < placeCount; place++) {
		places[place] = &devices[number(&text)];
		text++;
		places[place]->drops = (int)number(&text);
	}
	leaveVectors();
	answer("0");
	/* At once: whatever happens next, the scenario has begun. */
	flushOut();
}

/* Here and not at the start of the next: a kernel that dies when everything is closed dies of this scenario. */
static void endScenario(void)
{
	uint64_t count;
	while (eventfdUsedCount > 0)
		closeEventfd(eventfdUsed[eventfdUsedCount - 1]);
	for (int place = 0; place < placeCount; place++) {
		deassertIntx(places[place]);
		while (places[place]->mapped > 0)
			unmapBar(places[place]);
		while (places[place]->open > 0)
			closeDevice(places[place]);
	}
	leaveVectors();
	for (int place = 0; place < placeCount; place++)
		freshen(places[place]);
	while (read(sink, &count, sizeof(count)) == sizeof(count))
		;
	say("D\n");
}

static struct device *placeOf(char **text)
{
	long place = number(text);
	if (place < 0 || place >= placeCount) {
		errno = EINVAL;
		fail("device number");
	}
	return places[place];
}

static void lookAtAll(void)
{
	for (int place = 0; place < placeCount; place++)
		look(places[place]);
}

/* After a call on a device: look again, also at the others, which it should have left alone; and let what was armed for it happen. */
static void afterCall(struct device *device)
{
	lookAtAll();
	for (int place = 0; place < device->armedCount; place++)
		raiseVector(device, device->armed[place]);
	device->armedCount = 0;
}

static long performSetIrqs(const struct device *device, char *text)
{
	static uint8_t data[VECTORS_MAX * 8];
	uint32_t flags = (uint32_t)strtoul(text, &text, 10), index = (uint32_t)strtoul(text, &text, 10);
	uint32_t start = (uint32_t)strtoul(text, &text, 10), count = (uint32_t)strtoul(text, &text, 10);
	uint32_t argsz = (uint32_t)strtoul(text, &text, 10);
	int unreadable = (int)number(&text), elements = (int)number(&text);
	size_t width = flags & VFIO_IRQ_SET_DATA_EVENTFD ? 4 : flags & VFIO_IRQ_SET_DATA_BOOL ? 1 : 0;
	if ((size_t)elements * 4 > sizeof(data)) {
		errno = E2BIG;
		fail("data");
	}
	for (int place = 0; place < elements; place++) {
		int32_t value;
		while (*text == ' ')
			text++;
		if (*text == 'e')
			text++, value = eventfdOf((int)number(&text));
		else if (*text == 'p')
			text++, value = pipeEnd;
		else
			value = (int32_t)number(&text);
		memcpy(data + (size_t)place * width, &value, width);
	}
	return setIrqs(device, argsz, flags, index, start, count, data, (size_t)elements * width, unreadable);
}

static void performGetIrqInfo(const struct device *device, char *text, char *result, size_t size)
{
	struct vfio_irq_info info = { .index = (uint32_t)strtoul(text, &text, 10) };
	info.argsz = (uint32_t)strtoul(text, &text, 10);
	int unreadable = (int)number(&text);
	uint8_t *argument = argumentEnd - sizeof(info);
	memcpy(argument, &info, sizeof(info));
	if (ioctl(descriptorOf(device), VFIO_DEVICE_GET_IRQ_INFO, unreadable ? argumentEnd : argument) != 0) {
		snprintf(result, size, "%d", -errno);
		return;
	}
	memcpy(&info, argument, sizeof(info));
	snprintf(result, size, "i %u %u", info.flags, info.count);
}

/* Calls of the user on a device. */
static void performCall(struct device *device, char verb, char *line, char *result, size_t size)
{
	const struct field *field;
	uint32_t value = 0;
	long returned = 0;
	switch (verb) {
	case 'o':
		returned = openDevice(device);
		break;
	case 'c':
		returned = closeDevice(device);
		break;
	case 'g':
		performGetIrqInfo(device, line, result, size);
		return;
	case 's':
		returned = performSetIrqs(device, line);
		settle();
		break;
	case 'z':
		returned = resetDevice(device);
		break;
	case 'p':
	case 'q':
		field = fieldOf(number(&line));
		value = (uint32_t)strtoul(line, NULL, 10);
		returned = accessField(device, field, &value, verb == 'p');
		break;
	case 'u':
	case 't':
	case 'b':
		returned = number(&line);
		value = (uint32_t)strtoul(line, NULL, 10);
		returned = accessTable(device, verb, returned, &value);
		break;
	case 'm':
		returned = mapBar(device);
		break;
	case 'n':
		unmapBar(device);
		break;
	}
	if (returned == 0 && strchr("qtb", verb))
		snprintf(result, size, "v %u", value);
	else
		snprintf(result, size, "%ld", returned);
}

static void armRaise(struct device *device, int vector)
{
	if (device->armedCount == ARMED_MAX) {
		errno = E2BIG;
		fail("armed raises");
	}
	device->armed[device->armedCount++] = vector;
}

/* What else happens: to the user's eventfds, to a device, to the host. */
static void performOther(struct device *device, char verb, char *line)
{
	const uint64_t one = 1;
	switch (verb) {
	case 'w':
		if (write(eventfdOf((int)number(&line)), &one, sizeof(one)) != sizeof(one))
			fail("write to an eventfd");
		settle();
		lookAtAll();
		break;
	case 'x':
		closeEventfd((int)number(&line));
		settle();
		break;
	case 'r':
		raiseVector(device, (int)number(&line));
		break;
	case 'a':
		armRaise(device, (int)number(&line));
		break;
	case 'i':
		assertIntx(device);
		break;
	case 'd':
		deassertIntx(device);
		break;
	case 'k':
		wipeTable(device);
		look(device);
		break;
	case 'l':
		limitVectors((int)number(&line));
		break;
	default:
		errno = EPROTO;
		fail("an unknown verb");
	}
}

static void perform(char *line)
{
	char result[64] = "0";
	char verb = *line++;
	int isCall = strchr("ocgszpqutbmn", verb) != NULL;
	struct device *device = isCall || strchr("raidk", verb) ? placeOf(&line) : NULL;
	if (isCall) {
		performCall(device, verb, line, result, sizeof(result));
		afterCall(device);
	} else
		performOther(device, verb, line);
	answer(result);
}

#include "storm.h"

static void serve(void)
{
	static char in[1 << 22];
	size_t length = 0;
	int eachAtOnce = 0;
	for (;;) {
		ssize_t got = read(port, in + length, sizeof(in) - 1 - length);
		if (got <= 0) {
			/* Nobody holds the other end yet. */
			usleep(1000);
			continue;
		}
		length += (size_t)got;
		in[length] = 0;
		if (length < 2 || strcmp(in + length - 2, "E\n") != 0 || (length > 2 && in[length - 3] != '\n'))
			continue;
		for (char *line = in, *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			if (*line == 'S')
				beginScenario(line + 1), eachAtOnce = 0;
			else if (*line == 'F')
				eachAtOnce = 1;
			else if (*line == 'Z')
				runStorm(line + 1);
			else if (*line == 'E')
				endScenario();
			else
				perform(line);
			if (eachAtOnce)
				flushOut();
		}
		flushOut();
		length = 0;
	}
}

static void prepareArgument(void)
{
	size_t size = 1 << 16;
	uint8_t *pages = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED || mprotect(pages + size, 4096, PROT_NONE) != 0)
		fail("argument page");
	argumentEnd = pages + size;
}

int main(void)
{
	int pipes[2];
	struct rlimit files = { FILES_MAX, FILES_MAX };
	mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755);
	if (mount("proc", "/proc", "proc", 0, "") || mount("sysfs", "/sys", "sysfs", 0, ""))
		fail("mount");
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, "") && errno != EBUSY)
		fail("mount of /dev");
	int console = open("/dev/console", O_WRONLY);
	if (console >= 0)
		dup2(console, 2);
	loadModules();
	for (int tries = 0; (port = open("/dev/vport0p1", O_RDWR | O_CLOEXEC)) < 0; tries++) {
		if (tries == 5000)
			fail("/dev/vport0p1");
		usleep(1000);
	}
	/* Work queues go before us: what a call has put off is done when it returns. */
	const struct sched_param idle = { 0 };
	if (syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &idle) != 0)
		fail("SCHED_IDLE");
	prepareArgument();
	for (int name = 0; name < EVENTFDS_MAX; name++)
		eventfds[name] = -1;
	for (int irq = 0; irq < IRQS_MAX; irq++)
		irqs[irq].actions = -1;
	irqFolder = open("/sys/kernel/irq", O_PATH | O_DIRECTORY | O_CLOEXEC);
	sink = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (irqFolder < 0 || sink < 0 || pipe2(pipes, O_CLOEXEC) != 0 || setrlimit(RLIMIT_NOFILE, &files) != 0)
		fail("descriptors");
	pipeEnd = pipes[0];
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container < 0)
		fail("/dev/vfio/vfio");
	findDevices(container);
	if (deviceCount < 3 || ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU) != 0)
		fail("VFIO_SET_IOMMU");
	prepareHolders();
	for (int slot = 0; slot < deviceCount; slot++)
		freshen(&devices[slot]);
	say("R %d", hostVectors);
	for (int slot = 0; slot < deviceCount; slot++) {
		const struct device *device = &devices[slot];
		say(" %d,%d,%d,%d,%d,%d,%d", device->vectors, device->msiVectors, device->intx, device->express,
		    device->reset, device->power != 0, device->events == SILENT);
	}
	say("\n");
	flushOut();
	serve();
}
