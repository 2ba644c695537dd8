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
 *   x K                                            the user closes eventfd K
 *   r D vector | a D vector                        raise now; raise after the next o, c, g or s on the device
 *   l count                                        leave count host vectors free
 *   E                                              perform all of it, then make the devices as a scenario finds them
 *
 *   from the agent
 *   R total vectors...                             ready: host vectors that can be armed, table size by slot
 *   A result|K:count,...|device|device...          one answer; the first is the state before the first operation
 *      result: 0, a negative errno, a positive number, or "i flags count"
 *      device: enable functionMask infoFlags vector=state,... (only vectors whose state changed)
 *   D                                              the scenario is done, and the devices are fresh
 *   X words                                        the agent cannot go on
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <poll.h>
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
#include <unistd.h>

enum { SLOTS_MAX = 16, VECTORS_MAX = 2048, EVENTFDS_MAX = 4096, DESCRIPTORS_MAX = 64, ARMED_MAX = 512, IRQS_MAX = 4096 };
/* Descriptors of this process: every eventfd, and one for each irq. */
enum { FILES_MAX = 16384 };
enum { ALLOCATED = 1, ARMED = 2, UNMASKED = 4, PENDING = 8 };
enum { PCI_COMMAND = 4, PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_CAP_ID_MSIX = 0x11 };
/* Rocker fires a vector of its own when its number is stored here (hw/net/rocker/rocker_hw.h, ROCKER_TEST_IRQ). */
enum { ROCKER_TEST_IRQ = 0x20 };
/* No descriptor ever has this number, so as an eventfd it is EBADF. */
enum { NEVER_OPEN = 1000000 };

struct device {
	char bdf[16];
	int group;
	int config;
	/* Its folder in sysfs, and that of its irqs by name from there: fewer steps for each look. */
	int folder;
	int capability;
	int vectors;
	int drops;
	volatile uint32_t *registers;
	volatile uint8_t *table;
	volatile uint64_t *pba;
	int descriptors[DESCRIPTORS_MAX];
	int open;
	int armed[ARMED_MAX];
	int armedCount;
	/* What was last said of each vector, and of the irqs behind them. */
	uint8_t said[VECTORS_MAX];
	uint8_t irqState[VECTORS_MAX];
	int infoFlags;
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

static void loadModules(void)
{
	char names[4096];
	if (readText("/mods/order", names, sizeof(names)) < 0)
		fail("/mods/order");
	for (char *name = strtok(names, "\n"); name; name = strtok(NULL, "\n")) {
		char path[256];
		snprintf(path, sizeof(path), "/mods/%s", name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		/* Without interrupt remapping vfio asks for this; the machine has one user, us. */
		const char *options = strcmp(name, "vfio_iommu_type1.ko") == 0 ? "allow_unsafe_interrupts=1" : "";
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

static void addCommand(const struct device *device, uint16_t bits)
{
	uint16_t command = (uint16_t)(readConfig(device, PCI_COMMAND, 2) | bits);
	if (pwrite(device->config, &command, 2, PCI_COMMAND) != 2)
		fail("write of configuration space");
}

static int findCapability(const struct device *device)
{
	for (int at = (int)readConfig(device, 0x34, 1); at != 0; at = (int)readConfig(device, at + 1, 1))
		if (readConfig(device, at, 1) == PCI_CAP_ID_MSIX)
			return at;
	errno = ENOENT;
	fail("no MSI-X capability");
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
	device->capability = findCapability(device);
	device->vectors = (int)(readConfig(device, device->capability + 2, 2) & 0x7ff) + 1;
	addCommand(device, PCI_COMMAND_MEMORY);
	uint32_t table = readConfig(device, device->capability + 4, 4);
	uint32_t pba = readConfig(device, device->capability + 8, 4);
	device->registers = mapResource(bdf, 0);
	device->table = (volatile uint8_t *)mapResource(bdf, (int)(table & 7)) + (table & ~7u);
	device->pba = (volatile uint64_t *)(void *)((uint8_t *)mapResource(bdf, (int)(pba & 7)) + (pba & ~7u));
}

static int byName(const void *left, const void *right)
{
	return strcmp(left, right);
}

static void findDevices(int container)
{
	char found[SLOTS_MAX][16], path[300], text[16];
	int count = 0;
	DIR *folder = opendir("/sys/bus/pci/devices");
	if (!folder)
		fail("/sys/bus/pci/devices");
	for (struct dirent *entry; (entry = readdir(folder)) && count < SLOTS_MAX;) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", entry->d_name);
		/* 1b36:0006 is rocker. */
		if (entry->d_name[0] == '.' || readText(path, text, sizeof(text)) < 0 || strncmp(text, "0x0006", 6) != 0)
			continue;
		memcpy(found[count], entry->d_name, 15);
		found[count++][15] = 0;
	}
	closedir(folder);
	qsort(found, (size_t)count, sizeof(found[0]), byName);
	for (deviceCount = 0; deviceCount < count; deviceCount++)
		bindDevice(&devices[deviceCount], found[deviceCount], container);
}

/* --- vfio ----------------------------------------------------------------------------------------------------- */

static int descriptorOf(const struct device *device)
{
	return device->open > 0 ? device->descriptors[device->open - 1] : -1;
}

static long openDevice(struct device *device)
{
	if (device->open == DESCRIPTORS_MAX) {
		errno = EMFILE;
		fail("too many descriptors of one device");
	}
	int fd = ioctl(device->group, VFIO_GROUP_GET_DEVICE_FD, device->bdf);
	if (fd < 0)
		return -errno;
	device->descriptors[device->open++] = fd;
	/* The first open turns bus mastering off, and without it no message ever arrives. */
	addCommand(device, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	return 0;
}

static long closeDevice(struct device *device)
{
	if (device->open == 0)
		return -EBADF;
	close(device->descriptors[--device->open]);
	/* Raises and observations go on while the device is closed. */
	addCommand(device, PCI_COMMAND_MEMORY);
	return 0;
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

static void readInfoFlags(struct device *device)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };
	device->infoFlags = 0;
	if (device->open > 0 && ioctl(descriptorOf(device), VFIO_DEVICE_GET_IRQ_INFO, &info) == 0)
		device->infoFlags = (int)info.flags;
}

/* --- host vectors --------------------------------------------------------------------------------------------- */

/* Arms or disarms holders until `wanted` vectors are held; says how many are. */
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
	hostVectors = hold(holders[0]->vectors + holders[1]->vectors);
	hold(0);
	deviceCount = first;
}

static int armedVectors(void)
{
	int count = 0;
	for (int place = 0; place < placeCount; place++)
		for (int vector = 0; vector < places[place]->vectors; vector++)
			count += (places[place]->irqState[vector] & ARMED) != 0;
	return count;
}

static void limitVectors(int count)
{
	int wanted = hostVectors - armedVectors() - count;
	wanted = wanted < 0 ? 0 : wanted;
	if (hold(wanted) != wanted)
		fail("host vectors could not be used up as counted at the start");
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
	/* The low 11 bits of an MSI-X hwirq are its vector (pci_msi_domain_calc_hwirq). */
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
	if (irqs[number].vector < device->vectors)
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
	memset(device->irqState, 0, (size_t)device->vectors);
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

/* The table changes only while a call on the device runs. */
static void readTable(struct device *device)
{
	for (int vector = 0; vector < device->vectors; vector++) {
		uint32_t control = *(volatile uint32_t *)(device->table + vector * 16 + 12);
		device->irqState[vector] |= (control & 1) == 0 ? UNMASKED : 0;
	}
}

static void look(struct device *device)
{
	readIrqs(device);
	readTable(device);
	readInfoFlags(device);
}

static void sayDevice(struct device *device)
{
	uint32_t control = readConfig(device, device->capability + 2, 2);
	uint64_t pending = 0;
	const char *separator = "";
	say("|%d %d %d ", (control >> 15) & 1, (control >> 14) & 1, device->infoFlags);
	for (int vector = 0; vector < device->vectors; vector++) {
		if (vector % 64 == 0)
			pending = device->pba[vector / 64];
		uint8_t state = (uint8_t)(device->irqState[vector] | ((pending >> (vector % 64)) & 1 ? PENDING : 0));
		if (state == device->said[vector])
			continue;
		device->said[vector] = state;
		say("%s%d=%d", separator, vector, state);
		separator = ",";
	}
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
	say("A %s|", result);
	sayEventfds();
	for (int place = 0; place < placeCount; place++)
		sayDevice(places[place]);
	say("\n");
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

static void raiseVector(struct device *device, int vector)
{
	uint32_t control = readConfig(device, device->capability + 2, 2);
	if (vector < 0 || vector >= device->vectors || (device->drops && !(control & 0x8000)))
		return;
	device->registers[ROCKER_TEST_IRQ / 4] = (uint32_t)vector;
}

static int highestPending(const struct device *device)
{
	for (int vector = device->vectors - 1; vector >= 0; vector--)
		if ((device->pba[vector / 64] >> (vector % 64)) & 1)
			return vector;
	return -1;
}

/* As a scenario finds a device: opened once, MSI-X off, nothing pending. Pending bits outlive a close, so they are delivered into the sink. */
static void freshen(struct device *device)
{
	while (device->open > 0)
		closeDevice(device);
	if (openDevice(device) != 0)
		fail("open");
	int highest = highestPending(device);
	if (highest >= 0 && (setAll(device, 0, highest + 1, sink) != 0 || disable(device) != 0))
		fail("delivery of what was pending");
	device->armedCount = 0;
	look(device);
	memset(device->said, 0, sizeof(device->said));
	int stale = highestPending(device) >= 0 || (readConfig(device, device->capability + 2, 2) & 0x8000) != 0;
	for (int vector = 0; vector < device->vectors; vector++)
		stale |= device->irqState[vector] != 0;
	if (stale) {
		errno = EBUSY;
		fail("a device is not fresh after it was closed, drained and opened");
	}
}

/* Leaves enough host vectors for the devices of the scenario; those held beyond that stay held, as arming them again takes time. */
static void leaveVectors(void)
{
	int vectors = 0;
	for (int place = 0; place < placeCount; place++)
		vectors += places[place]->vectors;
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
	for (int place = 0; place < placeCount; place++)
		while (places[place]->open > 0)
			closeDevice(places[place]);
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

/* After a call on a device: look again, also at the others, which it should have left alone; and let what was armed for it happen. */
static void afterCall(struct device *device)
{
	for (int place = 0; place < placeCount; place++)
		look(places[place]);
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

static void perform(char *line)
{
	char result[64] = "0";
	char verb = *line++;
	struct device *device = strchr("ocgsra", verb) ? placeOf(&line) : NULL;
	switch (verb) {
	case 'o':
		snprintf(result, sizeof(result), "%ld", openDevice(device));
		break;
	case 'c':
		snprintf(result, sizeof(result), "%ld", closeDevice(device));
		break;
	case 'g':
		performGetIrqInfo(device, line, result, sizeof(result));
		break;
	case 's':
		snprintf(result, sizeof(result), "%ld", performSetIrqs(device, line));
		break;
	case 'x':
		closeEventfd((int)number(&line));
		break;
	case 'r':
		raiseVector(device, (int)strtoul(line, NULL, 10));
		break;
	case 'a':
		if (device->armedCount == ARMED_MAX) {
			errno = E2BIG;
			fail("armed raises");
		}
		device->armed[device->armedCount++] = (int)strtoul(line, NULL, 10);
		break;
	case 'l':
		limitVectors((int)number(&line));
		break;
	default:
		errno = EPROTO;
		fail("an unknown verb");
	}
	if (device && strchr("ocgs", verb))
		afterCall(device);
	answer(result);
}

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
	for (int slot = 0; slot < deviceCount; slot++)
		say(" %d", devices[slot].vectors);
	say("\n");
	flushOut();
	serve();
}
