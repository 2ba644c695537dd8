/*
 * Lines to whoever answers, and back. VFIO_SHIM names the descriptor of the socket. Lines without an answer wait for
 * the next that has one, or for a flush.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char out[1 << 18];
static size_t outLength;
static char in[1 << 16];
static size_t inLength;

static void __attribute__((noreturn)) fail(const char *what)
{
	dprintf(2, "shim: %s: %s\n", what, strerror(errno));
	_exit(70);
}

/* Takes a number; 0 where there is none. Newer C libraries have versions of strtoul that older ones lack. */
static uint64_t number(const char **at)
{
	uint64_t value = 0;
	while (**at == ' ')
		(*at)++;
	for (; **at >= '0' && **at <= '9'; (*at)++)
		value = value * 10 + (uint64_t)(**at - '0');
	return value;
}

static int channel(void)
{
	static int fd = -1;
	if (fd < 0) {
		const char *text = getenv("VFIO_SHIM");
		if (!text)
			fail("VFIO_SHIM is not set");
		fd = (int)number(&text);
	}
	return fd;
}

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(out + outLength, sizeof(out) - outLength, format, arguments);
	va_end(arguments);
	if (length < 0 || outLength + (size_t)length >= sizeof(out))
		fail("a line is too long");
	outLength += (size_t)length;
}

static void waitFor(short events)
{
	struct pollfd file = { .fd = channel(), .events = events };
	while (poll(&file, 1, -1) < 0 && errno == EINTR)
		;
}

static void flush(void)
{
	for (size_t done = 0; done < outLength;) {
		ssize_t length = write(channel(), out + done, outLength - done);
		if (length > 0)
			done += (size_t)length;
		else if (errno == EAGAIN)
			waitFor(POLLOUT);
		else if (errno != EINTR)
			fail("write");
	}
	outLength = 0;
}

/* Sends what there is and returns the answer to its last line. Only one answer is on its way at a time. */
static const char *ask(void)
{
	add("\n");
	flush();
	for (inLength = 0; inLength == 0 || in[inLength - 1] != '\n';) {
		if (inLength == sizeof(in))
			fail("an answer is too long");
		ssize_t length = read(channel(), in + inLength, sizeof(in) - inLength);
		if (length > 0)
			inLength += (size_t)length;
		else if (length < 0 && errno == EAGAIN)
			waitFor(POLLIN);
		else if (length == 0 || errno != EINTR)
			fail("nobody answers");
	}
	in[inLength - 1] = 0;
	return in;
}
