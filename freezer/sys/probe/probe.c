/*
 * Tries, one after the other, what freezing and resuming ask of this kernel and this user, each in a process of its own, and
 * prints "NAME 0" or "NAME ERRNO" for each. It changes nothing that outlives it. Run by `frore doctor`.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#define PAGEMAP_SCAN_IOCTL 0xc0606610UL
#define KCMP_FILE 0

#define WANTED_PID 4711

static char shared_byte = 'f';

static int result(long ret)
{
	return ret < 0 ? errno : 0;
}

/* A process that waits to be looked at, and dies with us. */
static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static int try_ptrace(pid_t pid)
{
	return result(ptrace(PTRACE_SEIZE, pid, 0, 0));
}

static int try_read(pid_t pid)
{
	char byte = 0;
	struct iovec local = {&byte, 1};
	struct iovec remote = {&shared_byte, 1};

	return result(process_vm_readv(pid, &local, 1, &remote, 1, 0));
}

static int try_getfd(pid_t pid)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	return pidfd < 0 ? errno : result(syscall(SYS_pidfd_getfd, pidfd, 1, 0));
}

static int try_kcmp(pid_t pid)
{
	return result(syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, 1, 1));
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

/* Own user namespace with uid and gid mapped onto themselves, as the stub makes it; root needs none. */
static int enter_user_namespace(void)
{
	unsigned int uid = getuid(), gid = getgid();
	char map[64];
	int error;

	if (unshare(CLONE_NEWUSER) < 0)
		return errno;
	write_text("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "%u %u 1\n", uid, uid);
	error = write_text("/proc/self/uid_map", map);
	if (error)
		return error;
	snprintf(map, sizeof(map), "%u %u 1\n", gid, gid);
	return write_text("/proc/self/gid_map", map);
}

static int enter_namespaces(int flags)
{
	int error = unshare(flags) < 0 ? errno : 0;

	if (error != EPERM)
		return error;
	error = enter_user_namespace();
	if (error)
		return error;
	return result(unshare(flags));
}

static int try_user_namespace(pid_t unused)
{
	(void)unused;
	return enter_user_namespace();
}

static int try_pid_namespace(pid_t unused)
{
	(void)unused;
	return enter_namespaces(CLONE_NEWPID);
}

static int try_time_namespace(pid_t unused)
{
	int error = enter_namespaces(CLONE_NEWTIME);

	(void)unused;
	return error ? error : write_text("/proc/self/timens_offsets", "monotonic 100 0\n");
}

/* The status of a child that ends with an errno. */
static int wait_errno(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) < 0)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int try_mounts(pid_t unused)
{
	int error = enter_namespaces(CLONE_NEWPID | CLONE_NEWNS);
	pid_t pid;

	(void)unused;
	if (error)
		return error;
	pid = fork();
	if (pid == 0) {
		if (mount("none", "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
			_exit(errno);
		_exit(result(mount("proc", "/proc", "proc", 0, NULL)));
	}
	return pid < 0 ? errno : wait_errno(pid);
}

static int clone_at(pid_t wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : wait_errno((pid_t)pid);
}

static int try_own_pids(pid_t unused)
{
	int error = enter_namespaces(CLONE_NEWPID);
	pid_t pid;

	(void)unused;
	if (error)
		return error;
	pid = fork();
	if (pid == 0)
		_exit(clone_at(WANTED_PID));
	return pid < 0 ? errno : wait_errno(pid);
}

/* A pid that has just become free is as good as any. */
static int try_host_pids(pid_t unused)
{
	pid_t pid = fork();

	(void)unused;
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	waitpid(pid, NULL, 0);
	return clone_at(pid);
}

static int try_pagemap_scan(pid_t unused)
{
	uint64_t regions[3 * 8];
	static char page[4096] __attribute__((aligned(4096)));
	uint64_t start = (uint64_t)(uintptr_t)page;
	uint64_t args[12] = {96, 0, start, start + 4096, 0, (uint64_t)(uintptr_t)regions, 8, 0, 0, 0, 16, 16};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	(void)unused;
	page[0] = 1;
	return fd < 0 ? errno : result(ioctl(fd, PAGEMAP_SCAN_IOCTL, args));
}

static int try_mm_map(pid_t unused)
{
	unsigned int size = 0;

	(void)unused;
	return result(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
}

static int try_anon_name(pid_t unused)
{
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	return page == MAP_FAILED ? errno : result(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, page, 4096, "frore"));
}

/* Each try has a process of its own, beside the sleeper: neither is an ancestor of the other. */
static void report(const char *name, int (*attempt)(pid_t), pid_t sleeper)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(attempt(sleeper));
	}
	printf("%s %d\n", name, pid < 0 ? errno : wait_errno(pid));
}

static int child_of_its_own(pid_t unused)
{
	pid_t pid = start_sleeper();
	int error;

	(void)unused;
	if (pid < 0)
		return errno;
	error = try_ptrace(pid);
	kill(pid, SIGKILL);
	return error;
}

int main(void)
{
	pid_t sleeper = start_sleeper();

	if (sleeper < 0)
		return 1;
	report("ptrace-child", child_of_its_own, 0);
	report("ptrace", try_ptrace, sleeper);
	report("process-vm-readv", try_read, sleeper);
	report("pidfd-getfd", try_getfd, sleeper);
	report("kcmp", try_kcmp, sleeper);
	report("user-namespace", try_user_namespace, 0);
	report("pid-namespace", try_pid_namespace, 0);
	report("mount-namespace", try_mounts, 0);
	report("time-namespace", try_time_namespace, 0);
	report("own-pids", try_own_pids, 0);
	report("host-pids", try_host_pids, 0);
	report("mm-map", try_mm_map, 0);
	report("anon-name", try_anon_name, 0);
	report("pagemap-scan", try_pagemap_scan, 0);
	kill(sleeper, SIGKILL);
	return 0;
}
