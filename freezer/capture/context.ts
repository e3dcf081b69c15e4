import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import type {FoundDescriptor} from '../sys/ahead.js';
import type {Fd, Pid, RemoteAddr, Tid} from '../sys/types.js';
import type {Mapping} from './parse/smaps.js';

/** --external and --fd policies, design §2. */
export type ExternalPolicy = 'hangup' | 'refuse' | 'null' | 'inherit';

export interface CaptureOptions {
	/** --external for everything, or undefined for the default of each kind. */
	readonly external: ExternalPolicy | undefined;
	/** --fd N=WHAT: null | hangup | inherit | a path. */
	readonly fdPolicy: ReadonlyMap<number, string>;
	/** --allow KIND: kinds whose loss is accepted ("all" accepts everything). */
	readonly allow: ReadonlySet<string>;
	/** --files: content of open regular files. */
	readonly files: 'reference' | 'embed';
}

/** Bytes of a `content` row, copied into frames while the target is stopped. */
export interface ContentSource {
	/** Bytes; the content row's size. */
	readonly size: number;
	/** Reads up to buffer.length bytes at offset (pread semantics: fewer only at the end). */
	read(offset: number, buffer: Uint8Array): number;
	/** Ranges that may hold data, ascending; absent: everything. Holes are zero. */
	extents?(): Iterable<{readonly offset: number; readonly length: number}>;
	/** Called once the content has been copied or the freeze has failed. */
	close?(): void;
}

/** Number and arguments of a system call. Numbers are sign-extended to 64 bits. */
export type Call = readonly (number | bigint)[];

/** System calls executed by the target itself. Expensive (about 10 µs each) and only for what is visible from inside alone. */
export interface Injector {
	/** Result or -errno. */
	syscall(...call: Call): bigint;
	/** The read-write scratch page in the target, for arguments that are pointers. */
	readonly scratch: RemoteAddr;
	/** Bytes in the scratch page. */
	readonly scratchSize: number;
	writeScratch(offset: number, bytes: Uint8Array): void;
	readScratch(offset: number, length: number): Buffer;
}

export interface RemoteMemory {
	/** Reads exactly `length` bytes, throws SysError(EFAULT) when some are not readable. */
	read(address: RemoteAddr, length: number): Buffer;
	/** Reads into the buffer; returns how many bytes were readable from the start. */
	readInto(address: RemoteAddr, buffer: Uint8Array): number;
	/** The same through /proc/PID/mem, which ignores page protection (PROT_NONE, write-only). */
	readForced(address: RemoteAddr, buffer: Uint8Array): number;
	/** Writes through /proc/PID/mem, which ignores page protection. */
	write(address: RemoteAddr, bytes: Uint8Array): void;
}

export interface CapturedThread {
	/** Row in snapshot.thread. */
	readonly row: number;
	/** As the freezer sees it. */
	readonly tid: Tid;
	/** As the target sees it. */
	readonly innerTid: number;
}

/** One stopped process of the target. */
export interface CapturedTask {
	/** Row in snapshot.task. */
	readonly row: number;
	/** As the freezer sees it: /proc/PID is this one. */
	readonly pid: Pid;
	/** As the target sees it. */
	readonly innerPid: number;
	/** pidfd, valid until the release: for pidfd_getfd. */
	readonly pidfd: Fd;
	/** The leader first. */
	readonly threads: readonly CapturedThread[];
	readonly memory: RemoteMemory;
	/** As /proc tells them. */
	readonly mappings: readonly Mapping[];
	/** Runs system calls in the leader. Throws when the target may not be injected into (a seccomp filter, say). */
	readonly inject: Injector;
	/** Its open descriptors as /proc shows them, ascending. */
	descriptors(): Iterable<FoundDescriptor>;
	/** Row of the task that owns this descriptor table when it is shared by CLONE_FILES; own row otherwise. */
	readonly filesOwner: number;
}

/** What every part of the capture works on. Rows are appended to `snapshot`; handles stay here. */
export interface CaptureContext {
	readonly snapshot: Snapshot;
	/** Parents before children; index = row in snapshot.task. */
	readonly tasks: readonly CapturedTask[];
	readonly options: CaptureOptions;
	/**
	 * The content row for the object `key` (see contentKey); made at the first call and shared by descriptors and mappings.
	 * Descriptors are captured before mappings: they know seals, name and whole size.
	 */
	content(key: string, make: () => {row: RowOf<'content'>; source: ContentSource}): number;
	/** The row of `key` if there is one already. */
	knownContent(key: string): number | undefined;
	/** The task a pid of the target's own numbering belongs to. */
	taskByInnerPid(pid: number): CapturedTask | undefined;
	/** Something that will be different after the resume: told at freeze time and kept in the snapshot. */
	warn(warning: {pid: number; fd?: number; kind: string; text: string}): void;
	/**
	 * Something that cannot be carried. With --allow KIND it becomes a warning and the call returns; otherwise the freeze fails
	 * after the collection with exit code 3 and one line per refusal: "fd 7 is an io_uring: <why>; <what to do>".
	 */
	refuse(refusal: {pid: number; fd?: number; kind: string; text: string; hint?: string}): void;
	/** Runs at the release, in any case, last registered first. */
	defer(action: () => void): void;
	/** The outer pids of processes that belong to frore itself (launcher, relay, fake parent of an earlier resume; this freezer). */
	readonly helpers: ReadonlySet<number>;
}

/** Names a file, memfd or piece of shared memory: st_dev and st_ino as fstat (bigint) gives them. */
export const contentKey = (dev: bigint, ino: bigint): string => `${dev}:${ino}`;
