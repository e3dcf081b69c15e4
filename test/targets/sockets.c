/* Sockets that are rebuilt: listening, bound, unbound, connected within the process, netlink. */
#include "judge.h"
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int s[6];
static struct sockaddr_storage at[6];
static socklen_t at_size[6];

static void put(int fd, int level, int name, int value)
{
	MUST(setsockopt(fd, level, name, &value, sizeof(value)));
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	getsockopt(fd, level, name, &value, &size);
	return value;
}

static void bind_loopback(int i, int family)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	if (family == AF_INET)
		MUST(bind(s[i], (void *)&four, sizeof(four)));
	else if (bind(s[i], (void *)&six, sizeof(six)) == -1)
		CANNOT("no IPv6 here: %s", strerror(errno));
	at_size[i] = sizeof(at[i]);
	MUST(getsockname(s[i], (void *)&at[i], &at_size[i]));
}

static void same_name(int i)
{
	struct sockaddr_storage now;
	socklen_t size = sizeof(now);

	memset(&now, 0, size);
	EQUAL(getsockname(s[i], (void *)&now, &size), 0, "getsockname");
	EQUAL(size, at_size[i], "the size of the address");
	CHECK(memcmp(&now, &at[i], size) == 0, "the address has changed");
}

/* A client reaches the listening socket, and bytes go both ways. */
static void serves(int i)
{
	int type = SOCK_STREAM, client = socket(at[i].ss_family, type, 0), server;
	char text[8] = "";

	if (connect(client, (void *)&at[i], at_size[i]) == -1) {
		FAIL("connect: %s", strerror(errno));
		return;
	}
	fcntl(s[i], F_SETFL, fcntl(s[i], F_GETFL) & ~O_NONBLOCK);
	server = accept(s[i], NULL, NULL);
	EQUAL(write(client, "ask", 3), 3, "write");
	EQUAL(read(server, text, 8), 3, "read");
	EQUAL(write(server, "reply", 5), 5, "write");
	EQUAL(read(client, text, 8), 5, "read");
	close(client);
	close(server);
}

static void tcp_prepare(void)
{
	s[0] = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	put(s[0], SOL_SOCKET, SO_REUSEADDR, 1);
	put(s[0], SOL_SOCKET, SO_KEEPALIVE, 1);
	put(s[0], SOL_SOCKET, SO_RCVBUF, 50000);
	put(s[0], IPPROTO_TCP, TCP_NODELAY, 1);
	put(s[0], IPPROTO_TCP, TCP_KEEPIDLE, 77);
	put(s[0], IPPROTO_TCP, TCP_DEFER_ACCEPT, 0);
	bind_loopback(0, AF_INET);
	MUST(listen(s[0], 7));
}

static void tcp_check(void)
{
	same_name(0);
	EQUAL(option(s[0], SOL_SOCKET, SO_REUSEADDR), 1, "SO_REUSEADDR");
	EQUAL(option(s[0], SOL_SOCKET, SO_KEEPALIVE), 1, "SO_KEEPALIVE");
	EQUAL(option(s[0], SOL_SOCKET, SO_RCVBUF), 100000, "SO_RCVBUF");
	EQUAL(option(s[0], SOL_SOCKET, SO_ACCEPTCONN), 1, "SO_ACCEPTCONN");
	EQUAL(option(s[0], IPPROTO_TCP, TCP_NODELAY), 1, "TCP_NODELAY");
	EQUAL(option(s[0], IPPROTO_TCP, TCP_KEEPIDLE), 77, "TCP_KEEPIDLE");
	EQUAL(fcntl(s[0], F_GETFL), O_RDWR | O_NONBLOCK, "the flags");
	EQUAL(fcntl(s[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	serves(0);
}

static void tcp6_prepare(void)
{
	s[0] = MUST(socket(AF_INET6, SOCK_STREAM, 0));
	put(s[0], IPPROTO_IPV6, IPV6_V6ONLY, 1);
	bind_loopback(0, AF_INET6);
	MUST(listen(s[0], 128));
}

static void tcp6_check(void)
{
	same_name(0);
	EQUAL(option(s[0], IPPROTO_IPV6, IPV6_V6ONLY), 1, "IPV6_V6ONLY");
	serves(0);
}

/* Two sockets share one port. */
static void reuseport_prepare(void)
{
	for (int i = 0; i < 2; i++) {
		s[i] = MUST(socket(AF_INET, SOCK_STREAM, 0));
		put(s[i], SOL_SOCKET, SO_REUSEPORT, 1);
	}
	bind_loopback(0, AF_INET);
	MUST(bind(s[1], (void *)&at[0], at_size[0]));
	at[1] = at[0];
	at_size[1] = at_size[0];
	MUST(listen(s[0], 3));
	MUST(listen(s[1], 3));
}

static void reuseport_check(void)
{
	same_name(0);
	same_name(1);
	EQUAL(option(s[0], SOL_SOCKET, SO_REUSEPORT), 1, "SO_REUSEPORT");
	EQUAL(option(s[1], SOL_SOCKET, SO_REUSEPORT), 1, "SO_REUSEPORT of the second");
	EQUAL(option(s[1], SOL_SOCKET, SO_ACCEPTCONN), 1, "SO_ACCEPTCONN of the second");
}

static void udp_prepare(void)
{
	s[0] = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	put(s[0], SOL_SOCKET, SO_BROADCAST, 1);
	put(s[0], IPPROTO_IP, IP_TTL, 33);
	bind_loopback(0, AF_INET);
	s[1] = MUST(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
	bind_loopback(1, AF_INET);
	MUST(connect(s[1], (void *)&at[0], at_size[0]));
}

static void udp_check(void)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char text[8] = "";

	same_name(0);
	same_name(1);
	EQUAL(option(s[0], SOL_SOCKET, SO_BROADCAST), 1, "SO_BROADCAST");
	EQUAL(option(s[0], IPPROTO_IP, IP_TTL), 33, "IP_TTL");
	EQUAL(getpeername(s[1], (void *)&from, &size), 0, "getpeername of the connected one");
	EQUAL(send(s[1], "hello", 5, 0), 5, "send");
	fcntl(s[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 100 && recv(s[0], text, 8, 0) != 5; i++)
		sleep_ms(5);
	SAME_TEXT(text, "hello", "what arrived");
}

static void bind_unix(int i, const char *path, int type)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t size;

	s[i] = MUST(socket(AF_UNIX, type, 0));
	if (path) {
		unlink(path);
		strcpy(name.sun_path, path);
		size = sizeof(sa_family_t) + strlen(path) + 1;
	} else {
		size = sizeof(sa_family_t) + 1 + sprintf(name.sun_path + 1, "frore-test-%d", getpid());
	}
	MUST(bind(s[i], (void *)&name, size));
	at_size[i] = sizeof(at[i]);
	MUST(getsockname(s[i], (void *)&at[i], &at_size[i]));
}

static void unix_prepare(void)
{
	bind_unix(0, "listening.socket", SOCK_STREAM);
	MUST(chmod("listening.socket", 0611));
	MUST(listen(s[0], 5));
	bind_unix(1, NULL, SOCK_STREAM);
	MUST(listen(s[1], 5));
	bind_unix(2, "datagram.socket", SOCK_DGRAM);
	s[3] = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	MUST(connect(s[3], (void *)&at[2], at_size[2]));
}

static void unix_check(void)
{
	struct stat now;
	char text[8] = "";

	for (int i = 0; i < 3; i++)
		same_name(i);
	serves(0);
	serves(1);
	EQUAL(stat("listening.socket", &now), 0, "the socket's name");
	EQUAL(now.st_mode & 0777, 0611, "its mode");
	EQUAL(send(s[3], "to path", 7, 0), 7, "send");
	EQUAL(recv(s[2], text, 8, MSG_DONTWAIT), 7, "recv");
}

static void unbound_prepare(void)
{
	s[0] = MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	put(s[0], SOL_SOCKET, SO_REUSEADDR, 1);
	s[1] = MUST(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	s[2] = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	s[3] = MUST(socket(AF_INET, SOCK_STREAM, 0));
	put(s[3], SOL_SOCKET, SO_REUSEADDR, 1);
	bind_loopback(3, AF_INET);
}

static void unbound_check(void)
{
	static const int domain[] = {AF_INET, AF_INET6, AF_UNIX}, type[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

	for (int i = 0; i < 3; i++) {
		EQUAL(option(s[i], SOL_SOCKET, SO_DOMAIN), domain[i], "SO_DOMAIN");
		EQUAL(option(s[i], SOL_SOCKET, SO_TYPE), type[i], "SO_TYPE");
	}
	EQUAL(option(s[0], SOL_SOCKET, SO_REUSEADDR), 1, "SO_REUSEADDR");
	EQUAL(fcntl(s[0], F_GETFL), O_RDWR | O_NONBLOCK, "the flags");
	EQUAL(fcntl(s[1], F_GETFD), FD_CLOEXEC, "close-on-exec");
	same_name(3);
	EQUAL(option(s[3], SOL_SOCKET, SO_ACCEPTCONN), 0, "SO_ACCEPTCONN of one that is only bound");
}

static void ask_links(int fd)
{
	struct { struct nlmsghdr head; struct ifinfomsg body; } ask = {
		.head = {.nlmsg_len = sizeof(ask), .nlmsg_type = RTM_GETLINK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 5},
	};
	char answer[8192];
	struct nlmsghdr *head = (void *)answer;

	EQUAL(send(fd, &ask, sizeof(ask), 0), (long)sizeof(ask), "send to the kernel");
	CHECK(recv(fd, answer, sizeof(answer), 0) > (long)sizeof(*head), "no answer of the kernel");
	EQUAL(head->nlmsg_seq, 5, "the number of the answer");
	EQUAL(head->nlmsg_type, RTM_NEWLINK, "the type of the answer");
	while (recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
}

static void netlink_prepare(void)
{
	struct sockaddr_nl name = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

	s[0] = MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	put(s[0], SOL_NETLINK, NETLINK_EXT_ACK, 1);
	MUST(bind(s[0], (void *)&name, sizeof(name)));
	ask_links(s[0]);
	at_size[0] = sizeof(at[0]);
	MUST(getsockname(s[0], (void *)&at[0], &at_size[0]));
}

static void netlink_check(void)
{
	same_name(0);
	EQUAL(option(s[0], SOL_SOCKET, SO_PROTOCOL), NETLINK_ROUTE, "SO_PROTOCOL");
	EQUAL(option(s[0], SOL_NETLINK, NETLINK_EXT_ACK), 1, "NETLINK_EXT_ACK");
	ask_links(s[0]);
}

static const struct judge_case cases[] = {
	{"tcp", tcp_prepare, tcp_check},
	{"tcp6", tcp6_prepare, tcp6_check},
	{"reuseport", reuseport_prepare, reuseport_check},
	{"udp", udp_prepare, udp_check},
	{"unix", unix_prepare, unix_check},
	{"unbound", unbound_prepare, unbound_check},
	{"netlink", netlink_prepare, netlink_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
