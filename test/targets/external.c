/*
 * Descriptors whose other end is outside: what a program meets after the resume. The harness gives
 * number 5 as a pipe, or names a TCP port to connect to.
 *
 *   external reader|writer|null|tcp PORT
 */
#include "judge.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

/* Events once the other side is gone; 0 while it is there. */
static int events(int fd)
{
	struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

	poll(&one, 1, 0);
	return one.revents;
}

static int tcp(const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(atoi(port))};
	int fd = MUST(socket(AF_INET, SOCK_STREAM, 0));

	MUST(connect(fd, (void *)&at, sizeof(at)));
	return fd;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	int fd = strcmp(mode, "tcp") == 0 && argc > 2 ? tcp(argv[2]) : 5;
	char text[16] = "";
	struct stat now;

	judge_subject = mode;
	signal(SIGPIPE, SIG_IGN);
	MUST(fcntl(fd, F_GETFD));
	ready();
	judge_wait();
	fstat(fd, &now);
	say("events 0x%x", events(fd));
	if (strcmp(mode, "writer") == 0) {
		CHECK(S_ISFIFO(now.st_mode), "it is no pipe");
		CHECK(write(fd, "x", 1) == -1 && errno == EPIPE, "a write does not fail");
		CHECK(events(fd) & POLLERR, "no POLLERR");
	} else if (strcmp(mode, "reader") == 0) {
		CHECK(S_ISFIFO(now.st_mode), "it is no pipe");
		EQUAL(read(fd, text, sizeof(text)), 0, "a read");
		CHECK(events(fd) & POLLHUP, "no POLLHUP");
	} else if (strcmp(mode, "null") == 0) {
		EQUAL(now.st_rdev, 0x103, "its device number");
	} else {
		struct sockaddr_storage name;
		socklen_t size = sizeof(name);

		CHECK(S_ISSOCK(now.st_mode), "it is no socket");
		EQUAL(getsockname(fd, (void *)&name, &size), 0, "getsockname");
		EQUAL(name.ss_family, AF_INET, "its family");
		CHECK(events(fd) & (POLLHUP | POLLRDHUP), "no POLLHUP");
		EQUAL(recv(fd, text, sizeof(text), MSG_DONTWAIT), 0, "a read");
		CHECK(send(fd, "x", 1, 0) == -1 && (errno == EPIPE || errno == ECONNRESET), "a write does not fail");
		close(fd);
		fd = tcp(argv[2]);
		EQUAL(write(fd, "again\n", 6), 6, "a write to the new connection");
	}
	return verdict(mode);
}
