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

struct entry {
	uint64_t ino, off;
	uint16_t length;
	uint8_t type;
	char name[];
};

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

/* Inode of the socket that one line of /proc/net/tcp tells, when it has the port and, for TCP, listens; else 0. */
static int64_t inode_in(const char *line, uint32_t port, int listening)
{
	const char *s = skip(line, 1), *end;
	uint32_t found = 0;

	while (*s && *s != ':')
		s++;
	if (!*s++)
		return 0;
	while (hex_digit(*s) >= 0)
		found = found << 4 | (uint32_t)hex_digit(*s++);
	if (found != port || (listening && !text_starts(skip(line, 3), "0A")))
		return 0;
	return text_number(skip(line, 9), &end);
}

static int64_t find_inode(const char *path, uint32_t port, int listening)
{
	char buffer[4096];
	size_t have = 0;
	int64_t inode = 0;
	long got, fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	while (inode <= 0 && (got = sys_read((int)fd, buffer + have, sizeof(buffer) - 1 - have)) > 0) {
		size_t i, start = 0;

		have += (size_t)got;
		for (i = 0; i < have && inode <= 0; i++) {
			if (buffer[i] != '\n')
				continue;
			buffer[i] = 0;
			inode = inode_in(buffer + start, port, listening);
			start = i + 1;
		}
		memmove(buffer, buffer + start, have - start);
		have -= start;
	}
	sys_close((int)fd);
	return inode > 0 ? inode : 0;
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
		for (at = 0; at < got && !found; at += ((struct entry *)(buffer + at))->length) {
			long length = sys4(__NR_readlinkat, fd, (long)((struct entry *)(buffer + at))->name, (long)target,
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
		for (at = 0; at < got && pid == 0; at += ((struct entry *)(buffer + at))->length) {
			const char *name = ((struct entry *)(buffer + at))->name;

			if (text_number(name, &end) > 0 && has_link(name, link))
				pid = text_number(name, &end);
		}
	}
	sys_close((int)fd);
	return pid;
}

static int64_t holder_of(const struct frore_socket *row, uint32_t port)
{
	int stream = row->type == SOCK_STREAM;
	int64_t inode = find_inode(stream ? "/proc/net/tcp" : "/proc/net/udp", port, stream);

	if (!inode)
		inode = find_inode(stream ? "/proc/net/tcp6" : "/proc/net/udp6", port, stream);
	return inode ? find_pid(inode) : 0;
}

long refuse_address(struct fds *f, uint32_t d, const struct frore_socket *row, long err)
{
	const uint8_t *local = artefact_bytes(f->a, row->local);
	char thing[160], hint[128] = "is the original still running?";
	struct text t = text_in(thing, sizeof(thing)), h;
	int64_t pid = 0;

	if (row->domain == AF_UNIX) {
		text_char(&t, local[2] ? local[2] : '@');
		text_str(&t, (const char *)local + 3);
		return refuse_fd(f, d, "cannot listen at", thing, err, err == -EADDRINUSE ? hint : 0);
	}
	if (row->local.length >= 4) {
		uint32_t port = (uint32_t)local[2] << 8 | local[3];

		text_str(&t, row->type == SOCK_STREAM ? "TCP port " : "UDP port ");
		text_dec(&t, port);
		if (err == -EADDRINUSE)
			pid = holder_of(row, port);
	}
	if (pid) {
		h = text_in(hint, sizeof(hint));
		text_str(&h, "process ");
		text_dec(&h, pid);
		text_str(&h, " has it: is the original still running?");
	}
	return refuse_fd(f, d, "cannot listen at", thing, err,
			 err == -EADDRINUSE	 ? hint
			 : err == -EACCES	 ? "ports below 1024 are for root"
			 : err == -EADDRNOTAVAIL ? "this machine has not the address: give --fd N=hangup or null"
						 : 0);
}
