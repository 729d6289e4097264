/*
 * The first process of the test host. It runs the commands that come through a virtio-serial port
 * and sends their output and how they ended back: several at a time, each by its id.
 *
 * A message is a head of nine bytes (type, id, length; little endian) and `length` bytes. The other
 * side is src/agent-protocol.ts.
 *
 *   to us     'R' run: folder, NUL, shell command     'K' send a signal: number, 1 for the group
 *   from us   'H' ready   'O' stdout   'E' stderr     'X' ended: exit code, or 128 + signal
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_COMMANDS 64
#define MAX_PAYLOAD (1 << 20)

struct __attribute__((packed)) head {
	uint8_t type;
	uint32_t id;
	uint32_t length;
};

struct command {
	pid_t pid; /* 0: this slot is free */
	uint32_t id;
	int output[2]; /* read ends of stdout and stderr; -1 when closed */
};

static struct command commands[MAX_COMMANDS];
static int port;

static void die(const char *what)
{
	perror(what); /* stderr is the console, which the other side shows when the host dies */
	exit(1);
}

static void read_fully(void *to, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(port, (char *)to + done, length - done);
		if (n > 0)
			done += n;
		else if (n == 0)
			die("the other side of the port is gone");
		else if (errno != EINTR)
			die("reading from the port");
	}
}

static void write_fully(const void *from, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = write(port, (const char *)from + done, length - done);
		if (n >= 0)
			done += n;
		else if (errno != EINTR)
			die("writing to the port");
	}
}

static void send_message(uint8_t type, uint32_t id, const void *payload, uint32_t length)
{
	struct head head = {type, id, length};
	write_fully(&head, sizeof head);
	write_fully(payload, length);
}

static void send_exit(uint32_t id, int code)
{
	uint8_t byte = code;
	send_message('X', id, &byte, 1);
}

/* The child's side: a session of its own, so that a signal can reach all that it starts. */
static void become_command(const char *folder, const char *shell_command, int out, int err)
{
	setsid();
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (chdir(folder) != 0) {
		fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		_exit(126);
	}
	execl("/bin/sh", "sh", "-c", shell_command, (char *)NULL);
	_exit(127);
}

static void run(uint32_t id, const char *folder, const char *shell_command)
{
	struct command *slot = commands;
	while (slot < commands + MAX_COMMANDS && slot->pid != 0)
		slot++;
	int out[2], err[2];
	if (slot == commands + MAX_COMMANDS || pipe2(out, O_CLOEXEC) != 0) {
		send_exit(id, 126);
		return;
	}
	if (pipe2(err, O_CLOEXEC) != 0)
		die("pipe");
	pid_t pid = fork();
	if (pid == 0)
		become_command(folder, shell_command, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (pid < 0) {
		close(out[0]);
		close(err[0]);
		send_exit(id, 126);
		return;
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	fcntl(err[0], F_SETFL, O_NONBLOCK);
	*slot = (struct command){pid, id, {out[0], err[0]}};
}

static void kill_command(uint32_t id, int signal, int whole_group)
{
	for (struct command *c = commands; c < commands + MAX_COMMANDS; c++)
		if (c->pid != 0 && c->id == id)
			kill(whole_group ? -c->pid : c->pid, signal);
}

static void take_message(void)
{
	static char payload[MAX_PAYLOAD + 1];
	struct head head;
	read_fully(&head, sizeof head);
	if (head.length > MAX_PAYLOAD)
		die("a message that is too long");
	read_fully(payload, head.length);
	payload[head.length] = '\0';
	if (head.type == 'R')
		run(head.id, payload, payload + strlen(payload) + 1);
	else if (head.type == 'K')
		kill_command(head.id, payload[0], payload[1]);
}

/* Passes on what a command has written. Returns 0 when there is nothing now. */
static int pass_on(struct command *c, int which)
{
	static char bytes[64 * 1024];
	ssize_t n = read(c->output[which], bytes, sizeof bytes);
	if (n > 0) {
		send_message(which == 0 ? 'O' : 'E', c->id, bytes, n);
		return 1;
	}
	if (n == 0) {
		close(c->output[which]);
		c->output[which] = -1;
	}
	return 0;
}

/* A command has ended when its shell has; what it left behind writes to nobody from then on. */
static void reap(void)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		for (struct command *c = commands; c < commands + MAX_COMMANDS; c++) {
			if (c->pid != pid)
				continue;
			for (int which = 0; which < 2; which++) {
				while (c->output[which] >= 0 && pass_on(c, which))
					;
				if (c->output[which] >= 0)
					close(c->output[which]);
			}
			send_exit(c->id, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
			c->pid = 0;
		}
	}
}

/* There is no udev that would make /dev/virtio-ports. */
static int open_port(const char *wanted)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	for (struct dirent *entry; ports != NULL && (entry = readdir(ports)) != NULL;) {
		char path[512], name[64] = "";
		snprintf(path, sizeof path, "/sys/class/virtio-ports/%s/name", entry->d_name);
		FILE *file = fopen(path, "r");
		if (file == NULL)
			continue;
		int known = fscanf(file, "%63s", name) == 1 && strcmp(name, wanted) == 0;
		fclose(file);
		if (!known)
			continue;
		snprintf(path, sizeof path, "/dev/%s", entry->d_name);
		closedir(ports);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	errno = ENOENT;
	return -1;
}

static void on_child(int signal)
{
	(void)signal;
}

int main(void)
{
	/* Blocked but in ppoll, so that no end of a child is missed before it. */
	sigset_t blocked, open_mask;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &open_mask);
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = on_child}, NULL);

	port = open_port("vhostscope.agent");
	if (port < 0)
		die("opening the port");
	send_message('H', 0, NULL, 0);

	for (;;) {
		struct pollfd fds[1 + 2 * MAX_COMMANDS] = {{port, POLLIN, 0}};
		for (int i = 0; i < 2 * MAX_COMMANDS; i++) {
			struct command *c = &commands[i / 2];
			fds[1 + i] = (struct pollfd){c->pid ? c->output[i % 2] : -1, POLLIN, 0};
		}
		if (ppoll(fds, 1 + 2 * MAX_COMMANDS, NULL, &open_mask) > 0) {
			for (int i = 0; i < 2 * MAX_COMMANDS; i++)
				if (fds[1 + i].revents != 0)
					pass_on(&commands[i / 2], i % 2);
			if (fds[0].revents & POLLIN)
				take_message();
		}
		reap();
	}
}
