/** Threads: where each stands, and its registers. */
import type {RowOf, Snapshot} from '../../../builder/format/schema.js';
import type {ReadMemory} from './memory.js';
import {systemCallName} from './system-calls.js';
import {duration, hex, policyName, printable, signalNames} from './words.js';

/** struct user_regs_struct of x86-64, in its order. */
const REGISTERS =
	'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs'.split(
		' ',
	);
/** XSAVE state components, Intel SDM volume 1, 13.1. */
const COMPONENTS: Readonly<Record<number, string>> = {
	0: 'x87',
	1: 'SSE',
	2: 'AVX',
	5: 'AVX-512',
	6: 'AVX-512',
	7: 'AVX-512',
	9: 'PKRU',
	17: 'AMX',
	18: 'AMX',
};
const XSTATE_BV = 512;

export interface ThreadReport {
	readonly tid: number;
	readonly name: string;
	/** "in poll" when it goes on with a system call, else "runs". */
	readonly doing: string;
	/** Hexadecimal, by name. */
	readonly registers: Readonly<Record<string, string>>;
	/** Vector state in use. */
	readonly vectors: string[];
	readonly blockedSignals: string[];
	/** "other, nice 5"; "fifo, priority 10". */
	readonly scheduling: string;
	/** Number of CPUs it may run on. */
	readonly cpus: number;
	/** What its system call has left to wait, "" when it has no time limit of its own. */
	readonly remaining: string;
}

/** Threads of one task, the leader first. @param read memory of the task */
export const describeThreads = (snapshot: Snapshot, task: RowOf<'task'>, read: ReadMemory): ThreadReport[] =>
	snapshot.thread.slice(task.first_thread, task.first_thread + task.nthreads).map((thread) => describe(thread, read));

function describe(thread: RowOf<'thread'>, read: ReadMemory): ThreadReport {
	const registers = readRegisters(thread.regs);
	const nice = thread.nice ? `, nice ${thread.nice}` : '';
	const priority = thread.sched_priority ? `, priority ${thread.sched_priority}` : '';
	const remaining = thread.restart_sec * 1_000_000_000n + thread.restart_nsec;
	return {
		tid: thread.tid,
		name: printable(thread.comm),
		doing: doing(registers, read),
		registers: Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hex(value)])),
		vectors: vectors(thread.xstate),
		blockedSignals: signalNames(thread.sigmask),
		scheduling: `${policyName(thread.sched_policy)}${nice}${priority}`,
		cpus: bits(thread.affinity),
		remaining: thread.restart_reg === 0 ? '' : duration(remaining),
	};
}

/** The saved registers stand on the `syscall` instruction, its number in rax, when the call is to begin again. */
function doing({rip = 0n, rax = 0n}: Record<string, bigint>, read: ReadMemory): string {
	const code = read(rip, 2);
	return code?.[0] === 0x0f && code[1] === 0x05 ? `in ${systemCallName(Number(BigInt.asUintN(32, rax)))}` : 'runs';
}

function readRegisters(bytes: Uint8Array): Record<string, bigint> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const found: Record<string, bigint> = {};
	REGISTERS.forEach((name, i) => {
		if (8 * i + 8 <= bytes.length) found[name] = view.getBigUint64(8 * i, true);
	});
	return found;
}

function vectors(xstate: Uint8Array): string[] {
	if (xstate.length < XSTATE_BV + 8) return [];
	const used = new DataView(xstate.buffer, xstate.byteOffset + XSTATE_BV, 8).getBigUint64(0, true);
	const names = Object.entries(COMPONENTS)
		.filter(([bit]) => (used >> BigInt(bit)) & 1n)
		.map(([, name]) => name);
	return [...new Set(names)];
}

function bits(mask: Uint8Array): number {
	let total = 0;
	for (const byte of mask) for (let rest = byte; rest; rest &= rest - 1) total++;
	return total;
}
