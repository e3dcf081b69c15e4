/*
 * A terminal of the program's own: a pty whose other end the launcher holds. What the program writes goes to the terminal that is
 * connected, ours or that of --attach; with none connected it is thrown away, and drawn again for the next one.
 */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "launcher.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define DETACH_KEY 034 /* ctrl-\ */

static void set_size(struct launch *l, const struct frore_tty *t)
{
	struct winsize size = {24, 80, 0, 0};

	if (t->rows && t->cols) {
		size.ws_row = (unsigned short)t->rows;
		size.ws_col = (unsigned short)t->cols;
	}
	sys_ioctl(0, TIOCGWINSZ, &size);
	sys_ioctl(l->own.master, TIOCSWINSZ, &size);
}

/* TIOCGPTPEER opens the other end without a path, so no /dev/pts is needed. */
long own_tty_open(struct launch *l)
{
	const struct frore_tty *t = terminal_recorded(l);
	int unlock = 0;
	long ret;

	l->own.connected = l->own.listening = l->own.client = -1;
	if (!t)
		return 0;
	ret = sys_open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK, 0);
	if (ret >= 0) {
		l->own.master = (int)ret;
		sys_ioctl(l->own.master, TIOCSPTLCK, &unlock);
		/* O_CLOEXEC would stay among its status flags, where a later freeze takes it for that of each descriptor */
		ret = sys3(__NR_ioctl, l->own.master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	}
	if (ret >= 0)
		sys_fcntl((int)ret, F_SETFD, FD_CLOEXEC);
	if (ret < 0)
		return refuse(l->r, "cannot make", "a terminal for the program: /dev/ptmx", -ret, 0);
	l->own.slave = l->r->terminal_fd = (int)ret;
	if (t->termios.length >= sizeof(struct termios2))
		sys_ioctl(l->own.slave, TCSETS2, artefact_bytes(&l->r->artefact, t->termios));
	set_size(l, t);
	return 0;
}

/* By whoever leads the program's session: makes it, with the new terminal as its own. */
void own_tty_session(struct launch *l)
{
	sys0(__NR_setsid);
	if (l->own.slave >= 0)
		sys_ioctl(l->own.slave, TIOCSCTTY, 0);
}

/* By the root task: standard streams that were the terminal become this one, unless somebody redirected them here. */
void own_tty_streams(struct launch *l)
{
	const struct artefact *a = &l->r->artefact;
	uint64_t count, i;
	const struct frore_inherit *row = artefact_table(a, FRORE_TABLE_INHERIT, &count);
	struct termios2 modes;

	sys_close(l->own.master);
	for (i = 0; i < count; i++) {
		int fd = (int)row[i].launcher_fd;

		if (!(row[i].flags & FRORE_INHERIT_WAS_TTY) || fd > 2)
			continue;
		if (l->r->options.detach || sys_ioctl(fd, TCGETS2, &modes) == 0)
			sys_dup3(l->own.slave, fd, 0);
	}
}

static void make_raw(int fd, const struct termios2 *modes)
{
	struct termios2 raw = *modes;

	raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	raw.c_oflag &= ~(tcflag_t)OPOST;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	sys_ioctl(fd, TCSETS2, &raw);
}

/* The program's window gets the size of the terminal that shows it; the kernel tells it if that is a change. */
void own_tty_resize(struct launch *l)
{
	struct winsize size;

	if (l->own.connected >= 0 && sys_ioctl(l->own.connected, TIOCGWINSZ, &size) == 0 && size.ws_row)
		sys_ioctl(l->own.master, TIOCSWINSZ, &size);
}

void own_tty_connect(struct launch *l, int fd)
{
	l->own.connected = fd;
	l->own.has_modes = sys_ioctl(fd, TCGETS2, &l->own.modes) == 0;
	if (l->own.has_modes)
		make_raw(fd, &l->own.modes);
	own_tty_resize(l);
	l->redraw = REDRAW_DUE;
	l->handed = 1;
}

void own_tty_disconnect(struct launch *l)
{
	if (l->own.connected < 0)
		return;
	if (l->own.has_modes)
		sys_ioctl(l->own.connected, TCSETS2, &l->own.modes);
	if (l->own.connected != l->tty)
		sys_close(l->own.connected);
	l->own.connected = -1;
}

static void write_all(int fd, const char *at, size_t left)
{
	while (left) {
		long n = sys_write(fd, at, left);

		if (n <= 0)
			return;
		at += n;
		left -= (size_t)n;
	}
}

/* From the program to the terminal. 0 when the program's side is closed for good. */
int own_tty_output(struct launch *l)
{
	char buffer[4096];
	long n = sys_read(l->own.master, buffer, sizeof(buffer));

	if (n > 0 && l->own.connected >= 0)
		write_all(l->own.connected, buffer, (size_t)n);
	return n > 0 || n == -11; /* EAGAIN */
}

/* From the terminal to the program; only called when what came before has been taken. 1 when the detach key was typed. */
int own_tty_input(struct launch *l)
{
	long n = sys_read(l->own.connected, l->own.pending, sizeof(l->own.pending)), i;

	if (n <= 0) {
		own_tty_disconnect(l);
		return 1;
	}
	for (i = 0; l->own.client >= 0 && i < n; i++)
		if (l->own.pending[i] == DETACH_KEY) {
			own_tty_disconnect(l);
			return 1;
		}
	l->own.pending_length = (int)n;
	own_tty_push(l);
	return 0;
}

void own_tty_push(struct launch *l)
{
	long n = sys_write(l->own.master, l->own.pending, (size_t)l->own.pending_length);

	if (n <= 0)
		return;
	l->own.pending_length -= (int)n;
	memmove(l->own.pending, l->own.pending + n, (size_t)l->own.pending_length);
}

/* Everything the program has still written before it ended. */
void own_tty_drain(struct launch *l)
{
	char buffer[4096];
	long n;

	while (l->own.master >= 0 && (n = sys_read(l->own.master, buffer, sizeof(buffer))) > 0)
		if (l->own.connected >= 0)
			write_all(l->own.connected, buffer, (size_t)n);
}
