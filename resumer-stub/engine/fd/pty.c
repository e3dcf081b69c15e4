/*
 * Pseudo-terminals whose both ends are inside. All pairs are made at once, by ascending number: the kernel hands out the lowest
 * free one, so surplus pairs are held meanwhile.
 */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>

#include "kinds.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#define PTY_LIMIT 4096 /* kernel.pty.max unless somebody has raised it */

/* Surplus pairs, above every number in use. */
struct surplus {
	int count;
	int fd[PTY_LIMIT];
};

const struct frore_pty *pty_row(const struct fds *f, uint32_t d)
{
	return f->description[d].kind == FRORE_KIND_PTY ? row_at(f, FRORE_TABLE_PTY, f->description[d].row) : 0;
}

/* Without O_CLOEXEC, which the kernel would keep as a status flag that /proc shows for ever (ptm_open_peer, 6.18). */
long pty_open_peer(int master, int mode)
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

int pty_surplus(const struct fds *f)
{
	uint64_t count, i;
	const struct frore_pty_pair *p = artefact_table(f->a, FRORE_TABLE_PTY_PAIR, &count);
	int highest = 0;

	for (i = 0; i < count && f->r->own_devpts; i++)
		if (p[i].index > highest && p[i].index < PTY_LIMIT)
			highest = p[i].index;
	return highest;
}

static void close_surplus(struct surplus *s)
{
	while (s->count)
		sys_close(s->fd[--s->count]);
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
						      : pty_open_peer(master, (int)row->open_flags);
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
			ret = slave = pty_open_peer((int)master, O_RDWR);
	}
	if (master < 0 || ret < 0)
		return refuse(f->r, "cannot make", "a pseudo-terminal", master < 0 ? -master : -ret,
			      "mount devpts at /dev/pts, or raise ulimit -n and kernel.pty.max");
	set_window((int)master, p);
	set_inode((int)slave, p);
	ret = pty_fill(f, (int)master, (int)slave, p);
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
