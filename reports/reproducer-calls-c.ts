import type { Part } from './reproducer-part.ts';

/** The set-up of a program and the calls of vfio, in the order in which they stand in it. */
export const CALLS = {
  trouble: {
    needs: [],
    text: String.raw`
static int fault, astray, at_issue_seen;

static void __attribute__((noreturn)) trouble(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}`,
  },
  begin: {
    needs: ['trouble'],
    text: String.raw`
static void begin(int number, const char *operation)
{
	printf("%3d  %s\n", number, operation);
	/* What follows may be the end of this machine. */
	fflush(stdout);
}`,
  },
  expect: {
    needs: ['trouble'],
    text: String.raw`
enum { ON_THE_WAY, AT_ISSUE };

/* What is at issue counts only when everything on the way there went as it should. */
static void expect(int at_issue, const char *what, const char *expected, const char *got)
{
	int differs = strcmp(expected, got) != 0;

	printf("       %-10s expected %s, got %s%s\n", what, expected, got,
	       !differs ? "" : at_issue && !astray ? "  <-- broken" : "  (differs)");
	if (at_issue) {
		at_issue_seen = 1;
		fault |= differs && !astray;
	} else if (!at_issue_seen) {
		astray |= differs;
	}
}`,
  },
  result: {
    needs: ['trouble'],
    text: `
static const struct {
	int number;
	const char *name;
} errors[] = {
	{ EBADF, "EBADF" },   { EBUSY, "EBUSY" },   { EEXIST, "EEXIST" }, { EFAULT, "EFAULT" },
	{ EINVAL, "EINVAL" }, { EIO, "EIO" },       { ENODEV, "ENODEV" }, { ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" }, { ENOTTY, "ENOTTY" }, { ENXIO, "ENXIO" },   { ERANGE, "ERANGE" },
};

/* The result of a system call in words; errno is that of the call. */
static const char *result_of(long result)
{
	static char text[32];

	if (result == 0)
		return "ok";
	snprintf(text, sizeof(text), result > 0 ? "returns %ld" : "errno %ld", result > 0 ? result : (long)errno);
	for (size_t i = 0; result < 0 && i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == errno)
			return errors[i].name;
	return text;
}`,
  },
  eventfds: {
    needs: ['trouble'],
    text: `
static void new_eventfd(int *fd)
{
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (*fd < 0)
		trouble("eventfd");
}

/* The eventfds that were signalled since the last look, each with its count. */
static const char *signalled(void)
{
	static char text[64 * (EVENTFDS + 1)];
	size_t length = 0;
	uint64_t count;

	/* Interrupts, and what the kernel leaves to a work queue, take a moment. */
	usleep(20000);
	text[0] = 0;
	for (int i = 0; i < EVENTFDS; i++)
		if (read(*eventfds[i].fd, &count, sizeof(count)) == sizeof(count))
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s +%llu",
						   length ? ", " : "", eventfds[i].name,
						   (unsigned long long)count);
	return length ? text : "none";
}`,
  },
  pci: {
    needs: [],
    text: `
/* Of configuration space (PCIe 6.0, 7.5, 7.7). */
enum { PCI_VENDOR_ID = 0, PCI_COMMAND = 4, PCI_STATUS = 6, PCI_CAPABILITY_LIST = 0x34 };
enum { PCI_COMMAND_MEMORY = 2, PCI_COMMAND_MASTER = 4, PCI_COMMAND_INTX_DISABLE = 0x400, PCI_STATUS_INTERRUPT = 8 };
enum { PCI_CAP_ID_PM = 1, PCI_CAP_ID_MSI = 5, PCI_CAP_ID_MSIX = 0x11 };
enum { PCI_MSI_FLAGS = 2, PCI_MSI_FLAGS_ENABLE = 1 };
enum { PCI_MSIX_FLAGS = 2, PCI_MSIX_FLAGS_ENABLE = 0x8000, PCI_MSIX_FLAGS_MASKALL = 0x4000 };
enum { PCI_MSIX_FLAGS_QSIZE = 0x7ff };
enum { PCI_MSIX_TABLE = 4, PCI_MSIX_PBA = 8, PCI_MSIX_ENTRY_SIZE = 16, PCI_MSIX_ENTRY_MASKED = 1 };`,
  },
  device: {
    needs: ['pci', 'result'],
    text: `
enum { DESCRIPTORS = 64 };

struct device {
	const char *address;
	int group;
	/* The device descriptors, the last one opened last. */
	int fds[DESCRIPTORS];
	int open;
};

static int fd_of(const struct device *dev)
{
	return dev->open ? dev->fds[dev->open - 1] : -1;
}

static off_t region_at(const struct device *dev, __u32 index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ioctl(fd_of(dev), VFIO_DEVICE_GET_REGION_INFO, &info))
		trouble("VFIO_DEVICE_GET_REGION_INFO");
	return (off_t)info.offset;
}

static const char *open_device(struct device *dev)
{
	int first = dev->open == 0;
	int fd = dev->open < DESCRIPTORS ? ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, dev->address) : -1;
	__u16 command;
	off_t at;

	if (fd < 0)
		return result_of(-1);
	dev->fds[dev->open++] = fd;
	if (!first)
		return "ok";
	/* The first open turns bus mastering off, and without it no message ever arrives. */
	at = region_at(dev, VFIO_PCI_CONFIG_REGION_INDEX) + PCI_COMMAND;
	if (pread(fd, &command, sizeof(command), at) != sizeof(command))
		trouble("read of Command");
	command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	if (pwrite(fd, &command, sizeof(command), at) != sizeof(command))
		trouble("write of Command");
	return "ok";
}

static void set_up(struct device *dev, const char *address)
{
	static int container = -1;
	char path[PATH_MAX + 32], link[PATH_MAX], *group;
	ssize_t length;
	int kind = VFIO_TYPE1_IOMMU;

	dev->address = address;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", address);
	length = readlink(path, link, sizeof(link) - 1);
	if (length < 0)
		trouble(path);
	link[length] = 0;
	group = strrchr(link, '/') + 1;
	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0) {
		snprintf(path, sizeof(path), "/dev/vfio/noiommu-%s", group);
		dev->group = open(path, O_RDWR | O_CLOEXEC);
		kind = VFIO_NOIOMMU_IOMMU;
	}
	if (dev->group < 0)
		trouble("no group of this device below /dev/vfio; is it bound to vfio-pci?");
	if (container >= 0) {
		if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &container))
			trouble("VFIO_GROUP_SET_CONTAINER");
	} else {
		container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
		if (container < 0 || ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &container))
			trouble("VFIO_GROUP_SET_CONTAINER");
		if (ioctl(container, VFIO_SET_IOMMU, kind))
			trouble("VFIO_SET_IOMMU");
	}
	if (strcmp(open_device(dev), "ok"))
		trouble("VFIO_GROUP_GET_DEVICE_FD");
}`,
  },
  close: {
    needs: ['device'],
    text: `
static const char *close_device(struct device *dev)
{
	return result_of(close(dev->open ? dev->fds[--dev->open] : -1));
}`,
  },
  reset: {
    needs: ['device'],
    text: `
static const char *reset(const struct device *dev)
{
	return result_of(ioctl(fd_of(dev), VFIO_DEVICE_RESET));
}`,
  },
  setIrqsRaw: {
    needs: ['device'],
    text: `
enum { NOT_OPEN = 1000000 };

/* The argument ends where a page ends, so that the kernel cannot read too much unseen. */
static const char *set_irqs_raw(const struct device *dev, __u32 index, __u32 flags, __u32 start, __u32 count,
				const void *data, size_t size, __u32 argsz, int unreadable)
{
	static const size_t room = 1 << 20;
	static char *end;
	struct vfio_irq_set header = { argsz, flags, index, start, count };
	char *argument;

	if (!end) {
		char *pages = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED || mprotect(pages + room, 4096, PROT_NONE))
			trouble("mmap");
		end = pages + room;
	}
	argument = end - sizeof(header) - size;
	memcpy(argument, &header, sizeof(header));
	if (size)
		memcpy(argument + sizeof(header), data, size);
	return result_of(ioctl(fd_of(dev), VFIO_DEVICE_SET_IRQS, unreadable ? end : argument));
}`,
  },
  setIrqs: {
    needs: ['setIrqsRaw'],
    text: `
static const char *set_irqs(const struct device *dev, __u32 index, __u32 flags, __u32 start, __u32 count,
			    const void *data, size_t size)
{
	return set_irqs_raw(dev, index, flags, start, count, data, size, (__u32)(sizeof(struct vfio_irq_set) + size), 0);
}`,
  },
  irqInfo: {
    needs: ['device'],
    text: `
static const char *irq_info(const struct device *dev, __u32 index, __u32 argsz, int unreadable)
{
	static char text[64];
	struct vfio_irq_info info = { .argsz = argsz, .index = index };

	if (ioctl(fd_of(dev), VFIO_DEVICE_GET_IRQ_INFO, unreadable ? (void *)1 : (void *)&info))
		return result_of(-1);
	snprintf(text, sizeof(text), "flags %u count %u", info.flags, info.count);
	return text;
}`,
  },
  physical: {
    needs: ['device'],
    text: `
/* Configuration space as the device has it; what the vfio descriptor shows is partly made up. */
static __u32 physical(const struct device *dev, int at, size_t size)
{
	char path[PATH_MAX];
	__u32 value = 0;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", dev->address);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &value, size, at) != (ssize_t)size)
		trouble(path);
	close(fd);
	return value;
}`,
  },
  capability: {
    needs: ['physical'],
    text: `
/* Where a capability is, or 0. */
static int capability(const struct device *dev, __u32 id)
{
	int at = (int)physical(dev, PCI_CAPABILITY_LIST, 1);

	while (at && physical(dev, at, 1) != id)
		at = (int)physical(dev, at + 1, 1);
	return at;
}`,
  },
  field: {
    needs: ['device'],
    text: `
/* A field of configuration space through vfio; a write leaves the bits around it as they read. */
static const char *access_field(const struct device *dev, int at, __u16 mask, int writes, __u16 value)
{
	static char text[32];
	int shift = __builtin_ctz(mask), fd = fd_of(dev);
	__u16 word;
	off_t offset;

	if (fd < 0) {
		errno = EBADF;
		return result_of(-1);
	}
	offset = region_at(dev, VFIO_PCI_CONFIG_REGION_INDEX) + at;
	if (pread(fd, &word, sizeof(word), offset) != sizeof(word))
		return result_of(-1);
	snprintf(text, sizeof(text), "reads %d", (word & mask) >> shift);
	if (!writes)
		return text;
	word = (__u16)((word & ~mask) | ((value << shift) & mask));
	return result_of(pwrite(fd, &word, sizeof(word), offset) == sizeof(word) ? 0 : -1);
}`,
  },
  tableAddress: {
    needs: ['capability'],
    text: `
/* Where the MSI-X table or the PBA is, as the capability tells it. */
static __u32 msix_address(const struct device *dev, int which)
{
	return physical(dev, capability(dev, PCI_CAP_ID_MSIX) + which, 4);
}`,
  },
  region: {
    needs: ['tableAddress'],
    text: `
/* 32 bits at an address that a capability tells: the BAR in its low three bits, the offset in the others. */
static const char *access_region(const struct device *dev, __u32 address, off_t at, const __u32 *value)
{
	static char text[32];
	int fd = fd_of(dev);
	__u32 word;
	off_t offset;

	if (fd < 0) {
		errno = EBADF;
		return result_of(-1);
	}
	offset = region_at(dev, address & 7) + (off_t)(address & ~7u) + at;
	if (value)
		return result_of(pwrite(fd, value, sizeof(*value), offset) == sizeof(*value) ? 0 : -1);
	if (pread(fd, &word, sizeof(word), offset) != sizeof(word))
		return result_of(-1);
	snprintf(text, sizeof(text), "reads %u", word);
	return text;
}`,
  },
} satisfies Readonly<Record<string, Part>>;
