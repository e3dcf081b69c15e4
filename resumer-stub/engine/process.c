/* What belongs to a process as a whole. */
#include <linux/fcntl.h>
#include <linux/prctl.h>

#include "engine.h"

#define MCE_KILL_DEFAULT 2
#define ARCH_SET_CPUID 0x1012

/* Writes a number into a file of our own /proc entry; where that fails, `what` is lost and said so. */
static void write_own(struct engine *e, const char *path, int64_t value, const char *what)
{
	char buffer[32];
	struct text t = text_in(buffer, sizeof(buffer));
	long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0), ret = fd;

	text_dec(&t, value);
	if (fd >= 0) {
		ret = sys_write((int)fd, buffer, t.length);
		sys_close((int)fd);
	}
	if (ret < 0)
		warn(e->r, "cannot give back", what, -ret, 0);
}

/* Directories and the like: while /proc and the file system still look as the launcher sees them. */
long process_place(struct engine *e)
{
	const struct artefact *a = &e->r->artefact;
	const char *root = artefact_text(a, e->task->root), *cwd = artefact_text(a, e->task->cwd);
	long ret;

	/* the heap's coredump filter and the kill score are files, so they come before a change of root */
	write_own(e, "/proc/self/coredump_filter", e->mm->coredump_filter, "the core dump filter");
	if (e->task->oom_score_adj != 0)
		write_own(e, "/proc/self/oom_score_adj", e->task->oom_score_adj, "the out-of-memory score");
	if (tree_shares(e->r, e->task_row, FRORE_TASK_SHARES_FS))
		return 0; /* the parent's are ours */
	if (root[0] && !text_equal(root, "/")) {
		ret = sys1(__NR_chroot, (long)root);
		if (ret < 0)
			return refuse(e->r, "cannot change the root directory to", root, -ret, "run it as root");
	}
	ret = sys1(__NR_chdir, (long)cwd);
	if (ret < 0) {
		warn(e->r, "cannot change the working directory to", cwd, -ret, "the program runs in /");
		sys1(__NR_chdir, (long)"/");
	}
	sys1(__NR_umask, e->task->umask);
	return 0;
}

static void attribute(struct engine *e, int option, uint64_t value, const char *name)
{
	long ret = sys_prctl(option, value, 0, 0, 0);

	if (ret < 0)
		warn(e->r, "cannot give back", name, -ret, 0);
}

/* Attributes that would be in the way earlier, or that changes of credentials reset. */
long process_finish(struct engine *e)
{
	const struct frore_task *t = e->task;
	uint32_t bit;

	if (t->flags & FRORE_TASK_SUBREAPER)
		attribute(e, PR_SET_CHILD_SUBREAPER, 1, "child subreaper");
	if (t->flags & FRORE_TASK_THP_DISABLE)
		attribute(e, PR_SET_THP_DISABLE, 1, "THP_DISABLE");
	if (t->flags & FRORE_TASK_IO_FLUSHER)
		attribute(e, PR_SET_IO_FLUSHER, 1, "I/O flusher");
	if (t->tsc > 1)
		attribute(e, PR_SET_TSC, t->tsc, "PR_SET_TSC");
	if (t->mce_kill < MCE_KILL_DEFAULT)
		sys_prctl(PR_MCE_KILL, PR_MCE_KILL_SET, t->mce_kill, 0, 0);
	if (t->cpuid == 0)
		sys2(__NR_arch_prctl, ARCH_SET_CPUID, 0);
	for (bit = 0; bit < 32; bit++)
		if (t->membarrier >> bit & 1)
			sys3(__NR_membarrier, 1L << bit, 0, 0);
	sys1(__NR_personality, t->personality);
	return 0;
}
