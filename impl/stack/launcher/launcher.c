/*
 * The launcher: becomes a QEMU with ivshmem devices that are alone in the world. Such a device is told by a server,
 * over a socket, what its memory is and which eventfds are its own doorbells (docs/specs/ivshmem-spec.rst). All the
 * server ever says fits in the socket, so it is said before QEMU starts, and no server is needed.
 *
 *   launcher FD:VECTORS... -- program argument...
 *
 * FD is the descriptor that QEMU finds the socket at.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROTOCOL = 0, ID = 1, IS_MEMORY = -1, NO_DESCRIPTOR = -1, MEMORY_BYTES = 4096 };

static void __attribute__((noreturn)) fail(const char *what)
{
	perror(what);
	exit(1);
}

static void tell(int server, int64_t number, int descriptor)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec bytes = { &number, sizeof(number) };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
	if (descriptor != NO_DESCRIPTOR) {
		message.msg_control = control.space;
		message.msg_controllen = sizeof(control.space);
		control.header = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
		memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
	}
	if (sendmsg(server, &message, 0) != sizeof(number))
		fail("sendmsg");
	if (descriptor != NO_DESCRIPTOR)
		close(descriptor);
}

static void serve(const char *words)
{
	char *rest;
	int ends[2];
	int descriptor = (int)strtol(words, &rest, 10);
	int vectors = atoi(rest + 1);
	/* QEMU inherits the server's end too: nobody reads it, and the connection stays. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || dup2(ends[0], descriptor) < 0)
		fail("socketpair");
	close(ends[0]);
	int memory = memfd_create("ivshmem", 0);
	if (memory < 0 || ftruncate(memory, MEMORY_BYTES) != 0)
		fail("memfd_create");
	tell(ends[1], PROTOCOL, NO_DESCRIPTOR);
	tell(ends[1], ID, NO_DESCRIPTOR);
	tell(ends[1], IS_MEMORY, memory);
	for (int vector = 0; vector < vectors; vector++)
		tell(ends[1], ID, eventfd(0, EFD_NONBLOCK));
}

int main(int count, char **words)
{
	int place = 1;
	for (; place < count && strcmp(words[place], "--") != 0; place++)
		serve(words[place]);
	if (place + 1 >= count)
		return 2;
	execvp(words[place + 1], words + place + 1);
	fail(words[place + 1]);
}
