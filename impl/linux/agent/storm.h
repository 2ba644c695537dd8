/*
 * How often an event is lost while interrupts are changed under it. Part of agent.c, which includes it.
 *
 * One thread fires vector 0 and waits for any of its eventfds, another changes something as fast as it can. On one
 * processor nothing happens between the two; on two a message may be on its way when its vector goes. That is a matter
 * of luck, so the answer is two counts and no verdict.
 */

/* An event that has not come by then, and that the device does not keep pending, is lost. */
enum { LOST_AFTER_MS = 2000 };

enum pattern { SWAP, REMOVE_AND_SET, ADD_OTHERS, REBUILD };

struct storm {
	struct device *device;
	int eventfds[2];
	volatile int stop;
	volatile int pause;
	volatile int paused;
	long fired;
	long lost;
};

static void drain(const struct storm *storm)
{
	uint64_t count;
	for (int place = 0; place < 2; place++)
		while (read(storm->eventfds[place], &count, sizeof(count)) == sizeof(count))
			;
}

static int arrives(const struct storm *storm)
{
	struct pollfd polled[2] = { { storm->eventfds[0], POLLIN, 0 }, { storm->eventfds[1], POLLIN, 0 } };
	while (poll(polled, 2, LOST_AFTER_MS) <= 0)
		if (!(storm->device->pba[0] & 1))
			return 0;
	return 1;
}

static void *fireAndWait(void *argument)
{
	struct storm *storm = argument;
	const struct sched_param usual = { 0 };
	syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &usual);
	while (!storm->stop) {
		storm->paused = storm->pause;
		if (storm->paused) {
			usleep(100);
			continue;
		}
		drain(storm);
		raiseVector(storm->device, 0);
		storm->fired++;
		storm->lost += !arrives(storm);
	}
	storm->paused = 1;
	return NULL;
}

/* Turns MSI-X off and on with vector 0 alone, while nothing is fired. */
static void startOver(struct storm *storm)
{
	storm->pause = 1;
	while (!storm->paused)
		usleep(100);
	if (disable(storm->device) != 0 || setAll(storm->device, 0, 1, storm->eventfds[0]) != 0)
		fail("a storm that starts over");
	storm->pause = 0;
}

/* One change; 0, or the negative errno of a kernel that cannot do it. */
static long change(struct storm *storm, enum pattern pattern, long round)
{
	struct device *device = storm->device;
	int other = 1 + (int)(round % (device->vectors - 1));
	switch (pattern) {
	case SWAP:
		return setAll(device, 0, 1, storm->eventfds[round % 2]);
	case REMOVE_AND_SET:
		setAll(device, 0, 1, -1);
		usleep(500);
		return setAll(device, 0, 1, storm->eventfds[0]);
	case ADD_OTHERS:
		if (other == 1 && round > 0)
			startOver(storm);
		return setAll(device, other, 1, sink);
	case REBUILD:
		disable(device);
		usleep(500);
		return setAll(device, 0, 1, storm->eventfds[0]);
	}
	return -EINVAL;
}

static long millisecondsNow(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "slot pattern milliseconds"; answers "Z fired lost", or "Z errno" where the pattern cannot be done. */
static void runStorm(char *text)
{
	struct storm storm = { .device = &devices[number(&text)] };
	enum pattern pattern = (enum pattern)number(&text);
	long end = number(&text) + millisecondsNow();
	const struct sched_param usual = { 0 };
	pthread_t thread;
	long result = 0;
	for (int place = 0; place < 2; place++)
		storm.eventfds[place] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (setAll(storm.device, 0, 1, storm.eventfds[0]) != 0 || pthread_create(&thread, NULL, fireAndWait, &storm) != 0)
		fail("storm");
	syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &usual);
	for (long round = 0; result == 0 && millisecondsNow() < end; round++)
		result = change(&storm, pattern, round);
	storm.stop = 1;
	pthread_join(thread, NULL);
	syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &usual);
	disable(storm.device);
	for (int place = 0; place < 2; place++)
		close(storm.eventfds[place]);
	if (result != 0)
		say("Z %ld\n", result);
	else
		say("Z %ld %ld\n", storm.fired, storm.lost);
}
