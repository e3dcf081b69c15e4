/* What waited in the receive queue of a socket is sent again by its other end. */
#include <linux/in.h>
#include <linux/socket.h>
#include <linux/un.h>
#include <asm/socket.h>

#include "kinds.h"

#define AF_UNIX 1
#define SOCK_STREAM 1
#define TCP_NODELAY 1
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define MAX_FDS 253
#define ENOENT 2
#define EAGAIN 11
#define EINVAL 22
#define SO_BUF_LOCK 72
#define SMALL 32768 /* bytes that any buffer takes */

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

/* SCM_CREDENTIALS, then SCM_RIGHTS. */
struct control {
	uint64_t who_length;
	int who_level, who_type;
	struct creator who;
	uint32_t pad0;
	uint64_t rights_length;
	int rights_level, rights_type;
	int fd[MAX_FDS + 1];
};

#define CONTROL_HEADER 16
#define CREDENTIALS_SPACE 32

/* One message on its way back into a queue. */
struct sending {
	int socket;
	int has_creator;
	struct frore_ref to;
	const void *name;
	const uint8_t *data;
	uint64_t length;
	uint32_t fds;
	struct control control;
};

static long send_part(struct sending *s, uint64_t at, int with_fds)
{
	struct vector part = {s->data + at, s->length - at};
	struct message m = {.parts = &part, .part_count = 1, .name = s->name, .name_length = s->name ? s->to.length : 0};
	uint64_t rights = with_fds && s->fds ? (CONTROL_HEADER + s->fds * 4 + 7) & ~7ULL : 0;

	m.control = s->has_creator ? (const uint8_t *)&s->control : (const uint8_t *)&s->control + CREDENTIALS_SPACE;
	m.control_length = (s->has_creator ? CREDENTIALS_SPACE : 0) + rights;
	return sys3(__NR_sendmsg, s->socket, (long)&m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Lets a buffer (SO_SNDBUF, SO_RCVBUF) hold `length` bytes more, as far as this user may. */
static void more_room(int fd, int name, int forced, uint64_t length)
{
	int size = length > 0x20000000 ? 0x40000000 : (int)(length * 2 + 65536);

	if (sys5(__NR_setsockopt, fd, SOL_SOCKET, forced, (long)&size, sizeof(size)) < 0)
		sys5(__NR_setsockopt, fd, SOL_SOCKET, name, (long)&size, sizeof(size));
}

/* Runs as whoever is to be seen as the sender. */
static long send_whole(void *arg)
{
	struct sending *s = arg;
	uint64_t at = 0;
	int widened = 0;

	s->control.who.pid = (int32_t)sys0(__NR_getpid);
	s->control.who.uid = (uint32_t)sys0(__NR_geteuid);
	s->control.who.gid = (uint32_t)sys0(__NR_getegid);
	do {
		long done = send_part(s, at, at == 0);

		if (done == -EAGAIN && !widened) {
			more_room(s->socket, SO_SNDBUF, SO_SNDBUFFORCE, s->length - at);
			widened = 1;
			continue;
		}
		if (done < 0)
			return done;
		at += (uint64_t)done;
	} while (at < s->length);
	return 0;
}

static long send_message(struct fds *f, const struct frore_socket_message *m, int sender)
{
	const uint32_t *in_flight = artefact_bytes(f->a, m->fds);
	struct creator who = {m->pid, m->uid, m->gid};
	struct sending s = {.socket = sender,
			    .has_creator = m->pid != 0,
			    .to = m->to,
			    .name = m->to.length ? artefact_bytes(f->a, m->to) : 0,
			    .data = artefact_bytes(f->a, m->data),
			    .length = m->data.length,
			    .fds = m->fds.length / 4,
			    .control = {.who_length = CONTROL_HEADER + sizeof(struct creator),
					.who_level = SOL_SOCKET,
					.who_type = SCM_CREDENTIALS,
					.rights_length = CONTROL_HEADER + m->fds.length,
					.rights_level = SOL_SOCKET,
					.rights_type = SCM_RIGHTS}};
	uint32_t i;

	if (s.fds > MAX_FDS)
		return -EINVAL;
	for (i = 0; i < s.fds; i++) {
		if (in_flight[i] >= f->descriptions)
			return -EINVAL;
		s.control.fd[i] = staged(f, in_flight[i]);
	}
	return as_creator(f, who, send_whole, &s);
}

/* A sender that is not inside: its address is taken for a moment, where it has one and where that is free. */
static long temporary_sender(struct fds *f, uint32_t d, const struct frore_socket *row, const struct frore_socket_message *m)
{
	const struct sockaddr_un *name = artefact_bytes(f->a, m->address);
	uint32_t length = m->address.length;
	char path[sizeof(name->sun_path) + 1] = {0};
	long fd = socket_make(row), ret = 0;

	if (fd < 0)
		return fd;
	socket_set_int((int)fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (length > 2)
		ret = socket_bind(f, (int)fd, m->address);
	if (ret < 0)
		warn_fd(f, d, "tells another sender:", "a message that was not read yet", ret, 0);
	else if (row->domain == AF_UNIX && length > 2 && length <= sizeof(*name) && name->sun_path[0]) {
		memcpy(path, name->sun_path, length - 2);
		sys3(__NR_unlinkat, AT_CWD, (long)path, 0);
	}
	return fd;
}

static long fill_from(struct fds *f, uint32_t d, const struct frore_socket *row, int sender)
{
	uint32_t i;

	for (i = 0; i < row->message_count; i++) {
		const struct frore_socket_message *m = row_at(f, FRORE_TABLE_SOCKET_MESSAGE, row->first_message + i);
		long fd = sender, ret;

		if (!m)
			return -EINVAL;
		if (sender < 0)
			fd = socket_at(f, m->sender) ? staged(f, m->sender) : temporary_sender(f, d, row, m);
		ret = fd < 0 ? fd : send_message(f, m, (int)fd);
		if (sender < 0 && fd >= 0 && !socket_at(f, m->sender))
			sys_close((int)fd);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int get_int(int fd, int name, int otherwise)
{
	int length = sizeof(otherwise);

	sys5(__NR_getsockopt, fd, SOL_SOCKET, name, (long)&otherwise, (long)&length);
	return otherwise;
}

/* Size of a buffer, and which of the two its program has chosen itself. */
struct buffer {
	int size, lock;
};

static struct buffer buffer_of(int fd, int name)
{
	struct buffer b = {get_int(fd, name, 0), get_int(fd, SO_BUF_LOCK, -1)};

	return b;
}

static void buffer_restore(int fd, int name, struct buffer b)
{
	if (fd < 0 || get_int(fd, name, 0) == b.size)
		return;
	socket_set_int(fd, SOL_SOCKET, name, b.size / 2);
	if (b.lock >= 0)
		socket_set_int(fd, SOL_SOCKET, SO_BUF_LOCK, b.lock);
}

/* Nagle's rule would hold the last segment back until the first has been acknowledged. */
static void hurry(struct fds *f, int sender, const struct frore_socket *row, int on)
{
	if (row->domain != AF_UNIX && row->type == SOCK_STREAM)
		socket_set_int(sender, IPPROTO_TCP, TCP_NODELAY, on || socket_option_was(f, row, IPPROTO_TCP, TCP_NODELAY, 0));
}

/* A new connection takes less than one that has grown: the rest would stay with the sender, where only root can look at it. */
static void let_grow(struct fds *f, const struct frore_socket *row, int receiver)
{
	uint64_t length = 0;
	uint32_t i;

	for (i = 0; i < row->message_count; i++) {
		const struct frore_socket_message *m = row_at(f, FRORE_TABLE_SOCKET_MESSAGE, row->first_message + i);

		length += m ? m->data.length : 0;
	}
	if (row->domain != AF_UNIX && length > SMALL)
		more_room(receiver, SO_RCVBUF, SO_RCVBUFFORCE, length);
}

long socket_fill(struct fds *f, uint32_t d, const struct frore_socket *row, int sender)
{
	const struct frore_socket *peer = socket_peer(f, row);
	struct buffer out = buffer_of(sender, SO_SNDBUF), in = buffer_of(staged(f, d), SO_RCVBUF);
	long ret;

	hurry(f, sender, row, 1);
	let_grow(f, row, staged(f, d));
	ret = fill_from(f, d, row, sender);
	buffer_restore(staged(f, d), SO_RCVBUF, in);
	buffer_restore(sender, SO_SNDBUF, out);
	hurry(f, sender, peer ? peer : row, 0);
	if (ret == -ENOENT && row->flags & FRORE_SOCKET_FLAG_UNLINKED) {
		warn_fd(f, d, "loses what waited in it:", "a socket whose path is gone", 0, 0);
		ret = 0;
	}
	if (ret < 0)
		return refuse_fd(f, d, "cannot fill", "a socket with what waited in it", ret,
				 "raise net.core.wmem_max and net.unix.max_dgram_qlen, or run it as root");
	return 0;
}
