/* Ends a tree that no pid namespace holds together: when the launcher is killed, nothing of what it started may live on. */
#include <asm/signal.h>
#include <linux/fcntl.h>

#include "launcher.h"

#define MOST 16384

struct list {
	int32_t pids[MOST];
	uint32_t count;
};

/* The numbers in /proc/PID/task/TID/children; one may lie across two reads. */
static void add_children(struct list *l, int task, const char *tid)
{
	char path[48], buffer[512];
	struct text t = text_in(path, sizeof(path));
	int32_t pid = 0;
	long fd, got, i;

	text_str(&t, tid);
	text_str(&t, "/children");
	fd = sys4(__NR_openat, task, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while ((got = sys_read((int)fd, buffer, sizeof(buffer))) > 0)
		for (i = 0; i < got; i++) {
			if (buffer[i] >= '0' && buffer[i] <= '9') {
				pid = pid * 10 + (buffer[i] - '0');
				continue;
			}
			if (pid > 0 && l->count < MOST)
				l->pids[l->count++] = pid;
			pid = 0;
		}
	sys_close((int)fd);
}

/* A stopped process forks no more, so its children are known once and for all. */
static void stop_and_list(struct list *l, int32_t pid)
{
	char path[40], buffer[2048] __attribute__((aligned(8)));
	struct text t = text_in(path, sizeof(path));
	long fd, got, at;

	sys_kill(pid, SIGSTOP);
	text_str(&t, "/proc/");
	text_dec(&t, pid);
	text_str(&t, "/task");
	fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	while ((got = sys3(__NR_getdents64, fd, (long)buffer, sizeof(buffer))) > 0)
		for (at = 0; at < got; at += ((struct directory_entry *)(buffer + at))->length)
			if (((struct directory_entry *)(buffer + at))->name[0] != '.')
				add_children(l, (int)fd, ((struct directory_entry *)(buffer + at))->name);
	sys_close((int)fd);
}

void take_down(int root)
{
	struct list l;
	uint32_t i;

	l.pids[0] = root;
	l.count = 1;
	for (i = 0; i < l.count; i++)
		stop_and_list(&l, l.pids[i]);
	for (i = 0; i < l.count; i++)
		sys_kill(l.pids[i], SIGKILL);
}
