/*
 * A harness in C: the device of core.h behind the protocol of PROTOCOL.md.
 *
 *   gcc -O2 -Wall -Wextra -o core impl/stdio/core.c
 *   vfio-irq run --system 'stdio:./core'
 *
 * --fault=undo-range and --fault=shift behave as systems did that lost interrupts: S08 and S07 in
 * impl/mutants/README.md.
 */
#include "core.h"

static char told[VECTORS_MAX];
static bool told_enabled;

static void raise_armed(void)
{
	for (uint32_t i = 0; i < later; i++)
		raise_event(raise_later[i]);
	later = 0;
}

/* Writes what the operation returned, which is nothing where it succeeded. */
static void perform(struct node *operation)
{
	struct node *kind = get(operation, "kind");
	const char *error = NULL;

	if (is(kind, "vfio.setIrqs")) {
		error = set_irqs(operation);
	} else if (is(kind, "vfio.getIrqInfo")) {
		uint32_t index = number(operation, "index", 0);
		uint32_t count = index == MSIX ? table : index == REQ;
		uint32_t flags = index == 0 ? 7 : index == MSIX && dynamic ? 1 : 9;
		if (get(operation, "unreadable"))
			error = "EFAULT";
		else if (number(operation, "argsz", 16) < 16 || index >= INDICES || index == 3)
			error = "EINVAL";
		else
			printf(",\"outcome\":{\"flags\":%u,\"count\":%u}", flags, count);
	} else if (is(kind, "device.raise")) {
		raise_event(number(operation, "vector", 0));
	} else if (is(kind, "device.arm")) {
		if (later == sizeof(raise_later) / sizeof(*raise_later))
			refuse("more events are waiting than there is room for");
		raise_later[later++] = number(operation, "vector", 0);
	} else if (is(kind, "host.limitVectors")) {
		free_vectors = number(operation, "count", 0);
	} else {
		printf(",\"skipped\":\"%s\"", kind ? kind->text : "an operation without a kind");
	}
	if (error)
		printf(",\"outcome\":\"%s\"", error);
	/* What was armed is raised by the next call on the device. */
	if (!strncmp(kind ? kind->text : "", "vfio.", 5))
		raise_armed();
}

/* What is not as it was told before; all of it where nothing was. */
static void show(bool all)
{
	const char *comma = "";

	if (all)
		memset(told, 0, sizeof(told));
	printf(",\"devices\":{\"0\":{");
	if (all)
		printf("\"msixInfoFlags\":%d,", dynamic ? 1 : 9);
	if (all || enabled != told_enabled)
		printf("\"enable\":%s,", enabled ? "true" : "false");
	told_enabled = enabled;
	printf("\"vectors\":{");
	for (uint32_t vector = 0; vector < table; vector++) {
		char state = allocated[vector] * ALLOCATED + armed[vector] * (ARMED | UNMASKED) + is_pending(vector) * PENDING;
		if (state == told[vector])
			continue;
		printf("%s\"%u\":%d", comma, vector, state);
		told[vector] = state;
		comma = ",";
	}
	printf("}}}");
}

static void answer_step(double seq, unsigned step, struct node *operation)
{
	printf("{\"seq\":%.0f,\"step\":%u", seq, step);
	signalled = 0;
	perform(operation);
	if (signalled) {
		printf(",\"signals\":{");
		for (unsigned i = 0; i < signalled; i++)
			printf("%s\"e%ld\":%u", i ? "," : "", signals[i].eventfd, signals[i].count);
		printf("}");
	}
	show(false);
	printf("}\n");
}

/* Returns why the machine cannot be had, or NULL. */
static const char *configure(struct node *config)
{
	struct node *host = get(config, "host"), *device = get(config, "devices")->first;

	configured = false;
	if (get(config, "vmm") || get(config, "mdev") || get(config, "interruptRemapping"))
		return "there is no VMM, no mediated device and nothing about remapping here";
	if (device->next)
		return "there is one device";
	for (struct node *fact = device->first; fact; fact = fact->next)
		if (strcmp(fact->name, "msixVectors") && strcmp(fact->name, "whileOff"))
			return "a function has MSI-X and nothing else";
	configured = true;
	table = number(device, "msixVectors", 0);
	drops = is(get(device, "whileOff"), "drops");
	dynamic = get(host, "dynamicMsix")->type == TRUE;
	whole_range = is(get(host, "rangeCheck"), "whole-range-first");
	ignores_negative = is(get(host, "belowMinusOne"), "ignored");
	free_vectors = UINT32_MAX;
	enabled = false;
	req = -1;
	later = 0;
	memset(allocated, 0, sizeof(allocated));
	memset(armed, 0, sizeof(armed));
	memset(pending, 0, sizeof(pending));
	return NULL;
}

static void hello(void)
{
	printf(",\"protocol\":1,\"name\":\"core\",\"host\":\"any\",\"operations\":[\"vfio.getIrqInfo\",");
	printf("\"vfio.setIrqs\",\"device.raise\",\"device.arm\",\"host.limitVectors\"],\"functions\":[");
	for (uint32_t size = 1; size <= 66; size++)
		printf("{\"msixVectors\":%u},", size);
	printf("{\"msixVectors\":128},{\"msixVectors\":%d}]", VECTORS_MAX);
}

static bool answer(struct node *message)
{
	struct node *kind = get(message, "message");
	double seq = get(message, "seq")->number;
	const char *refusal = "nothing was configured";

	if (is(kind, "run") && (configured || !get(message, "operations")->first)) {
		unsigned step = 0;
		for (struct node *one = get(message, "operations")->first; one; one = one->next) {
			answer_step(seq, step++, one);
			if (get(message, "flush")->type == TRUE)
				fflush(stdout);
		}
		return true;
	}
	printf("{\"seq\":%.0f", seq);
	if (is(kind, "hello"))
		hello();
	else if (is(kind, "configure"))
		refusal = configure(get(message, "config"));
	if (is(kind, "configure") || is(kind, "observe") || is(kind, "run")) {
		if (configured)
			show(true);
		else
			printf(",\"skipped\":\"%s\"", refusal);
	}
	printf("}\n");
	return !is(kind, "stop");
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;

	for (int i = 1; i < argc; i++) {
		undo_range |= !strcmp(argv[i], "--fault=undo-range");
		shift |= !strcmp(argv[i], "--fault=shift");
		if (strcmp(argv[i], "--fault=undo-range") && strcmp(argv[i], "--fault=shift"))
			refuse("the faults are --fault=undo-range and --fault=shift");
	}
	while (getline(&line, &size, stdin) > 0) {
		bool goes_on = answer(parse(line));
		fflush(stdout);
		if (!goes_on)
			return 0;
	}
	return 0;
}
