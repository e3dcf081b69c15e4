import {errno, SysError} from './errno.js';
import {emitter, LANDING_SIGNATURE, type Landing, landingSlots, listLoop, SLOTS} from './landing.js';
import {nativeThreads} from './native.js';
import {type RegisterName, type Registers, registerOffset, wordsOf} from './registers.js';
import type {Pid, RemoteAddr, Tid} from './types.js';

/**
 * Many threads of a process answer the same question at once: see native/crowd.c. As with the landing of a single thread (landing.ts),
 * a thread whose tracer dies works through the rest of its list, lands, and goes on where it was. Here r13 leads to what is its own, and
 * the last two instructions, which must not need a register, stand in a stub of its own. Threads are not moved to another processor.
 */

/** A thread that is to answer, and what is put back afterwards. */
export interface Asked {
	readonly tid: Tid;
	readonly original: Registers;
	readonly signalMask: bigint;
	readonly landing: Pick<Landing, 'registers' | 'restart'>;
}

export interface CrowdQuestion {
	readonly pid: Pid;
	/** /proc/PID/mem. */
	readonly mem: number;
	/** Nobody heeds it; the end of the list lets it in. */
	readonly signal: number;
	/** Executable room, and its length. */
	readonly code: RemoteAddr;
	readonly codeLength: number;
	/** Room for blocks, and its length. */
	readonly data: RemoteAddr;
	readonly dataLength: number;
}

/** What a thread fills in; made for the address that it is at in the first block. */
export interface Form {
	readonly bytes: Buffer;
	/** Address of the first call. */
	readonly list: RemoteAddr;
	readonly count: number;
}

const ASKED = 240;
const STUB = 24;
const STUB_SLOT = registerOffset.rsp + 24;
/** Of a thread's own: registers up to rsp, timespec, address of its stub. */
const OWN = STUB_SLOT + 8;
const PROGRAM = 224;
const RT_SIGPROCMASK = 14;

/** Where in the first block the form is. */
export const formAt = (data: bigint): RemoteAddr => (data + BigInt(OWN)) as RemoteAddr;

const numbers: readonly RegisterName[] = [
	...(['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'] as const),
	...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'] as const),
];

/** An instruction with a register of this number and, as its operand in memory, [r13+at]. */
const withOwn = (opcode: number, register: number, at: number, wide = true): number[] => {
	const displacement = Buffer.alloc(4);
	displacement.writeInt32LE(at);
	const rex = (wide ? 0x48 : 0x40) | (register > 7 ? 4 : 0) | 1;
	return [rex, opcode, 0x85 | ((register & 7) << 3), ...displacement];
};

let program: {bytes: Buffer; entry: number} | undefined;

/** It begins as a landing does, by which the leavings of a freezer that was killed are recognised. */
function crowdProgram(): {bytes: Buffer; entry: number} {
	if (program) {
		return program;
	}

	const [MOV, LEA, GROUP5] = [0x8b, 0x8d, 0xff];
	const RSP = numbers.indexOf('rsp');
	const code = emitter(PROGRAM);
	code.emit(...LANDING_SIGNATURE);
	listLoop(code);
	code.emit(...withOwn(LEA, RSP, registerOffset.eflags));
	code.emit(0x9d); // popfq
	code.emit(...withOwn(MOV, RSP, registerOffset.rsp));
	code.immediate([0xbf], 2); // mov edi, SIG_SETMASK
	code.emit(...withOwn(LEA, numbers.indexOf('rsi'), registerOffset.orig_rax)); // the mask is in its place
	code.immediate([0xba], 0); // mov edx, 0
	code.immediate([0x41, 0xba], 8); // mov r10d, 8
	code.immediate([0xb8], RT_SIGPROCMASK);
	code.emit(0x0f, 0x05);
	for (const [number, name] of numbers.entries()) {
		if (name !== 'rsp' && name !== 'r13') {
			code.emit(...withOwn(MOV, number, registerOffset[name]));
		}
	}

	code.emit(...withOwn(GROUP5, 4, STUB_SLOT, false)); // jmp [r13+STUB_SLOT]
	program = {bytes: code.bytes, entry: LANDING_SIGNATURE.length};
	return program;
}

/** Answers: the forms, one after the other. And a stop signal that has to be sent again after the release. */
export function askAll(
	question: CrowdQuestion,
	form: Form,
	threads: readonly Asked[],
	write: (address: RemoteAddr, bytes: Uint8Array) => void,
): {answers: Buffer; stopSignal: number} {
	const {pid, mem, signal, code, codeLength, data, dataLength} = question;
	const {length} = form.bytes;
	const {bytes, entry} = crowdProgram();
	const most = Math.min(Math.floor((codeLength - PROGRAM) / STUB), Math.floor(dataLength / (OWN + length)));
	write(code, bytes);
	const head = Buffer.alloc(64);
	for (const [i, value] of [pid, signal, most, OWN, length, STUB_SLOT].entries()) {
		head.writeInt32LE(value, 4 + i * 4);
	}

	head.writeInt32LE(mem, 0);
	head.writeInt32LE(Number(form.list - formAt(data)), 28);
	head.writeInt32LE(form.count, 32);
	head.writeBigUInt64LE(data, 40);
	head.writeBigUInt64LE(code + BigInt(PROGRAM), 48);
	head.writeBigUInt64LE(code + BigInt(entry), 56);
	const asked = Buffer.alloc(threads.length * ASKED);
	const slots = Buffer.alloc(threads.length * OWN);
	const words = wordsOf(asked);
	for (const [i, {tid, original, signalMask, landing}] of threads.entries()) {
		words.setInt32(i * ASKED, tid, true);
		original.bytes.copy(asked, i * ASKED + 16);
		words.setBigUint64(i * ASKED + 232, signalMask, true);
		const block = data + BigInt((i % most) * (OWN + length));
		landingSlots(
			{...landing, signalMask, affinity: undefined},
			block - BigInt(SLOTS),
			slots.subarray(i * OWN, (i + 1) * OWN),
		);
	}

	const answers = Buffer.alloc(threads.length * length);
	const result = Number(nativeThreads().ask(head, asked, threads.length, slots, form.bytes, answers));
	if (result !== 0) {
		const failed = threads.findIndex((_, i) => asked.readInt32LE(i * ASKED + 4) !== 0);
		throw new SysError(
			'injected system calls',
			result < 0 ? -result : errno.EFAULT,
			failed < 0 ? `in process ${pid}` : `in thread ${threads[failed]!.tid}`,
		);
	}

	const stops = threads.map((_, i) => words.getInt32(i * ASKED + 8, true));
	return {answers, stopSignal: stops.find((signo) => signo !== 0) ?? 0};
}
