/**
 * /proc/PID/fdinfo/N (Documentation/filesystems/proc.rst, 3.8), as pure functions. Numbers are in the base the kernel prints them in,
 * which differs from line to line.
 */

export interface FdInfo {
	readonly position: bigint;
	/** F_GETFL together with O_CLOEXEC. */
	readonly flags: number;
	readonly text: string;
}

const field = (text: string, name: string): string | undefined =>
	new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1];

const hex = (text: string | undefined): bigint => (text === undefined ? 0n : BigInt(`0x${text}`));

export function parseFdInfo(text: string): FdInfo {
	return {
		position: BigInt(field(text, 'pos') ?? 0),
		flags: Number.parseInt(field(text, 'flags') ?? '0', 8),
		text,
	};
}

/** fs/eventfd.c: the count in hex; the semaphore flag is told since 6.5. */
export const parseEventfd = (text: string): {count: bigint; semaphore: boolean | undefined} => {
	const semaphore = field(text, 'eventfd-semaphore');
	return {count: hex(field(text, 'eventfd-count')), semaphore: semaphore === undefined ? undefined : semaphore === '1'};
};

/** fs/signalfd.c: bit n-1 stands for signal n. */
export const parseSignalfd = (text: string): bigint => hex(field(text, 'sigmask'));

export interface TimerfdInfo {
	readonly clockid: number;
	readonly ticks: bigint;
	readonly settimeFlags: number;
	/** Nanoseconds that remain, 0 when disarmed. */
	readonly value: bigint;
	readonly interval: bigint;
}

const duration = (text: string, name: string): bigint => {
	const [, seconds = '0', nanoseconds = '0'] = new RegExp(`^${name}: \\((\\d+), (\\d+)\\)`, 'm').exec(text) ?? [];
	return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
};

/** fs/timerfd.c: the flags are octal. */
export const parseTimerfd = (text: string): TimerfdInfo => ({
	clockid: Number(field(text, 'clockid') ?? 0),
	ticks: BigInt(field(text, 'ticks') ?? 0),
	settimeFlags: Number.parseInt(field(text, 'settime flags') ?? '0', 8),
	value: duration(text, 'it_value'),
	interval: duration(text, 'it_interval'),
});

export interface EpollInfo {
	/** Number it was registered under. */
	readonly fd: number;
	readonly events: number;
	readonly data: bigint;
	readonly ino: bigint;
}

/** fs/eventpoll.c: one line per registration; the number is decimal, all else but pos is hex. */
export const parseEpoll = (text: string): EpollInfo[] =>
	[...text.matchAll(/^tfd:\s*(\d+) events:\s*([\da-f]+) data:\s*([\da-f]+)(?:\s+pos:-?\d+ ino:([\da-f]+))?/gm)].map(
		([, fd, events, data, ino]) => ({
			fd: Number(fd),
			events: Number.parseInt(events!, 16) >>> 0,
			data: hex(data),
			ino: hex(ino),
		}),
	);

export interface InotifyInfo {
	readonly wd: number;
	readonly ino: bigint;
	/** st_dev: fdinfo tells the kernel's own encoding (20 bits minor). */
	readonly dev: bigint;
	readonly mask: number;
	readonly handleType: number;
	readonly handle: Uint8Array;
}

/** fs/notify/fdinfo.c: all hex. The oldest watch comes first. */
export const parseInotify = (text: string): InotifyInfo[] =>
	[
		...text.matchAll(
			/^inotify wd:([\da-f]+) ino:([\da-f]+) sdev:([\da-f]+) mask:([\da-f]+)(?:.*fhandle-type:([\da-f]+) f_handle:([\da-f]*))?/gm,
		),
	]
		.map(([, wd, ino, dev, mask, type, handle]) => ({
			wd: Number.parseInt(wd!, 16),
			ino: hex(ino),
			dev: userDevice(Number.parseInt(dev!, 16)),
			mask: Number.parseInt(mask!, 16) >>> 0,
			handleType: Number.parseInt(type ?? '0', 16),
			handle: Buffer.from(handle ?? '', 'hex'),
		}))
		.sort((a, b) => a.wd - b.wd);

/** Kernel dev_t (12 bits major, 20 bits minor) as stat(2) tells it (new_encode_dev, include/linux/kdev_t.h). */
export function userDevice(dev: number): bigint {
	const major = BigInt(dev >>> 20);
	const minor = BigInt(dev & 0xf_ffff);
	return (minor & 0xffn) | (major << 8n) | ((minor & ~0xffn) << 12n);
}

/** kernel/pid.c, fs/pidfs.c: the pid in the reader's namespace; -1 when the process is gone, 0 when it is not in the namespace. */
export const parsePidfd = (text: string): number => Number(field(text, 'Pid') ?? -1);

export interface LockInfo {
	readonly kind: 'POSIX' | 'OFDLCK' | 'FLOCK' | 'LEASE' | 'DELEG';
	readonly write: boolean;
	readonly start: bigint;
	/** Bytes, 0 to the end of the file however it grows. */
	readonly length: bigint;
}

/** fs/locks.c, lock_get_status(): locks that were taken through this description and belong to this process. */
export const parseLocks = (text: string): LockInfo[] =>
	[...text.matchAll(/^lock:\s*\d+: (\w+)\s+\S+\s+(\w+)\s+-?\d+\s+\S+\s+(\d+)\s+(\d+|EOF)/gm)].map(
		([, kind, type, start, end]) => ({
			kind: kind as LockInfo['kind'],
			write: type === 'WRITE',
			start: BigInt(start!),
			length: end === 'EOF' ? 0n : BigInt(end!) - BigInt(start!) + 1n,
		}),
	);

/** /proc/PID/timens_offsets: nanoseconds that the clocks of a process are ahead of those of the machine. */
export function parseTimeOffsets(text: string): {monotonic: bigint; boottime: bigint} {
	const offset = (name: string): bigint => {
		const [, seconds = '0', nanoseconds = '0'] = new RegExp(`^${name}\\s+(-?\\d+)\\s+(\\d+)`, 'm').exec(text) ?? [];
		return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
	};

	return {monotonic: offset('monotonic'), boottime: offset('boottime')};
}
