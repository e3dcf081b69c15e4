/* Pipes, socket pairs and eventfds with what waits in them. */
#include "judge.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int p[2], q[2];
static char big[200000], back[200000];

static void content_prepare(void)
{
	MUST(pipe2(p, O_CLOEXEC));
	EQUAL(write(p[1], "waiting", 7), 7, "write");
}

static void content_check(void)
{
	char text[32] = "";
	int waiting = -1;

	ioctl(p[0], FIONREAD, &waiting);
	EQUAL(waiting, 7, "bytes waiting");
	EQUAL(read(p[0], text, sizeof(text)), 7, "read");
	SAME_TEXT(text, "waiting", "the content");
	EQUAL(write(p[1], "more", 4), 4, "write");
	EQUAL(read(p[0], text, sizeof(text)), 4, "read");
	EQUAL(fcntl(p[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	close(p[1]);
	EQUAL(read(p[0], text, sizeof(text)), 0, "read after the writer has closed");
}

static void capacity_prepare(void)
{
	MUST(pipe(p));
	MUST(fcntl(p[1], F_SETPIPE_SZ, 256 * 1024));
	pattern_fill(big, sizeof(big), 1);
	EQUAL(write(p[1], big, sizeof(big)), (long)sizeof(big), "write");
	MUST(fcntl(p[0], F_SETFL, O_NONBLOCK));
}

static void capacity_check(void)
{
	size_t have = 0;
	ssize_t got;

	EQUAL(fcntl(p[0], F_GETPIPE_SZ), 256 * 1024, "the capacity");
	EQUAL(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK, "O_NONBLOCK of the read end");
	EQUAL(fcntl(p[1], F_GETFL) & O_NONBLOCK, 0, "O_NONBLOCK of the write end");
	while (have < sizeof(back) && (got = read(p[0], back + have, sizeof(back) - have)) > 0)
		have += got;
	EQUAL(have, sizeof(back), "bytes read");
	SAME_PATTERN(back, sizeof(back), 1, "the content");
}

static void packets_prepare(void)
{
	MUST(pipe2(p, O_DIRECT | O_NONBLOCK));
	EQUAL(write(p[1], "one", 3), 3, "write");
	EQUAL(write(p[1], "second", 6), 6, "write");
}

static void packets_check(void)
{
	char text[32] = "";

	EQUAL(read(p[0], text, sizeof(text)), 3, "the first packet");
	EQUAL(read(p[0], text, sizeof(text)), 6, "the second packet");
	EQUAL(read(p[0], text, sizeof(text)), -1, "a third packet");
}

/* Only one end is inside; the other is closed, not outside. */
static void one_end_prepare(void)
{
	MUST(pipe(p));
	MUST(pipe(q));
	EQUAL(write(p[1], "last", 4), 4, "write");
	close(p[1]);
	close(q[0]);
}

static void one_end_check(void)
{
	struct pollfd both[2] = {{.fd = p[0], .events = POLLIN}, {.fd = q[1], .events = POLLOUT}};
	char text[32] = "";

	poll(both, 2, 0);
	EQUAL(both[0].revents, POLLIN | POLLHUP, "events of the read end");
	EQUAL(both[1].revents, POLLOUT | POLLERR, "events of the write end");
	EQUAL(read(p[0], text, sizeof(text)), 4, "read of what was left");
	EQUAL(read(p[0], text, sizeof(text)), 0, "read at the end");
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(q[1], "x", 1) == -1 && errno == EPIPE, "write without a reader");
}

static volatile sig_atomic_t told_fd;

static void on_io(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	(void)context;
	told_fd = info->si_fd;
}

static void owner_prepare(void)
{
	struct sigaction action = {.sa_sigaction = on_io, .sa_flags = SA_SIGINFO};

	sigaction(SIGRTMIN + 2, &action, NULL);
	MUST(pipe(p));
	MUST(fcntl(p[0], F_SETOWN, getpid()));
	MUST(fcntl(p[0], F_SETSIG, SIGRTMIN + 2));
	MUST(fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK));
}

static void owner_check(void)
{
	EQUAL(fcntl(p[0], F_GETOWN), getpid(), "the owner");
	EQUAL(fcntl(p[0], F_GETSIG), SIGRTMIN + 2, "the signal");
	EQUAL(fcntl(p[0], F_GETFL), O_ASYNC | O_NONBLOCK, "the flags");
	EQUAL(write(p[1], "x", 1), 1, "write");
	for (int i = 0; i < 1000 && !told_fd; i++)
		sleep_ms(1);
	EQUAL(told_fd, p[0], "the descriptor in the signal");
}

static void stream_prepare(void)
{
	int size = 300000;

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p));
	setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	pattern_fill(big, 100000, 2);
	MUST(fcntl(p[0], F_SETFL, O_NONBLOCK));
	EQUAL(write(p[0], big, 100000), 100000, "write");
	EQUAL(write(p[1], "back", 4), 4, "write");
}

static void stream_check(void)
{
	char text[8] = "";
	size_t have = 0;
	ssize_t got;

	while (have < 100000 && (got = read(p[1], back + have, 100000 - have)) > 0)
		have += got;
	EQUAL(have, 100000, "bytes read");
	SAME_PATTERN(back, 100000, 2, "the content");
	EQUAL(read(p[0], text, 8), 4, "read of the other direction");
	SAME_TEXT(text, "back", "the other direction");
	EQUAL(fcntl(p[0], F_GETFL), O_RDWR | O_NONBLOCK, "the flags");
	EQUAL(fcntl(p[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	EQUAL(write(p[1], "x", 1), 1, "write");
	EQUAL(read(p[0], text, 8), 1, "read");
	close(p[1]);
	EQUAL(read(p[0], text, 8), 0, "read after the other end has closed");
}

static void messages(int type)
{
	MUST(socketpair(AF_UNIX, type, 0, p));
	EQUAL(send(p[0], "one", 3, 0), 3, "send");
	EQUAL(send(p[0], "", 0, 0), 0, "send of an empty message");
	EQUAL(send(p[0], "three", 5, 0), 5, "send");
}

static void messages_check(void)
{
	char text[32] = "";

	EQUAL(recv(p[1], text, sizeof(text), MSG_DONTWAIT), 3, "the first message");
	EQUAL(recv(p[1], text, sizeof(text), MSG_DONTWAIT), 0, "the empty message");
	EQUAL(recv(p[1], text, sizeof(text), MSG_DONTWAIT), 5, "the third message");
	EQUAL(recv(p[1], text, sizeof(text), MSG_DONTWAIT), -1, "a fourth message");
	EQUAL(send(p[1], "answer", 6, 0), 6, "send");
	EQUAL(recv(p[0], text, sizeof(text), MSG_DONTWAIT), 6, "the answer");
}

static void datagram_prepare(void)
{
	messages(SOCK_DGRAM);
}

static void seqpacket_prepare(void)
{
	messages(SOCK_SEQPACKET);
}

static void shutdown_prepare(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	EQUAL(write(p[0], "end", 3), 3, "write");
	MUST(shutdown(p[0], SHUT_WR));
}

static void shutdown_check(void)
{
	char text[8] = "";

	EQUAL(read(p[1], text, 8), 3, "read before the end");
	EQUAL(read(p[1], text, 8), 0, "read at the end");
	EQUAL(write(p[1], "still", 5), 5, "write in the open direction");
	EQUAL(read(p[0], text, 8), 5, "read in the open direction");
	signal(SIGPIPE, SIG_IGN);
	CHECK(write(p[0], "x", 1) == -1 && errno == EPIPE, "write after the shutdown");
}

static void widow_prepare(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	EQUAL(write(p[1], "left", 4), 4, "write");
	close(p[1]);
}

static void widow_check(void)
{
	char text[8] = "";

	EQUAL(read(p[0], text, 8), 4, "read of what was left");
	EQUAL(read(p[0], text, 8), 0, "read at the end");
}

static void options_prepare(void)
{
	int on = 1, size = 65536;
	struct timeval limit = {3, 250000};

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	MUST(setsockopt(p[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	MUST(setsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	MUST(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)));
}

static void options_check(void)
{
	int value = 0;
	struct timeval limit = {0, 0};
	socklen_t length = sizeof(value);

	getsockopt(p[0], SOL_SOCKET, SO_PASSCRED, &value, &length);
	EQUAL(value, 1, "SO_PASSCRED");
	getsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &value, &length);
	EQUAL(value, 131072, "SO_SNDBUF");
	length = sizeof(limit);
	getsockopt(p[0], SOL_SOCKET, SO_RCVTIMEO, &limit, &length);
	CHECK(limit.tv_sec == 3 && limit.tv_usec / 10000 == 25, "SO_RCVTIMEO is %lld.%06lld s",
	      (long long)limit.tv_sec, (long long)limit.tv_usec);
}

/* A descriptor on its way in a message: one that exists nowhere else. */
static void rights_prepare(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec part = {"f", 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	MUST(pipe(q));
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &q[1], sizeof(int));
	EQUAL(sendmsg(p[0], &message, 0), 1, "sendmsg");
	close(q[1]);
}

static void rights_check(void)
{
	char control[CMSG_SPACE(sizeof(int))] = "", byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
				 .msg_controllen = sizeof(control)};
	int passed;

	EQUAL(recvmsg(p[1], &message, MSG_DONTWAIT), 1, "recvmsg");
	if (!CMSG_FIRSTHDR(&message)) {
		FAIL("the descriptor on its way is lost");
		return;
	}
	memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
	EQUAL(write(passed, "z", 1), 1, "write to the passed descriptor");
	EQUAL(read(q[0], &byte, 1), 1, "read");
	EQUAL(byte, 'z', "the byte");
}

static void eventfd_prepare(void)
{
	p[0] = MUST(eventfd(41, EFD_NONBLOCK | EFD_CLOEXEC));
	p[1] = MUST(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
	q[0] = MUST(eventfd(0, EFD_NONBLOCK));
}

static void eventfd_check(void)
{
	uint64_t count = 0;

	eventfd_write(p[0], 1);
	EQUAL(eventfd_read(p[0], &count), 0, "read");
	EQUAL(count, 42, "the count");
	EQUAL(fcntl(p[0], F_GETFD), FD_CLOEXEC, "close-on-exec");
	for (int i = 0; i < 3; i++) {
		EQUAL(eventfd_read(p[1], &count), 0, "read of the semaphore");
		EQUAL(count, 1, "a step of the semaphore");
	}
	EQUAL(eventfd_read(p[1], &count), -1, "read of the empty semaphore");
	EQUAL(eventfd_read(q[0], &count), -1, "read of the one that was empty");
}

static const struct judge_case cases[] = {
	{"pipe", content_prepare, content_check},
	{"pipe-capacity", capacity_prepare, capacity_check},
	{"pipe-packets", packets_prepare, packets_check},
	{"pipe-one-end", one_end_prepare, one_end_check},
	{"pipe-owner", owner_prepare, owner_check},
	{"pair-stream", stream_prepare, stream_check},
	{"pair-datagram", datagram_prepare, messages_check},
	{"pair-seqpacket", seqpacket_prepare, messages_check},
	{"pair-shutdown", shutdown_prepare, shutdown_check},
	{"pair-widow", widow_prepare, widow_check},
	{"pair-options", options_prepare, options_check},
	{"pair-rights", rights_prepare, rights_check},
	{"eventfd", eventfd_prepare, eventfd_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
