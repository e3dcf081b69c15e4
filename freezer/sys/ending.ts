/** How children end, and ending in the same way. */
import {errno} from './errno.js';
import {rawSyscall} from './libc.js';
import {nr} from './nr.js';
import type {Pid} from './types.js';

const WNOHANG = 1;
const WUNTRACED = 2;
const WCONTINUED = 8;
const RLIMIT_CORE = 4;
const SIG_UNBLOCK = 1;

export type ChildChange =
	| {readonly kind: 'exited'; readonly code: number}
	| {readonly kind: 'killed'; readonly signal: number}
	| {readonly kind: 'stopped'; readonly signal: number}
	| {readonly kind: 'continued'}
	| {readonly kind: 'gone'};

/** The next change of a child, undefined when there is none yet. Never call it while the child is being traced. */
export function childChange(pid: Pid): ChildChange | undefined {
	const status = new Int32Array(1);
	const result = rawSyscall(nr.wait4, pid, new Uint8Array(status.buffer), WNOHANG | WUNTRACED | WCONTINUED, 0);
	if (result === 0 || result === -errno.EINTR) return undefined;
	return result < 0 ? {kind: 'gone'} : decodeStatus(status[0]!);
}

/** A status of wait(2) in words. */
export function decodeStatus(status: number): ChildChange {
	if (status === 0xffff) return {kind: 'continued'};
	const signal = status & 0x7f;
	if (signal === 0) return {kind: 'exited', code: (status >> 8) & 0xff};
	return signal === 0x7f ? {kind: 'stopped', signal: (status >> 8) & 0xff} : {kind: 'killed', signal};
}

/** Dies of `signal`, without a core file of ours: the child's is the one of interest. Returns only when the signal does not kill. */
export function dieOf(signal: number): void {
	const limit = Buffer.alloc(16);
	rawSyscall(nr.prlimit64, 0, RLIMIT_CORE, null, limit);
	limit.writeBigUInt64LE(0n, 0);
	rawSyscall(nr.prlimit64, 0, RLIMIT_CORE, limit, null);
	// V8 keeps handlers of its own for some signals, below those that Node knows of.
	rawSyscall(nr.rt_sigaction, signal, Buffer.alloc(32), null, 8);
	const set = Buffer.alloc(8);
	set.writeBigUInt64LE(1n << BigInt(signal - 1));
	rawSyscall(nr.rt_sigprocmask, SIG_UNBLOCK, set, null, 8);
	rawSyscall(nr.kill, process.pid, signal);
}
