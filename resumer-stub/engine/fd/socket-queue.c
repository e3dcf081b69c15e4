/* What waited in the receive queue of a socket is sent again by its other end. */
#include <linux/socket.h>
#include <asm/socket.h>

#include "kinds.h"

#define AF_UNIX 1
#define SOCK_DGRAM 2
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define SCM_RIGHTS 1
#define MAX_FDS 253
#define EAGAIN 11
#define SO_BUF_LOCK 72

struct vector {
	const void *base;
	uint64_t length;
};

struct message {
	const void *name;
	uint32_t name_length, pad0;
	const struct vector *parts;
	uint64_t part_count;
	const void *control;
	uint64_t control_length;
	int flags;
};

struct rights {
	uint64_t length;
	int level, type;
	int fd[MAX_FDS + 1];
};

static long send_one(int fd, const void *data, uint64_t length, const struct rights *rights, const struct frore_socket *to,
		     const void *name)
{
	struct vector part = {data, length};
	struct message m = {.parts = &part, .part_count = 1};

	if (rights->length > 16) {
		m.control = rights;
		m.control_length = (rights->length + 7) & ~7ULL;
	}
	if (name) {
		m.name = name;
		m.name_length = to->local.length;
	}
	return sys3(__NR_sendmsg, fd, (long)&m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* The whole queue fitted before; in other portions it may need more room than the sender's limit. */
static void more_room(int fd, uint64_t length)
{
	int size = length > 0x20000000 ? 0x40000000 : (int)(length * 2 + 65536);

	if (sys5(__NR_setsockopt, fd, SOL_SOCKET, SO_SNDBUFFORCE, (long)&size, sizeof(size)) < 0)
		sys5(__NR_setsockopt, fd, SOL_SOCKET, SO_SNDBUF, (long)&size, sizeof(size));
}

static long send_all(struct fds *f, const struct frore_socket *row, const struct frore_socket_message *m, int sender, const void *name)
{
	const uint8_t *data = artefact_bytes(f->a, m->data);
	const uint32_t *in_flight = artefact_bytes(f->a, m->fds);
	uint32_t i, count = m->fds.length / 4;
	uint64_t at = 0;
	struct rights rights = {.length = 16, .level = SOL_SOCKET, .type = SCM_RIGHTS};
	int widened = 0;

	if (count > MAX_FDS)
		return -22;
	for (i = 0; i < count; i++) {
		if (in_flight[i] >= f->descriptions)
			return damaged_table(f);
		rights.fd[i] = staged(f, in_flight[i]);
	}
	rights.length = 16 + count * 4;
	do {
		long done = send_one(sender, data + at, m->data.length - at, &rights, row, name);

		if (done == -EAGAIN && !widened) {
			more_room(sender, m->data.length - at);
			widened = 1;
			continue;
		}
		if (done < 0)
			return done;
		at += (uint64_t)done;
		rights.length = 16;
	} while (at < m->data.length);
	return 0;
}

static long fill_from(struct fds *f, const struct frore_socket *row, int sender, const void *name)
{
	uint32_t i;

	for (i = 0; i < row->message_count; i++) {
		const struct frore_socket_message *m = row_at(f, FRORE_TABLE_SOCKET_MESSAGE, row->first_message + i);
		long ret = m ? send_all(f, row, m, sender, name) : damaged_table(f);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int buffer_size(int fd)
{
	int value = 0, length = sizeof(value);

	sys5(__NR_getsockopt, fd, SOL_SOCKET, SO_SNDBUF, (long)&value, (long)&length);
	return value;
}

static int buffer_lock(int fd)
{
	int value = -1, length = sizeof(value);

	sys5(__NR_getsockopt, fd, SOL_SOCKET, SO_BUF_LOCK, (long)&value, (long)&length);
	return value;
}

long socket_fill(struct fds *f, uint32_t d, const struct frore_socket *row, int sender)
{
	const void *name = 0;
	int temporary = sender < 0, size, lock;
	long ret;

	if (temporary) { /* a bound socket with messages of senders that are nameless or gone */
		if (row->domain != AF_UNIX || row->local.length == 0)
			return 0;
		sender = (int)sys3(__NR_socket, AF_UNIX, SOCK_DGRAM | O_CLOEXEC, 0);
		name = artefact_bytes(f->a, row->local);
	}
	size = buffer_size(sender);
	lock = buffer_lock(sender);
	ret = fill_from(f, row, sender, name);
	if (buffer_size(sender) != size) {
		socket_set_int(sender, SOL_SOCKET, SO_SNDBUF, size / 2);
		if (lock >= 0)
			socket_set_int(sender, SOL_SOCKET, SO_BUF_LOCK, lock);
	}
	if (temporary)
		sys_close(sender);
	if (ret < 0)
		return refuse_fd(f, d, "cannot fill", "a socket with what waited in it", ret,
				 "raise net.core.wmem_max and net.unix.max_dgram_qlen, or run it as root");
	return 0;
}
