/* Connections over loopback whose both ends are inside: TCP, and UDP with what waits unread. */
#include "judge.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int listener, server, client;
static struct sockaddr_storage name[4];
static socklen_t name_size[4];
static char big[3 << 20];

static void put(int fd, int level, int option, int value)
{
	MUST(setsockopt(fd, level, option, &value, sizeof(value)));
}

static int option(int fd, int level, int which)
{
	int value = -1;
	socklen_t size = sizeof(value);

	getsockopt(fd, level, which, &value, &size);
	return value;
}

static socklen_t loopback(struct sockaddr_storage *at, int family, int mapped)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};

	if (mapped)
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &six.sin6_addr);
	if (family == AF_INET)
		memcpy(at, &four, sizeof(four));
	else
		memcpy(at, &six, sizeof(six));
	return family == AF_INET ? sizeof(four) : sizeof(six);
}

static int listen_at(int family, int mapped, int backlog)
{
	struct sockaddr_storage at;
	socklen_t size = loopback(&at, family, mapped);
	int fd = MUST(socket(family, SOCK_STREAM, 0));

	put(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (void *)&at, size) == -1)
		CANNOT("no such loopback here: %s", strerror(errno));
	MUST(listen(fd, backlog));
	return fd;
}

/* A client of `family` at the port of the listener. */
static int connect_to(int fd, int family, int mapped)
{
	struct sockaddr_storage at, own;
	socklen_t size = sizeof(own);
	int new = MUST(socket(family, SOCK_STREAM, 0));

	MUST(getsockname(fd, (void *)&own, &size));
	size = loopback(&at, family, mapped);
	((struct sockaddr_in *)&at)->sin_port = ((struct sockaddr_in *)&own)->sin_port;
	MUST(connect(new, (void *)&at, size));
	return new;
}

static void connection(int listener_family, int listener_mapped, int client_family, int client_mapped)
{
	listener = listen_at(listener_family, listener_mapped, 5);
	client = connect_to(listener, client_family, client_mapped);
	server = MUST(accept(listener, NULL, NULL));
}

static void name_of(int fd, int peer, int i)
{
	name_size[i] = sizeof(name[i]);
	memset(&name[i], 0, sizeof(name[i]));
	MUST((peer ? getpeername : getsockname)(fd, (void *)&name[i], &name_size[i]));
}

static void remember_names(void)
{
	name_of(client, 0, 0);
	name_of(client, 1, 1);
	name_of(server, 0, 2);
	name_of(server, 1, 3);
}

static void same_name(int fd, int peer, int i, const char *what)
{
	struct sockaddr_storage now;
	socklen_t size = sizeof(now);

	memset(&now, 0, size);
	CHECK((peer ? getpeername : getsockname)(fd, (void *)&now, &size) == 0, "%s: %s", what, strerror(errno));
	CHECK(size == name_size[i] && memcmp(&now, &name[i], size) == 0, "%s is another: port %d, not %d", what,
	      ntohs(((struct sockaddr_in *)&now)->sin_port), ntohs(((struct sockaddr_in *)&name[i])->sin_port));
}

static void same_names(void)
{
	same_name(client, 0, 0, "the address of the client");
	same_name(client, 1, 1, "where the client is connected to");
	same_name(server, 0, 2, "the address of the server's end");
	same_name(server, 1, 3, "where the server's end is connected to");
}

/* Exactly this text waits, and nothing behind it. */
static void waits(int fd, const char *want, const char *what)
{
	char text[64] = "";

	EQUAL(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), (long)strlen(want), what);
	SAME_TEXT(text, want, what);
	CHECK(recv(fd, text, sizeof(text), MSG_DONTWAIT) == -1 && errno == EAGAIN, "%s: there is more, or it has ended", what);
}

static void talks(void)
{
	char text[8] = "";

	EQUAL(write(client, "ask", 3), 3, "write");
	EQUAL(read(server, text, 8), 3, "read");
	EQUAL(write(server, "reply", 5), 5, "write");
	EQUAL(read(client, text, 8), 5, "read");
	close(client);
	EQUAL(read(server, text, 8), 0, "read after the other end has closed");
	close(server);
}

static void queues(void)
{
	EQUAL(write(client, "to the ", 7), 7, "write");
	EQUAL(write(client, "server", 6), 6, "write");
	EQUAL(write(server, "to the client", 13), 13, "write");
	remember_names();
}

static void pair_check(void)
{
	same_names();
	waits(server, "to the server", "what the client has sent");
	waits(client, "to the client", "what the server has sent");
	talks();
}

static void four_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	queues();
}

static void four_check(void)
{
	pair_check();
	client = connect_to(listener, AF_INET, 0);
	server = accept(listener, NULL, NULL);
	talks();
}

static void six_prepare(void)
{
	connection(AF_INET6, 0, AF_INET6, 0);
	queues();
}

static void mapped_prepare(void)
{
	connection(AF_INET6, 1, AF_INET, 0);
	queues();
}

/* The listener has been closed, and the client had chosen its port. */
static void alone_prepare(void)
{
	struct sockaddr_storage at;
	socklen_t size = loopback(&at, AF_INET, 0);

	listener = listen_at(AF_INET, 0, 5);
	client = MUST(socket(AF_INET, SOCK_STREAM, 0));
	put(client, SOL_SOCKET, SO_REUSEADDR, 1);
	MUST(bind(client, (void *)&at, size));
	name_of(listener, 0, 1);
	MUST(connect(client, (void *)&name[1], name_size[1]));
	server = MUST(accept(listener, NULL, NULL));
	close(listener);
	queues();
}

static void options_prepare(void)
{
	struct timeval limit = {3, 0};

	connection(AF_INET, 0, AF_INET, 0);
	put(client, IPPROTO_TCP, TCP_NODELAY, 1);
	put(client, SOL_SOCKET, SO_KEEPALIVE, 1);
	put(server, IPPROTO_TCP, TCP_KEEPIDLE, 77);
	put(server, SOL_SOCKET, SO_SNDBUF, 40000);
	MUST(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	MUST(fcntl(client, F_SETFL, O_NONBLOCK));
	MUST(fcntl(server, F_SETFD, FD_CLOEXEC));
	queues();
}

static void options_check(void)
{
	struct timeval limit = {0, 0};
	socklen_t size = sizeof(limit);

	EQUAL(option(client, IPPROTO_TCP, TCP_NODELAY), 1, "TCP_NODELAY of the client");
	EQUAL(option(server, IPPROTO_TCP, TCP_NODELAY), 0, "TCP_NODELAY of the server");
	EQUAL(option(client, SOL_SOCKET, SO_KEEPALIVE), 1, "SO_KEEPALIVE of the client");
	EQUAL(option(client, SOL_SOCKET, SO_REUSEADDR), 0, "SO_REUSEADDR of the client");
	EQUAL(option(server, SOL_SOCKET, SO_REUSEADDR), 1, "SO_REUSEADDR of the server's end");
	EQUAL(option(server, IPPROTO_TCP, TCP_KEEPIDLE), 77, "TCP_KEEPIDLE");
	EQUAL(option(server, SOL_SOCKET, SO_SNDBUF), 80000, "SO_SNDBUF");
	getsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, &size);
	EQUAL(limit.tv_sec, 3, "SO_RCVTIMEO");
	getsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &limit, &size);
	EQUAL(limit.tv_sec, 0, "SO_SNDTIMEO of the client");
	EQUAL(fcntl(client, F_GETFL), O_RDWR | O_NONBLOCK, "the flags of the client");
	EQUAL(fcntl(server, F_GETFL), O_RDWR, "the flags of the server's end");
	EQUAL(fcntl(server, F_GETFD), FD_CLOEXEC, "close-on-exec");
	fcntl(client, F_SETFL, 0);
	pair_check();
}

/* The client has said all it has to say. */
static void half_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	queues();
	MUST(shutdown(client, SHUT_WR));
}

static void half_check(void)
{
	char text[32] = "";

	same_names();
	EQUAL(read(server, text, sizeof(text)), 13, "read before the end");
	EQUAL(read(server, text, sizeof(text)), 0, "read at the end");
	waits(client, "to the client", "what the server has sent");
	EQUAL(write(server, "still", 5), 5, "write in the open direction");
	EQUAL(read(client, text, sizeof(text)), 5, "read in the open direction");
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(client, "x", 1) == -1 && errno == EPIPE, "write after the shutdown");
}

/* The other end has closed, and not all that it sent has been read. */
static void widow_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	queues();
	EQUAL(recv(client, big, 13, MSG_WAITALL), 13, "read");
	close(client);
}

static void widow_check(void)
{
	char text[32] = "";

	same_name(server, 0, 2, "the address of the server's end");
	EQUAL(read(server, text, sizeof(text)), 13, "read of what was left");
	SAME_TEXT(text, "to the server", "what was left");
	EQUAL(read(server, text, sizeof(text)), 0, "read at the end");
}

/* For one whose client is replaced by something else: the other end reads what was left, and the end. */
static void widow_live_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	queues();
	EQUAL(client, 4, "the number of the client");
}

/* Both have closed their directions. */
static void over_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	queues();
	MUST(shutdown(server, SHUT_WR));
	MUST(shutdown(client, SHUT_WR));
}

static void over_check(void)
{
	char text[32] = "";

	EQUAL(read(server, text, sizeof(text)), 13, "read of the one end");
	EQUAL(read(server, text, sizeof(text)), 0, "read at the end");
	EQUAL(read(client, text, sizeof(text)), 13, "read of the other end");
	EQUAL(read(client, text, sizeof(text)), 0, "read at the end");
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(client, "x", 1) == -1 && errno == EPIPE, "write after the shutdown");
}

/* As much as fits: the rest of it is still with the sender, where root alone can see it. */
static size_t sent;

static void full_prepare(void)
{
	ssize_t done;

	connection(AF_INET, 0, AF_INET, 0);
	queues();
	MUST(fcntl(client, F_SETFL, O_NONBLOCK));
	pattern_fill(big, sizeof(big), 7);
	while (sent < sizeof(big) && (done = write(client, big + sent, sizeof(big) - sent)) > 0)
		sent += done;
	while (option(client, SOL_SOCKET, SO_ERROR) == 0 && poll(&(struct pollfd){client, POLLOUT, 0}, 1, 50) > 0)
		if ((done = write(client, big + sent, sizeof(big) - sent)) > 0)
			sent += done;
}

static void full_check(void)
{
	char text[32] = "";

	same_names();
	EQUAL(recv(server, text, 13, MSG_WAITALL), 13, "the first bytes");
	SAME_TEXT(text, "to the server", "the first bytes");
	memset(big, 0, sizeof(big));
	EQUAL(recv(server, big, sent, MSG_WAITALL), (long)sent, "the bytes that were sent");
	SAME_PATTERN(big, sent, 7, "what was sent");
	fcntl(client, F_SETFL, 0);
	waits(client, "to the client", "what the server has sent");
	talks();
}

/* More than a new connection takes at once, all of it received. */
#define LARGE 120000

static void large_prepare(void)
{
	int waiting = 0;

	connection(AF_INET, 0, AF_INET, 0);
	remember_names();
	pattern_fill(big, LARGE, 8);
	for (int at = 0; at < LARGE; at += 1000)
		EQUAL(write(client, big + at, 1000), 1000, "write");
	for (int i = 0; i < 1000 && waiting < LARGE; i++) {
		sleep_ms(1);
		ioctl(server, FIONREAD, &waiting);
	}
	EQUAL(waiting, LARGE, "bytes waiting");
}

static void large_check(void)
{
	same_names();
	memset(big, 0, LARGE);
	EQUAL(recv(server, big, LARGE, MSG_WAITALL), LARGE, "the bytes that were sent");
	SAME_PATTERN(big, LARGE, 8, "what was sent");
	talks();
}

/* Connections that are not accepted yet, and one that is. */
#define CLIENTS 3
static int clients[CLIENTS];

static void pending_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	queues();
	for (int i = 0; i < CLIENTS; i++)
		clients[i] = connect_to(listener, AF_INET, 0);
}

static void pending_check(void)
{
	char text[8] = "";

	pair_check();
	for (int i = 0; i < CLIENTS; i++)
		EQUAL(write(clients[i], "hello", 5), 5, "write");
	fcntl(listener, F_SETFL, O_NONBLOCK);
	for (int i = 0; i < CLIENTS; i++) {
		int fd = accept(listener, NULL, NULL);

		EQUAL(read(fd, text, 8), 5, "read of one that was accepted now");
		EQUAL(write(fd, "welcome", 7), 7, "write");
	}
	EQUAL(accept(listener, NULL, NULL), -1, "another connection to accept");
	for (int i = 0; i < CLIENTS; i++)
		EQUAL(recv(clients[i], text, 8, MSG_DONTWAIT), 7, "the welcome");
}

/* Many at one port. */
#define MANY 100
static int many[MANY][2];

static void many_prepare(void)
{
	listener = listen_at(AF_INET, 0, MANY);
	for (int i = 0; i < MANY; i++) {
		many[i][0] = connect_to(listener, AF_INET, 0);
		many[i][1] = MUST(accept(listener, NULL, NULL));
		EQUAL(write(many[i][i % 2], &i, sizeof(i)), (long)sizeof(i), "write");
	}
}

static void many_check(void)
{
	for (int i = 0; i < MANY; i++) {
		int got = -1;

		EQUAL(recv(many[i][1 - i % 2], &got, sizeof(got), MSG_DONTWAIT), (long)sizeof(got), "read");
		EQUAL(got, i, "the number");
	}
}

/* Two tasks, each with one end. The child answers every byte with its pid. */
static pid_t child;

static void tree_prepare(void)
{
	connection(AF_INET, 0, AF_INET, 0);
	child = MUST(fork());
	if (child == 0) {
		char byte;

		close(server);
		close(listener);
		while (read(client, &byte, 1) == 1) {
			pid_t pid = getpid();

			if (write(client, &pid, sizeof(pid)) != sizeof(pid))
				_exit(1);
		}
		_exit(7);
	}
	close(client);
	name_of(server, 0, 2);
	name_of(server, 1, 3);
	EQUAL(write(server, "a", 1), 1, "write");
}

static void tree_check(void)
{
	pid_t got = 0;
	int status = 0;

	same_name(server, 0, 2, "the address of the server's end");
	same_name(server, 1, 3, "where the server's end is connected to");
	EQUAL(read(server, &got, sizeof(got)), (long)sizeof(got), "the first answer");
	EQUAL(got, child, "the first answer");
	EQUAL(write(server, "b", 1), 1, "write");
	EQUAL(read(server, &got, sizeof(got)), (long)sizeof(got), "the second answer");
	EQUAL(got, child, "the second answer");
	close(server);
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(WEXITSTATUS(status), 7, "how the child has ended");
}

/* In the midst of a conversation at full speed: every number comes once, and in its order, in both directions. */
#define LINES 8
#define AHEAD 5
static int lines[LINES];
static volatile int stop_talking;
static pthread_t talker;

/* Reads what is there in whole numbers, each one more than the last; -1 at the end or when one is wrong. */
static int take_numbers(int fd, uint64_t *last)
{
	uint64_t number[64];
	ssize_t got = recv(fd, number, sizeof(number), 0);

	if (got > 0 && got % 8)
		got += recv(fd, (char *)number + got, 8 - got % 8, MSG_WAITALL);
	for (ssize_t i = 0; i < got / 8; i++)
		if (number[i] != ++*last)
			return -1;
	return got > 0 ? got / 8 : -1;
}

static int echo_all(void)
{
	uint64_t last[LINES] = {0}, said[LINES] = {0};
	struct pollfd look[LINES];
	int left = LINES;

	for (int i = 0; i < LINES; i++)
		look[i] = (struct pollfd){lines[i], POLLIN, 0};
	while (left > 0 && poll(look, LINES, -1) > 0) {
		for (int i = 0; i < LINES; i++) {
			if (!look[i].revents)
				continue;
			if (take_numbers(look[i].fd, &last[i]) < 0) {
				if (recv(look[i].fd, last, 1, MSG_PEEK) != 0)
					return 1;
				close(look[i].fd);
				look[i].fd = -1;
				left--;
			}
			while (look[i].fd >= 0 && said[i] < last[i]) {
				said[i]++;
				if (write(look[i].fd, &said[i], 8) != 8)
					return 2;
			}
		}
	}
	return 0;
}

static void *talk(void *unused)
{
	uint64_t last[LINES] = {0}, said[LINES] = {0};

	while (!stop_talking) {
		for (int i = 0; i < LINES; i++) {
			while (said[i] < last[i] + AHEAD) {
				said[i]++;
				if (write(lines[i], &said[i], 8) != 8)
					FAIL("write: %s", strerror(errno));
			}
			if (take_numbers(lines[i], &last[i]) < 0) {
				FAIL("line %d: a wrong number behind %llu", i, (unsigned long long)last[i]);
				return unused;
			}
		}
	}
	for (int i = 0; i < LINES; i++)
		while (last[i] < said[i] && take_numbers(lines[i], &last[i]) >= 0)
			;
	return unused;
}

static void busy_prepare(void)
{
	int ends[LINES];

	listener = listen_at(AF_INET, 0, LINES);
	for (int i = 0; i < LINES; i++) {
		ends[i] = connect_to(listener, AF_INET, 0);
		lines[i] = MUST(accept(listener, NULL, NULL));
	}
	child = MUST(fork());
	if (child == 0) {
		for (int i = 0; i < LINES; i++)
			close(ends[i]);
		_exit(echo_all());
	}
	for (int i = 0; i < LINES; i++) {
		close(lines[i]);
		lines[i] = ends[i];
	}
	pthread_create(&talker, NULL, talk, NULL);
}

static void busy_check(void)
{
	int status = -1;

	sleep_ms(50);
	stop_talking = 1;
	pthread_join(talker, NULL);
	for (int i = 0; i < LINES; i++)
		close(lines[i]);
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(status, 0, "how the child has ended");
}

/* Sent, but not accepted: nobody can look at it. */
static void unseen_prepare(void)
{
	listener = listen_at(AF_INET, 0, 5);
	client = connect_to(listener, AF_INET, 0);
	EQUAL(write(client, "unseen", 6), 6, "write");
}

static void unseen_check(void)
{
	char text[8] = "";

	server = accept(listener, NULL, NULL);
	EQUAL(read(server, text, sizeof(text)), 6, "read");
}

static void bind_datagram(int *fd, int i, int any)
{
	struct sockaddr_storage at;
	socklen_t size = loopback(&at, AF_INET, 0);

	*fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	if (any)
		((struct sockaddr_in *)&at)->sin_addr.s_addr = INADDR_ANY;
	MUST(bind(*fd, (void *)&at, size));
	name_of(*fd, 0, i);
	((struct sockaddr_in *)&name[i])->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

/* Datagrams of a peer, of one connected to it, and of one that has gone; both know each other. */
static void udp_prepare(void)
{
	int gone;

	bind_datagram(&server, 0, 1);
	bind_datagram(&client, 1, 0);
	bind_datagram(&gone, 2, 0);
	EQUAL(sendto(client, "one", 3, 0, (void *)&name[0], name_size[0]), 3, "sendto");
	MUST(connect(client, (void *)&name[0], name_size[0]));
	EQUAL(sendto(gone, "of one gone", 11, 0, (void *)&name[0], name_size[0]), 11, "sendto");
	EQUAL(send(client, "three", 5, 0), 5, "send");
	EQUAL(sendto(server, "back", 4, 0, (void *)&name[1], name_size[1]), 4, "sendto");
	close(gone);
}

static void datagram(int fd, const char *want, int from)
{
	struct sockaddr_storage sender;
	socklen_t size = sizeof(sender);
	char text[32] = "";

	EQUAL(recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, (void *)&sender, &size), (long)strlen(want), want);
	SAME_TEXT(text, want, "a datagram");
	CHECK(size == name_size[from] && memcmp(&sender, &name[from], 8) == 0, "%s has another sender", want);
}

static void udp_check(void)
{
	char text[8];

	datagram(server, "one", 1);
	datagram(server, "of one gone", 2);
	datagram(server, "three", 1);
	EQUAL(recv(server, text, 8, MSG_DONTWAIT), -1, "a fourth datagram");
	datagram(client, "back", 0);
	EQUAL(send(client, "more", 4, 0), 4, "send");
	datagram(server, "more", 1);
}

static const struct judge_case cases[] = {
	{"four", four_prepare, four_check},
	{"six", six_prepare, pair_check},
	{"mapped", mapped_prepare, pair_check},
	{"alone", alone_prepare, pair_check},
	{"options", options_prepare, options_check},
	{"half", half_prepare, half_check},
	{"widow", widow_prepare, widow_check},
	{"widow-live", widow_live_prepare, widow_check},
	{"over", over_prepare, over_check},
	{"large", large_prepare, large_check},
	{"full", full_prepare, full_check},
	{"pending", pending_prepare, pending_check},
	{"many", many_prepare, many_check},
	{"tree", tree_prepare, tree_check},
	{"busy", busy_prepare, busy_check},
	{"unseen", unseen_prepare, unseen_check},
	{"udp", udp_prepare, udp_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
