/*
 * The kernel remembers who has made a UNIX connection (SO_PEERCRED) and who has sent a message (SCM_CREDENTIALS). So this is done by a
 * process that has the wanted pid for a moment, on our table of descriptors. The number stays with the socket when the process has
 * gone and a task of the tree gets the pid (kernel/pid.c: a struct pid keeps its numbers).
 */
#include <linux/prctl.h>
#include <linux/sched.h>

#include "kinds.h"

#define WALL 0x40000000
#define EACCES 13

static _Noreturn void be_creator(struct creator who, long (*act)(void *), void *arg)
{
	if (sys0(__NR_geteuid) == 0) {
		sys3(__NR_setresgid, who.gid, who.gid, who.gid);
		sys3(__NR_setresuid, who.uid, who.uid, who.uid);
	}
	sys_exit_group((int)-act(arg));
}

static long wait_for(long pid)
{
	int status = 0;

	if (sys4(__NR_wait4, pid, (long)&status, WALL, 0) < 0)
		return -10;
	return status & 0x7f ? -4 : -(status >> 8 & 0xff);
}

/* Our own pid with other ids, as root: they are changed for the moment, which makes us undumpable. */
static long with_ids(struct creator who, long (*act)(void *), void *arg)
{
	uint32_t gid = (uint32_t)sys0(__NR_getegid);
	long ret;

	sys3(__NR_setresgid, -1, who.gid, -1);
	sys3(__NR_setresuid, -1, who.uid, -1);
	ret = act(arg);
	sys3(__NR_setresuid, -1, 0, -1);
	sys3(__NR_setresgid, -1, gid, -1);
	sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return ret;
}

static void tell(struct fds *f, struct creator who, long err)
{
	char room[24];
	struct text t = text_in(room, sizeof(room));

	text_dec(&t, who.pid);
	warn(f->r, "cannot act for process", room, -err, "UNIX sockets tell another one as their peer (SO_PEERCRED, SCM_CREDENTIALS)");
}

long as_creator(struct fds *f, struct creator who, long (*act)(void *arg), void *arg)
{
	const struct frore_task *us = row_at(f, FRORE_TABLE_TASK, f->task);
	long pid, ret;

	/* with other pids than at the freeze the root stands for itself */
	if (us && f->r->way == WAY_RENUMBER && who.pid == us->pid)
		who.pid = (int32_t)sys0(__NR_getpid);
	if (who.pid == (int32_t)sys0(__NR_getpid))
		return sys0(__NR_geteuid) == 0 && who.uid ? with_ids(who, act, arg) : act(arg);
	if (who.pid <= 0)
		return act(arg);
	pid = clone_with_id(CLONE_FILES, who.pid, 0);
	if (pid == 0)
		be_creator(who, act, arg);
	if (pid < 0) {
		tell(f, who, pid);
		return act(arg);
	}
	ret = wait_for(pid);
	return ret == -EACCES ? act(arg) : ret;
}
