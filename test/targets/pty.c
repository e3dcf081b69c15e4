/* Pseudo-terminals whose both ends are inside. */
#include "judge.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

struct ends {
	int master, slave, number;
};

static void open_master(struct ends *e)
{
	int unlock = 0;

	e->slave = -1;
	e->master = MUST(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
	MUST(ioctl(e->master, TIOCSPTLCK, &unlock));
	MUST(ioctl(e->master, TIOCGPTN, &e->number));
}

static int open_slave(const struct ends *e, int flags)
{
	char path[40];

	snprintf(path, sizeof(path), "/dev/pts/%d", e->number);
	return open(path, flags | O_NOCTTY);
}

static void open_both(struct ends *e)
{
	open_master(e);
	e->slave = MUST(open_slave(e, O_RDWR));
}

static void same_number(const struct ends *e)
{
	int number = -1;
	char path[40], link[40], name[100] = "";

	MUST(ioctl(e->master, TIOCGPTN, &number));
	EQUAL(number, e->number, "the number of the terminal");
	if (e->slave < 0)
		return;
	snprintf(path, sizeof(path), "/dev/pts/%d", e->number);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", e->slave);
	CHECK(readlink(link, name, sizeof(name) - 1) > 0, "the slave has no link: %s", strerror(errno));
	SAME_TEXT(name, path, "the slave's path");
	SAME_TEXT(ttyname(e->slave) ?: "nothing", path, "ttyname()");
}

static int events_of(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLPRI};

	poll(&p, 1, 0);
	return p.revents;
}

static void set_modes(int fd, unsigned int lflag, unsigned int iflag)
{
	struct termios modes;

	MUST(tcgetattr(fd, &modes));
	modes.c_lflag = lflag;
	modes.c_iflag = iflag;
	modes.c_oflag = 0;
	modes.c_cc[VMIN] = lflag & ICANON ? modes.c_cc[VMIN] : 1;
	MUST(tcsetattr(fd, TCSANOW, &modes));
}

/* Writes all; what does not fit is an error. */
static void put(int fd, const void *bytes, size_t length)
{
	EQUAL(write(fd, bytes, length), length, "bytes written");
}

/* Reads as much as is expected, in as many reads as it takes, within two seconds. */
static void expect_bytes(int fd, const void *wanted, size_t length, const char *what)
{
	static unsigned char got[65536];
	size_t have = 0;

	for (int tries = 0; have < length && tries < 400; tries++) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (poll(&p, 1, 5) <= 0)
			continue;
		n = read(fd, got + have, length - have);
		if (n > 0)
			have += n;
	}
	EQUAL(have, length, what);
	CHECK(have < length || memcmp(got, wanted, length) == 0, "%s differ: \"%.60s\"", what, got);
}

/* One read gives one line. */
static void expect_line(int fd, const char *wanted, const char *what)
{
	char line[8192] = "";
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t got = poll(&p, 1, 1000) > 0 ? read(fd, line, sizeof(line) - 1) : -1;

	CHECK(got >= 0, "%s: no line", what);
	SAME_TEXT(line, wanted, what);
}

static void expect_silence(int fd, const char *what)
{
	char rest[200] = "";

	sleep_ms(20);
	if (events_of(fd) & POLLIN) {
		ssize_t got = read(fd, rest, sizeof(rest) - 1);

		FAIL("%s: %zd bytes more: \"%s\"", what, got, rest);
	}
}

/* A session on a terminal, with a job in the foreground. */

static struct {
	struct ends tty;
	pid_t leader;
	int group; /* of the job */
} session;

static volatile sig_atomic_t resized;

static void on_resize(int signo)
{
	(void)signo;
	resized = 1;
}

static void be_job(void)
{
	struct sigaction action = {.sa_handler = on_resize};

	sigaction(SIGWINCH, &action, NULL);
	say("job");
	for (;;) {
		struct winsize size;

		pause();
		if (!resized)
			continue;
		resized = 0;
		ioctl(0, TIOCGWINSZ, &size);
		say("size %dx%d", size.ws_col, size.ws_row);
	}
}

/* The leader of the job's group has ended already, and nobody has asked for it yet. */
static void be_leader(void)
{
	int status;
	pid_t first, job;

	setsid();
	MUST(ioctl(session.tty.slave, TIOCSCTTY, 0));
	for (int fd = 0; fd < 3; fd++)
		MUST(dup2(session.tty.slave, fd));
	close(session.tty.slave);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	first = fork();
	if (first == 0) {
		pause();
		_exit(0);
	}
	setpgid(first, first);
	job = fork();
	if (job == 0) {
		signal(SIGINT, SIG_DFL);
		setpgid(0, first);
		be_job();
	}
	setpgid(job, first);
	MUST(tcsetpgrp(0, first));
	kill(first, SIGKILL);
	MUST(open("/dev/tty", O_RDWR));
	while (waitpid(job, &status, 0) < 0)
		;
	say("signal %d tty %s foreground %d", WTERMSIG(status), ttyname(0) ?: "none", tcgetpgrp(0) == first);
	MUST(tcsetpgrp(3, getpgrp()));
	say("leader %d", tcgetpgrp(0) == getpid());
	pause();
	_exit(0);
}

static void prepare_session(void)
{
	struct winsize size = {.ws_row = 17, .ws_col = 71, .ws_xpixel = 710, .ws_ypixel = 340};

	open_both(&session.tty);
	MUST(ioctl(session.tty.master, TIOCSWINSZ, &size));
	set_modes(session.tty.slave, ICANON | ISIG | IEXTEN, ICRNL | IXON);
	session.leader = fork();
	if (session.leader == 0)
		be_leader();
	close(session.tty.slave);
	session.tty.slave = -1;
	expect_bytes(session.tty.master, "job\n", 4, "the job's word");
	while (ioctl(session.tty.master, TIOCGPGRP, &session.group) == 0 && session.group == session.leader)
		sleep_ms(1);
}

static void check_session(void)
{
	struct winsize size;
	char line[200];
	int id = 0;

	same_number(&session.tty);
	MUST(ioctl(session.tty.master, TIOCGSID, &id));
	EQUAL(id, session.leader, "the session of the terminal");
	MUST(ioctl(session.tty.master, TIOCGPGRP, &id));
	EQUAL(id, session.group, "the group in the foreground");
	MUST(ioctl(session.tty.master, TIOCGWINSZ, &size));
	EQUAL(size.ws_row, 17, "rows");
	EQUAL(size.ws_col, 71, "columns");
	EQUAL(size.ws_xpixel, 710, "pixels");
	EQUAL(size.ws_ypixel, 340, "pixels");
	size.ws_col = 72;
	MUST(ioctl(session.tty.master, TIOCSWINSZ, &size));
	expect_bytes(session.tty.master, "size 72x17\n", 11, "the answer to a resize");
	put(session.tty.master, "\003", 1);
	snprintf(line, sizeof(line), "signal 2 tty /dev/pts/%d foreground 1\n", session.tty.number);
	expect_bytes(session.tty.master, line, strlen(line), "the end of the job");
	expect_bytes(session.tty.master, "leader 1\n", 9, "the leader's word");
	EQUAL(kill(session.leader, SIGKILL), 0, "kill()");
	EQUAL(waitpid(session.leader, NULL, 0), session.leader, "waitpid()");
	EQUAL(read(session.tty.master, line, sizeof(line)), -1, "reading a terminal that was left");
	EQUAL(errno, EIO, "its error");
}

/* What waits in both directions. */

static struct ends lines, bare, full, typed, echoing;

static void prepare_lines(void)
{
	open_both(&lines);
	set_modes(lines.slave, ICANON | ISIG | ECHO | ECHOE, ICRNL | IXON);
	put(lines.slave, "printed\n", 8);
	put(lines.master, "one\rtwo\n", 8);
	put(lines.master, "no end\004\004", 8);
	put(lines.master, "unfin", 5);
	sleep_ms(20);
}

static void check_lines(void)
{
	const char echoed[] = "printed\none\ntwo\nno endunfin";

	same_number(&lines);
	expect_bytes(lines.master, echoed, strlen(echoed), "output");
	expect_line(lines.slave, "one\n", "the first line");
	expect_line(lines.slave, "two\n", "the second line");
	expect_line(lines.slave, "no end", "a line that was ended by ctrl-D");
	expect_line(lines.slave, "", "an end of file");
	expect_silence(lines.slave, "an unfinished line can be read");
	put(lines.master, "ished\177\r", 7);
	expect_line(lines.slave, "unfinishe\n", "the unfinished line");
	expect_bytes(lines.master, "ished\010 \010\n", 9, "the echo of the rest");
	expect_silence(lines.slave, "input");
	expect_silence(lines.master, "output");
}

static unsigned char pattern[8000], cram[32768];
static size_t crammed;
static int full_writer;

static void prepare_bare(void)
{
	open_both(&bare);
	set_modes(bare.slave, 0, 0);
	pattern_fill(pattern, sizeof(pattern), 1);
	put(bare.slave, pattern, 3000);
	put(bare.master, pattern, 2000);
	open_both(&full);
	set_modes(full.slave, 0, 0);
	put(full.master, pattern, sizeof(pattern));
	full_writer = MUST(open_slave(&full, O_RDWR | O_NONBLOCK | O_CLOEXEC));
	pattern_fill(cram, sizeof(cram), 2);
	/* as much as goes in */
	for (crammed = 0; crammed < sizeof(cram) && write(full_writer, &cram[crammed], 16) == 16; crammed += 16)
		sleep_ms(crammed % 2048 == 0 ? 2 : 0);
	sleep_ms(20);
}

static void check_bare(void)
{
	unsigned char wanted[sizeof(pattern)];

	pattern_fill(wanted, sizeof(wanted), 1);
	same_number(&bare);
	same_number(&full);
	expect_bytes(bare.master, wanted, 3000, "output");
	expect_bytes(bare.slave, wanted, 2000, "input");
	expect_bytes(full.slave, wanted, sizeof(wanted), "much input");
	CHECK(crammed > 16384, "only %zu bytes of output went in", crammed);
	pattern_fill(cram, sizeof(cram), 2);
	expect_bytes(full.master, cram, crammed, "as much output as goes in");
	expect_silence(bare.master, "output");
	expect_silence(full.slave, "much input");
}

/* More than the terminal has looked at: it becomes lines when room is made. */
#define TYPED_LINES 70

static void prepare_typed(void)
{
	char line[101];

	open_both(&typed);
	set_modes(typed.slave, ICANON | ISIG, ICRNL);
	memset(line, 'x', sizeof(line));
	line[100] = '\r';
	for (int i = 0; i < TYPED_LINES; i++) {
		line[0] = '0' + i;
		put(typed.master, line, sizeof(line));
	}
	sleep_ms(20);
	open_both(&echoing);
	set_modes(echoing.slave, ECHO, 0);
	put(echoing.master, "seen", 4);
	sleep_ms(20);
}

static void check_typed(void)
{
	char line[102];

	memset(line, 'x', sizeof(line));
	strcpy(line + 100, "\n");
	for (int i = 0; i < TYPED_LINES; i++) {
		line[0] = '0' + i;
		expect_line(typed.slave, line, "a typed line");
	}
	expect_silence(typed.slave, "more than was typed");
	expect_silence(typed.master, "an echo");
	expect_bytes(echoing.slave, "seen", 4, "input that was echoed");
	expect_bytes(echoing.master, "seen", 4, "its echo");
	expect_silence(echoing.master, "an echo");
}

/* Settings that are not those of termios alone. */

static struct ends packet, exclusive, stopped, odd;

static void prepare_settings(void)
{
	struct termios modes;
	int one = 1;

	open_both(&packet);
	set_modes(packet.slave, 0, 0);
	MUST(ioctl(packet.master, TIOCPKT, &one));
	put(packet.slave, "packet", 6);
	open_both(&exclusive);
	MUST(ioctl(exclusive.slave, TIOCEXCL));
	MUST(ioctl(exclusive.master, TIOCSPTLCK, &one));
	open_both(&stopped);
	set_modes(stopped.slave, ICANON, IXON);
	put(stopped.master, "\023", 1);
	open_both(&odd);
	MUST(tcgetattr(odd.slave, &modes));
	modes.c_cc[VERASE] = '#';
	modes.c_cc[VEOF] = 26;
	modes.c_lflag &= ~ECHO;
	modes.c_oflag |= OLCUC;
	cfsetspeed(&modes, B300);
	MUST(tcsetattr(odd.slave, TCSANOW, &modes));
	sleep_ms(20);
}

static void check_settings(void)
{
	struct termios modes;
	int value = -1;

	MUST(ioctl(packet.master, TIOCGPKT, &value));
	EQUAL(value, 1, "packet mode");
	EQUAL(events_of(packet.master) & POLLPRI, 0, "a status that nobody has caused");
	expect_bytes(packet.master, "\0packet", 7, "a packet");
	MUST(ioctl(exclusive.slave, TIOCGEXCL, &value));
	EQUAL(value, 1, "exclusive");
	MUST(ioctl(exclusive.master, TIOCGPTLCK, &value));
	EQUAL(value, 1, "locked");
	EQUAL(events_of(stopped.slave) & POLLOUT, 0, "room for output that is held back");
	put(stopped.master, "\021", 1);
	sleep_ms(20);
	EQUAL(events_of(stopped.slave) & POLLOUT, POLLOUT, "room for output after ctrl-Q");
	MUST(tcgetattr(odd.slave, &modes));
	EQUAL(modes.c_cc[VERASE], '#', "the erase character");
	EQUAL(modes.c_cc[VEOF], 26, "the end-of-file character");
	EQUAL(modes.c_lflag & ECHO, 0, "echo");
	EQUAL(cfgetospeed(&modes), B300, "the speed");
	put(odd.slave, "upper\n", 6);
	expect_bytes(odd.master, "UPPER\r\n", 7, "output");
	put(odd.master, "ax#b\n", 5);
	expect_line(odd.slave, "ab\n", "input");
}

/* Ends that are closed, or have never been open. */

static struct ends hungup, left, fresh, gaps[4];

static void prepare_ends(void)
{
	open_both(&hungup);
	open_both(&left);
	open_master(&fresh);
	for (size_t i = 0; i < COUNT(gaps); i++)
		open_both(&gaps[i]);
	close(gaps[0].master);
	close(gaps[0].slave);
	close(gaps[2].slave);
	close(gaps[2].master);
	put(left.slave, "last words", 10);
	sleep_ms(20);
	close(left.slave);
	left.slave = -1;
	close(hungup.master);
}

static void check_ends(void)
{
	char rest[20];

	EQUAL(read(hungup.slave, rest, 1), 0, "reading where the master is gone");
	EQUAL(write(hungup.slave, "x", 1), -1, "writing where the master is gone");
	EQUAL(errno, EIO, "its error");
	same_number(&left);
	expect_bytes(left.master, "last words", 10, "what was written before the slave was closed");
	EQUAL(read(left.master, rest, 1), -1, "reading what everybody has left");
	EQUAL(errno, EIO, "its error");
	same_number(&fresh);
	EQUAL(events_of(fresh.master) & POLLHUP, 0, "a hangup where nobody has been yet");
	EQUAL(read(fresh.master, rest, 1), -1, "reading where nobody has been yet");
	EQUAL(errno, EAGAIN, "its error");
	fresh.slave = open_slave(&fresh, O_RDWR);
	CHECK(fresh.slave >= 0, "the slave cannot be opened: %s", strerror(errno));
	put(fresh.slave, "here", 4);
	expect_bytes(fresh.master, "here", 4, "the first words");
	same_number(&gaps[1]);
	same_number(&gaps[3]);
	open_both(&gaps[2]);
	put(gaps[2].slave, "new", 3);
	expect_bytes(gaps[2].master, "new", 3, "the words of a new one");
	same_number(&gaps[2]);
}

/* The process itself leads a session on its own terminal, and has /dev/tty open. */

static struct ends own;
static int dev_tty;
static pid_t older;

/* Of the session, but without its terminal. */
static void be_older(void)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &signo);
	_exit(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO ? 0 : 1);
}

static void prepare_own(void)
{
	open_both(&own);
	MUST(setsid());
	older = MUST(fork());
	if (older == 0)
		be_older();
	MUST(ioctl(own.slave, TIOCSCTTY, 0));
	dev_tty = MUST(open("/dev/tty", O_RDWR));
	set_modes(own.slave, ICANON, 0);
	signal(SIGHUP, SIG_IGN);
}

static void check_own(void)
{
	int id = 0, again;

	same_number(&own);
	EQUAL(fcntl(own.slave, F_GETFD), 0, "close-on-exec");
	EQUAL(getsid(0), getpid(), "the session");
	MUST(ioctl(own.master, TIOCGSID, &id));
	EQUAL(id, getpid(), "the session of the terminal");
	EQUAL(tcgetpgrp(own.slave), getpgrp(), "the foreground");
	put(dev_tty, "by /dev/tty", 11);
	expect_bytes(own.master, "by /dev/tty", 11, "output");
	again = open("/dev/tty", O_RDWR);
	CHECK(again >= 0, "/dev/tty cannot be opened: %s", strerror(errno));
	put(own.master, "read\n", 5);
	expect_line(again, "read\n", "input");
	EQUAL(kill(older, SIGUSR2), 0, "kill()");
	EQUAL(waitpid(older, &id, 0), older, "waitpid()");
	EQUAL(id, 0, "the status of a process of the session without a terminal");
}

/* A program on the terminal that is not frozen with its master. */

static struct ends deserted;

static void prepare_deserted(void)
{
	pid_t child;

	open_both(&deserted);
	child = MUST(fork());
	if (child == 0) {
		close(deserted.master);
		for (;;)
			pause();
	}
	close(deserted.slave);
	deserted.slave = -1;
}

static void check_deserted(void)
{
	char byte;

	same_number(&deserted);
	EQUAL(read(deserted.master, &byte, 1), -1, "reading what everybody has left");
	EQUAL(errno, EIO, "its error");
}

int main(int argc, char **argv)
{
	static const struct judge_case cases[] = {
		{"session", prepare_session, check_session},
		{"lines", prepare_lines, check_lines},
		{"bare", prepare_bare, check_bare},
		{"typed", prepare_typed, check_typed},
		{"settings", prepare_settings, check_settings},
		{"ends", prepare_ends, check_ends},
		{"own", prepare_own, check_own},
		{"deserted", prepare_deserted, check_deserted},
	};

	return judge_cases(argc, argv, cases, COUNT(cases));
}
