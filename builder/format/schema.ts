/**
 * The snapshot format: the one definition that the C header, the encoder, the decoder and docs/FORMAT.md are rendered from.
 * One kind of kernel thing is one table here, one file in freezer/capture and one in resumer-stub/engine.
 */
import type {Constants, Row, Table} from './fields.js';
import {descriptorTables} from './tables/descriptor.js';
import {ipcTables} from './tables/ipc.js';
import {machineTables} from './tables/machine.js';
import {memoryTables} from './tables/memory.js';
import {processTables, threadTables} from './tables/process.js';

/** Raised whenever a reader of the old format would misread the new one. */
export const FORMAT_VERSION = 1;

/** The order fixes the table ids on the wire: append, never reorder within a version. */
export const tables = {
	...machineTables,
	...processTables,
	...threadTables,
	...memoryTables,
	...descriptorTables,
	...ipcTables,
} satisfies Record<string, Table>;

export type TableName = keyof typeof tables;
export type RowOf<N extends TableName> = Row<(typeof tables)[N]>;

/** Everything captured, as plain data: one array of rows per table. */
export type Snapshot = {[N in TableName]: RowOf<N>[]};

export const emptySnapshot = (): Snapshot =>
	Object.fromEntries(Object.keys(tables).map((name) => [name, []])) as unknown as Snapshot;

/** "No such row" in a reference field. */
export const NONE = 0xffffffff;

export const constants = {
	CODEC: {NONE: 0, ZSTD: 1, LZ4: 2, DEFLATE: 3, GZIP: 4, SNAPPY: 5},
	CIPHER: {NONE: 0},
	SECTION: {HEAD: 1, FRAMES: 2, INDEX: 3},
	/** What a run of pages fills. */
	SPACE: {MM: 0, CONTENT: 1},
	/**
	 * ZERO: reads as zeros; STORED: bytes in this frame; IMAGE: of a content of kind IMAGE, needed only without an unchanged local copy.
	 * Pages of an mm that equal others of it, filled when those are. COPY: as many from `from` on; REPEAT: the one at `from`, again and again.
	 * VOID: bytes in this frame that belong nowhere, since what they were copied from has changed.
	 */
	SOURCE: {ZERO: 0, STORED: 1, IMAGE: 2, COPY: 3, REPEAT: 4, VOID: 5},
	/** IMAGE: pages of a mapped file, by file offset, that every mapping of it in every mm takes where the very file is missing. */
	CONTENT: {SHARED_MEMORY: 0, MEMFD: 1, FILE: 2, DELETED_FILE: 3, IMAGE: 4, SEGMENT: 5},
	TASK: {
		STOPPED: 1,
		NO_NEW_PRIVS: 2,
		KEEPCAPS: 4,
		SUBREAPER: 8,
		THP_DISABLE: 16,
		HAS_TTY: 32,
		FOREGROUND: 64,
		SESSION_LEADER: 128,
		GROUP_LEADER: 256,
		IO_FLUSHER: 512,
		/** Has ended; its status waits for the parent. */
		ZOMBIE: 1024,
		/** Leader of a session or process group that had ended: made for a moment, so that others can be in what it led. */
		TEMPORARY: 2048,
		/** Forked before its maker begins to lead a session. */
		EARLY: 4096,
		/** STOPPED, and its parent has not been told so by wait(2) yet. */
		STOP_UNTOLD: 8192,
		/** It has one descriptor table with its parent (CLONE_FILES); its rows of `fd` are those of the eldest that has it. */
		SHARES_FILES: 16384,
		/** It has one working directory, root and umask with its parent (CLONE_FS). */
		SHARES_FS: 32768,
		/** Its first thread has ended, while others live. */
		LEADER_ENDED: 65536,
	},
	MM: {GROWING_STACK: 1},
	VMA: {ANON: 0, FILE_PRIVATE: 1, FILE_SHARED: 2, CONTENT_SHARED: 3, CONTENT_PRIVATE: 4},
	VMA_FLAG: {
		GROWSDOWN: 1,
		NORESERVE: 2,
		LOCKED: 4,
		LOCKONFAULT: 8,
		DONTFORK: 16,
		WIPEONFORK: 32,
		DONTDUMP: 64,
		HUGEPAGE: 128,
		NOHUGEPAGE: 256,
		MERGEABLE: 512,
		SEQUENTIAL: 1024,
		RANDOM: 2048,
		SEALED: 4096,
		HUGETLB: 8192,
		HEAP: 16384,
		STACK: 32768,
		DROPPABLE: 65536,
		SYNC: 131072,
		/** Anonymous memory that has a gap of adjacency to keep: never merged by purpose, informative. */
		RESERVED: 262144,
		/** A shared mapping that the program cannot write to: as good as a private one where the file is missing. */
		READ_ONLY: 524288,
	},
	IMAGE: {DELETED: 1, NOT_EMBEDDED: 2},
	/** CREATE: made when it is missing (--fd N=PATH). */
	/** LATE: in /proc, of a process or thread of the target: opened by each holder once all of them exist. */
	FILE: {DELETED: 1, AT_END: 2, EMBEDDED: 4, PATH_ONLY: 8, DIRECTORY: 16, PROC: 32, FIFO: 64, CREATE: 128, LATE: 256},
	INHERIT: {WAS_TTY: 1, READ: 2, WRITE: 4},
	TTY: {CONTROLLING: 1, LOCKED: 2, EXCLUSIVE: 4},
	PTY_END: {MASTER: 0, SLAVE: 1},
	/** HUNG_UP: the master has been closed; LEFT: every slave has been closed; STOPPED: output is held back (ctrl-S). */
	PTY: {LOCKED: 1, PACKET: 2, EXCLUSIVE: 4, MASTER_EXCLUSIVE: 8, HUNG_UP: 16, LEFT: 32, STOPPED: 64},
	HANGUP_WHAT: {SOCKET: 0, PIPE_READ: 1, PIPE_WRITE: 2},
	LOCK_KIND: {POSIX: 0, OFD: 1, FLOCK: 2},
	KIND: {
		FILE: 0,
		INHERIT: 1,
		TTY: 2,
		PIPE: 3,
		EVENTFD: 4,
		EPOLL: 5,
		TIMERFD: 6,
		SIGNALFD: 7,
		INOTIFY: 8,
		MEMFD: 9,
		PIDFD: 10,
		SOCKET: 11,
		HANGUP: 12,
		PTY: 13,
	},
	SOCKET: {UNCONNECTED: 0, LISTENING: 1, CONNECTED: 2, PAIR: 3, PENDING: 4},
	/**
	 * RECONNECT: connect(2) to `remote` again; EPHEMERAL: the port was the kernel's choice, any other will do; UNLINKED: its path was gone;
	 * ACCEPTED: the end of a connection that a listener has brought forth, the other one connects.
	 */
	SOCKET_FLAG: {RECONNECT: 1, EPHEMERAL: 2, UNLINKED: 4, ACCEPTED: 8},
	HANGUP: {READ_ONLY: 1},
	/** Register that points at the remaining time: its 1-based position among rdi rsi rdx r10 r8 r9. */
	RESTART_REG: {NONE: 0, RDI: 1, RSI: 2, RDX: 3, R10: 4, R8: 5, R9: 6},
} satisfies Record<string, Constants>;

/** Fixed structures outside the tables: their fields are laid out by the same rules. */
export {structures} from './structures.js';
