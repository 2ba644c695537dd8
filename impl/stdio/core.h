/*
 * The allocation core of a vfio device: one PCI function with nothing but MSI-X, and VFIO_DEVICE_SET_IRQS, as Linux does
 * it. core.c puts it behind the protocol.
 */
#include "json.h"

enum { MSIX = 2, REQ = 4, INDICES = 5, VECTORS_MAX = 2048 };
enum { DATA_NONE = 1, DATA_BOOL = 2, DATA_EVENTFD = 4, DATA_TYPES = 7, ACTION_TRIGGER = 32, ACTIONS = 56 };
enum { ALLOCATED = 1, ARMED = 2, UNMASKED = 4, PENDING = 8 };

static bool undo_range, shift; /* The faults. */

static bool configured;
static bool dynamic, whole_range, ignores_negative, drops; /* What configure said. */
static uint32_t table;
static bool enabled;
static uint32_t free_vectors;
static bool allocated[VECTORS_MAX], armed[VECTORS_MAX];
static long trigger[VECTORS_MAX]; /* The number of an eventfd. */
static uint64_t pending[VECTORS_MAX / 64];
static long req = -1;
static uint32_t raise_later[1024], later;

static struct { long eventfd; unsigned count; } signals[VECTORS_MAX];
static unsigned signalled;

static void signal_eventfd(long eventfd)
{
	for (unsigned i = 0; i < signalled; i++) {
		if (signals[i].eventfd == eventfd) {
			signals[i].count++;
			return;
		}
	}
	signals[signalled].eventfd = eventfd;
	signals[signalled++].count = 1;
}

static bool is_pending(uint32_t vector)
{
	return pending[vector / 64] >> (vector % 64) & 1;
}

static void set_pending(uint32_t vector)
{
	/* The fault: the bit is an int, which becomes 64 bits when it is too late. */
	uint64_t bit = shift ? (uint64_t)(int64_t)(int32_t)(1u << (vector % 32)) : 1ull << (vector % 64);
	pending[vector / 64] |= bit;
}

static void raise_event(uint32_t vector)
{
	if (vector >= table)
		return;
	if (enabled && armed[vector])
		signal_eventfd(trigger[vector]);
	else if (enabled || !drops)
		set_pending(vector);
}

static void remove_trigger(uint32_t vector)
{
	free_vectors += armed[vector];
	armed[vector] = false;
}

static void disable(void)
{
	for (uint32_t vector = 0; vector < table; vector++) {
		remove_trigger(vector);
		allocated[vector] = false;
	}
	enabled = false;
}

static bool is_negative(struct node *element)
{
	return element->type == NUMBER && (int32_t)(int64_t)element->number < 0;
}

/* The number of an eventfd, or -1 with an errno for what is none. */
static long lookup(struct node *element, const char **error)
{
	if (element->type == TEXT && element->text[0] == 'e')
		return strtol(element->text + 1, NULL, 10);
	*error = is(element, "notEventfd") ? "EINVAL" : "EBADF";
	return -1;
}

static const char *set_vector(uint32_t vector, struct node *element)
{
	const char *error = NULL;
	long eventfd;

	remove_trigger(vector);
	if (is_negative(element))
		return NULL;
	if (!allocated[vector] && !dynamic)
		return "EINVAL";
	allocated[vector] = true;
	eventfd = lookup(element, &error);
	if (error)
		return error;
	if (free_vectors == 0)
		return "ENOSPC";
	free_vectors--;
	armed[vector] = true;
	trigger[vector] = eventfd;
	if (is_pending(vector)) {
		pending[vector / 64] &= ~(1ull << (vector % 64));
		signal_eventfd(eventfd);
	}
	return NULL;
}

static uint32_t allocation(void)
{
	uint32_t count = 0;
	while (count < table && allocated[count])
		count++;
	return count;
}

static const char *set_block(uint32_t start, uint32_t count, struct node *element)
{
	if (whole_range && (start >= allocation() || start + count > allocation()))
		return "EINVAL";
	for (uint32_t i = 0; i < count; i++, element = element->next) {
		const char *error = set_vector(start + i, element);
		if (!error)
			continue;
		/* The fault: what is undone is the range, however far it had got. */
		for (uint32_t undone = 0; undone < (undo_range ? count : i + 1); undone++)
			remove_trigger(start + undone);
		return error;
	}
	return NULL;
}

static const char *set_msix(uint32_t flags, uint32_t start, uint32_t count, struct node *element)
{
	const char *error;

	if (enabled && count == 0 && flags & DATA_NONE) {
		disable();
		return NULL;
	}
	if (flags & DATA_EVENTFD) {
		if (enabled)
			return set_block(start, count, element);
		if (start + count == 0)
			return "ERANGE";
		memset(allocated, true, start + count);
		enabled = true;
		error = set_block(start, count, element);
		if (error)
			disable();
		return error;
	}
	if (!enabled || (whole_range && start + count > allocation()))
		return "EINVAL";
	for (uint32_t vector = start; vector < start + count; vector++) {
		bool wanted = flags & DATA_NONE || element->type != NUMBER || (uint8_t)(int64_t)element->number;
		if (armed[vector] && wanted)
			signal_eventfd(trigger[vector]);
		element = element ? element->next : NULL;
	}
	return NULL;
}

static const char *set_req(uint32_t flags, uint32_t count, struct node *element)
{
	const char *error = NULL;
	long eventfd;

	if (flags & DATA_NONE) {
		if (req < 0)
			return "EINVAL";
		if (count == 0)
			req = -1;
		else
			signal_eventfd(req);
		return NULL;
	}
	if (count == 0)
		return "EINVAL";
	if (flags & DATA_BOOL) {
		if (req >= 0 && (element->type != NUMBER || (uint8_t)(int64_t)element->number))
			signal_eventfd(req);
		return NULL;
	}
	if (is_negative(element)) {
		if ((int32_t)(int64_t)element->number == -1)
			req = -1;
		else if (!ignores_negative)
			return "EINVAL";
		return NULL;
	}
	eventfd = lookup(element, &error);
	if (!error)
		req = eventfd;
	return error;
}

/* VFIO_DEVICE_SET_IRQS: the checks in the order of the kernel's. */
static const char *set_irqs(struct node *operation)
{
	uint32_t flags = number(operation, "flags", 0), index = number(operation, "index", 0);
	uint32_t start = number(operation, "start", 0), count = number(operation, "count", 0);
	uint32_t width = flags & DATA_EVENTFD ? 4 : flags & DATA_BOOL ? 1 : 0, type = flags & DATA_TYPES;
	uint32_t available = index == MSIX ? table : index == REQ;
	struct node *data = get(operation, "data")->first;
	uint64_t mapped = 0, bytes = (uint64_t)count * width, argsz;

	for (struct node *element = data; element; element = element->next)
		mapped += width;
	argsz = number(operation, "argsz", 20 + mapped);
	if (get(operation, "unreadable"))
		return "EFAULT";
	if (argsz < 20 || index >= INDICES || count >= UINT32_MAX - start || flags & ~(DATA_TYPES | ACTIONS))
		return "EINVAL";
	if (start >= available || start + count > available)
		return "EINVAL";
	if ((type != DATA_NONE && type != DATA_BOOL && type != DATA_EVENTFD) || argsz - 20 < bytes)
		return "EINVAL";
	if (mapped < bytes)
		return "EFAULT";
	if ((flags & ACTIONS) != ACTION_TRIGGER)
		return "ENOTTY";
	return index == MSIX ? set_msix(flags, start, count, data) : set_req(flags, count, data);
}
