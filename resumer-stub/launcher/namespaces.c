/* The namespaces of the private way, set up by the relay; the launcher stays outside and writes the id maps. */
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mount.h>

#include "launcher.h"

#define EINVAL 22

static long write_file(const char *path, const char *line, size_t length)
{
	long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0), ret;

	if (fd < 0)
		return fd;
	ret = sys_write((int)fd, line, length);
	sys_close((int)fd);
	return ret < 0 ? ret : 0;
}

static struct text proc_path(char *buffer, size_t size, int pid, const char *name)
{
	struct text t = text_in(buffer, size);

	text_str(&t, "/proc/");
	text_dec(&t, pid);
	text_str(&t, name);
	return t;
}

static long write_map(int child, const char *name, uint32_t inside, uint32_t outside)
{
	char path[48], line[48];
	struct text t = text_in(line, sizeof(line));

	proc_path(path, sizeof(path), child, name);
	text_dec(&t, inside);
	text_char(&t, ' ');
	text_dec(&t, outside);
	text_str(&t, " 1\n");
	return write_file(path, line, t.length);
}

/* One id each is what an unprivileged process may map (user_namespaces(7)); setgroups goes first. */
long namespaces_write_maps(struct launch *l, int child)
{
	char path[48];
	long ret;

	proc_path(path, sizeof(path), child, "/setgroups");
	write_file(path, "deny", 4);
	ret = write_map(child, "/uid_map", l->root->euid, l->uid);
	return ret < 0 ? ret : write_map(child, "/gid_map", l->root->egid, l->gid);
}

static long wait_for_maps(struct launch *l)
{
	uint32_t *maps = &l->r->status->family.maps;

	while (__atomic_load_n(maps, __ATOMIC_SEQ_CST) == 0)
		sys_futex(maps, FUTEX_WAIT, 0, 0);
	return __atomic_load_n(maps, __ATOMIC_SEQ_CST) == 1 ? 0 : -1;
}

/*
 * What we mount must not show outside, and what is mounted outside must go on showing inside: slave. In a chroot "/" is no mount
 * point; then /proc alone matters, if it is one.
 */
long detach_mounts(void)
{
	long ret = sys5(__NR_mount, 0, (long)"/", 0, MS_REC | MS_SLAVE, 0);

	if (ret == -EINVAL)
		ret = sys5(__NR_mount, 0, (long)"/proc", 0, MS_REC | MS_SLAVE, 0);
	return ret;
}

/* A partly covered /proc (containers) may not be mounted anew; one that shows processes alone may be allowed. */
static void mount_proc(struct launch *l)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	long ret = sys5(__NR_mount, (long)"proc", (long)"/proc", (long)"proc", (long)flags, 0);

	if (ret < 0)
		ret = sys5(__NR_mount, (long)"proc", (long)"/proc", (long)"proc", (long)flags, (long)"subset=pid");
	if (ret < 0)
		warn(l->r, "cannot mount", "/proc for the old pids", -ret,
		     "the program sees the /proc of outside, where /proc/self is missing");
}

/* New processes get ids behind the highest old one, so that no old id comes back as another process. */
static void move_cursor(struct launch *l)
{
	char line[24];
	struct text t = text_in(line, sizeof(line));

	text_dec(&t, l->highest_id);
	write_file("/proc/sys/kernel/ns_last_pid", line, t.length);
}

/* -1 with family_failed() called, when the way is not possible; a missing /proc is only a warning. */
long namespaces_enter(struct launch *l)
{
	long ret = detach_mounts();

	if (ret < 0 && ret != -EINVAL && ret != -2) {
		family_failed(l, STEP_MOUNT, -ret);
		return -1;
	}
	if (ret == 0)
		mount_proc(l);
	else
		warn(l->r, "there is no /proc here,", "so the program has none", 0, "mount one on /proc for programs that need it");
	if (l->user_namespace && wait_for_maps(l) < 0) {
		family_failed(l, STEP_MAPS, l->r->status->family.error);
		return -1;
	}
	if (ret == 0 && devpts_needed(l)) /* after the maps: a file system of unmapped ids can be opened by nobody */
		devpts_mount(l);
	move_cursor(l);
	return 0;
}
