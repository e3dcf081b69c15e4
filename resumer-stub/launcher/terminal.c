/*
 * The terminal belongs to one process group at a time. The root has a group of its own in our session, gets the terminal with the
 * modes it had, and gives it back whenever it stops or ends. All signals are blocked here, so SIGTTOU does not stop us.
 */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>

#include "launcher.h"

#define HIGH_FD 200
#define SHAKEN_MS 100 /* long enough for a program to notice */
#define SPEED (CBAUD | CIBAUD) /* belongs to the line, not to the program */

const struct frore_tty *terminal_recorded(const struct launch *l)
{
	uint64_t count, i;
	const struct frore_tty *t = artefact_table(&l->r->artefact, FRORE_TABLE_TTY, &count);

	for (i = 0; i < count; i++)
		if (t[i].flags & FRORE_TTY_CONTROLLING)
			return &t[i];
	return 0;
}

static int32_t foreground(int fd)
{
	int32_t group = 0;
	long ret = sys_ioctl(fd, TIOCGPGRP, &group);

	return ret < 0 ? (int32_t)ret : group;
}

static int get_modes(int fd, struct termios2 *modes)
{
	return sys_ioctl(fd, TCGETS2, modes) == 0;
}

/* Out of the way of the program's own numbers, where the limit allows. */
static long duplicate(int fd)
{
	long ret = sys_fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);

	return ret < 0 ? sys_fcntl(fd, F_DUPFD_CLOEXEC, 3) : ret;
}

static int is_stream(int fd)
{
	struct stat st;
	uint32_t type;

	if (sys2(__NR_fstat, fd, (long)&st) < 0)
		return 0;
	type = st.st_mode & 0170000;
	return type == 0010000 || type == 0140000; /* S_IFIFO, S_IFSOCK */
}

/* A descriptor of our controlling terminal, else of any terminal among 0-2; the caller's to keep. */
static long open_terminal(struct launch *l)
{
	struct termios2 modes;
	int fd, any = -1;
	long tty;

	for (fd = 0; fd <= 2; fd++) {
		if (!get_modes(fd, &modes))
			continue;
		any = any < 0 ? fd : any;
		if (foreground(fd) >= 0) {
			l->job_control = 1;
			return duplicate(fd);
		}
	}
	tty = sys_open("/dev/tty", O_RDWR | O_CLOEXEC, 0);
	if (tty >= 0) {
		l->job_control = 1;
		return tty;
	}
	return any < 0 ? -1 : duplicate(any);
}

/* A program that handles SIGWINCH and reads single keys: it draws on the whole screen, or its own input line. */
static int draws_on_resize(const struct launch *l)
{
	uint64_t count, i;
	const struct frore_sigaction *row = artefact_table(&l->r->artefact, FRORE_TABLE_SIGACTION, &count);

	for (i = 0; i < count; i++)
		if (row[i].task == l->root_row && row[i].signo == SIGWINCH && row[i].handler > 1)
			return 1;
	return 0;
}

/* Before anything runs: is there a terminal for a program that had one? */
long terminal_find(struct launch *l)
{
	const struct frore_tty *t = terminal_recorded(l);

	l->tty = l->r->terminal_fd = -1;
	l->new_session = !t;
	l->own.master = l->own.slave = l->own.connected = l->own.listening = l->own.client = -1;
	if (!t)
		return 0;
	if (t->termios.length >= sizeof(l->target_modes)) {
		memcpy(&l->target_modes, artefact_bytes(&l->r->artefact, t->termios), sizeof(l->target_modes));
		l->has_target_modes = 1;
		l->draws = !(l->target_modes.c_lflag & ICANON) && draws_on_resize(l);
	}
	if (!l->r->options.detach)
		l->tty = (int)open_terminal(l);
	if (l->r->options.detach || (l->r->options.own_tty && l->tty >= 0)) {
		l->new_session = 1;
		return l->r->dry_run ? 0 : own_tty_open(l);
	}
	l->r->terminal_fd = l->tty;
	if (l->tty < 0)
		return refuse(l->r, "cannot resume here: the program needs a terminal and there is none,", "run it on a terminal,", 0,
			      "or with --detach");
	l->redraw = REDRAW_DUE;
	/* in a pipeline somebody else may be reading the terminal: `./job | less` */
	l->lazy_terminal = is_stream(1);
	return 0;
}

/* Do we, and so the root, have the terminal's foreground? */
int terminal_is_ours(const struct launch *l)
{
	return l->job_control && foreground(l->tty) == (int32_t)sys0(__NR_getpgrp);
}

static void set_modes(struct launch *l)
{
	const struct termios2 *here = &l->launcher_modes;
	struct termios2 *wanted = &l->target_modes;

	if (!l->has_target_modes)
		return;
	if (l->has_launcher_modes) {
		wanted->c_cflag = (wanted->c_cflag & ~SPEED) | (here->c_cflag & SPEED);
		wanted->c_ispeed = here->c_ispeed;
		wanted->c_ospeed = here->c_ospeed;
	}
	sys_ioctl(l->tty, TCSETS2, wanted);
}

void terminal_hand_over(struct launch *l)
{
	if (l->tty < 0 || l->handed || l->own.master >= 0 || (l->job_control && !terminal_is_ours(l)))
		return;
	l->has_launcher_modes = get_modes(l->tty, &l->launcher_modes);
	set_modes(l);
	if (l->job_control && l->outer_group > 0)
		sys_ioctl(l->tty, TIOCSPGRP, &l->outer_group);
	l->handed = 1;
}

/* The program's terminal: its own, or the launcher's. */
static int shown_on(const struct launch *l)
{
	return l->own.master >= 0 ? l->own.master : l->tty;
}

/* The true size again, unless somebody else has changed it meanwhile. */
static void settle(struct launch *l)
{
	struct winsize now;

	if (sys_ioctl(shown_on(l), TIOCGWINSZ, &now) == 0 && now.ws_row + 1 == l->size.ws_row && now.ws_col == l->size.ws_col)
		sys_ioctl(shown_on(l), TIOCSWINSZ, &l->size);
}

/* The kernel sends SIGWINCH to the foreground when the size changes. */
static int shake(struct launch *l)
{
	struct winsize lower;

	if (!l->handed || !l->draws || sys_ioctl(shown_on(l), TIOCGWINSZ, &l->size) < 0 || l->size.ws_row < 4)
		return 0;
	lower = l->size;
	lower.ws_row--;
	return sys_ioctl(shown_on(l), TIOCSWINSZ, &lower) == 0;
}

/*
 * What the program drew is not on this screen, and curses draws only what it believes to have changed; a window of another size
 * makes it draw everything. So the window is one row lower for a moment; not before the program is back in its system call,
 * where alone the signal ends its waiting.
 */
int terminal_redraw(struct launch *l)
{
	if (l->redraw == REDRAW_SHAKEN)
		settle(l);
	else if (l->redraw == REDRAW_DUE && shake(l)) {
		l->redraw = REDRAW_SHAKEN;
		return SHAKEN_MS;
	} else if (l->redraw == REDRAW_DUE)
		sys4(__NR_pidfd_send_signal, l->r->status->family.pidfd, SIGWINCH, 0, 0);
	l->redraw = REDRAW_NONE;
	return -1;
}

void terminal_take_back(struct launch *l)
{
	int32_t own = (int32_t)sys0(__NR_getpgrp);

	if (!l->handed || l->own.master >= 0)
		return;
	if (l->redraw == REDRAW_SHAKEN)
		settle(l);
	l->redraw = REDRAW_NONE;
	l->handed = 0;
	l->has_target_modes = get_modes(l->tty, &l->target_modes);
	if (l->job_control && foreground(l->tty) != own)
		sys_ioctl(l->tty, TIOCSPGRP, &own);
	if (l->has_launcher_modes)
		sys_ioctl(l->tty, TCSETS2, &l->launcher_modes);
}
