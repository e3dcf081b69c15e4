/* Why no way was possible, and what would make one possible, least privilege first. */
#include <linux/fcntl.h>

#include "launcher.h"

#define EPERM 1
#define EACCES 13
#define EEXIST 17
#define EINVAL 22
#define ENOSPC 28
#define ENOSYS 38

static int setting_is(const char *path, char value)
{
	char c = 0;
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return 0;
	sys_read((int)fd, &c, 1);
	sys_close((int)fd);
	return c == value;
}

static const char *way_name(enum way way)
{
	if (way == WAY_HOST)
		return "host";
	if (way == WAY_PRIVATE)
		return "private";
	return way == WAY_WALK ? "walk" : "renumber";
}

static void describe_busy(struct text *t, int32_t id)
{
	if (id) {
		text_str(t, "id ");
		text_dec(t, id);
		text_str(t, " is in use");
	} else {
		text_str(t, "one of its ids is in use");
	}
}

static void describe_user(struct text *t, struct launch *l)
{
	text_str(t, "it was frozen as user ");
	text_dec(t, l->root->euid);
	text_str(t, " and this is user ");
	text_dec(t, l->uid);
}

static void describe_set_tid(struct text *t, struct launch *l, int32_t err)
{
	if (err == EEXIST) {
		describe_busy(t, l->root->pid);
	} else if (err == EINVAL) {
		text_str(t, "pid ");
		text_dec(t, l->root->pid);
		text_str(t, " is above kernel.pid_max");
	} else if (err == EPERM) {
		text_str(t, "choosing ids needs CAP_CHECKPOINT_RESTORE");
	} else {
		text_str(t, "clone3: ");
		text_errno(t, err);
	}
}

void remedy_describe(struct text *t, struct launch *l, enum way way)
{
	enum step step = l->why[way].step;
	int32_t err = l->why[way].error;

	text_str(t, way_name(way));
	text_str(t, ": ");
	if (step == STEP_BUSY)
		describe_busy(t, err);
	else if (step == STEP_USER)
		describe_user(t, l);
	else if (step == STEP_TREE)
		text_str(t, "only for a single process");
	else if (step == STEP_WALK)
		text_str(t, "its ids do not come up within 2 s");
	else if (step == STEP_SET_TID)
		describe_set_tid(t, l, err);
	else {
		text_str(t, step == STEP_MAPS	      ? "user ids cannot be mapped: "
			    : step == STEP_MOUNT      ? "mounts cannot be separated: "
			    : step == STEP_IPC	      ? "System V IPC objects need a namespace: "
			    : step == STEP_NAMESPACES ? "namespaces are refused: "
						      : "no new process: ");
		text_errno(t, err);
	}
}

static const char *remedy(struct launch *l)
{
	enum step step = l->why[WAY_PRIVATE].step;
	int32_t err = l->why[WAY_PRIVATE].error;

	if (step == STEP_NAMESPACES && err == ENOSPC)
		return "sysctl user.max_user_namespaces=10000";
	if (setting_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
		return "sysctl kernel.unprivileged_userns_clone=1";
	if (setting_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
		return "an AppArmor profile that allows userns, or sysctl kernel.apparmor_restrict_unprivileged_userns=0";
	if (step == STEP_SET_TID && err == EINVAL)
		return "sysctl kernel.pid_max=4194304";
	if (step == STEP_NAMESPACES && (err == EPERM || err == EACCES || err == ENOSYS))
		return "allow user namespaces (a chroot and most containers' seccomp profiles refuse them)";
	return 0;
}

static int is_busy(const struct launch *l)
{
	return l->why[WAY_HOST].step == STEP_BUSY || (l->why[WAY_HOST].step == STEP_SET_TID && l->why[WAY_HOST].error == EEXIST);
}

long remedy_refuse(struct launch *l)
{
	char thing[400], hint[400];
	struct text why = text_in(thing, sizeof(thing)), what_to_do = text_in(hint, sizeof(hint));
	enum way way;
	const char *sysctl = remedy(l);

	for (way = WAY_HOST; way <= WAY_RENUMBER; way++) {
		if (l->why[way].step == STEP_NONE)
			continue;
		if (why.length)
			text_str(&why, ", ");
		remedy_describe(&why, l, way);
	}
	if (sysctl) {
		text_str(&what_to_do, sysctl);
		text_str(&what_to_do, "; or ");
	}
	if (l->foreign) {
		text_str(&what_to_do, "run it as that user");
	} else if (l->r->options.pid == PID_HOST && is_busy(l)) {
		text_str(&what_to_do, "end that process, or take --pid private");
	} else {
		text_str(&what_to_do, "as root: setcap cap_checkpoint_restore+ep ");
		text_str(&what_to_do, l->r->exec_path ? l->r->exec_path : "FILE");
		if (l->r->options.pid == PID_AUTO)
			text_str(&what_to_do, "; or --pid renumber, where the program gets along with new ids");
	}
	return refuse(l->r, "cannot give the program its old ids:", thing, 0, hint);
}
