/* Identity of a thread (credentials are per thread in the kernel), and the privileges the engine itself needed. */
#include <linux/prctl.h>

#include "engine.h"

#define CAP_LAST 40

struct cap_header {
	uint32_t version;
	int32_t pid;
};

static long set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct cap_header header = {0x20080522, 0};
	uint32_t data[6] = {(uint32_t)effective,	  (uint32_t)permitted,	       (uint32_t)inheritable,
			    (uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)};

	return sys2(__NR_capset, (long)&header, (long)data);
}

/* Root gives back the recorded ids; the order is groups, gids, uids, then what the change of uid may have cleared. */
static long become(struct engine *e)
{
	const struct frore_task *t = e->task;
	const uint32_t *groups = artefact_bytes(&e->r->artefact, t->groups);
	uint64_t held = 0;
	struct cap_header header = {0x20080522, 0};
	uint32_t data[6];
	long ret, cap;

	sys2(__NR_capget, (long)&header, (long)data);
	held = data[2 * 0 + 1] | (uint64_t)data[4] << 32;
	for (cap = 0; cap <= CAP_LAST; cap++)
		if (!(t->cap_bounding >> cap & 1))
			sys_prctl(PR_CAPBSET_DROP, (unsigned long)cap, 0, 0, 0);
	sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	ret = sys2(__NR_setgroups, t->groups.length / 4, (long)groups);
	if (ret == 0)
		ret = sys3(__NR_setresgid, t->gid, t->egid, t->sgid);
	if (ret == 0)
		ret = sys3(__NR_setresuid, t->uid, t->euid, t->suid);
	if (ret < 0)
		return refuse(e->r, "cannot become", "the recorded user and groups", -ret, 0);
	sys1(__NR_setfsgid, t->fsgid);
	sys1(__NR_setfsuid, t->fsuid);
	set_capabilities(held, held, t->cap_inheritable);
	if (t->securebits)
		sys_prctl(PR_SET_SECUREBITS, t->securebits, 0, 0, 0);
	ret = set_capabilities(t->cap_effective & held, t->cap_permitted & held, t->cap_inheritable);
	if (ret < 0)
		return refuse(e->r, "cannot set", "the recorded capabilities", -ret, 0);
	for (cap = 0; cap <= CAP_LAST; cap++)
		if (t->cap_ambient >> cap & 1)
			sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0, 0);
	return 0;
}

/* The runner stands for one user, the first process's. */
static long refuse_user(struct engine *e)
{
	char line[64];
	struct text t = text_in(line, sizeof(line));

	text_str(&t, "process ");
	text_dec(&t, e->task->pid);
	text_str(&t, " as user ");
	text_dec(&t, e->task->euid);
	return refuse(e->r, "cannot resume", line, 0, "it is another one than the program's first process has: run it as root");
}

static int is_of_another_user(const struct engine *e)
{
	uint64_t count, one;
	const struct frore_task *all = ROWS(&e->r->artefact, TASK, &count), *t = e->task;
	const struct frore_machine *m = ROWS(&e->r->artefact, MACHINE, &one);
	const struct frore_task *root = &all[m->root_task];

	return t->uid != root->uid || t->euid != root->euid || t->suid != root->suid;
}

/* Never more privilege than the runner has: in a user namespace of our own every capability goes. */
long credentials_restore(struct engine *e)
{
	const struct frore_task *t = e->task;
	long ret = 0;

	if (e->r->own_user_namespace || sys0(__NR_geteuid) != 0) {
		if (is_of_another_user(e))
			return refuse_user(e);
		ret = set_capabilities(0, 0, 0);
		if (ret < 0)
			return refuse(e->r, "cannot drop", "the capabilities of the new user namespace", -ret, 0);
	} else if (become(e) < 0) {
		return -1;
	}
	sys_prctl(PR_SET_KEEPCAPS, !!(t->flags & FRORE_TASK_KEEPCAPS), 0, 0, 0);
	if (t->flags & FRORE_TASK_NO_NEW_PRIVS)
		sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	sys_prctl(PR_SET_DUMPABLE, t->dumpable == 1, 0, 0, 0);
	return 0;
}
