/* What stands for something whose other end was outside: of the same family and type, and its peer has closed. */
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <asm/socket.h>

#include "kinds.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define SOCK_SEQPACKET 5
#define LOOPBACK_BE 0x0100007f

struct ip_address {
	union {
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	};
	uint32_t length;
};

static void loopback(struct ip_address *a, uint32_t domain, int mapped)
{
	memset(a, 0, sizeof(*a));
	if (domain == AF_INET) {
		a->four.sin_family = AF_INET;
		a->four.sin_addr.s_addr = LOOPBACK_BE;
		a->length = sizeof(a->four);
		return;
	}
	a->six.sin6_family = AF_INET6;
	if (mapped) {
		a->six.sin6_addr.s6_addr[10] = a->six.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&a->six.sin6_addr.s6_addr[12], &(uint32_t){LOOPBACK_BE}, 4);
	} else {
		a->six.sin6_addr.s6_addr[15] = 1;
	}
	a->length = sizeof(a->six);
}

/*
 * A real connection to a listener of our own that is reset at once: reading gives the end, writing EPIPE, poll HUP, and nothing
 * lingers. The reset leaves ECONNRESET behind, which is read away: the design wants an end, not an error.
 */
static long reset_connection(uint32_t domain, int mapped)
{
	struct {
		int on, seconds;
	} linger = {1, 0};
	struct ip_address a;
	long listener = sys3(__NR_socket, domain, SOCK_STREAM | O_CLOEXEC, 0), client, server, ret;
	int drop = 0, length = sizeof(drop);

	if (listener < 0)
		return listener;
	client = sys3(__NR_socket, domain, SOCK_STREAM | O_CLOEXEC, 0);
	loopback(&a, domain, mapped);
	ret = sys3(__NR_bind, listener, (long)&a, a.length);
	if (ret == 0)
		ret = sys2(__NR_listen, listener, 1);
	if (ret == 0)
		ret = sys3(__NR_getsockname, listener, (long)&a, (long)&a.length);
	if (ret == 0)
		ret = sys3(__NR_connect, client, (long)&a, a.length);
	if (ret == 0) {
		server = sys4(__NR_accept4, listener, 0, 0, O_CLOEXEC);
		sys5(__NR_setsockopt, server, SOL_SOCKET, SO_LINGER, (long)&linger, sizeof(linger));
		sys_close((int)server);
		sys5(__NR_getsockopt, client, SOL_SOCKET, SO_ERROR, (long)&drop, (long)&length);
	}
	sys_close((int)listener);
	if (ret == 0)
		return client;
	sys_close((int)client);
	return ret;
}

static long dead_socket(const struct frore_hangup *row)
{
	uint32_t domain = row->domain;
	int ends[2];
	long ret;

	if ((domain == AF_INET || domain == AF_INET6) && row->type == SOCK_STREAM) {
		ret = reset_connection(domain, domain == AF_INET6);
		if (ret < 0 && domain == AF_INET6)
			ret = reset_connection(domain, 0);
		/* without a loopback device: never connected reads ENOTCONN, writes EPIPE, polls HUP */
		return ret < 0 ? sys3(__NR_socket, domain, SOCK_STREAM | O_CLOEXEC, 0) : ret;
	}
	ret = sys4(__NR_socketpair, AF_UNIX, (domain == AF_UNIX ? (int)row->type : SOCK_STREAM) | O_CLOEXEC, 0, (long)ends);
	if (ret < 0)
		return ret;
	sys_close(ends[1]);
	return ends[0];
}

static long dead_pipe(int write_end)
{
	int ends[2];
	long ret = sys2(__NR_pipe2, (long)ends, O_CLOEXEC);

	if (ret < 0)
		return ret;
	sys_close(ends[!write_end]);
	return ends[write_end];
}

long hangup_open(struct fds *f, uint32_t d, const struct frore_hangup *row)
{
	long fd = row->what == FRORE_HANGUP_WHAT_SOCKET ? dead_socket(row) : dead_pipe(row->what == FRORE_HANGUP_WHAT_PIPE_WRITE);

	return stage(f, d, fd, "cannot make", "what stands for a closed connection", 0);
}
