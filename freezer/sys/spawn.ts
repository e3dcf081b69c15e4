/**
 * Starts a program as a child that libuv does not know: libuv's waitpid would take away the ptrace stops of its own children.
 * posix_spawn(3) of glibc; the attribute structures are opaque here.
 */
import {readFileSync} from 'node:fs';
import koffi from 'koffi';
import {SysError} from './errno.js';
import {addressOf, rawSyscall} from './libc.js';
import {nr} from './nr.js';
import type {Pid} from './types.js';

const SETPGROUP = 2;
const SETSIGDEF = 4;
const SETSIGMASK = 8;
/** Above sizeof(posix_spawnattr_t), 336 bytes in glibc and musl. */
const ATTRIBUTES = 1024;
const SIGSET = 128;
const SIGPIPE = 13;
const SIGXFSZ = 25;
const RLIMIT_NOFILE = 7;

function load() {
	const libc = koffi.load('libc.so.6');
	const attribute = (name: string): ((attributes: Uint8Array, value: Uint8Array) => number) =>
		libc.func(name, 'int', ['void *', 'void *']);
	return {
		spawnp: libc.func('posix_spawnp', 'int', ['void *', 'void *', 'void *', 'void *', 'void *', 'void *']),
		init: libc.func('posix_spawnattr_init', 'int', ['void *']),
		setFlags: libc.func('posix_spawnattr_setflags', 'int', ['void *', 'short']),
		setGroup: libc.func('posix_spawnattr_setpgroup', 'int', ['void *', 'int']),
		setMask: attribute('posix_spawnattr_setsigmask'),
		setDefault: attribute('posix_spawnattr_setsigdefault'),
		initActions: libc.func('posix_spawn_file_actions_init', 'int', ['void *']),
		addDup2: libc.func('posix_spawn_file_actions_adddup2', 'int', ['void *', 'int', 'int']),
	};
}

/** A NULL-terminated array of pointers to C strings. The strings must stay referenced while it is used. */
const pointers = (strings: readonly Buffer[]): BigUint64Array =>
	BigUint64Array.from([...strings.map((text) => addressOf(text)), 0n]);

/** NUL-terminated pieces of a file of /proc, the NULs included. */
function pieces(path: string): Buffer[] {
	const bytes = readFileSync(path);
	const found: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const end = bytes.indexOf(0, at);
		if (end < 0) break;
		found.push(Buffer.from(bytes.subarray(at, end + 1)));
		at = end + 1;
	}
	return found;
}

/** The last `count` arguments of this process, byte by byte as they were given. */
export const rawArguments = (count: number): Buffer[] => pieces('/proc/self/cmdline').slice(-count);

/** Signals blocked in the calling thread: bit n-1 stands for signal n. */
export const blockedSignals = (): bigint =>
	BigInt(`0x${/^SigBlk:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/thread-self/status', 'latin1'))?.[1] ?? '0'}`);

const sigset = (mask: bigint): Buffer => {
	const set = Buffer.alloc(SIGSET);
	set.writeBigUInt64LE(mask);
	return set;
};

/**
 * Runs `action` with the soft limit of open files that our parent has: Node raises its own to the hard limit at its start,
 * and a child would inherit that.
 */
function withParentsFileLimit<T>(action: () => T): T {
	const limit = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${process.ppid}/limits`, 'latin1'));
	const old = Buffer.alloc(16);
	rawSyscall(nr.prlimit64, 0, RLIMIT_NOFILE, null, old);
	if (!limit || BigInt(limit[2]!) !== old.readBigUInt64LE(8)) return action();
	const lowered = Buffer.from(old);
	lowered.writeBigUInt64LE(BigInt(limit[1]!), 0);
	rawSyscall(nr.prlimit64, 0, RLIMIT_NOFILE, lowered, null);
	try {
		return action();
	} finally {
		rawSyscall(nr.prlimit64, 0, RLIMIT_NOFILE, old, null);
	}
}

/**
 * Starts argv[0], found through PATH, with our environment, in a process group of its own.
 * Throws SysError with the errno of execve(2). @param mask signals it starts with blocked @param descriptors what it gets of ours
 */
export function spawnInOwnGroup(argv: readonly Buffer[], mask: bigint, descriptors: readonly number[]): Pid {
	const {spawnp, init, setFlags, setGroup, setMask, setDefault, initActions, addDup2} = load();
	const attributes = Buffer.alloc(ATTRIBUTES);
	init(attributes);
	setFlags(attributes, SETPGROUP | SETSIGDEF | SETSIGMASK);
	setGroup(attributes, 0);
	setMask(attributes, sigset(mask));
	// Ignored by Node itself, which an exec would keep.
	setDefault(attributes, sigset((1n << BigInt(SIGPIPE - 1)) | (1n << BigInt(SIGXFSZ - 1))));
	const actions = Buffer.alloc(ATTRIBUTES);
	initActions(actions);
	// Onto itself: clears close-on-exec.
	for (const fd of descriptors) addDup2(actions, fd, fd);
	const environment = safely(() => pieces('/proc/self/environ'));
	const pid = Buffer.alloc(4);
	const error = withParentsFileLimit(() =>
		spawnp(pid, argv[0], actions, attributes, pointers(argv), pointers(environment)),
	);
	if (error !== 0) throw new SysError('execve', error, argv[0]!.subarray(0, -1).toString());
	return pid.readInt32LE() as Pid;
}

function safely(read: () => Buffer[]): Buffer[] {
	try {
		return read();
	} catch {
		return Object.entries(process.env).map(([name, value]) => Buffer.from(`${name}=${value}\0`));
	}
}
