/*
 * Lines to whoever answers, and back. One question at a time: the caller holds the lock.
 */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char line[1 << 18];
static size_t lineLength;
static char answer[1 << 16];
static char rest[1 << 16];
static size_t restLength;

static void __attribute__((noreturn)) fail(const char *what)
{
	dprintf(2, "shim: %s: %s\n", what, strerror(errno));
	_exit(70);
}

static int socketFile(void)
{
	static int fd = -1;
	if (fd < 0) {
		const char *text = getenv("VFIO_SHIM");
		if (!text)
			fail("VFIO_SHIM is not set");
		fd = atoi(text);
	}
	return fd;
}

static void begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void addArguments(const char *format, va_list arguments)
{
	int length = vsnprintf(line + lineLength, sizeof(line) - lineLength, format, arguments);
	if (length < 0 || lineLength + (size_t)length >= sizeof(line))
		fail("a line is too long");
	lineLength += (size_t)length;
}

static void begin(const char *format, ...)
{
	va_list arguments;
	lineLength = 0;
	va_start(arguments, format);
	addArguments(format, arguments);
	va_end(arguments);
}

static void add(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	addArguments(format, arguments);
	va_end(arguments);
}

static void waitFor(short events)
{
	struct pollfd file = { .fd = socketFile(), .events = events };
	while (poll(&file, 1, -1) < 0 && errno == EINTR)
		;
}

static void sendLine(void)
{
	add("\n");
	for (size_t done = 0; done < lineLength;) {
		ssize_t length = write(socketFile(), line + done, lineLength - done);
		if (length > 0)
			done += (size_t)length;
		else if (errno == EAGAIN)
			waitFor(POLLOUT);
		else if (errno != EINTR)
			fail("write");
	}
}

/* Sends the line and returns the answer. */
static char *ask(void)
{
	char *end;
	sendLine();
	while (!(end = memchr(rest, '\n', restLength))) {
		if (restLength == sizeof(rest))
			fail("an answer is too long");
		ssize_t length = read(socketFile(), rest + restLength, sizeof(rest) - restLength);
		if (length > 0)
			restLength += (size_t)length;
		else if (length < 0 && errno == EAGAIN)
			waitFor(POLLIN);
		else if (length == 0 || errno != EINTR)
			fail("nobody answers");
	}
	*end = 0;
	size_t length = (size_t)(end - rest) + 1;
	memcpy(answer, rest, length);
	restLength -= length;
	memmove(rest, end + 1, restLength);
	return answer;
}
