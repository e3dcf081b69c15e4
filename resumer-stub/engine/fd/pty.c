/*
 * Pseudo-terminals whose both ends are inside. All pairs are made at once, by ascending number: the kernel hands out the lowest
 * free one, so surplus pairs are held meanwhile. Sessions get their terminals from their leaders, see the end of this file.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>
#include <linux/poll.h>

#include "kinds.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define PTY_LIMIT 4096 /* kernel.pty.max unless somebody has raised it */
#define ETIME 62
#define PIECE 256
#define ARRIVES_MS 5000

/* Surplus pairs, above every number in use. */
struct surplus {
	int count;
	int fd[PTY_LIMIT];
};

static const struct frore_pty *pty_row(const struct fds *f, uint32_t d)
{
	return f->description[d].kind == FRORE_KIND_PTY ? row_at(f, FRORE_TABLE_PTY, f->description[d].row) : 0;
}

static int wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	return sys3(__NR_poll, (long)&p, 1, ARRIVES_MS) > 0 && p.revents & events;
}

/* Without O_CLOEXEC, which the kernel would keep as a status flag that /proc shows for ever (ptm_open_peer, 6.18). */
static long open_peer(int master, int mode)
{
	return sys3(__NR_ioctl, master, TIOCGPTPEER, (mode & O_ACCMODE) | O_NOCTTY | O_NONBLOCK);
}

static void set_lock(int master, int locked)
{
	sys_ioctl(master, TIOCSPTLCK, &locked);
}

static void tell_number(struct fds *f, int wanted, int got)
{
	char line[80];
	struct text t = text_in(line, sizeof(line));

	text_str(&t, "/dev/pts/");
	text_dec(&t, wanted);
	text_str(&t, ", it is now /dev/pts/");
	text_dec(&t, got);
	warn(f->r, "cannot give back the number of a terminal:", line, 0, "only a devpts of its own has all numbers free");
}

/* A master with the wanted number where that can be had. */
static long open_master(struct fds *f, int wanted, struct surplus *s)
{
	for (;;) {
		long fd = sys_open(f->r->own_devpts ? "/dev/pts/ptmx" : "/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK, 0), high;
		int number = -1;

		if (fd < 0)
			return fd;
		sys_ioctl((int)fd, TIOCGPTN, &number);
		if (wanted < 0 || number == wanted)
			return fd;
		if (!f->r->own_devpts || number > wanted || s->count == PTY_LIMIT) {
			tell_number(f, wanted, number);
			return fd;
		}
		high = sys_fcntl((int)fd, F_DUPFD_CLOEXEC, f->base + room_needed(f));
		sys_close((int)fd);
		if (high < 0)
			return high;
		s->fd[s->count++] = (int)high;
	}
}

static void close_surplus(struct surplus *s)
{
	while (s->count)
		sys_close(s->fd[--s->count]);
}

/* Reads and drops `left` bytes of echo. */
static long drop_echo(int master, uint32_t left)
{
	char echo[PIECE];

	while (left) {
		long got = wait_for(master, POLLIN) ? sys_read(master, echo, left < sizeof(echo) ? left : sizeof(echo)) : -ETIME;

		if (got <= 0)
			return got < 0 ? got : -ETIME;
		left -= (uint32_t)got;
	}
	return 0;
}

/*
 * The terminal takes up what is typed in its own time, by the settings of that moment; that it has come back as an echo tells that
 * the settings may change again.
 */
static long type(struct fds *f, int master, const struct frore_pty_pair *p)
{
	const char *bytes = artefact_bytes(f->a, p->input);
	uint32_t at, length, after, left = p->echo;
	long ret = 0;

	for (at = 0; at < p->input.length && ret >= 0; at += length) {
		length = p->input.length - at < PIECE ? p->input.length - at : PIECE;
		ret = sys_write(master, bytes + at, length);
		after = p->echo > at + length ? p->echo - at - length : 0;
		if (ret >= 0 && left > after)
			ret = drop_echo(master, left - after);
		left = after < left ? after : left;
	}
	return ret < 0 ? ret : 0;
}

static long write_whole(int fd, const uint8_t *bytes, uint32_t length)
{
	while (length) {
		long done = sys_write(fd, bytes, length);

		if (done <= 0 && !wait_for(fd, POLLOUT))
			return done < 0 ? done : -11;
		if (done > 0) {
			bytes += done;
			length -= (uint32_t)done;
		}
	}
	return 0;
}

/* What waits in both directions, and the settings, which would change it while it is put there. */
static long fill(struct fds *f, int master, int slave, const struct frore_pty_pair *p)
{
	long ret = 0;

	if (p->fill_termios.length >= sizeof(struct termios2)) {
		sys_ioctl(master, TCSETS2, artefact_bytes(f->a, p->fill_termios));
		ret = type(f, master, p);
	}
	if (ret == 0 && p->output.length && slave >= 0) {
		struct termios2 modes;

		if (sys_ioctl(master, TCGETS2, &modes) == 0) {
			modes.c_oflag = 0;
			sys_ioctl(master, TCSETS2, &modes);
		}
		ret = write_whole(slave, artefact_bytes(f->a, p->output), p->output.length);
	}
	if (p->termios.length >= sizeof(struct termios2))
		sys_ioctl(master, TCSETS2, artefact_bytes(f->a, p->termios));
	if (ret == 0)
		ret = write_whole(master, artefact_bytes(f->a, p->backlog), p->backlog.length);
	return ret < 0 ? refuse(f->r, "cannot fill", "a terminal with what waited in it", -ret, 0) : 0;
}

static void set_window(int master, const struct frore_pty_pair *p)
{
	struct winsize size = {(unsigned short)p->rows, (unsigned short)p->cols, (unsigned short)p->xpixel,
			       (unsigned short)p->ypixel};

	sys_ioctl(master, TIOCSWINSZ, &size);
}

/* Owner and group come back where whoever resumes may give them; write(1) and the like look at the permission bits. */
static void set_inode(int slave, const struct frore_pty_pair *p)
{
	if (slave < 0 || !p->mode)
		return;
	sys3(__NR_fchown, slave, p->uid, p->gid);
	sys2(__NR_fchmod, slave, p->mode);
}

/* One description of the master at most can exist; slaves are opened once for each. */
static long distribute(struct fds *f, uint32_t pair, int master)
{
	uint32_t d;

	for (d = 0; d < f->descriptions; d++) {
		const struct frore_pty *row = pty_row(f, d);
		long fd;

		if (!row || row->pair != pair || override_of(f, d))
			continue;
		fd = row->end == FRORE_PTY_END_MASTER ? sys_fcntl(master, F_DUPFD_CLOEXEC, FIRST_TEMPORARY)
						      : open_peer(master, (int)row->open_flags);
		if (stage(f, d, fd, "cannot open", "a pseudo-terminal", 0) < 0)
			return -1;
	}
	return 0;
}

/* What would be in the way of opening and filling. Output that a user has held back is let go by the same user's ctrl-Q. */
static void restrain(struct fds *f, int master, int slave, const struct frore_pty_pair *p)
{
	const struct termios2 *modes = artefact_bytes(f->a, p->termios);
	int one = 1;

	if (p->flags & FRORE_PTY_STOPPED && p->termios.length >= sizeof(*modes)) {
		if (modes->c_iflag & IXON && modes->c_cc[VSTOP])
			sys_write(master, &modes->c_cc[VSTOP], 1);
		else if (slave >= 0)
			sys_ioctl(slave, TCXONC, TCOOFF);
	}
	if (p->flags & FRORE_PTY_PACKET)
		sys_ioctl(master, TIOCPKT, &one);
	if (p->flags & FRORE_PTY_EXCLUSIVE && slave >= 0)
		sys_ioctl(slave, TIOCEXCL, 0);
	if (p->flags & FRORE_PTY_MASTER_EXCLUSIVE)
		sys_ioctl(master, TIOCEXCL, 0);
	if (p->flags & FRORE_PTY_LOCKED)
		set_lock(master, 1);
}

static int has_slaves(const struct fds *f, uint32_t pair)
{
	const struct frore_pty *row;
	uint32_t d;

	for (d = 0; d < f->descriptions; d++)
		if ((row = pty_row(f, d)) && row->pair == pair && row->end == FRORE_PTY_END_SLAVE)
			return 1;
	return 0;
}

/* A slave that nobody has opened yet stays so: its master reads as silent, not as ended. */
static long make_pair(struct fds *f, uint32_t pair, const struct frore_pty_pair *p, struct surplus *s)
{
	long master = open_master(f, p->index, s), slave = -1, ret = 0;

	if (master >= 0) {
		set_lock((int)master, 0);
		if (has_slaves(f, pair) || p->flags & FRORE_PTY_LEFT)
			ret = slave = open_peer((int)master, O_RDWR);
	}
	if (master < 0 || ret < 0)
		return refuse(f->r, "cannot make", "a pseudo-terminal", master < 0 ? -master : -ret,
			      "mount devpts at /dev/pts, or raise ulimit -n and kernel.pty.max");
	set_window((int)master, p);
	set_inode((int)slave, p);
	ret = fill(f, (int)master, (int)slave, p);
	if (ret == 0)
		ret = distribute(f, pair, (int)master);
	restrain(f, (int)master, (int)slave, p);
	if (slave >= 0)
		sys_close((int)slave);
	sys_close((int)master); /* of a pair whose master was closed this is the last one: its slaves are hung up */
	return ret;
}

static long make_pairs(struct fds *f)
{
	uint64_t count, i;
	const struct frore_pty_pair *p = artefact_table(f->a, FRORE_TABLE_PTY_PAIR, &count);
	struct surplus surplus;
	long ret = 0;
	int any;

	surplus.count = 0;
	for (any = 0; any < 2; any++) /* those whose number does not matter take what is left */
		for (i = 0; i < count && ret == 0; i++)
			if ((p[i].index < 0) == any)
				ret = make_pair(f, (uint32_t)i, &p[i], &surplus);
	close_surplus(&surplus);
	return ret;
}

long pty_open(struct fds *f, uint32_t d)
{
	return is_open(staged(f, d)) ? 0 : make_pairs(f);
}

/* A slave of the pair, or, to be closed again, one opened for the moment. */
static int slave_of(struct fds *f, uint32_t pair, int *opened)
{
	const struct frore_pty *row;
	int master = -1;
	uint32_t d;

	*opened = -1;
	for (d = 0; d < f->descriptions; d++) {
		if (!(row = pty_row(f, d)) || row->pair != pair || !is_open(staged(f, d)))
			continue;
		if (row->end == FRORE_PTY_END_MASTER)
			master = staged(f, d);
		else if ((row->open_flags & O_ACCMODE) != O_WRONLY)
			return staged(f, d);
	}
	if (master >= 0)
		*opened = (int)open_peer(master, O_RDWR);
	return *opened;
}

static const struct frore_pty_pair *pair_of_session(const struct artefact *a, int32_t session, uint32_t *pair)
{
	uint64_t count, i;
	const struct frore_pty_pair *p = artefact_table(a, FRORE_TABLE_PTY_PAIR, &count);

	for (i = 0; i < count && session; i++)
		if (p[i].session == session) {
			*pair = (uint32_t)i;
			return &p[i];
		}
	return 0;
}

/* One ioctl on the terminal that controls the task's session. */
static long on_terminal(struct resume *r, uint32_t task, uint32_t pair, unsigned long request, const void *argument)
{
	struct fds f;
	int slave, opened;
	long ret;

	if (fds_load(&f, r, task) < 0)
		return -22;
	slave = slave_of(&f, pair, &opened);
	ret = slave < 0 ? -9 : sys_ioctl(slave, request, argument);
	if (opened >= 0)
		sys_close(opened);
	return ret;
}

/* Before the task forks, since children inherit the terminal. One that had given it up, or never had it, gives it up. */
long pty_session(struct resume *r, const struct frore_task *t, uint32_t task)
{
	uint32_t pair = 0;
	long ret = 0;

	if (!pair_of_session(&r->artefact, t->sid, &pair))
		return 0;
	if (t->sid == t->pid)
		ret = on_terminal(r, task, pair, TIOCSCTTY, 0);
	else if (!(t->flags & FRORE_TASK_HAS_TTY))
		on_terminal(r, task, pair, TIOCNOTTY, 0);
	return ret < 0 ? refuse(r, "cannot give a session its terminal", "", -ret, 0) : 0;
}

/* When all groups exist; only members of the session may. */
void pty_foreground(struct resume *r, const struct frore_task *t, uint32_t task)
{
	uint32_t pair = 0;
	const struct frore_pty_pair *p = t->sid == t->pid ? pair_of_session(&r->artefact, t->sid, &pair) : 0;
	long ret;

	if (!p || p->foreground <= 0 || p->foreground == t->pgid)
		return;
	ret = on_terminal(r, task, pair, TIOCSPGRP, &p->foreground);
	if (ret < 0)
		warn(r, "cannot give back the foreground of a terminal", "", -ret, "ctrl-C there reaches the leader of its session");
}
