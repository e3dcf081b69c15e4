/* Sockets that are built again: bound, listening, in pairs, connected to each other within the target. */
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/socket.h>
#include <asm/poll.h>
#include <asm/socket.h>

#include "kinds.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_STREAM 1
#define SOCK_CLOEXEC O_CLOEXEC
#define ETIMEDOUT 110
#define SOCKET_PATIENCE 5000 /* milliseconds that a connection to ourselves may take */

void socket_set_int(int fd, int level, int name, int value)
{
	sys5(__NR_setsockopt, fd, level, name, (long)&value, sizeof(value));
}

long socket_bind(const struct fds *f, int fd, struct frore_ref address)
{
	return sys3(__NR_bind, fd, (long)artefact_bytes(f->a, address), address.length);
}

long socket_make(const struct frore_socket *row)
{
	return sys3(__NR_socket, (int)row->domain, (int)row->type | SOCK_CLOEXEC, (int)row->protocol);
}

const struct frore_socket *socket_at(const struct fds *f, uint32_t d)
{
	return d < f->descriptions && f->description[d].kind == FRORE_KIND_SOCKET
		       ? row_at(f, FRORE_TABLE_SOCKET, f->description[d].row)
		       : 0;
}

const struct frore_socket *socket_peer(const struct fds *f, const struct frore_socket *row)
{
	return row->peer == FRORE_NONE || override_of(f, row->peer) ? 0 : socket_at(f, row->peer);
}

void socket_patience(int fd, int limited)
{
	int64_t limit[2] = {limited ? SOCKET_PATIENCE / 1000 : 0, 0};

	sys5(__NR_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO_OLD, (long)limit, sizeof(limit));
}

long socket_accept(int listener)
{
	struct pollfd look = {listener, POLLIN, 0};
	long ret = sys3(__NR_poll, (long)&look, 1, SOCKET_PATIENCE);

	if (ret <= 0)
		return ret < 0 ? ret : -ETIMEDOUT;
	return sys4(__NR_accept4, listener, 0, 0, SOCK_CLOEXEC);
}

static long ip_bind(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret = socket_bind(f, staged(f, d), row->local);

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
		return row->type == SOCK_STREAM ? tcp_bind(f, d, row) : ip_bind(f, d, row);
	case AF_NETLINK:
		return netlink_bind(f, d, row);
	}
	ret = socket_bind(f, staged(f, d), row->local);
	return ret < 0 ? refuse_fd(f, d, "cannot bind", "a socket", ret, 0) : 0;
}

/* What is made when all that it needs is there: connections through a listener, and those whose other end has closed. */
static int comes_later(const struct fds *f, const struct frore_socket *row)
{
	const struct frore_socket *peer = socket_peer(f, row);

	return row->state == FRORE_SOCKET_CONNECTED || row->state == FRORE_SOCKET_PENDING ||
	       (row->state == FRORE_SOCKET_PAIR && (!peer || (row->flags | peer->flags) & FRORE_SOCKET_FLAG_ACCEPTED));
}

static int is_ip(const struct frore_socket *row)
{
	return row->domain == AF_INET || row->domain == AF_INET6;
}

long socket_open(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long fd, ret;

	if (row->peer != FRORE_NONE && (row->peer == d || !socket_at(f, row->peer)))
		return damaged_table(f);
	if (comes_later(f, row))
		return 0;
	if (row->state == FRORE_SOCKET_PAIR) {
		ret = is_open(staged(f, d)) ? 0 : unix_pair(f, row, staged(f, d), staged(f, row->peer));
		if (ret < 0)
			return refuse_fd(f, d, "cannot make", "a socket pair", ret, 0);
		socket_options(f, d, row, 0);
		return bind_it(f, d, row);
	}
	fd = socket_make(row);
	if (stage(f, d, fd, "cannot make", "a socket", fd == -1 || fd == -13 ? "run it as root" : 0) < 0)
		return -1;
	socket_options(f, d, row, 0);
	if (bind_it(f, d, row) < 0)
		return -1;
	if (row->state != FRORE_SOCKET_LISTENING || is_ip(row))
		return 0;
	ret = unix_listen(f, staged(f, d), row, row->backlog);
	return ret < 0 ? refuse_address(f, d, row, ret) : 0;
}

/* One whose other end has closed: what that sent is sent again, then it closes. */
static long widow(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long other = sys_fcntl(f->r->artefact.fd, F_DUPFD_CLOEXEC, FIRST_TEMPORARY); /* a number for it */
	long ret = other < 0 ? other : unix_pair(f, row, staged(f, d), (int)other);

	if (ret < 0)
		return refuse_fd(f, d, "cannot make", "a socket pair", ret, 0);
	socket_options(f, d, row, 0);
	if (bind_it(f, d, row) < 0)
		return -1;
	ret = socket_fill(f, d, row, (int)other);
	sys_close((int)other);
	return ret;
}

long socket_connect(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	if (row->state == FRORE_SOCKET_CONNECTED || (row->state == FRORE_SOCKET_PAIR && is_ip(row)))
		return is_open(staged(f, d)) ? 0 : tcp_connect(f, d, row);
	if (row->state != FRORE_SOCKET_PAIR)
		return 0;
	if (!socket_peer(f, row))
		return widow(f, d, row);
	return row->flags & FRORE_SOCKET_FLAG_ACCEPTED ? unix_connect(f, d, row) : 0;
}

/* Strangers may connect from now on: all connections that had been accepted exist. */
static long start_listening(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret;

	if (!is_ip(row))
		return 0;
	ret = sys2(__NR_listen, staged(f, d), row->backlog > 0x7fffffff ? 0x7fffffff : (long)row->backlog);
	return ret < 0 ? refuse_address(f, d, row, ret) : 0;
}

/* Then those that wait to be accepted connect, in their order. */
long socket_listen(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	const uint32_t *pending = artefact_bytes(f->a, row->pending);
	uint32_t i;

	if (row->state != FRORE_SOCKET_LISTENING)
		return 0;
	if (start_listening(f, d, row) < 0)
		return -1;
	for (i = 0; i < row->pending.length / 4; i++) {
		const struct frore_socket *client = socket_at(f, pending[i]);

		if (!client || client->state != FRORE_SOCKET_PENDING)
			return damaged_table(f);
		if (override_of(f, pending[i]))
			continue;
		if ((is_ip(row) ? tcp_pending(f, pending[i], client) : unix_pending(f, pending[i], client)) < 0)
			return -1;
		socket_options(f, pending[i], client, 0);
	}
	return 0;
}

long socket_queue(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	int together = row->state == FRORE_SOCKET_PAIR || row->state == FRORE_SOCKET_CONNECTED;

	/* what is alone has been filled before its other end was closed */
	if (row->message_count == 0 || (together && !socket_peer(f, row)))
		return 0;
	return socket_fill(f, d, row, together ? staged(f, row->peer) : -1);
}

/* After a shutdown nothing can be sent, and a connected datagram socket takes messages from its peer only: both when queues are full. */
long socket_complete(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret = 0;

	if (row->flags & FRORE_SOCKET_FLAG_RECONNECT)
		ret = sys3(__NR_connect, staged(f, d), (long)artefact_bytes(f->a, row->remote), row->remote.length);
	if (ret < 0)
		warn_fd(f, d, "cannot be connected again:", "a datagram socket", ret, 0);
	/* it was on while ports were shared among ours */
	if (is_ip(row) && row->type == SOCK_STREAM)
		socket_set_int(staged(f, d), SOL_SOCKET, SO_REUSEADDR, socket_option_was(f, row, SOL_SOCKET, SO_REUSEADDR, 0));
	socket_options(f, d, row, 1);
	if (row->shutdown)
		sys2(__NR_shutdown, staged(f, d), (int)row->shutdown - 1);
	return 0;
}
