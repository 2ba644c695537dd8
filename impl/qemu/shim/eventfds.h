/*
 * The eventfds of QEMU by serial numbers: a descriptor is used again, a serial number never.
 */
#include "socket.h"

enum { FILES_MAX = 16384 };

/* The serial number of the eventfd behind a descriptor, 0 for none. */
static uint32_t serials[FILES_MAX];
static uint32_t lastSerial;

static void signalSerial(uint32_t serial)
{
	uint64_t one = 1;
	for (int fd = 0; serial && fd < FILES_MAX; fd++)
		if (serials[fd] == serial) {
			if (write(fd, &one, sizeof(one)) != sizeof(one))
				fail("write of an eventfd");
			return;
		}
}

/* Sends the line; the answer is a result and what to signal. Returns the result as an ioctl does. */
static int askResult(void)
{
	char *at = ask();
	long result = strtol(at, &at, 10);
	for (char *end; ; at = end) {
		unsigned long serial = strtoul(at, &end, 10);
		if (end == at)
			break;
		signalSerial((uint32_t)serial);
	}
	if (result >= 0)
		return (int)result;
	errno = (int)-result;
	return -1;
}

static int serialOf(int fd)
{
	if (fd < 0)
		return -1;
	return fd < FILES_MAX && serials[fd] ? (int)serials[fd] : -2;
}
