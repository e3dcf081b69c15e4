import {errno, SysError} from './errno.js';
import {nativeThreads} from './native.js';
import {event, type WaitResult, waitResult} from './ptrace.js';
import {Registers, wordsOf} from './registers.js';
import {getAffinity, type SchedAttributes, schedAttributes} from './sched.js';
import type {Pid, Tid} from './types.js';

/** All threads of a process at once, in C: see native/threads.c. */

const REGISTERS = 216;
const NEWS = 232;
const LOOK = 144;
const SCHED = 56;
/** Bytes of state that are fetched at a time. */
const ARENA = 4 << 20;

const listOf = (tids: readonly Tid[]): Int32Array => Int32Array.from(tids);

/** Seizes and interrupts each; 0 or -errno, in the order of the threads. */
export function seizeAll(pid: Pid, tids: readonly Tid[], options: number): Int32Array {
	const results = new Int32Array(tids.length);
	nativeThreads().seize(pid, listOf(tids), tids.length, options, results);
	return results;
}

/** Told by a thread at an event-stop: its registers too. */
export interface News {
	readonly wait: WaitResult;
	readonly registers: Registers | undefined;
}

/** What each thread has to tell, in their order; undefined: nothing. */
export function pollAll(tids: readonly Tid[]): (News | undefined)[] {
	const bytes = Buffer.allocUnsafeSlow(tids.length * NEWS);
	nativeThreads().poll(listOf(tids), tids.length, bytes);
	return tids.map((tid, i) => newsAt(bytes, i * NEWS, tid));
}

function newsAt(bytes: Buffer, at: number, tid: Tid): News | undefined {
	const result = bytes.readInt32LE(at);
	if (result === 0) {
		return undefined;
	}

	if (result === -errno.ECHILD) {
		return {wait: {kind: 'gone', tid, status: 0}, registers: undefined};
	}

	if (result < 0) {
		throw new SysError('wait4', -result, `for thread ${tid}`);
	}

	const status = bytes.readInt32LE(at + 4);
	const wait = waitResult(tid, status);
	if (wait.kind !== 'stop' || wait.event !== event.STOP) {
		return {wait, registers: undefined};
	}

	if (bytes.readUInt32LE(at + 8 + REGISTERS) !== REGISTERS) {
		throw new SysError('ptrace(GETREGSET): 32-bit registers', errno.EINVAL, `of thread ${tid}`);
	}

	return {wait, registers: new Registers(bytes.subarray(at + 8, at + 8 + REGISTERS))};
}

/** What a stopped thread shows from outside. */
export interface Look {
	readonly signalMask: bigint;
	readonly rseq: bigint;
	/** Descriptor of the restartable sequence that the thread is in, or 0. */
	readonly rseqSection: bigint;
	readonly rseqLength: number;
	readonly rseqSignature: number;
	readonly rseqFlags: number;
	readonly robustHead: bigint;
	readonly robustLength: bigint;
	readonly sched: SchedAttributes;
	readonly ioPriority: number;
	/** Signals wait for it alone. */
	readonly pending: boolean;
	readonly affinity: Buffer;
	/** Without what lies behind the last component in use. */
	readonly xstate: Buffer;
}

/** @param components id, offset and size of each state component of this processor */
export function lookAtAll(pid: Pid, tids: readonly Tid[], components: Uint32Array): Look[] {
	const maskLength = getAffinity(0).length;
	const found: Look[] = [];
	while (found.length < tids.length) {
		const rest = tids.slice(found.length);
		const looks = Buffer.allocUnsafeSlow(rest.length * LOOK);
		const masks = Buffer.alloc(rest.length * maskLength);
		const arena = Buffer.allocUnsafeSlow(Math.min(ARENA, rest.length * 32768));
		const {look} = nativeThreads();
		const done = Number(
			look(
				pid,
				listOf(rest),
				rest.length,
				looks,
				masks,
				maskLength,
				components,
				components.length / 3,
				arena,
				arena.length,
			),
		);
		const view = wordsOf(looks);
		for (let i = 0; i < done; i++) {
			found.push(lookFrom(view, i * LOOK, rest[i]!, masks.subarray(i * maskLength, (i + 1) * maskLength), arena));
		}
	}

	return found;
}

function lookFrom(view: DataView, at: number, tid: Tid, affinity: Buffer, arena: Buffer): Look {
	const word = (offset: number): bigint => view.getBigUint64(at + offset, true);
	const half = (offset: number): number => view.getUint32(at + offset, true);
	const error = view.getInt32(at + 120, true);
	if (error !== 0) {
		throw new SysError('looking at a stopped thread', -error, `of thread ${tid}`);
	}

	const stateAt = Number(word(128));
	const registered = view.getInt32(at + 36, true) >= 24 && word(8) !== 0n;
	return {
		signalMask: word(0),
		rseq: registered ? word(8) : 0n,
		rseqSection: word(16),
		rseqLength: registered ? half(24) : 0,
		rseqSignature: registered ? half(28) : 0,
		rseqFlags: registered ? half(32) : 0,
		robustHead: word(40),
		robustLength: word(48),
		sched: schedAttributes(view, at + SCHED),
		ioPriority: view.getInt32(at + 112, true),
		pending: half(116) !== 0,
		affinity,
		xstate: arena.subarray(stateAt, stateAt + Number(word(136))),
	};
}

const stopSignal = new Int32Array(1);

/**
 * Lets a thread go on `times` times to a stop of the wanted kind: see native/threads.c. `registers`, if any, are those it begins with, and
 * in the end those it has there. `error` is -errno, or a signal that came instead.
 */
export function runUntil(
	tid: Tid,
	request: number,
	wanted: number,
	times: number,
	registers: Uint8Array | null,
): {error: number; stopSignal: number} {
	stopSignal[0] = 0;
	const error = Number(nativeThreads().run(tid, request, wanted, times, registers, stopSignal));
	return {error, stopSignal: stopSignal[0]};
}

/** Pids of all children of a process whose threads these are. */
export function childrenOfAll(pid: Pid, tids: readonly Tid[]): number[] {
	for (let room = 1 << 16; ; room *= 4) {
		const text = Buffer.allocUnsafeSlow(room);
		const length = Number(nativeThreads().children(pid, listOf(tids), tids.length, text, room));
		if (length >= 0) {
			return text.toString('latin1', 0, length).split(' ').filter(Boolean).map(Number);
		}
	}
}
