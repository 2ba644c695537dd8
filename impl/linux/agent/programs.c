/*
 * PID 1 of a virtual machine that runs programs instead of scenarios. /runs has a line for each: its file, and the
 * addresses of devices, which are bound to vfio-pci and are its arguments. What a program prints goes to the console,
 * then a line `EXIT code`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noreturn)) stop(const char *what)
{
	if (what)
		printf("INIT %s: %s\n", what, strerror(errno));
	fflush(stdout);
	/* What the console still holds is written before the machine goes. */
	usleep(200000);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static char *readWhole(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (length < 0)
		stop(path);
	close(fd);
	text[length] = 0;
	return strdup(text);
}

static void writeText(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		stop(path);
	close(fd);
}

static void loadModules(void)
{
	char *names = readWhole("/mods/order");
	for (char *name = strtok(names, "\n"); name; name = strtok(NULL, "\n")) {
		char path[256];
		snprintf(path, sizeof(path), "/mods/%s", name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST))
			stop(path);
		close(fd);
	}
}

static void bind(const char *address)
{
	char path[128];
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver_override", address);
	writeText(path, "vfio-pci");
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", address);
	if (access(path, F_OK) != 0)
		writeText("/sys/bus/pci/drivers_probe", address);
}

static void run(char *line)
{
	char *words[16], *rest;
	int count = 0, status;
	for (char *word = strtok_r(line, " ", &rest); word && count < 15; word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	words[count] = NULL;
	for (int place = 1; place < count; place++)
		bind(words[place]);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execv(words[0], words);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		stop(words[0]);
	printf("EXIT %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(void)
{
	char *rest;
	if (mount("proc", "/proc", "proc", 0, "") || mount("sysfs", "/sys", "sysfs", 0, ""))
		stop("mount");
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, "") && errno != EBUSY)
		stop("mount of /dev");
	int console = open("/dev/console", O_WRONLY), nothing = open("/dev/null", O_RDONLY);
	if (console < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(console, 1) < 0 || dup2(console, 2) < 0)
		stop("/dev/console");
	loadModules();
	for (char *line = strtok_r(readWhole("/runs"), "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		run(line);
	stop(NULL);
}
