/* Sockets that are built again: bound, listening, in pairs, connected to each other within the target. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/socket.h>
#include <asm/socket.h>

#include "kinds.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_CLOEXEC O_CLOEXEC
#define TCP_REPAIR 19
#define EADDRINUSE 98

void socket_set_int(int fd, int level, int name, int value)
{
	sys5(__NR_setsockopt, fd, level, name, (long)&value, sizeof(value));
}

static int get_int(int fd, int level, int name)
{
	int value = 0, length = sizeof(value);

	sys5(__NR_getsockopt, fd, level, name, (long)&value, (long)&length);
	return value;
}

static long bind_bytes(const struct fds *f, int fd, const struct frore_socket *row)
{
	return sys3(__NR_bind, fd, (long)artefact_bytes(f->a, row->local), row->local.length);
}

/* Repair mode passes by whatever has the port (SK_FORCE_REUSE); root's alone, and no way for a listener, which could not leave it. */
static long bind_forced(const struct fds *f, int fd, const struct frore_socket *row)
{
	int on = 1;
	long ret;

	if (!port_lingers(f, row) || sys5(__NR_setsockopt, fd, IPPROTO_TCP, TCP_REPAIR, (long)&on, sizeof(on)) < 0)
		return -EADDRINUSE;
	ret = bind_bytes(f, fd, row);
	socket_set_int(fd, IPPROTO_TCP, TCP_REPAIR, 0);
	return ret;
}

static long bind_and_listen(const struct fds *f, int fd, const struct frore_socket *row, int listens, uint32_t backlog)
{
	int reuse = get_int(fd, SOL_SOCKET, SO_REUSEADDR);
	long ret;

	if (row->type == SOCK_STREAM)
		socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	ret = bind_bytes(f, fd, row);
	if (ret == -EADDRINUSE && row->type == SOCK_STREAM && !listens)
		ret = bind_forced(f, fd, row);
	/* listen(2) looks for collisions once more, so all this is taken back behind it */
	if (ret == 0 && listens)
		ret = sys2(__NR_listen, fd, backlog > 0x7fffffff ? 0x7fffffff : (long)backlog);
	if (row->type == SOCK_STREAM)
		socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, reuse);
	return ret;
}

/*
 * Connections of the original that still linger would keep its port: SO_REUSEADDR passes by those whose program had set it too, and
 * still collides with anybody who listens. Afterwards the option is as the program had it.
 */
static long ip_bind(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret = bind_and_listen(f, staged(f, d), row, row->state == FRORE_SOCKET_LISTENING, row->backlog);

	if (ret < 0 && row->flags & FRORE_SOCKET_FLAG_EPHEMERAL)
		return 0;
	return ret < 0 ? refuse_address(f, d, row, ret) : 0;
}

/* The port id of a netlink socket is its owner's pid as a rule, so another of this machine may have it. */
static long netlink_bind(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	struct sockaddr_nl name;
	long ret;

	if (row->local.length < sizeof(name))
		return 0;
	memcpy(&name, artefact_bytes(f->a, row->local), sizeof(name));
	if (name.nl_pid == 0 && name.nl_groups == 0)
		return 0;
	ret = sys3(__NR_bind, staged(f, d), (long)&name, sizeof(name));
	if (ret < 0) {
		name.nl_pid = 0;
		ret = sys3(__NR_bind, staged(f, d), (long)&name, sizeof(name));
		if (ret == 0)
			warn_fd(f, d, "gets another port id:", "a netlink socket", 0, 0);
	}
	return ret < 0 ? refuse_fd(f, d, "cannot bind", "a netlink socket", ret, 0) : 0;
}

static long bind_it(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret;

	if (row->local.length == 0)
		return 0;
	switch (row->domain) {
	case AF_UNIX:
		return unix_bind(f, d, row);
	case AF_INET:
	case AF_INET6:
		return ip_bind(f, d, row);
	case AF_NETLINK:
		return netlink_bind(f, d, row);
	}
	ret = bind_bytes(f, staged(f, d), row);
	return ret < 0 ? refuse_fd(f, d, "cannot bind", "a socket", ret, 0) : 0;
}

/* Both ends at once; one that has been closed is made in the second round, when what it sent can be sent again. */
static long pair(struct fds *f, uint32_t d, const struct frore_socket *row, int *widow)
{
	int ends[2];
	long ret = sys4(__NR_socketpair, (int)row->domain, (int)row->type | SOCK_CLOEXEC, (int)row->protocol, (long)ends);

	if (ret < 0)
		return refuse_fd(f, d, "cannot make", "a socket pair", ret, 0);
	if (stage(f, d, ends[0], "cannot place", "a socket pair", 0) < 0)
		return -1;
	if (widow) {
		*widow = ends[1];
		return 0;
	}
	return stage(f, row->peer, ends[1], "cannot place", "a socket pair", 0);
}

long socket_open(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long fd, ret;

	if (row->peer != FRORE_NONE && (row->peer >= f->descriptions || row->peer == d))
		return damaged_table(f);
	if (row->state == FRORE_SOCKET_CONNECTED || (row->state == FRORE_SOCKET_PAIR && row->peer == FRORE_NONE))
		return 0;
	if (row->state == FRORE_SOCKET_PAIR) {
		if (!is_open(staged(f, d)) && pair(f, d, row, 0) < 0)
			return -1;
		socket_options(f, d, row, 0);
		return 0;
	}
	fd = sys3(__NR_socket, (int)row->domain, (int)row->type | SOCK_CLOEXEC, (int)row->protocol);
	if (stage(f, d, fd, "cannot make", "a socket", fd == -1 || fd == -13 ? "run it as root" : 0) < 0)
		return -1;
	socket_options(f, d, row, 0);
	if (bind_it(f, d, row) < 0)
		return -1;
	if (row->state != FRORE_SOCKET_LISTENING || row->domain == AF_INET || row->domain == AF_INET6)
		return 0;
	ret = sys2(__NR_listen, staged(f, d), row->backlog > 0x7fffffff ? 0x7fffffff : (long)row->backlog);
	return ret < 0 ? refuse_address(f, d, row, ret) : 0;
}

static int same_port(const struct fds *f, const struct frore_socket *a, const struct frore_socket *b)
{
	const uint8_t *x = artefact_bytes(f->a, a->local), *y = artefact_bytes(f->a, b->local);

	return a->local.length >= 4 && b->local.length >= 4 && x[2] == y[2] && x[3] == y[3];
}

/* A socket of the target that listens at the port of `row`: -1 when there is none any more. */
static int listener_for(struct fds *f, const struct frore_socket *row)
{
	uint32_t d;

	for (d = 0; d < f->descriptions; d++) {
		const struct frore_socket *other;

		if (f->description[d].kind != FRORE_KIND_SOCKET)
			continue;
		other = row_at(f, FRORE_TABLE_SOCKET, f->description[d].row);
		if (other && other->state == FRORE_SOCKET_LISTENING && same_port(f, other, row))
			return staged(f, d);
	}
	return -1;
}

static long own_listener(struct fds *f, const struct frore_socket *row)
{
	long fd = sys3(__NR_socket, (int)row->domain, (int)row->type | SOCK_CLOEXEC, (int)row->protocol), ret;

	if (fd < 0)
		return fd;
	ret = bind_and_listen(f, (int)fd, row, 1, 1);
	if (ret == 0)
		return fd;
	sys_close((int)fd);
	return ret;
}

/* A connection of the target with itself is made anew: one side listens, the other connects from its old port. */
static long connect_inside(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	const struct frore_socket *peer = row_at(f, FRORE_TABLE_SOCKET, f->description[row->peer].row);
	int known = listener_for(f, row);
	long listener, client, server = -11, ret;

	if (!peer || f->description[row->peer].kind != FRORE_KIND_SOCKET)
		return damaged_table(f);
	if (known < 0 && listener_for(f, peer) >= 0)
		return 0; /* the other side is the server: its turn comes */
	listener = known >= 0 ? known : own_listener(f, row);
	client = sys3(__NR_socket, (int)peer->domain, (int)peer->type | SOCK_CLOEXEC, (int)peer->protocol);
	if (listener < 0 || client < 0)
		return refuse_fd(f, d, "cannot connect", "the target with itself", listener < 0 ? listener : client, 0);
	if (bind_and_listen(f, (int)client, peer, 0, 0) < 0)
		warn_fd(f, row->peer, "gets another port:", "a connection of the target with itself", 0, 0);
	ret = sys3(__NR_connect, client, (long)artefact_bytes(f->a, peer->remote), peer->remote.length);
	if (ret == 0)
		server = sys4(__NR_accept4, listener, 0, 0, SOCK_CLOEXEC);
	if (known < 0)
		sys_close((int)listener);
	if (ret < 0 || server < 0)
		return refuse_fd(f, d, "cannot connect", "the target with itself", ret < 0 ? ret : server, 0);
	if (stage(f, d, server, "cannot place", "a connection", 0) < 0 ||
	    stage(f, row->peer, client, "cannot place", "a connection", 0) < 0)
		return -1;
	socket_options(f, d, row, 0);
	socket_options(f, row->peer, peer, 0);
	return 0;
}

long socket_connect(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	int other = -1;

	if (row->state == FRORE_SOCKET_CONNECTED)
		return is_open(staged(f, d)) ? 0 : connect_inside(f, d, row);
	if (row->state != FRORE_SOCKET_PAIR || row->peer != FRORE_NONE)
		return 0;
	if (pair(f, d, row, &other) < 0)
		return -1;
	socket_options(f, d, row, 0);
	if (socket_fill(f, d, row, other) < 0)
		return -1;
	sys_close(other);
	return 0;
}

long socket_queue(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	if (row->message_count == 0 || (row->state == FRORE_SOCKET_PAIR && row->peer == FRORE_NONE))
		return 0;
	return socket_fill(f, d, row, row->peer == FRORE_NONE ? -1 : staged(f, row->peer));
}

/* After a shutdown nothing can be sent, and a connected datagram socket takes messages from its peer only: both when queues are full. */
long socket_complete(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret = 0;

	if (row->flags & FRORE_SOCKET_FLAG_RECONNECT)
		ret = sys3(__NR_connect, staged(f, d), (long)artefact_bytes(f->a, row->remote), row->remote.length);
	if (ret < 0)
		warn_fd(f, d, "cannot be connected again:", "a datagram socket", ret, 0);
	socket_options(f, d, row, 1);
	if (row->shutdown)
		sys2(__NR_shutdown, staged(f, d), (int)row->shutdown - 1);
	return 0;
}
