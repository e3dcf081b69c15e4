/** Errors of system calls, named; the only error class that freezer/sys throws. */

export const errno = {
	EPERM: 1,
	ENOENT: 2,
	ESRCH: 3,
	EINTR: 4,
	EIO: 5,
	ENXIO: 6,
	EBADF: 9,
	ECHILD: 10,
	EAGAIN: 11,
	ENOMEM: 12,
	EACCES: 13,
	EFAULT: 14,
	EBUSY: 16,
	EEXIST: 17,
	ENODEV: 19,
	ENOTDIR: 20,
	EISDIR: 21,
	EINVAL: 22,
	EMFILE: 24,
	ENOTTY: 25,
	EFBIG: 27,
	ENOSPC: 28,
	ESPIPE: 29,
	EROFS: 30,
	EPIPE: 32,
	ERANGE: 34,
	ENOSYS: 38,
	ELOOP: 40,
	EOPNOTSUPP: 95,
	ENOTCONN: 107,
	ETIMEDOUT: 110,
	EDQUOT: 122,
} as const;

const names = new Map<number, string>(Object.entries(errno).map(([name, value]) => [value, name]));

const words: Record<number, string> = {
	1: 'operation not permitted',
	2: 'no such file or directory',
	3: 'no such process',
	5: 'input/output error',
	9: 'bad file descriptor',
	11: 'try again',
	12: 'out of memory',
	13: 'permission denied',
	14: 'bad address',
	16: 'busy',
	17: 'it exists',
	22: 'invalid argument',
	24: 'too many open files',
	28: 'no space left on device',
	30: 'read-only file system',
	38: 'not offered by this kernel',
};

export const errnoName = (code: number): string => names.get(code) ?? `errno ${code}`;
export const errnoWords = (code: number): string => words[code] ?? errnoName(code);

/** A failed system call. `errno` is positive, `target` says which process or thing it was about. */
export class SysError extends Error {
	override readonly name = 'SysError';
	constructor(
		readonly syscall: string,
		readonly errno: number,
		readonly target = '',
	) {
		super(`${syscall}${target && ` ${target}`}: ${errnoWords(errno)} (${errnoName(errno)})`);
	}
}

export const isErrno = (error: unknown, ...codes: number[]): error is SysError =>
	error instanceof SysError && codes.includes(error.errno);
