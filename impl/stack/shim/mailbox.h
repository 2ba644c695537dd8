/* Devices that only the gate knows: all that is written to their BARs is told. Included by gate.c, once. */
enum { MAILBOXES_MAX = 8, BARS = 6, CONFIG_BYTES = 256, BELL_COUNT = 8 };

/* Lines without an answer so far. */
static uint32_t toldLines;

static struct mailbox {
	uint32_t flags;
	uint32_t irqs;
	uint64_t sizes[BARS];
	uint8_t config[CONFIG_BYTES];
	int isBell;
} mailboxes[MAILBOXES_MAX];
static int mailboxCount;

static void readMailbox(struct mailbox *mailbox, unsigned int region, uint64_t offset, uint8_t *bytes, size_t count)
{
	memset(bytes, 0, count);
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (offset + count <= CONFIG_BYTES)
			memcpy(bytes, mailbox->config + offset, count);
	} else if (mailbox->isBell && region == 0 && offset == BELL_COUNT) {
		flush();
		memcpy(bytes, &toldLines, count < sizeof(toldLines) ? count : sizeof(toldLines));
	}
}

static void writeMailbox(struct mailbox *mailbox, unsigned int region, uint64_t offset, const uint8_t *bytes,
			 size_t count)
{
	uint64_t value = 0;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX || count > sizeof(value))
		return;
	memcpy(&value, bytes, count);
	toldLines++;
	add("w %d %u %llu %zu %llu\n", (int)(mailbox - mailboxes), region, (unsigned long long)offset, count,
	    (unsigned long long)value);
}

static int refuse(int reason)
{
	errno = reason;
	return -1;
}

/* Asks what a mailbox is, and returns its number. */
static int openMailbox(const char *name)
{
	if (mailboxCount == MAILBOXES_MAX)
		fail("too many mailboxes");
	struct mailbox *mailbox = &mailboxes[mailboxCount];
	add("d %d %s", mailboxCount, name);
	const char *at = ask();
	mailbox->flags = (uint32_t)number(&at);
	mailbox->irqs = (uint32_t)number(&at);
	for (int bar = 0; bar < BARS; bar++)
		mailbox->sizes[bar] = number(&at);
	at += strspn(at, " ");
	for (int i = 0; i < CONFIG_BYTES && at[0] && at[1]; i++, at += 2)
		mailbox->config[i] = (uint8_t)(digit(at[0]) << 4 | digit(at[1]));
	mailbox->isBell = !strcmp(name, "bell0");
	return mailboxCount++;
}

static int mailboxIoctl(const struct mailbox *mailbox, unsigned long request, void *argument)
{
	switch (request) {
	case VFIO_DEVICE_GET_INFO: {
		struct vfio_device_info *info = argument;
		info->argsz = offsetof(struct vfio_device_info, cap_offset);
		info->flags = mailbox->flags;
		info->num_regions = VFIO_PCI_NUM_REGIONS;
		info->num_irqs = mailbox->irqs;
		return 0;
	}
	case VFIO_DEVICE_GET_REGION_INFO: {
		struct vfio_region_info *info = argument;
		if (info->index > VFIO_PCI_CONFIG_REGION_INDEX)
			return refuse(EINVAL);
		info->offset = (uint64_t)info->index << REGION_SHIFT;
		info->size = info->index < BARS ? mailbox->sizes[info->index] : 0;
		if (info->index == VFIO_PCI_CONFIG_REGION_INDEX)
			info->size = CONFIG_BYTES;
		info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
		info->argsz = sizeof(*info);
		info->cap_offset = 0;
		return 0;
	}
	case VFIO_DEVICE_GET_IRQ_INFO:
		return refuse(EINVAL);
	case VFIO_DEVICE_SET_IRQS:
	case VFIO_DEVICE_RESET:
		return 0;
	default:
		return refuse(ENOTTY);
	}
}
