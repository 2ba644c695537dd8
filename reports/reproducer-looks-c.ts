import type { Part } from './reproducer-part.ts';

/** What is done beside the calls, and what is seen of a device, in the order in which it stands in a program. */
export const LOOKS = {
  writeEventfd: {
    needs: ['eventfds'],
    text: `
static void write_eventfd(int fd)
{
	const uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one))
		trouble("write to an eventfd");
}`,
  },
  pipe: {
    needs: ['trouble'],
    text: `
/* A descriptor that is open and no eventfd. */
static int a_pipe;

static void new_pipe(void)
{
	int ends[2];

	if (pipe(ends))
		trouble("pipe");
	a_pipe = ends[0];
}`,
  },
  mappings: {
    needs: ['device'],
    text: `
static void *mappings[64];
static int mapped;`,
  },
  mapBar: {
    needs: ['mappings'],
    text: `
static const char *map_bar(const struct device *dev)
{
	void *mapping = mapped == 64 || fd_of(dev) < 0 ?
		MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd_of(dev), region_at(dev, VFIO_PCI_BAR0_REGION_INDEX));

	if (mapping == MAP_FAILED)
		return result_of(-1);
	mappings[mapped++] = mapping;
	return "ok";
}
`,
  },
  unmapBar: {
    needs: ['mappings'],
    text: `
static void unmap_bar(void)
{
	if (mapped == 0)
		return;
	munmap(mappings[0], 4096);
	memmove(mappings, mappings + 1, (size_t)--mapped * sizeof(mappings[0]));
}`,
  },
  ask: {
    needs: ['trouble'],
    text: String.raw`
/* For what no program can do from here. */
static void ask(const char *what)
{
	printf("       now %s, and press Enter\n", what);
	fflush(stdout);
	if (getchar() == EOF) {
		errno = ENODATA;
		trouble("nobody pressed Enter");
	}
}`,
  },
  store: {
    needs: ['physical', 'ask'],
    text: `
/* Devices of QEMU that raise when they are told: rocker any vector of MSI-X, edu its one of MSI. */
enum { ROCKER = 0x00061b36, ROCKER_RAISE = 0x20, EDU = 0x11e81234, EDU_RAISE = 0x60, EDU_ACKNOWLEDGE = 0x64 };

static void store(const struct device *dev, off_t at, __u32 value)
{
	at += region_at(dev, VFIO_PCI_BAR0_REGION_INDEX);
	if (pwrite(fd_of(dev), &value, sizeof(value), at) != sizeof(value))
		trouble("store into BAR 0");
}`,
  },
  raise: {
    needs: ['capability', 'store'],
    text: `
/* With drops, rocker is as a device that forgets what happens while MSI-X is off: it keeps it otherwise. */
static void raise_vector(const struct device *dev, __u32 vector, int drops)
{
	__u32 id = physical(dev, PCI_VENDOR_ID, 4);
	int msi = capability(dev, PCI_CAP_ID_MSI), msix = capability(dev, PCI_CAP_ID_MSIX);
	char what[80];

	if (id == ROCKER && fd_of(dev) >= 0) {
		if (!drops || (physical(dev, msix + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_ENABLE))
			store(dev, ROCKER_RAISE, vector);
	} else if (id == EDU && fd_of(dev) >= 0) {
		if (vector != 0 || !(physical(dev, msi + PCI_MSI_FLAGS, 2) & PCI_MSI_FLAGS_ENABLE))
			return;
		store(dev, EDU_RAISE, 1);
		store(dev, EDU_ACKNOWLEDGE, 1);
	} else {
		snprintf(what, sizeof(what), "make %s raise vector %u", dev->address, vector);
		ask(what);
	}
}`,
  },
  intx: {
    needs: ['store'],
    text: `
enum { EDU_LEVEL = 2 };

static void set_intx(const struct device *dev, int asserted)
{
	char what[80];

	if (physical(dev, PCI_VENDOR_ID, 4) == EDU && fd_of(dev) >= 0) {
		store(dev, asserted ? EDU_RAISE : EDU_ACKNOWLEDGE, EDU_LEVEL);
		return;
	}
	snprintf(what, sizeof(what), "make %s %s its INTx pin", dev->address, asserted ? "assert" : "deassert");
	ask(what);
}`,
  },
  releaseIntx: {
    needs: ['intx'],
    text: `
/* Nobody after us finds the pin of edu asserted. */
static void release_intx(const struct device *dev)
{
	if (physical(dev, PCI_VENDOR_ID, 4) == EDU && fd_of(dev) >= 0)
		store(dev, EDU_ACKNOWLEDGE, EDU_LEVEL);
}`,
  },
  drain: {
    needs: ['setIrqs', 'tableAddress'],
    text: `
/* Pending bits outlive who used the device before: what is pending goes into an eventfd of its own. */
static void drain(const struct device *dev)
{
	__u32 address = msix_address(dev, PCI_MSIX_PBA), word;
	int vectors = (int)(physical(dev, capability(dev, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
	off_t pba = region_at(dev, address & 7) + (off_t)(address & ~7u);
	__s32 sinks[2048];
	int sink = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), pending = 0;

	for (int vector = 0; vector < vectors; vector++) {
		sinks[vector] = sink;
		if (pread(fd_of(dev), &word, sizeof(word), pba + vector / 32 * 4) != sizeof(word))
			trouble("read of the PBA");
		pending = (word >> (vector % 32)) & 1 ? vector + 1 : pending;
	}
	if (pending) {
		set_irqs(dev, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, 0,
			 (__u32)pending, sinks, (size_t)pending * sizeof(sinks[0]));
		set_irqs(dev, VFIO_PCI_MSIX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0, NULL, 0);
	}
	close(sink);
}`,
  },
  mapTable: {
    needs: ['tableAddress'],
    text: `
/* The MSI-X table. Reads through the descriptor do not show it, a mapping does. */
static volatile __u32 *map_table(const struct device *dev, void **mapping, size_t *size, int *vectors)
{
	__u32 address = msix_address(dev, PCI_MSIX_TABLE), inside = (address & ~7u) & 4095;

	*vectors = (int)(physical(dev, capability(dev, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
	*size = inside + (size_t)*vectors * PCI_MSIX_ENTRY_SIZE;
	*mapping = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_of(dev),
			region_at(dev, address & 7) + (off_t)((address & ~7u) - inside));
	if (*mapping == MAP_FAILED)
		trouble("mapping of the MSI-X table");
	return (volatile __u32 *)(void *)((char *)*mapping + inside);
}`,
  },
  wipe: {
    needs: ['mapTable'],
    text: `
static void wipe_table(const struct device *dev)
{
	void *mapping;
	size_t size;
	int vectors;
	volatile __u32 *table = map_table(dev, &mapping, &size, &vectors);

	for (int word = 0; word < 4 * vectors; word++)
		table[word] = word % 4 == 3;
	munmap(mapping, size);
}`,
  },
  vectorList: {
    needs: [],
    text: `
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
}`,
  },
  readFile: {
    needs: [],
    text: `
static int read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[length < 0 ? 0 : length] = 0;
	return length < 0 ? -1 : 0;
}`,
  },
  irqs: {
    needs: ['device', 'vectorList', 'readFile'],
    text: String.raw`
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
}`,
  },
  entries: {
    needs: ['mapTable', 'vectorList'],
    text: `
/* The entries of the MSI-X table that are not masked, or those of them alone whose message goes to address 0. */
static const char *entries_of(const struct device *dev, int to_address_0)
{
	char is[VECTORS] = { 0 };
	void *mapping;
	size_t size;
	int vectors;
	volatile __u32 *table = map_table(dev, &mapping, &size, &vectors);

	for (int vector = 0; vector < vectors; vector++) {
		volatile __u32 *entry = table + 4 * vector;

		is[vector] = !(entry[3] & PCI_MSIX_ENTRY_MASKED) && (!to_address_0 || (!entry[0] && !entry[1]));
	}
	munmap(mapping, size);
	return list_of(is);
}`,
  },
  pending: {
    needs: ['tableAddress', 'vectorList'],
    text: `
static const char *pending_of(const struct device *dev)
{
	char is[VECTORS] = { 0 };
	int vectors = (int)(physical(dev, capability(dev, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2) & PCI_MSIX_FLAGS_QSIZE) + 1;
	__u32 address = msix_address(dev, PCI_MSIX_PBA), word = 0;

	for (int vector = 0; vector < vectors; vector++) {
		off_t at = region_at(dev, address & 7) + (off_t)(address & ~7u) + vector / 32 * 4;

		if (vector % 32 == 0 && pread(fd_of(dev), &word, sizeof(word), at) != sizeof(word))
			trouble("read of the PBA");
		is[vector] = (word >> (vector % 32)) & 1;
	}
	return list_of(is);
}`,
  },
  control: {
    needs: ['capability'],
    text: `
static const char *control_of(const struct device *dev)
{
	__u32 control = physical(dev, capability(dev, PCI_CAP_ID_MSIX) + PCI_MSIX_FLAGS, 2);

	if (control & PCI_MSIX_FLAGS_MASKALL)
		return control & PCI_MSIX_FLAGS_ENABLE ? "on, function masked" : "off, function masked";
	return control & PCI_MSIX_FLAGS_ENABLE ? "on" : "off";
}`,
  },
  registers: {
    needs: ['capability', 'readFile'],
    text: `
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
}`,
  },
  infoFlags: {
    needs: ['device'],
    text: `
static const char *info_flags_of(const struct device *dev)
{
	static char text[32];
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = VFIO_PCI_MSIX_IRQ_INDEX };

	if (ioctl(fd_of(dev), VFIO_DEVICE_GET_IRQ_INFO, &info))
		info.flags = 0;
	snprintf(text, sizeof(text), "%u", info.flags);
	return text;
}`,
  },
} satisfies Readonly<Record<string, Part>>;
