/*
 * --attach: the client sends its terminal itself (SCM_RIGHTS) to the supervisor, which reads and writes it from then on; the client
 * waits, tells of resizes, and ends with the code the supervisor sends. Sockets: PID in a directory of our own.
 */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/signalfd.h>
#include <asm/stat.h>

#include "launcher.h"

#define AF_UNIX 1
#define SOCK_STREAM 1
#define SOL_SOCKET 1
#define SCM_RIGHTS 1
#define MSG_CMSG_CLOEXEC 0x40000000
#define ECONNREFUSED 111
#define EEXIST 17
#define DIRECTORY_MODE 040700

struct unix_address {
	uint16_t family;
	char path[108];
};

struct vector {
	void *base;
	uint64_t length;
};

struct message {
	void *name;
	uint64_t name_length;
	struct vector *vectors;
	uint64_t count;
	void *control;
	uint64_t control_length;
	uint64_t flags;
};

struct rights {
	uint64_t length;
	int32_t level, type, fd, pad;
};

/* What the supervisor answers. */
struct farewell {
	int32_t ended; /* 0 detached, 1 the program has ended */
	int32_t wait_status;
};

static const char *environment(char **envp, const char *name)
{
	size_t length = text_length(name);

	for (; *envp; envp++)
		if (text_starts(*envp, name) && (*envp)[length] == '=')
			return *envp + length + 1;
	return 0;
}

/* A directory that is ours alone: somebody else's under /tmp would hand our terminal to him. */
static long own_directory(struct resume *r, struct text *path)
{
	const char *runtime = environment(r->options.envp, "XDG_RUNTIME_DIR");
	struct stat st;
	long ret;

	if (runtime && *runtime == '/' && text_length(runtime) < 60) {
		text_str(path, runtime);
		text_str(path, "/frore");
	} else {
		text_str(path, "/tmp/frore-");
		text_dec(path, sys0(__NR_geteuid));
	}
	ret = sys2(__NR_mkdir, (long)path->start, 0700);
	if (ret < 0 && ret != -EEXIST)
		return ret;
	ret = sys2(__NR_lstat, (long)path->start, (long)&st);
	if (ret < 0)
		return ret;
	return (st.st_mode & 0177777) == DIRECTORY_MODE && st.st_uid == (uint32_t)sys0(__NR_geteuid) ? 0 : -13;
}

static long socket_path(struct resume *r, struct unix_address *address, int pid)
{
	struct text path = text_in(address->path, sizeof(address->path));
	long ret = own_directory(r, &path);

	address->family = AF_UNIX;
	text_char(&path, '/');
	text_dec(&path, pid);
	return ret;
}

/* By the supervisor. Without a socket the program runs all the same. */
void attach_listen(struct launch *l)
{
	struct unix_address address;
	long ret = socket_path(l->r, &address, l->pid), fd;

	fd = sys3(__NR_socket, AF_UNIX, SOCK_STREAM | O_CLOEXEC | O_NONBLOCK, 0);
	if (ret == 0 && fd >= 0) {
		sys1(__NR_unlink, (long)address.path);
		ret = sys3(__NR_bind, fd, (long)&address, sizeof(address));
		if (ret == 0)
			ret = sys2(__NR_listen, fd, 4);
	}
	if (ret < 0 || fd < 0)
		warn(l->r, "cannot listen for --attach at", address.path, ret < 0 ? -ret : -fd, 0);
	else
		l->own.listening = (int)fd;
}

void attach_unlisten(struct launch *l)
{
	struct unix_address address;

	if (l->own.listening >= 0 && socket_path(l->r, &address, l->pid) == 0)
		sys1(__NR_unlink, (long)address.path);
}

/* Ends the present connection. */
void attach_farewell(struct launch *l, int ended, int wait_status)
{
	struct farewell f = {ended, wait_status};

	own_tty_disconnect(l);
	if (l->own.client < 0)
		return;
	sys_write(l->own.client, &f, sizeof(f));
	sys_close(l->own.client);
	l->own.client = -1;
}

/* A new client takes the place of the one before. */
void attach_accept(struct launch *l)
{
	char byte;
	struct vector v = {&byte, 1};
	struct rights rights = {0, 0, 0, -1, 0};
	struct message m = {0, 0, &v, 1, &rights, sizeof(rights), 0};
	long fd = sys4(__NR_accept4, l->own.listening, 0, 0, O_CLOEXEC);

	if (fd < 0)
		return;
	if (sys3(__NR_recvmsg, fd, (long)&m, MSG_CMSG_CLOEXEC) <= 0 || m.control_length < 20 ||
	    rights.type != SCM_RIGHTS || l->own.master < 0) {
		sys_close((int)fd);
		return;
	}
	attach_farewell(l, 0, 0);
	l->own.client = (int)fd;
	own_tty_connect(l, rights.fd);
}

/* A byte from the client is a resize; its end is the end of the connection. */
void attach_client(struct launch *l)
{
	char byte;

	if (sys_read(l->own.client, &byte, 1) == 1)
		own_tty_resize(l);
	else
		attach_farewell(l, 0, 0);
}

static long connect_to(struct unix_address *address)
{
	long fd = sys3(__NR_socket, AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0), ret;

	if (fd < 0)
		return fd;
	ret = sys3(__NR_connect, fd, (long)address, sizeof(*address));
	if (ret == 0)
		return fd;
	sys_close((int)fd);
	if (ret == -ECONNREFUSED)
		sys1(__NR_unlink, (long)address->path); /* its supervisor was killed */
	return ret;
}

/* Pid of the only supervisor there is; 0 none, -1 several. */
static int only_one(struct resume *r)
{
	char path[108], buffer[2048];
	struct text t = text_in(path, sizeof(path));
	long dir, n, at;
	int found = 0;

	if (own_directory(r, &t) < 0)
		return 0;
	dir = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	while (dir >= 0 && (n = sys3(__NR_getdents64, dir, (long)buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n; at += ((struct directory_entry *)(buffer + at))->length) {
			struct unix_address address;
			int pid = (int)text_number(((struct directory_entry *)(buffer + at))->name, 0);
			long fd = -1;

			if (pid <= 0 || socket_path(r, &address, pid) < 0 || (fd = connect_to(&address)) < 0)
				continue;
			sys_close((int)fd);
			found = found ? -1 : pid;
		}
	if (dir >= 0)
		sys_close((int)dir);
	return found;
}

static int complain(const char *line)
{
	say("", line, text_length(line));
	return EXIT_OWN_FAILURE;
}

static long send_terminal(int fd)
{
	char byte = 0;
	struct vector v = {&byte, 1};
	struct rights rights = {20, SOL_SOCKET, SCM_RIGHTS, 0, 0};
	struct message m = {0, 0, &v, 1, &rights, sizeof(rights), 0};

	return sys3(__NR_sendmsg, fd, (long)&m, 0);
}

/* Until the supervisor says farewell; a resize is told, any other signal ends the connection. */
static int wait_connected(int fd)
{
	uint64_t set = BIT(SIGWINCH) | BIT(SIGTERM) | BIT(SIGHUP) | BIT(SIGINT);
	struct signalfd_siginfo s;
	struct farewell f;
	struct pollfd polled[2] = {{.fd = fd, .events = POLLIN}, {.events = POLLIN}};

	sys_sigmask(SIG_BLOCK, set);
	polled[1].fd = (int)sys4(__NR_signalfd4, -1, (long)&set, 8, O_CLOEXEC);
	for (;;) {
		sys3(__NR_poll, (long)polled, 2, -1);
		if (polled[1].revents && sys_read(polled[1].fd, &s, sizeof(s)) == sizeof(s)) {
			if (s.ssi_signo != SIGWINCH)
				return 0;
			sys_write(fd, "w", 1);
		}
		if (!polled[0].revents)
			continue;
		if (sys_read(fd, &f, sizeof(f)) != sizeof(f))
			return complain("the supervisor of the program was killed");
		if (f.ended)
			end_like(f.wait_status);
		say("", "detached", 8);
		return 0;
	}
}

int attach_run(struct resume *r)
{
	struct termios2 modes;
	struct unix_address address;
	int pid = r->options.attach_pid ? r->options.attach_pid : only_one(r);
	long fd;

	if (sys_ioctl(0, TCGETS2, &modes) < 0)
		return complain("cannot attach: standard input is no terminal; run it on one");
	if (pid == 0)
		return complain("cannot attach: no detached program of yours is running");
	if (pid < 0)
		return complain("cannot attach: several detached programs are running; name the pid that --detach printed");
	fd = socket_path(r, &address, pid);
	if (fd == 0)
		fd = connect_to(&address);
	if (fd < 0 || send_terminal((int)fd) < 0)
		return complain("cannot attach: that pid is no detached program of yours");
	return wait_connected((int)fd);
}
