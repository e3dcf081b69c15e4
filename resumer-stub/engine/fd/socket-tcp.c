/* TCP connections within the target, made anew by connecting to ourselves between the old ports. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/time_types.h>
#include <asm/socket.h>

#include "kinds.h"

#define AF_INET6 10
#define SOCK_STREAM 1
#define IP_BIND_ADDRESS_NO_PORT 24
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif
#define TCP_REPAIR 19
#define ECONNABORTED 103
#define EADDRINUSE 98
#define EADDRNOTAVAIL 99
#define ENETUNREACH 101
#define STEP_NS 100000000
#define STEPS 20
#define STRANGERS 64	/* how many others may get in between */

/*
 * Ports of connections of the original that still linger are passed by with SO_REUSEADDR, where their program had set it too, and so are
 * ours among each other; it still collides with anybody who listens. socket_complete() makes the option what it was.
 */
static long bind_shared(const struct fds *f, int fd, struct frore_ref address)
{
	socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return socket_bind(f, fd, address);
}

/* Repair mode passes by whatever has the port (SK_FORCE_REUSE); root's alone, and no way for a listener, which could not leave it. */
static long bind_forced(const struct fds *f, int fd, const struct frore_socket *row)
{
	int on = 1;
	long ret;

	if (!port_lingers(f, row) || sys5(__NR_setsockopt, fd, IPPROTO_TCP, TCP_REPAIR, (long)&on, sizeof(on)) < 0)
		return -EADDRINUSE;
	ret = socket_bind(f, fd, row->local);
	socket_set_int(fd, IPPROTO_TCP, TCP_REPAIR, 0);
	socket_set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return ret;
}

long tcp_bind(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	long ret = bind_shared(f, staged(f, d), row->local);

	if (ret == -EADDRINUSE && row->state != FRORE_SOCKET_LISTENING)
		ret = bind_forced(f, staged(f, d), row);
	return ret < 0 ? refuse_address(f, d, row, ret) : 0;
}

/* One end of a connection that is to be. */
struct side {
	struct frore_socket row; /* domain, type, protocol, local, remote */
	int fd;
};

/* Loopback of the other end's family, any port: for a connection of which nobody knows any more where it led. */
static long bind_loopback(int fd, uint32_t domain)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	struct sockaddr_in four = {.sin_family = 2, .sin_addr.s_addr = 0x0100007f};

	six.sin6_addr.s6_addr[15] = 1;
	return domain == AF_INET6 ? sys3(__NR_bind, fd, (long)&six, sizeof(six)) : sys3(__NR_bind, fd, (long)&four, sizeof(four));
}

/* Listens for a moment at the address of the side that is to be accepted. */
static long listen_at(const struct fds *f, const struct frore_socket *row)
{
	long fd = socket_make(row), ret;

	if (fd < 0)
		return fd;
	if (row->domain == AF_INET6)
		socket_set_int((int)fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	ret = row->local.length ? bind_shared(f, (int)fd, row->local) : bind_loopback((int)fd, row->domain);
	if (ret == 0)
		ret = sys2(__NR_listen, fd, STRANGERS);
	if (ret == 0)
		return fd;
	sys_close((int)fd);
	return ret;
}

/*
 * The port of a connection that has ended and lingers, for those who cannot force a bind: a range of this one port for connect(2), which
 * takes over a pair of loopback addresses after a second (net.ipv4.tcp_tw_reuse, net/ipv4/inet_hashtables.c).
 */
static long connect_lingering(const struct fds *f, struct side *s, const void *to, uint32_t length)
{
	struct __kernel_timespec step = {0, STEP_NS};
	uint8_t from[sizeof(struct sockaddr_in6)] = {0};
	const uint8_t *local = artefact_bytes(f->a, s->row.local);
	uint32_t port = (uint32_t)local[2] << 8 | local[3];
	long ret = -EADDRINUSE;
	int i;

	if (s->row.local.length > sizeof(from) || !port_lingers(f, &s->row))
		return ret;
	memcpy(from, local, s->row.local.length);
	from[2] = from[3] = 0;
	socket_set_int(s->fd, 0, IP_BIND_ADDRESS_NO_PORT, 1);
	socket_set_int(s->fd, 0, IP_LOCAL_PORT_RANGE, (int)(port | port << 16));
	if (sys3(__NR_bind, s->fd, (long)from, s->row.local.length) == 0)
		for (i = 0; i < STEPS && ret < 0; i++) {
			ret = sys3(__NR_connect, s->fd, (long)to, length);
			if (ret < 0)
				sys2(__NR_nanosleep, (long)&step, 0);
		}
	socket_set_int(s->fd, 0, IP_LOCAL_PORT_RANGE, 0);
	socket_set_int(s->fd, 0, IP_BIND_ADDRESS_NO_PORT, 0);
	return ret;
}

/* Connects from the old port. */
static long connect_from(const struct fds *f, struct side *s, const void *to, uint32_t length)
{
	long ret = s->row.local.length ? bind_shared(f, s->fd, s->row.local) : 0;

	if (ret == -EADDRINUSE)
		ret = bind_forced(f, s->fd, &s->row);
	socket_patience(s->fd, 1);
	ret = ret == -EADDRINUSE ? connect_lingering(f, s, to, length) : ret < 0 ? ret : sys3(__NR_connect, s->fd, (long)to, length);
	socket_patience(s->fd, 0);
	/* the bind passed by what has ended or shares the port, but this pair of addresses exists */
	return ret == -EADDRNOTAVAIL ? -EADDRINUSE : ret;
}

static uint32_t own_port(int fd, int call)
{
	uint8_t address[128] = {0};
	int length = sizeof(address);

	sys3(call, fd, (long)address, (long)&length);
	return (uint32_t)address[2] << 8 | address[3];
}

/* Somebody else may have come in between: those are turned away. */
static long accept_from(int listener, int client)
{
	uint32_t port = own_port(client, __NR_getsockname);
	int i;

	for (i = 0; i < STRANGERS; i++) {
		long fd = socket_accept(listener);

		if (fd < 0 || own_port((int)fd, __NR_getpeername) == port)
			return fd;
		sys_close((int)fd);
	}
	return -ECONNABORTED;
}

static long join(const struct fds *f, struct side *server, struct side *client)
{
	uint8_t there[128];
	int length = sizeof(there);
	long listener = listen_at(f, &server->row), ret;

	if (listener < 0)
		return listener;
	ret = client->fd = (int)socket_make(&client->row);
	if (ret >= 0 && client->row.remote.length) {
		length = (int)client->row.remote.length;
		ret = connect_from(f, client, artefact_bytes(f->a, client->row.remote), (uint32_t)length);
	} else if (ret >= 0) {
		sys3(__NR_getsockname, listener, (long)there, (long)&length);
		ret = connect_from(f, client, there, (uint32_t)length);
	}
	if (ret >= 0)
		ret = server->fd = (int)accept_from((int)listener, client->fd);
	sys_close((int)listener);
	return ret < 0 ? ret : 0;
}

static long refuse_connection(struct fds *f, uint32_t d, const struct frore_socket *row, long err)
{
	return err == -EADDRINUSE ? refuse_address(f, d, row, err)
							  : refuse_fd(f, d, "cannot connect", "the target with itself", err,
								      err == -ENETUNREACH ? "bring the loopback device up (ip link set lo up)" : 0);
}

/* The other end of one that is alone. */
static struct frore_socket mirrored(const struct frore_socket *row)
{
	struct frore_socket other = {.domain = row->domain, .type = row->type, .protocol = row->protocol};

	other.local = row->remote;
	other.remote = row->local;
	return other;
}

/* Its peer has closed: what that had sent is sent again, then it closes. Without their old ports when those are in use. */
static long tcp_widow(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	struct side own = {.row = *row, .fd = -1}, other = {.row = mirrored(row), .fd = -1};
	int accepted = row->flags & FRORE_SOCKET_FLAG_ACCEPTED;
	long ret = !row->remote.length ? -EADDRINUSE : accepted ? join(f, &own, &other) : join(f, &other, &own);

	if (ret < 0) {
		own.row.local.length = own.row.remote.length = other.row.local.length = other.row.remote.length = 0;
		ret = join(f, &other, &own);
	}
	if (ret < 0)
		return refuse_connection(f, d, row, ret);
	if (stage(f, d, own.fd, "cannot place", "a connection", 0) < 0)
		return -1;
	socket_options(f, d, row, 0);
	ret = socket_fill(f, d, row, other.fd);
	sys_close(other.fd);
	return ret;
}

long tcp_connect(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	const struct frore_socket *peer = socket_peer(f, row);
	struct side server = {.row = *row, .fd = -1}, client = {.fd = -1};
	long ret;

	if (!peer)
		return tcp_widow(f, d, row);
	if (!(row->flags & FRORE_SOCKET_FLAG_ACCEPTED))
		return 0; /* the other side is the server: its turn comes */
	client.row = *peer;
	ret = join(f, &server, &client);
	if (ret < 0)
		return ret == -EADDRINUSE && client.fd >= 0 ? refuse_connection(f, row->peer, peer, ret) : refuse_connection(f, d, row, ret);
	if (stage(f, d, server.fd, "cannot place", "a connection", 0) < 0 ||
	    stage(f, row->peer, client.fd, "cannot place", "a connection", 0) < 0)
		return -1;
	socket_options(f, d, row, 0);
	socket_options(f, row->peer, peer, 0);
	return 0;
}

/* Connected to a listener of the target that has not accepted it. */
long tcp_pending(struct fds *f, uint32_t d, const struct frore_socket *row)
{
	struct side own = {.row = *row, .fd = -1};
	long ret = own.fd = (int)socket_make(row);

	if (ret >= 0)
		ret = connect_from(f, &own, artefact_bytes(f->a, row->remote), row->remote.length);
	if (ret < 0)
		return refuse_connection(f, d, row, ret);
	return stage(f, d, own.fd, "cannot place", "a connection", 0);
}
