import {closeSync, fstatSync} from 'node:fs';
import type {RowOf, TableName} from '../../../builder/format/schema.js';
import {pidfdGetFd} from '../../sys/pidfd.js';
import type {Fd} from '../../sys/types.js';
import type {CaptureContext, CapturedTask} from '../context.js';
import type {FdInfo} from './fdinfo.js';

/** One descriptor that leads to a description. */
export interface Holder {
	readonly task: CapturedTask;
	readonly fd: number;
	readonly cloexec: boolean;
}

/** st_* of fstat(2), exact. */
export interface Stat {
	readonly dev: bigint;
	readonly ino: bigint;
	readonly mode: number;
	readonly nlink: bigint;
	readonly rdev: bigint;
	readonly size: bigint;
	readonly uid: number;
	readonly gid: number;
	readonly mtimeNs: bigint;
}

/** One open file description of the target. */
export interface Description {
	/** Row in snapshot.description; -1 until all are known. */
	row: number;
	/** By task and number; empty for a description that is only on its way in a message. */
	holders: Holder[];
	/** What /proc/PID/fd/N says. */
	readonly link: string;
	readonly stat: Stat;
	readonly info: FdInfo;
	/** It was opened by TIOCGPTPEER with O_CLOEXEC: fdinfo shows that flag for every descriptor of it, rightly or not. */
	readonly hidesCloexec?: boolean;
	/** Our own duplicate of a description in flight. */
	readonly inFlight?: Fd;
	/** Set when the launcher's descriptor of this number takes its place. */
	inherit?: number;
}

/** What a kind made of a description: the KIND_* and the row in its table. */
export interface Carried {
	readonly kind: number;
	readonly row: number;
}

export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_DIRECT = 0o40000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFBLK = 0o060000;
export const S_IFIFO = 0o010000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;

export const typeOf = (description: Description): number => description.stat.mode & S_IFMT;
export const isReadable = (description: Description): boolean => (description.info.flags & O_ACCMODE) !== O_WRONLY;
export const isWritable = (description: Description): boolean => (description.info.flags & O_ACCMODE) !== 0;

/** Pid as the target sees it and number, for messages. */
export const where = (description: Description): {pid: number; fd?: number} => {
	const [first] = description.holders;
	return first ? {pid: first.task.innerPid, fd: first.fd} : {pid: 0};
};

/** Calls `use` with a duplicate of the description that is closed at once: a forgotten one would keep pipes and sockets open. */
export function withPulled<T>(description: Description, use: (fd: Fd) => T): T {
	if (description.inFlight !== undefined) {
		return use(description.inFlight);
	}

	const {task, fd} = description.holders[0]!;
	const pulled = pidfdGetFd(task.pidfd, fd);
	try {
		return use(pulled);
	} finally {
		closeSync(pulled);
	}
}

export function statOf(fd: Fd): Stat {
	const stat = fstatSync(fd, {bigint: true});
	return {...exact(stat)};
}

interface BigStat {
	dev: bigint;
	ino: bigint;
	mode: bigint;
	nlink: bigint;
	rdev: bigint;
	size: bigint;
	uid: bigint;
	gid: bigint;
	mtimeNs: bigint;
}

export const exact = (stat: BigStat): Stat => ({
	dev: stat.dev,
	ino: stat.ino,
	mode: Number(stat.mode),
	nlink: stat.nlink,
	rdev: stat.rdev,
	size: stat.size,
	uid: Number(stat.uid),
	gid: Number(stat.gid),
	mtimeNs: stat.mtimeNs,
});

/** Appends a row to a table; returns its index. */
export const append = <N extends TableName>(context: CaptureContext, table: N, row: RowOf<N>): number =>
	(context.snapshot[table] as RowOf<N>[]).push(row) - 1;
