/** System call numbers, x86-64 (arch/x86/entry/syscalls/syscall_64.tbl). */
export const nr = {
	read: 0, write: 1, open: 2, close: 3, fstat: 5, poll: 7, lseek: 8, mmap: 9, mprotect: 10, munmap: 11, brk: 12, rt_sigaction: 13,
	rt_sigprocmask: 14, rt_sigreturn: 15, ioctl: 16, pread64: 17, pwrite64: 18, readv: 19, writev: 20, select: 23, msync: 26,
	mincore: 27, madvise: 28, dup: 32, pause: 34, nanosleep: 35, getitimer: 36, setitimer: 38, getpid: 39, sendfile: 40, socket: 41,
	connect: 42, accept: 43, sendto: 44, recvfrom: 45, sendmsg: 46, recvmsg: 47, getsockname: 51, getpeername: 52, socketpair: 53,
	setsockopt: 54, getsockopt: 55, clone: 56, exit: 60, wait4: 61, kill: 62, semop: 65, msgsnd: 69, msgrcv: 70, fcntl: 72, flock: 73,
	fsync: 74, fchmod: 91, umask: 95, getrlimit: 97, ptrace: 101, getuid: 102, rt_sigpending: 127, rt_sigtimedwait: 128, rt_sigsuspend: 130,
	sigaltstack: 131, personality: 135, getpriority: 140, sched_getparam: 143, prctl: 157, arch_prctl: 158, gettid: 186,
	tkill: 200, futex: 202, sched_setaffinity: 203, sched_getaffinity: 204, io_setup: 206, epoll_create: 213, restart_syscall: 219, semtimedop: 220,
	timer_create: 222, timer_settime: 223, timer_gettime: 224, timer_getoverrun: 225, timer_delete: 226, clock_gettime: 228,
	clock_nanosleep: 230, exit_group: 231, epoll_wait: 232, epoll_ctl: 233, tgkill: 234, mq_timedsend: 242, mq_timedreceive: 243, waitid: 247,
	ioprio_get: 252, openat: 257, pselect6: 270, ppoll: 271, set_robust_list: 273, get_robust_list: 274, splice: 275, tee: 276,
	vmsplice: 278, epoll_pwait: 281, fallocate: 285, timerfd_settime: 286, timerfd_gettime: 287, accept4: 288, pipe2: 293, rt_tgsigqueueinfo: 297,
	recvmmsg: 299, prlimit64: 302, sendmmsg: 307, process_vm_readv: 310, process_vm_writev: 311, kcmp: 312, sched_setattr: 314,
	sched_getattr: 315, renameat2: 316, memfd_create: 319, membarrier: 324, statx: 332, rseq: 334, pidfd_send_signal: 424, pidfd_open: 434,
	clone3: 435, pidfd_getfd: 438, epoll_pwait2: 441, futex_waitv: 449, futex_wait: 455, pkey_mprotect: 329,
} as const;
