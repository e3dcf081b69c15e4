import {closeSync} from 'node:fs';
import {errno} from './errno.js';
import {rawSyscall, syscall} from './libc.js';
import {nr} from './nr.js';
import type {Fd, Pid} from './types.js';

/** pidfd_open(2). */
export const pidfdOpen = (pid: Pid): Fd => syscall('pidfd_open', `of process ${pid}`, nr.pidfd_open, pid, 0) as Fd;

const PIDFD_THREAD = 0o200;

/** Of a thread that does not lead its process. */
export function tryPidfdOpenThread(tid: Pid): Fd | undefined {
	const result = rawSyscall(nr.pidfd_open, tid, PIDFD_THREAD);
	return result >= 0 ? (result as Fd) : undefined;
}

export const pidfdOpenThread = (tid: Pid): Fd =>
	syscall('pidfd_open', `of thread ${tid}`, nr.pidfd_open, tid, PIDFD_THREAD) as Fd;

/** pidfd_getfd(2): our own duplicate of descriptor `fd` of the process. It keeps pipes and sockets open: close it. */
export const pidfdGetFd = (pidfd: Fd, fd: number): Fd =>
	syscall('pidfd_getfd', `of descriptor ${fd}`, nr.pidfd_getfd, pidfd, fd, 0) as Fd;

/** Undefined when the descriptor is not open there. */
export function tryPidfdGetFd(pidfd: Fd, fd: number): Fd | undefined {
	const result = rawSyscall(nr.pidfd_getfd, pidfd, fd, 0);
	return result >= 0 ? (result as Fd) : undefined;
}

export const closeFd = (fd: Fd): void => closeSync(fd);

/** What kcmp(2) compares. */
export const kcmpType = {FILE: 0, VM: 1, FILES: 2, FS: 3, SIGHAND: 4, IO: 5, SYSVSEM: 6, EPOLL_TFD: 7} as const;

/** 0 equal, 1 less, 2 greater, 3 different without order; undefined without CONFIG_KCMP or the right. */
export function kcmp(
	a: number,
	b: number,
	type: number,
	first: number | bigint | Uint8Array,
	second: number | bigint | Uint8Array,
): number | undefined {
	const result = rawSyscall(nr.kcmp, a, b, type, first, second);
	return result < 0 && result >= -errno.ETIMEDOUT * 40 ? undefined : result;
}
