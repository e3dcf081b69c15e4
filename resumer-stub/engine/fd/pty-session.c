/* Sessions get their pseudo-terminals from their leaders, and these their foreground. */
#include <asm/ioctls.h>

#include "kinds.h"

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
		*opened = (int)pty_open_peer(master, O_RDWR);
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
void pty_session(struct resume *r, const struct frore_task *t, uint32_t task)
{
	uint32_t pair = 0;
	long ret = 0;

	if (!pair_of_session(&r->artefact, t->sid, &pair))
		return;
	if (t->sid == t->pid)
		ret = on_terminal(r, task, pair, TIOCSCTTY, 0);
	else if (!(t->flags & FRORE_TASK_HAS_TTY))
		on_terminal(r, task, pair, TIOCNOTTY, 0);
	if (ret < 0) /* the root stays in the session of the terminal it is run on when it has that, too */
		warn(r, "cannot give a session its terminal", "", -ret, "ctrl-C and job control do not work there");
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
