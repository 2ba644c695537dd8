/*
 * The agent: PID 1 of the outer virtual machine. It starts inner QEMUs on devices that vfio-pci has, makes the devices
 * raise, and says what the hardware shows. What the inner QEMUs do is between them and the other side: each has two
 * ports of its own, one for qtest and one for the gate.
 *
 * It reads lines from the first virtio-serial port and answers in lines. Numbers are decimal.
 *
 *   to the agent                  answer                meaning
 *   q D word...                   Q                     start an inner QEMU for a device: a program and its arguments.
 *                                                       The other side has sent `~` on both ports, and nothing after
 *                                                       it; what is read up to there was for the one before, and `~`
 *                                                       is sent back on both
 *   r D vector                    r                     the device raises; whatever comes of it has come
 *   l D                           L control registers state,...
 *                                                       MSI-X Message Control; INTX_DISABLE, INTX_STATUS and
 *                                                       INTX_HANDLER, added up; of each vector ALLOCATED, ARMED,
 *                                                       UNMASKED, PENDING and ADDRESS_0, added up
 *
 *   from the agent, unasked
 *   R address,vectors,events ...  ready: the devices, each with its kind of `events`
 *   X D status words              an inner QEMU has ended: what wait says, and the last it said; \1 is a new line
 *   F words                       the agent cannot go on
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEVICES_MAX = 8, VECTORS_MAX = 128, IRQS_MAX = 4096, WORDS_MAX = 128, PAGE = 4096 };
enum { ALLOCATED = 1, ARMED = 2, UNMASKED = 4, PENDING = 8, ADDRESS_0 = 16 };
enum { INTX_DISABLE = 4, INTX_STATUS = 8, INTX_HANDLER = 16 };
enum { PCI_COMMAND_INTX_DISABLE = 0x400, PCI_STATUS_INTX = 8 << 16, PCI_INTERRUPT_PIN = 0x3d };
enum { PCI_COMMAND = 4, PCI_COMMAND_MEMORY = 2, PCI_CAPABILITIES = 0x34, PCI_CAP_ID_MSIX = 0x11 };
enum { MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_PBA = 8, MSIX_ENABLE = 0x8000, ENTRY_WORDS = 4, ENTRY_CONTROL = 3 };
/* Rocker fires a vector of its own when its number is stored here (hw/net/rocker/rocker_hw.h, ROCKER_TEST_IRQ). */
enum { ROCKER_TEST_IRQ = 0x20 };
/* Where ivshmem takes the peer and the vector to signal (docs/specs/ivshmem-spec.rst), and who we are (launcher.c). */
enum { IVSHMEM_DOORBELL = 12, IVSHMEM_PEER = 1 << 16 };
/* Of a port, in the order of the command line. */
enum { FIRST_QTEST_PORT = 2, FIRST_GATE_PORT = 3, PORTS_EACH = 2 };
enum { GATE_FILE = 3 };

/* How the events of a device are caused: a rocker keeps them while MSI-X is off, an ivshmem forgets them. */
enum events { ROCKER, IVSHMEM, SILENT };

static const struct kind {
	const char *vendor, *device;
	enum events events;
} kinds[] = {
	{ "0x1b36", "0x0006", ROCKER },
	{ "0x1af4", "0x1110", IVSHMEM },
	/* nvme */
	{ "0x1b36", "0x0010", SILENT },
};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct device {
	char address[16];
	enum events events;
	/* Has an interrupt pin. */
	int intx;
	int config;
	int folder;
	int msix;
	int vectors;
	volatile uint32_t *registers;
	volatile uint32_t *table;
	volatile uint32_t *pba;
	int qtest;
	int gate;
	pid_t inner;
};

static struct device devices[DEVICES_MAX];
static int deviceCount;
/* An ivshmem that nobody drives: what it is told last, it does last. */
static struct device sentinel;
static int port;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	static char text[1 << 14];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (int done = 0; done < length;) {
		ssize_t written = write(port, text + done, (size_t)(length - done));
		if (written > 0)
			done += (int)written;
	}
}

static void __attribute__((noreturn)) fail(const char *what)
{
	int reason = errno;
	dprintf(2, "agent: %s: %s\n", what, strerror(reason));
	if (port > 0) {
		say("F %s: %s\n", what, strerror(reason));
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
		/* A device that nobody uses stays in D0: asleep it only costs time at each open and close. */
		const char *options = strcmp(name, "vfio-pci.ko") == 0 ? "disable_idle_d3=1" : "";
		if (fd < 0 || (syscall(SYS_finit_module, fd, options, 0) != 0 && errno != EEXIST))
			fail(path);
		close(fd);
	}
}

/* Through sysfs and not through vfio, which only one can use. A small BAR is anywhere in its page. */
static volatile uint32_t *mapBar(const struct device *device, uint32_t bar, uint32_t offset)
{
	char path[128], text[1024];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", device->address);
	if (readText(path, text, sizeof(text)) < 0)
		fail(path);
	char *line = text;
	for (uint32_t skipped = 0; skipped < bar && line; skipped++)
		line = strchr(line, '\n') + 1;
	uint64_t place = strtoull(line, NULL, 16) & (PAGE - 1);
	struct stat status;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource%u", device->address, bar);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		fail(path);
	uint8_t *mapped = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		fail(path);
	close(fd);
	return (volatile uint32_t *)(void *)(mapped + place + offset);
}

static uint32_t readConfig(const struct device *device, int offset, int size)
{
	uint32_t value = 0;
	if (pread(device->config, &value, (size_t)size, offset) != size)
		fail("read of configuration space");
	return value;
}

static void writeConfig(const struct device *device, int offset, uint32_t value)
{
	uint16_t word = (uint16_t)value;
	if (pwrite(device->config, &word, 2, offset) != 2)
		fail("write of configuration space");
}

static void meet(struct device *device)
{
	char path[128];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", device->address);
	device->config = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", device->address);
	device->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (device->config < 0 || device->folder < 0)
		fail(path);
	writeConfig(device, PCI_COMMAND, readConfig(device, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY);
	device->msix = (int)readConfig(device, PCI_CAPABILITIES, 1);
	while (device->msix != 0 && readConfig(device, device->msix, 1) != PCI_CAP_ID_MSIX)
		device->msix = (int)readConfig(device, device->msix + 1, 1);
	uint32_t table = readConfig(device, device->msix + MSIX_TABLE, 4);
	uint32_t pba = readConfig(device, device->msix + MSIX_PBA, 4);
	device->vectors = (int)(readConfig(device, device->msix + MSIX_CONTROL, 2) & 0x7ff) + 1;
	device->intx = readConfig(device, PCI_INTERRUPT_PIN, 1) != 0;
	device->registers = mapBar(device, 0, 0);
	device->table = mapBar(device, table & 7, table & ~7u);
	device->pba = mapBar(device, pba & 7, pba & ~7u);
}

static void bind(const struct device *device)
{
	char path[128];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", device->address);
	writeText(path, "vfio-pci");
	writeText("/sys/bus/pci/drivers_probe", device->address);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", device->address);
	if (access(path, F_OK) != 0)
		fail(path);
}

static int byName(const void *left, const void *right)
{
	return strcmp(left, right);
}

static const struct kind *kindOf(const char *address)
{
	char path[300], vendor[16], device[16];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", address);
	if (readText(path, vendor, sizeof(vendor)) < 0)
		return NULL;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", address);
	if (readText(path, device, sizeof(device)) < 0)
		return NULL;
	for (int kind = 0; kind < KINDS; kind++)
		if (strncmp(vendor, kinds[kind].vendor, 6) == 0 && strncmp(device, kinds[kind].device, 6) == 0)
			return &kinds[kind];
	return NULL;
}

static int openPort(int number)
{
	char path[32];
	int fd;
	snprintf(path, sizeof(path), "/dev/vport0p%d", number);
	for (int tries = 0; (fd = open(path, O_RDWR | O_CLOEXEC)) < 0; tries++) {
		if (tries == 5000)
			fail(path);
		usleep(1000);
	}
	return fd;
}

static void findDevices(void)
{
	char found[DEVICES_MAX + 1][16];
	int count = 0;
	DIR *folder = opendir("/sys/bus/pci/devices");
	if (!folder)
		fail("/sys/bus/pci/devices");
	for (struct dirent *entry; (entry = readdir(folder)) && count <= DEVICES_MAX;) {
		if (entry->d_name[0] == '.' || !kindOf(entry->d_name))
			continue;
		memcpy(found[count], entry->d_name, 15);
		found[count++][15] = 0;
	}
	closedir(folder);
	qsort(found, (size_t)count, sizeof(found[0]), byName);
	for (int place = 0; place < count; place++) {
		/* The sentinel is in the last slot. */
		struct device *device = place == count - 1 ? &sentinel : &devices[deviceCount++];
		memcpy(device->address, found[place], sizeof(device->address));
		device->events = kindOf(found[place])->events;
		meet(device);
		if (device == &sentinel)
			continue;
		bind(device);
		device->qtest = openPort(FIRST_QTEST_PORT + PORTS_EACH * place);
		device->gate = openPort(FIRST_GATE_PORT + PORTS_EACH * place);
	}
	if (deviceCount == 0 || sentinel.events != IVSHMEM)
		fail("no devices");
	/* Its entries are masked, so what it is told shows in the PBA, and nowhere else. */
	writeConfig(&sentinel, sentinel.msix + MSIX_CONTROL, MSIX_ENABLE);
}

/* --- events --------------------------------------------------------------------------------------------------- */

/* The outer QEMU hears doorbells in its event loop; it has heard all before the last, or hears them in the same turn. */
static void waitForDoorbells(void)
{
	for (int turn = 0; turn < 2; turn++) {
		sentinel.registers[IVSHMEM_DOORBELL / 4] = IVSHMEM_PEER;
		while ((sentinel.pba[0] & 1) == 0)
			nanosleep(&(struct timespec){ 0, 1000 }, NULL);
		/* Unmasked for a moment it sends its message, which goes nowhere: it is no bus master. */
		sentinel.table[ENTRY_CONTROL] = 0;
		sentinel.table[ENTRY_CONTROL] = 1;
	}
}

static void raiseVector(const struct device *device, int vector)
{
	if (vector < 0 || vector >= device->vectors)
		return;
	switch (device->events) {
	case ROCKER:
		device->registers[ROCKER_TEST_IRQ / 4] = (uint32_t)vector;
		break;
	case IVSHMEM:
		device->registers[IVSHMEM_DOORBELL / 4] = (uint32_t)(IVSHMEM_PEER | vector);
		waitForDoorbells();
		break;
	case SILENT:
		break;
	}
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

static void readIrqs(const struct device *device, int *states)
{
	int fd = openat(device->folder, "msi_irqs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		int number = atoi(entry->d_name);
		if (number <= 0)
			continue;
		if (number >= IRQS_MAX)
			fail("irq number");
		int requested = isRequested(&irqs[number]);
		if (requested < 0) {
			meetIrq(number);
			requested = isRequested(&irqs[number]);
		}
		if (irqs[number].vector < device->vectors)
			states[irqs[number].vector] = ALLOCATED | (requested > 0 ? ARMED : 0);
	}
	closedir(folder);
}

/* The irq of a pin is given back with the last user of its line, and made again. */
static int hasIntxHandler(const struct device *device)
{
	char path[128], text[512];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/irq", device->address);
	if (readText(path, text, sizeof(text)) < 0)
		fail(path);
	snprintf(path, sizeof(path), "/sys/kernel/irq/%d/actions", atoi(text));
	if (readText(path, text, sizeof(text)) < 0)
		return 0;
	snprintf(path, sizeof(path), "vfio-intx(%s)", device->address);
	return strstr(text, path) != NULL;
}

static int readRegisters(const struct device *device)
{
	if (!device->intx)
		return 0;
	uint32_t word = readConfig(device, PCI_COMMAND, 4);
	return (word & PCI_COMMAND_INTX_DISABLE ? INTX_DISABLE : 0) | (word & PCI_STATUS_INTX ? INTX_STATUS : 0) |
	       (hasIntxHandler(device) ? INTX_HANDLER : 0);
}

static void look(const struct device *device)
{
	int states[VECTORS_MAX] = { 0 };
	char text[VECTORS_MAX * 4] = "";
	size_t length = 0;
	readIrqs(device, states);
	for (int vector = 0; vector < device->vectors; vector++) {
		volatile uint32_t *entry = device->table + vector * ENTRY_WORDS;
		if ((entry[ENTRY_CONTROL] & 1) == 0)
			states[vector] |= UNMASKED | (entry[0] == 0 && entry[1] == 0 ? ADDRESS_0 : 0);
		if (device->pba[vector / 32] >> (vector % 32) & 1)
			states[vector] |= PENDING;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%d", vector ? "," : "", states[vector]);
	}
	uint32_t control = readConfig(device, device->msix + MSIX_CONTROL, 2);
	say("L %u %d %s\n", control, readRegisters(device), text);
}

/* --- inner QEMUs ---------------------------------------------------------------------------------------------- */

static const char *errorsOf(const struct device *device)
{
	static char path[32];
	snprintf(path, sizeof(path), "/errors%d", (int)(device - devices));
	return path;
}

/* Forgets all up to the line `~`, which is the last, and answers it. */
static void drain(int fd)
{
	char text[256], last[2] = { 0 };
	while (last[0] != '~' || last[1] != '\n') {
		struct pollfd file = { .fd = fd, .events = POLLIN };
		poll(&file, 1, -1);
		ssize_t length = read(fd, text, sizeof(text));
		for (ssize_t place = 0; place < length; place++) {
			last[0] = last[1];
			last[1] = text[place];
		}
	}
	while (write(fd, "~\n", 2) != 2)
		;
}

static void startInner(struct device *device, char *words)
{
	char *arguments[WORDS_MAX + 1];
	int count = 0;
	for (char *word = strtok(words, " "); word && count < WORDS_MAX; word = strtok(NULL, " "))
		arguments[count++] = word;
	arguments[count] = NULL;
	drain(device->qtest);
	drain(device->gate);
	device->inner = fork();
	if (device->inner < 0)
		fail("fork");
	if (device->inner == 0) {
		const struct sched_param other = { 0 };
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &other);
		int errors = open(errorsOf(device), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
		dup2(device->qtest, 0), dup2(device->qtest, 1), dup2(errors, 2), dup2(device->gate, GATE_FILE);
		execv(arguments[0], arguments);
		dprintf(2, "%s: %s\n", arguments[0], strerror(errno));
		_exit(127);
	}
	say("Q\n");
}

static void tellEnd(struct device *device, int status)
{
	char text[2048];
	int fd = open(errorsOf(device), O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t from = size > (off_t)sizeof(text) - 1 ? size - ((off_t)sizeof(text) - 1) : 0;
	ssize_t length = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, from);
	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = 0;
	/* What begins in the middle of a line is not said at all. */
	const char *words = from > 0 && strchr(text, '\n') ? strchr(text, '\n') + 1 : text;
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = 1;
	device->inner = 0;
	say("X %d %d %s\n", (int)(device - devices), status, words);
}

static void reap(int signals)
{
	struct signalfd_siginfo ignored;
	pid_t pid;
	int status;
	if (read(signals, &ignored, sizeof(ignored)) < 0)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int place = 0; place < deviceCount; place++)
			if (devices[place].inner == pid)
				tellEnd(&devices[place], status);
}

/* --- serving -------------------------------------------------------------------------------------------------- */

static void perform(char *line)
{
	char verb = *line++;
	long place = strtol(line, &line, 10);
	if (place < 0 || place >= deviceCount) {
		errno = EINVAL;
		fail("device");
	}
	struct device *device = &devices[place];
	switch (verb) {
	case 'q':
		startInner(device, line);
		break;
	case 'r':
		raiseVector(device, atoi(line));
		say("r\n");
		break;
	case 'l':
		look(device);
		break;
	default:
		errno = EINVAL;
		fail("verb");
	}
}

static void __attribute__((noreturn)) serve(int signals)
{
	static char in[1 << 14];
	size_t length = 0;
	struct pollfd files[] = { { .fd = port, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	for (;;) {
		poll(files, 2, -1);
		if (files[1].revents & POLLIN)
			reap(signals);
		if (!(files[0].revents & POLLIN))
			continue;
		ssize_t got = read(port, in + length, sizeof(in) - 1 - length);
		if (got <= 0)
			continue;
		length += (size_t)got;
		in[length] = 0;
		char *line = in;
		for (char *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = 0;
			perform(line);
		}
		length -= (size_t)(line - in);
		memmove(in, line, length);
	}
}

int main(void)
{
	sigset_t child;
	mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755);
	if (mount("proc", "/proc", "proc", 0, "") || mount("sysfs", "/sys", "sysfs", 0, ""))
		fail("mount");
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, "") && errno != EBUSY)
		fail("mount of /dev");
	/* The first descriptors are taken, so that none of ours is where an inner QEMU has its own. */
	int console;
	do
		console = open("/dev/console", O_RDWR);
	while (console >= 0 && console <= GATE_FILE);
	dup2(console, 2);
	loadModules();
	port = openPort(1);
	/* All else goes before us: what we have caused has happened when we answer. */
	const struct sched_param idle = { 0 };
	if (syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &idle) != 0)
		fail("SCHED_IDLE");
	for (int irq = 0; irq < IRQS_MAX; irq++)
		irqs[irq].actions = -1;
	irqFolder = open("/sys/kernel/irq", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (irqFolder < 0)
		fail("/sys/kernel/irq");
	setenv("VFIO_SHIM", "3", 1);
	setenv("QEMU_MODULE_DIR", "/q/modules", 1);
	findDevices();
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	int signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals < 0)
		fail("signalfd");
	say("R");
	for (int place = 0; place < deviceCount; place++)
		say(" %s,%d,%d", devices[place].address, devices[place].vectors, (int)devices[place].events);
	say("\n");
	serve(signals);
}
