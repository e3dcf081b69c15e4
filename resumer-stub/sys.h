/*
 * Raw system calls. Every sys_*() returns what the kernel returns: a value, or -errno.
 * The only place with the syscall instruction besides start.S and engine/switch.S.
 */
#ifndef FRORE_SYS_H
#define FRORE_SYS_H

#include <stddef.h>
#include <stdint.h>
#include <asm/unistd.h>

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define sys5(nr, a, b, c, d, e) sys6(nr, a, b, c, d, e, 0)
#define sys4(nr, a, b, c, d) sys6(nr, a, b, c, d, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, a, b, c, 0, 0, 0)
#define sys2(nr, a, b) sys6(nr, a, b, 0, 0, 0, 0)
#define sys1(nr, a) sys6(nr, a, 0, 0, 0, 0, 0)
#define sys0(nr) sys6(nr, 0, 0, 0, 0, 0, 0)

#define AT_CWD (-100)

static inline long sys_read(int fd, void *buf, uint64_t len)
{
	return sys3(__NR_read, fd, (long)buf, (long)len);
}

static inline long sys_write(int fd, const void *buf, uint64_t len)
{
	return sys3(__NR_write, fd, (long)buf, (long)len);
}

static inline long sys_pread(int fd, void *buf, uint64_t len, uint64_t at)
{
	return sys4(__NR_pread64, fd, (long)buf, (long)len, (long)at);
}

static inline long sys_open(const char *path, int flags, int mode)
{
	return sys4(__NR_openat, AT_CWD, (long)path, flags, mode);
}

static inline long sys_close(int fd)
{
	return sys1(__NR_close, fd);
}

static inline long sys_fcntl(int fd, int cmd, long arg)
{
	return sys3(__NR_fcntl, fd, cmd, arg);
}

static inline long sys_ioctl(int fd, unsigned long cmd, const void *arg)
{
	return sys3(__NR_ioctl, fd, (long)cmd, (long)arg);
}

static inline long sys_dup3(int from, int to, int flags)
{
	return sys3(__NR_dup3, from, to, flags);
}

static inline long sys_mmap(uint64_t at, uint64_t len, int prot, int flags, int fd, uint64_t off)
{
	return sys6(__NR_mmap, (long)at, (long)len, prot, flags, fd, (long)off);
}

static inline long sys_munmap(uint64_t at, uint64_t len)
{
	return sys2(__NR_munmap, (long)at, (long)len);
}

static inline long sys_mprotect(uint64_t at, uint64_t len, int prot)
{
	return sys3(__NR_mprotect, (long)at, (long)len, prot);
}

/* struct clone_args, clone3(2), as large as Linux 5.7 knows it */
struct clone_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

/* struct linux_dirent64, getdents64(2) */
struct directory_entry {
	uint64_t inode, offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

static inline long sys_mremap(uint64_t at, uint64_t old, uint64_t len, int flags, uint64_t to)
{
	return sys5(__NR_mremap, (long)at, (long)old, (long)len, flags, (long)to);
}

static inline long sys_madvise(uint64_t at, uint64_t len, int advice)
{
	return sys3(__NR_madvise, (long)at, (long)len, advice);
}

static inline long sys_prctl(int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	return sys5(__NR_prctl, op, (long)a, (long)b, (long)c, (long)d);
}

static inline long sys_futex(uint32_t *word, int op, uint32_t value, const void *timeout)
{
	return sys4(__NR_futex, (long)word, op, value, (long)timeout);
}

_Noreturn static inline void sys_exit_group(int code)
{
	for (;;)
		sys1(__NR_exit_group, code);
}

#endif
