/* UNIX sockets with names, with what is on its way, and with who has made them; pipes and FIFOs of several tasks. */
#include "judge.h"
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static int s[8], p[4];
static struct sockaddr_un name[8];
static socklen_t name_size[8];
static pid_t child;

static void put(int fd, int option, int value)
{
	MUST(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)));
}

/* A path, or an abstract name after "@". */
static socklen_t address(struct sockaddr_un *at, const char *text)
{
	memset(at, 0, sizeof(*at));
	at->sun_family = AF_UNIX;
	if (*text != '@') {
		strcpy(at->sun_path, text);
		return offsetof(struct sockaddr_un, sun_path) + strlen(text) + 1;
	}
	return offsetof(struct sockaddr_un, sun_path) + 1 + sprintf(at->sun_path + 1, "frore-%s-%d", text + 1, judge_pid ? judge_pid : getpid());
}

static int bound(int type, const char *text)
{
	struct sockaddr_un at;
	socklen_t size = address(&at, text);
	int fd = MUST(socket(AF_UNIX, type, 0));

	if (*text != '@')
		unlink(text);
	MUST(bind(fd, (void *)&at, size));
	return fd;
}

static void connect_to(int fd, const char *text)
{
	struct sockaddr_un at;
	socklen_t size = address(&at, text);

	MUST(connect(fd, (void *)&at, size));
}

static int name_of(int fd, int peer, struct sockaddr_un *at, socklen_t *size)
{
	memset(at, 0, sizeof(*at));
	*size = sizeof(*at);
	return (peer ? getpeername : getsockname)(fd, (void *)at, size);
}

/* Names of s[0] and s[1] and what they are connected to. */
static void remember_names(void)
{
	for (int i = 0; i < 4; i++)
		MUST(name_of(s[i / 2], i % 2, &name[i], &name_size[i]));
}

static void same_names(void)
{
	for (int i = 0; i < 4; i++) {
		struct sockaddr_un now;
		socklen_t size;

		EQUAL(name_of(s[i / 2], i % 2, &now, &size), 0, "the name of a socket");
		CHECK(size == name_size[i] && memcmp(&now, &name[i], size) == 0, "%s of end %d is %d bytes \"%s\", not %d bytes \"%s\"",
		      i % 2 ? "the peer's name" : "the name", i / 2, (int)size, now.sun_path + !now.sun_path[0], (int)name_size[i],
		      name[i].sun_path + !name[i].sun_path[0]);
	}
}

static void made_by(int fd, pid_t pid)
{
	struct ucred who = {0, 0, 0};
	socklen_t size = sizeof(who);

	EQUAL(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size), 0, "SO_PEERCRED");
	EQUAL(who.pid, pid, "the pid of the peer");
	EQUAL(who.uid, geteuid(), "the uid of the peer");
	EQUAL(who.gid, getegid(), "the gid of the peer");
}

/* Exactly this text waits. */
static void waits(int fd, const char *want)
{
	char text[64] = "";

	EQUAL(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), (long)strlen(want), want);
	SAME_TEXT(text, want, "what waited");
}

static void empty(int fd)
{
	char byte;

	CHECK(recv(fd, &byte, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN, "there is more, or it has ended");
}

/* s[0] is the client's end, s[1] the server's, s[2] the listener. */
static void served(int type, const char *at, const char *client)
{
	s[2] = bound(type, at);
	MUST(listen(s[2], 5));
	s[0] = client ? bound(type, client) : MUST(socket(AF_UNIX, type, 0));
	connect_to(s[0], at);
	s[1] = MUST(accept(s[2], NULL, NULL));
	EQUAL(write(s[0], "first", 5), 5, "write");
	EQUAL(write(s[0], "second", 6), 6, "write");
	EQUAL(write(s[1], "answer", 6), 6, "write");
	remember_names();
}

static void talks(void)
{
	waits(s[0], "answer");
	empty(s[0]);
	empty(s[1]);
	EQUAL(write(s[0], "more", 4), 4, "write");
	waits(s[1], "more");
	made_by(s[0], getpid());
	made_by(s[1], getpid());
	close(s[0]);
	EQUAL(read(s[1], s, 1), 0, "read after the other end has closed");
}

static void path_prepare(void)
{
	served(SOCK_STREAM, "server.socket", "client.socket");
}

static void stream_check(void)
{
	same_names();
	waits(s[1], "firstsecond");
	talks();
}

static void path_check(void)
{
	struct stat now;

	stream_check();
	EQUAL(stat("client.socket", &now), 0, "the client's name in the file system");
	s[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	connect_to(s[0], "server.socket");
	s[1] = accept(s[2], NULL, NULL);
	EQUAL(write(s[0], "answer", 6), 6, "write");
	waits(s[1], "answer");
}

static void abstract_prepare(void)
{
	served(SOCK_STREAM, "@server", NULL);
}

/* Several ends with the name of a listener that has been closed. */
static void alone_prepare(void)
{
	served(SOCK_SEQPACKET, "@alone", "@client");
	s[3] = MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	connect_to(s[3], "@alone");
	s[4] = MUST(accept(s[2], NULL, NULL));
	EQUAL(write(s[3], "other", 5), 5, "write");
	close(s[2]);
}

static void alone_check(void)
{
	struct sockaddr_un now;
	socklen_t size;

	same_names();
	waits(s[1], "first");
	waits(s[1], "second");
	waits(s[4], "other");
	EQUAL(name_of(s[4], 0, &now, &size), 0, "getsockname");
	CHECK(size == name_size[2] && memcmp(&now, &name[2], size) == 0, "the second end has another name");
	talks();
}

/* The path of the listener has been removed, and another socket bound to it. */
static void moved_prepare(void)
{
	served(SOCK_STREAM, "moved.socket", NULL);
	close(s[2]);
	unlink("moved.socket");
}

/* Bound behind one's back: datagram sockets that are connected to each other, and strangers. */
static void datagram_prepare(void)
{
	struct sockaddr_un at;
	socklen_t size = address(&at, "@to");

	s[0] = bound(SOCK_DGRAM, "one.socket");
	s[1] = bound(SOCK_DGRAM, "@two");
	connect_to(s[0], "@two");
	connect_to(s[1], "one.socket");
	remember_names();
	s[2] = bound(SOCK_DGRAM, "@to");
	s[3] = bound(SOCK_DGRAM, "from.socket");
	connect_to(s[3], "@to");
	s[4] = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	connect_to(s[4], "@to");
	s[5] = bound(SOCK_DGRAM, "@gone");
	EQUAL(send(s[0], "to two", 6, 0), 6, "send");
	EQUAL(send(s[1], "to one", 6, 0), 6, "send");
	EQUAL(send(s[3], "of a path", 9, 0), 9, "send");
	EQUAL(send(s[4], "of nobody", 9, 0), 9, "send");
	EQUAL(sendto(s[5], "of one gone", 11, 0, (void *)&at, size), 11, "sendto");
	EQUAL(send(s[3], "again", 5, 0), 5, "send");
	close(s[5]);
}

static void datagram(int fd, const char *want, const char *from)
{
	struct sockaddr_un at, expected;
	socklen_t size = sizeof(at), expected_size = from ? address(&expected, from) : 0;
	char text[32] = "";

	memset(&at, 0, sizeof(at));
	EQUAL(recvfrom(fd, text, sizeof(text), MSG_DONTWAIT, (void *)&at, &size), (long)strlen(want), want);
	SAME_TEXT(text, want, "a datagram");
	if (from)
		CHECK(size == expected_size && memcmp(&at, &expected, size) == 0, "\"%s\" has another sender", want);
	else
		CHECK(size <= 2, "\"%s\" has a sender", want);
}

static void datagram_check(void)
{
	same_names();
	datagram(s[1], "to two", "one.socket");
	datagram(s[0], "to one", "@two");
	datagram(s[2], "of a path", "from.socket");
	datagram(s[2], "of nobody", NULL);
	datagram(s[2], "of one gone", "@gone");
	datagram(s[2], "again", "from.socket");
	empty(s[2]);
	EQUAL(send(s[0], "more", 4, 0), 4, "send");
	datagram(s[1], "more", "one.socket");
	EQUAL(send(s[4], "still", 5, 0), 5, "send");
	datagram(s[2], "still", NULL);
}

/* Sockets that ask for credentials get names by themselves. */
static void autobound_prepare(void)
{
	s[2] = bound(SOCK_DGRAM, "@server");
	for (int i = 0; i < 2; i++) {
		s[i] = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
		put(s[i], SO_PASSCRED, 1);
		connect_to(s[i], "@server");
	}
	remember_names();
	EQUAL(name_size[0], 2 + 1 + 5, "the size of a name that the kernel has chosen");
	EQUAL(send(s[1], "auto", 4, 0), 4, "send");
}

static void autobound_check(void)
{
	struct sockaddr_un at;
	socklen_t size = sizeof(at);
	char text[8] = "";

	same_names();
	EQUAL(recvfrom(s[2], text, sizeof(text), MSG_DONTWAIT, (void *)&at, &size), 4, "recvfrom");
	CHECK(size == name_size[2] && memcmp(&at, &name[2], size) == 0, "the sender is another");
}

/* Both directions of one, the reading of another. */
static void shut_prepare(void)
{
	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s + 2));
	EQUAL(write(s[1], "kept", 4), 4, "write");
	MUST(shutdown(s[0], SHUT_RDWR));
	EQUAL(write(s[2], "kept", 4), 4, "write");
	MUST(shutdown(s[2], SHUT_RD));
}

static void shut_check(void)
{
	signal(SIGPIPE, SIG_IGN);
	waits(s[0], "kept");
	EQUAL(read(s[0], name, 1), 0, "read at the end");
	CHECK(write(s[0], "x", 1) == -1 && errno == EPIPE, "write after the shutdown");
	CHECK(write(s[1], "x", 1) == -1 && errno == EPIPE, "write to the end that was shut down");
	waits(s[3], "kept");
	EQUAL(read(s[2], name, 1), 0, "read of the end that reads no more");
	CHECK(write(s[3], "x", 1) == -1 && errno == EPIPE, "write to the end that reads no more");
	EQUAL(write(s[2], "more", 4), 4, "write in the open direction");
	waits(s[3], "more");
}

static void send_fds(int to, const char *text, const int *fds, int count)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = "";
	struct iovec part = {(void *)text, strlen(text)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	EQUAL(sendmsg(to, &message, 0), (long)strlen(text), "sendmsg");
}

static struct ucred credentials;

/* Receives into `got`; returns how many descriptors came. */
static int receive_fds(int from, char *text, size_t size, int *got)
{
	char control[256] = "";
	struct iovec part = {text, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int count = 0;

	memset(&credentials, 0, sizeof(credentials));
	memset(text, 0, size);
	CHECK(recvmsg(from, &message, MSG_DONTWAIT) >= 0, "recvmsg: %s", strerror(errno));
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
		if (h->cmsg_type == SCM_CREDENTIALS)
			memcpy(&credentials, CMSG_DATA(h), sizeof(credentials));
		if (h->cmsg_type == SCM_RIGHTS) {
			count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(got, CMSG_DATA(h), count * sizeof(int));
		}
	}
	return count;
}

/*
 * Descriptors on their way, some of them nowhere else: a file whose offset is shared, a memfd, an eventfd, the end of a pipe, and a
 * socket that itself carries one. What is read of a stream ends where descriptors come along.
 */
static void flight_prepare(void)
{
	int file = MUST(open("flight.txt", O_RDWR | O_CREAT | O_TRUNC, 0600)), memory = MUST(memfd_create("flying", 0));
	int count = MUST(eventfd(5, EFD_NONBLOCK));

	EQUAL(write(file, "0123456789", 10), 10, "write");
	lseek(file, 3, SEEK_SET);
	EQUAL(write(memory, "memory", 6), 6, "write");
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s + 2));
	MUST(pipe(p));
	EQUAL(write(p[1], "in the pipe", 11), 11, "write");
	send_fds(s[2], "inner", (int[]){p[0]}, 1);
	EQUAL(write(s[0], "before", 6), 6, "write");
	send_fds(s[0], "A", (int[]){file, memory, count}, 3);
	send_fds(s[0], "B", (int[]){s[3], file}, 2);
	EQUAL(write(s[0], "after", 5), 5, "write");
	p[2] = file;
	close(memory);
	close(count);
	close(s[3]);
	close(p[0]);
}

static void flight_check(void)
{
	int got[8], inner[8];
	char text[32];
	uint64_t count = 0;

	EQUAL(receive_fds(s[1], text, sizeof(text), got), 3, "descriptors with the first message");
	SAME_TEXT(text, "beforeA", "what comes up to the first descriptors");
	EQUAL(read(got[0], text, 2), 2, "read of the file");
	CHECK(memcmp(text, "34", 2) == 0, "the file is read from elsewhere");
	EQUAL(lseek(p[2], 0, SEEK_CUR), 5, "the offset that is shared with the one that stayed");
	EQUAL(pread(got[1], text, 6, 0), 6, "read of the memfd");
	CHECK(memcmp(text, "memory", 6) == 0, "the memfd has lost its content");
	EQUAL(read(got[2], &count, sizeof(count)), 8, "read of the eventfd");
	EQUAL(count, 5, "the count of the eventfd");
	EQUAL(receive_fds(s[1], text, sizeof(text), got), 2, "descriptors with the second message");
	SAME_TEXT(text, "B", "the second message");
	EQUAL(lseek(got[1], 0, SEEK_CUR), 5, "the offset of the file that came twice");
	EQUAL(receive_fds(got[0], text, sizeof(text), inner), 1, "descriptors through the socket that came");
	SAME_TEXT(text, "inner", "the message through the socket that came");
	EQUAL(read(inner[0], text, sizeof(text)), 11, "read of the pipe");
	waits(s[1], "after");
}

/* What a child, living or not, and the program itself have sent is told with its sender. */
static pid_t gone;

static void told_prepare(void)
{
	int status;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s + 2));
	MUST(pipe(p));
	put(s[1], SO_PASSCRED, 1);
	put(s[3], SO_PASSCRED, 1);
	EQUAL(write(s[0], "own", 3), 3, "write");
	gone = MUST(fork());
	if (gone == 0)
		_exit(write(s[0], "of one gone", 11) != 11 || write(s[2], "gone", 4) != 4);
	EQUAL(waitpid(gone, &status, 0), gone, "waitpid");
	EQUAL(status, 0, "how the first child has ended");
	child = MUST(fork());
	if (child == 0) {
		char byte;

		close(p[1]);
		_exit(write(s[0], "of a child", 10) != 10 || write(s[2], "child", 5) != 5 || write(p[2], "x", 0) == 1 || read(p[0], &byte, 1));
	}
	close(p[0]);
	while (ioctl(s[3], FIONREAD, &status) == 0 && poll(&(struct pollfd){s[3], POLLIN, 0}, 1, 0) == 0)
		sleep_ms(1);
	sleep_ms(20);
}

static void told(int fd, const char *want, pid_t who)
{
	char text[32];
	int got[8];

	EQUAL(receive_fds(fd, text, sizeof(text), got), 0, "descriptors");
	SAME_TEXT(text, want, "a message");
	EQUAL(credentials.pid, who, want);
	EQUAL(credentials.uid, geteuid(), "the uid of the sender");
	EQUAL(credentials.gid, getegid(), "the gid of the sender");
}

static void told_check(void)
{
	int status = -1;

	told(s[1], "own", getpid());
	told(s[1], "of one gone", gone);
	told(s[1], "of a child", child);
	told(s[3], "gone", gone);
	told(s[3], "child", child);
	close(p[1]);
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(status, 0, "how the child has ended");
}

/* Connections that a child has made: its pid is what the other end sees. */
static void peer_prepare(void)
{
	int got[8], status;
	char text[8];

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s + 6));
	MUST(pipe(p));
	s[2] = bound(SOCK_STREAM, "peer.socket");
	MUST(listen(s[2], 5));
	gone = MUST(fork());
	if (gone == 0) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
		send_fds(s[6], "pair", s, 2);
		_exit(0);
	}
	EQUAL(waitpid(gone, &status, 0), gone, "waitpid");
	EQUAL(receive_fds(s[7], text, sizeof(text), got), 2, "descriptors of the first child");
	s[0] = got[0];
	s[1] = got[1];
	child = MUST(fork());
	if (child == 0) {
		int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
		char byte;

		close(p[1]);
		connect_to(fd, "peer.socket");
		while (read(fd, &byte, 1) == 1)
			if (write(fd, &byte, 1) != 1)
				_exit(1);
		_exit(9);
	}
	s[3] = MUST(accept(s[2], NULL, NULL));
}

static void peer_check(void)
{
	int status = -1;

	made_by(s[0], gone);
	made_by(s[1], gone);
	made_by(s[3], child);
	EQUAL(write(s[3], "x", 1), 1, "write to the child");
	EQUAL(read(s[3], name, 1), 1, "its answer");
	close(s[3]);
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(WEXITSTATUS(status), 9, "how the child has ended");
}

/* Connections that are not accepted yet, in their order, and one that is. */
static void pending_prepare(void)
{
	served(SOCK_STREAM, "pending.socket", NULL);
	for (int i = 3; i < 6; i++) {
		char own[16];

		sprintf(own, "@client-%d", i);
		s[i] = bound(SOCK_STREAM, own);
		connect_to(s[i], "pending.socket");
		MUST(fcntl(s[i], F_SETFL, O_NONBLOCK));
	}
}

static void pending_check(void)
{
	fcntl(s[2], F_SETFL, O_NONBLOCK);
	for (int i = 3; i < 6; i++) {
		struct sockaddr_un at, expected;
		socklen_t size = sizeof(at), expected_size;
		int fd = accept(s[2], (void *)&at, &size);
		char own[16];

		sprintf(own, "@client-%d", i);
		expected_size = address(&expected, own);
		CHECK(fd >= 0, "accept: %s", strerror(errno));
		CHECK(size == expected_size && memcmp(&at, &expected, size) == 0, "connection %d is another's", i);
		made_by(fd, getpid());
		EQUAL(write(s[i], "hello", 5), 5, "write");
		waits(fd, "hello");
	}
	EQUAL(accept(s[2], NULL, NULL), -1, "another connection to accept");
	stream_check();
}

/* For one end that is replaced by something else: the other one reads what was left, and the end. */
static void widow_live_prepare(void)
{
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	EQUAL(write(s[0], "left", 4), 4, "write");
	EQUAL(s[0], 3, "the number of the end");
}

static void widow_live_check(void)
{
	waits(s[1], "left");
	EQUAL(read(s[1], s, 1), 0, "read at the end");
}

/* Sent, but not accepted: nobody can look at it. */
static void unseen_prepare(void)
{
	s[2] = bound(SOCK_STREAM, "@unseen");
	MUST(listen(s[2], 5));
	s[0] = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	connect_to(s[0], "@unseen");
	EQUAL(write(s[0], "unseen", 6), 6, "write");
}

static void unseen_check(void)
{
	s[1] = accept(s[2], NULL, NULL);
	waits(s[1], "unseen");
}

/* Readers and writers in two tasks, each with flags of its own; packets, one of them read in part; another size. */
static void tasks_prepare(void)
{
	char byte;

	MUST(pipe2(p, O_DIRECT));
	MUST(pipe(p + 2));
	MUST(fcntl(p[3], F_SETPIPE_SZ, 1 << 17));
	s[0] = MUST(open("/proc/self/fd/3", O_RDONLY | O_NONBLOCK));
	EQUAL(p[0], 3, "the first descriptor of the pipe");
	EQUAL(write(p[1], "a packet", 8), 8, "write");
	EQUAL(write(p[1], "second", 6), 6, "write");
	EQUAL(write(p[1], "third", 5), 5, "write");
	EQUAL(read(p[0], &byte, 1), 1, "read of a part, whose rest is dropped");
	for (int i = 0; i < 3; i++)
		EQUAL(write(p[3], "0123456789", 10), 10, "write");
	EQUAL(read(p[2], name, 7), 7, "read of a part");
	child = MUST(fork());
	if (child == 0) {
		char text[16];

		close(p[3]);
		/* waits for the parent, then takes what is left */
		while (read(p[2], text, 1) == 1)
			if (text[0] == '!')
				_exit(read(p[0], text, sizeof(text)) == 5 ? 5 : 1);
		_exit(2);
	}
}

static void tasks_check(void)
{
	char text[32] = "";
	int status = -1;

	EQUAL(fcntl(p[2], F_GETPIPE_SZ), 1 << 17, "the size of the second pipe");
	EQUAL(fcntl(s[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK, "O_NONBLOCK of the second reader");
	EQUAL(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0, "O_NONBLOCK of the first reader");
	EQUAL(fcntl(p[1], F_GETFL) & O_DIRECT, O_DIRECT, "the packet mode of the writer");
	EQUAL(read(s[0], text, sizeof(text)), 6, "the second packet");
	SAME_TEXT(text, "second", "the second packet");
	EQUAL(write(p[3], "!", 1), 1, "write");
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(WEXITSTATUS(status), 5, "how the child has ended");
	EQUAL(read(s[0], text, sizeof(text)), -1, "a packet that the child has read");
}

/* A FIFO with content that parent and child have opened, and an empty one of another size. */
static void fifo_prepare(void)
{
	unlink("fifo");
	unlink("wide");
	MUST(mkfifo("fifo", 0600));
	MUST(mkfifo("wide", 0600));
	p[0] = MUST(open("fifo", O_RDONLY | O_NONBLOCK));
	p[1] = MUST(open("fifo", O_WRONLY));
	p[2] = MUST(open("wide", O_RDWR));
	MUST(fcntl(p[2], F_SETPIPE_SZ, 1 << 17));
	EQUAL(write(p[1], "0123456789", 10), 10, "write");
	EQUAL(read(p[0], name, 4), 4, "read of a part");
	child = MUST(fork());
	if (child == 0) {
		int own = open("fifo", O_WRONLY | O_NONBLOCK);
		char byte;

		close(p[0]);
		close(p[1]);
		if (write(own, "child", 5) != 5 || read(p[2], &byte, 1) != 1)
			_exit(1);
		_exit(write(own, "again", 5) == 5 ? 6 : 2);
	}
	for (int i = 0, waiting = 0; i < 1000 && waiting < 11; i++) {
		ioctl(p[0], FIONREAD, &waiting);
		sleep_ms(1);
	}
}

static void fifo_check(void)
{
	char text[32] = "";
	int status = -1;

	EQUAL(fcntl(p[2], F_GETPIPE_SZ), 1 << 17, "the size of the empty one");
	EQUAL(read(p[0], text, sizeof(text)), 11, "what waited");
	SAME_TEXT(text, "456789child", "what waited");
	EQUAL(write(p[2], "x", 1), 1, "write");
	EQUAL(waitpid(child, &status, 0), child, "waitpid");
	EQUAL(WEXITSTATUS(status), 6, "how the child has ended");
	EQUAL(read(p[0], text, sizeof(text)), 5, "what the child has sent then");
	close(p[1]);
	EQUAL(read(p[0], text, sizeof(text)), 0, "read without a writer");
}

static const struct judge_case cases[] = {
	{"path", path_prepare, path_check},
	{"abstract", abstract_prepare, stream_check},
	{"alone", alone_prepare, alone_check},
	{"moved", moved_prepare, stream_check},
	{"datagram", datagram_prepare, datagram_check},
	{"autobound", autobound_prepare, autobound_check},
	{"shut", shut_prepare, shut_check},
	{"flight", flight_prepare, flight_check},
	{"told", told_prepare, told_check},
	{"peer", peer_prepare, peer_check},
	{"pending", pending_prepare, pending_check},
	{"widow-live", widow_live_prepare, widow_live_check},
	{"unseen", unseen_prepare, unseen_check},
	{"tasks", tasks_prepare, tasks_check},
	{"fifo", fifo_prepare, fifo_check},
};

int main(int argc, char **argv)
{
	return judge_cases(argc, argv, cases, COUNT(cases));
}
