/* An address that is in use: who has it, as far as /proc shows it to us. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/un.h>

#include "kinds.h"

#define AF_UNIX 1
#define AF_INET6 10
#define SOCK_STREAM 1
#define EADDRINUSE 98
#define EADDRNOTAVAIL 99
#define EACCES 13

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *skip(const char *s, int fields)
{
	while (*s == ' ')
		s++;
	while (fields-- > 0) {
		while (*s && *s != ' ')
			s++;
		while (*s == ' ')
			s++;
	}
	return s;
}

/* Inode of the socket that one line of /proc/net/tcp tells, -1 when it has none; 0 unless port and state ("" for any) are the wanted. */
static int64_t inode_in(const char *line, uint32_t port, const char *state)
{
	const char *s = skip(line, 1), *end;
	uint32_t found = 0;
	int64_t inode;

	while (*s && *s != ':')
		s++;
	if (!*s++)
		return 0;
	while (hex_digit(*s) >= 0)
		found = found << 4 | (uint32_t)hex_digit(*s++);
	if (found != port || !text_starts(skip(line, 3), state))
		return 0;
	inode = text_number(skip(line, 9), &end);
	return inode > 0 ? inode : -1;
}

static int64_t find_inode(const char *path, uint32_t port, const char *state)
{
	char buffer[4096];
	size_t have = 0;
	int64_t inode = 0;
	long got, fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while (inode == 0 && (got = sys_read((int)fd, buffer + have, sizeof(buffer) - 1 - have)) > 0) {
		size_t i, start = 0;

		have += (size_t)got;
		for (i = 0; i < have && inode == 0; i++) {
			if (buffer[i] != '\n')
				continue;
			buffer[i] = 0;
			inode = inode_in(buffer + start, port, state);
			start = i + 1;
		}
		memmove(buffer, buffer + start, have - start);
		have -= start;
	}
	sys_close((int)fd);
	return inode;
}

/* Calls itself never: two levels of /proc, each read in place. Returns the pid that has `link` among its descriptors, or 0. */
static int has_link(const char *pid, const char *link)
{
	char path[64], buffer[2048] __attribute__((aligned(8))), target[64];
	struct text t = text_in(path, sizeof(path));
	long fd, got, at;
	int found = 0;

	text_str(&t, "/proc/");
	text_str(&t, pid);
	text_str(&t, "/fd");
	fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	while (!found && (got = sys3(__NR_getdents64, fd, (long)buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < got && !found; at += ((struct directory_entry *)(buffer + at))->length) {
			long length = sys4(__NR_readlinkat, fd, (long)((struct directory_entry *)(buffer + at))->name, (long)target,
					   sizeof(target) - 1);

			if (length > 0) {
				target[length] = 0;
				found = text_equal(target, link);
			}
		}
	}
	sys_close((int)fd);
	return found;
}

static int64_t find_pid(int64_t inode)
{
	char buffer[4096] __attribute__((aligned(8))), link[48];
	struct text t = text_in(link, sizeof(link));
	const char *end;
	int64_t pid = 0;
	long fd = sys_open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0), got, at;

	text_str(&t, "socket:[");
	text_dec(&t, inode);
	text_char(&t, ']');
	if (fd < 0)
		return 0;
	while (pid == 0 && (got = sys3(__NR_getdents64, fd, (long)buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < got && pid == 0; at += ((struct directory_entry *)(buffer + at))->length) {
			const char *name = ((struct directory_entry *)(buffer + at))->name;

			if (text_number(name, &end) > 0 && has_link(name, link))
				pid = text_number(name, &end);
		}
	}
	sys_close((int)fd);
	return pid;
}

/* -1: in use by something without an inode, that is, by a connection that has ended. */
static int64_t find_in_both(const struct frore_socket *row, uint32_t port, const char *state)
{
	int stream = row->type == SOCK_STREAM;
	int64_t inode = find_inode(stream ? "/proc/net/tcp" : "/proc/net/udp", port, state);

	return inode ? inode : find_inode(stream ? "/proc/net/tcp6" : "/proc/net/udp6", port, state);
}

static uint32_t port_of(const struct fds *f, const struct frore_socket *row)
{
	const uint8_t *local = artefact_bytes(f->a, row->local);

	return row->local.length >= 4 ? (uint32_t)local[2] << 8 | local[3] : 0;
}

int port_lingers(const struct fds *f, const struct frore_socket *row)
{
	uint32_t port = port_of(f, row);

	return find_in_both(row, port, "0A") == 0 && find_in_both(row, port, "") < 0;
}

void hint_original(const struct fds *f, struct text *hint)
{
	const struct frore_task *task = row_at(f, FRORE_TABLE_TASK, f->task);

	text_str(hint, "is the original (process ");
	text_dec(hint, task ? task->pid : 0);
	text_str(hint, ") still running?");
}

static void hint_for(struct fds *f, const struct frore_socket *row, struct text *hint)
{
	int64_t inode = find_in_both(row, port_of(f, row), row->type == SOCK_STREAM ? "0A" : ""), pid = 0;

	if (inode == 0)
		inode = find_in_both(row, port_of(f, row), "");

	if (inode == 0 && row->type == SOCK_STREAM && port_lingers(f, row)) {
		text_str(hint, "connections that have just ended keep it for a minute: try again then");
		return;
	}
	if (inode > 0)
		pid = find_pid(inode);
	if (pid) {
		text_str(hint, "process ");
		text_dec(hint, pid);
		text_str(hint, " has it: ");
	}
	hint_original(f, hint);
}

long refuse_address(struct fds *f, uint32_t d, const struct frore_socket *row, long err)
{
	const uint8_t *local = artefact_bytes(f->a, row->local);
	char thing[160], hint[128];
	struct text t = text_in(thing, sizeof(thing)), h = text_in(hint, sizeof(hint));

	if (row->domain == AF_UNIX) {
		text_char(&t, local[2] ? (char)local[2] : '@');
		text_str(&t, (const char *)local + 3);
		hint_original(f, &h);
	} else {
		text_str(&t, row->type == SOCK_STREAM ? "TCP port " : "UDP port ");
		text_dec(&t, port_of(f, row));
		if (err == -EADDRINUSE)
			hint_for(f, row, &h);
	}
	return refuse_fd(f, d, row->state == FRORE_SOCKET_LISTENING ? "cannot listen at" : "cannot have", thing, err,
			 err == -EADDRINUSE	 ? hint
			 : err == -EACCES	 ? "ports below 1024 are for root"
			 : err == -EADDRNOTAVAIL ? "this machine does not have the address: give --fd N=hangup or null"
						 : 0);
}
