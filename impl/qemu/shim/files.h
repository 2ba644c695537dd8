/*
 * The functions of the C library that QEMU uses on files: here it is decided whose a file is. Who includes this says
 * what is at a path, and what a faked device does.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include "lines.h"

enum { FILES_MAX = 16384, REGION_SHIFT = 40 };
/* What a descriptor stands for. Of a faked one the kernel knows nothing; a faked device is FAKED plus its number. */
enum file { OTHER, GROUP, DEVICE, FAKED_CONTAINER, FAKED_GROUP, FAKED };

static uint8_t files[FILES_MAX];
/* The serial number of the eventfd behind a descriptor, 0 for none. A descriptor is used again, a serial never. */
static uint32_t serials[FILES_MAX];
static uint32_t lastSerial;
/* Lines without an answer so far. */
static uint32_t toldLines;
/* QEMU calls from one thread at a time, but nothing here shall depend on it. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int fileAt(const char *path);
static void readRegion(int device, unsigned int region, uint64_t offset, uint8_t *bytes, size_t count);
static void writeRegion(int device, unsigned int region, uint64_t offset, const uint8_t *bytes, size_t count);

static void *real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found)
		fail(name);
	return found;
}

#define REAL(name) \
	static __typeof__(name) *next; \
	if (!next) \
		next = (__typeof__(name) *)real(#name)

static int serialOf(int fd)
{
	if (fd < 0)
		return -1;
	return fd < FILES_MAX && serials[fd] ? (int)serials[fd] : -2;
}

static int remember(int fd, int file)
{
	if (fd >= FILES_MAX)
		fail("a descriptor");
	if (fd >= 0)
		files[fd] = (uint8_t)file;
	return fd;
}

static int standIn(int file)
{
	/* Not by eventfd(), which is ours: it gets no serial number. */
	int fd = (int)syscall(SYS_eventfd2, 0, EFD_CLOEXEC);
	if (fd < 0)
		fail("a descriptor");
	return remember(fd, file);
}

static int fileOf(int fd)
{
	return fd >= 0 && fd < FILES_MAX ? files[fd] : OTHER;
}

int open64(const char *path, int flags, ...)
{
	REAL(open64);
	va_list arguments;
	va_start(arguments, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, int) : 0;
	va_end(arguments);
	int file = fileAt(path);
	return file >= FAKED_CONTAINER ? standIn(file) : remember(next(path, flags, mode), file);
}

int __open64_2(const char *path, int flags);

int __open64_2(const char *path, int flags)
{
	REAL(__open64_2);
	int file = fileAt(path);
	return file >= FAKED_CONTAINER ? standIn(file) : remember(next(path, flags), file);
}

int eventfd(unsigned int count, int flags)
{
	REAL(eventfd);
	int fd = next(count, flags);
	if (fd >= 0 && fd < FILES_MAX)
		serials[fd] = ++lastSerial;
	return fd;
}

int close(int fd)
{
	REAL(close);
	if (fd >= 0 && fd < FILES_MAX) {
		files[fd] = OTHER;
		if (serials[fd]) {
			pthread_mutex_lock(&lock);
			toldLines++;
			add("x %u\n", serials[fd]);
			serials[fd] = 0;
			pthread_mutex_unlock(&lock);
		}
	}
	return next(fd);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
	REAL(pread64);
	int file = fileOf(fd);
	if (file < FAKED)
		return next(fd, bytes, count, at);
	pthread_mutex_lock(&lock);
	readRegion(file - FAKED, (unsigned int)(at >> REGION_SHIFT), at & ((1ULL << REGION_SHIFT) - 1), bytes, count);
	pthread_mutex_unlock(&lock);
	return (ssize_t)count;
}

ssize_t __pread64_chk(int fd, void *bytes, size_t count, off64_t at, size_t size);

ssize_t __pread64_chk(int fd, void *bytes, size_t count, off64_t at, size_t size)
{
	if (count > size)
		fail("pread beyond its buffer");
	return pread64(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	REAL(pwrite64);
	int file = fileOf(fd);
	if (file < FAKED)
		return next(fd, bytes, count, at);
	pthread_mutex_lock(&lock);
	writeRegion(file - FAKED, (unsigned int)(at >> REGION_SHIFT), at & ((1ULL << REGION_SHIFT) - 1), bytes, count);
	pthread_mutex_unlock(&lock);
	return (ssize_t)count;
}
