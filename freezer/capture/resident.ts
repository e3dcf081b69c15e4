import type {RegisterName, Registers} from '../sys/registers.js';
import {addr, type RemoteAddr} from '../sys/types.js';
import type {RemoteMemory} from './context.js';
import type {Mapping} from './parse/smaps.js';
import {trimXstate} from './xstate.js';

const RESIDENT_MAGIC = Buffer.from('FRORERES', 'latin1');

/** What an earlier resume left behind: one private anonymous r-x mapping that begins with the magic and its own address. */
export function isResident({memory}: {readonly memory: Pick<RemoteMemory, 'readInto'>}, mapping: Mapping): boolean {
	if (mapping.path !== '' || mapping.shared || mapping.write || !mapping.execute) {
		return false;
	}

	const head = Buffer.alloc(16);
	return (
		memory.readInto(addr(mapping.start), head) === 16 &&
		head.subarray(0, 8).equals(RESIDENT_MAGIC) &&
		head.readBigUInt64LE(8) === mapping.start
	);
}

/** What a thread will be once it leaves the code of an earlier resume. */
export interface ResumedState {
	readonly registers: Registers;
	readonly xstate: Buffer;
	readonly sigmask: bigint;
	readonly stack: {readonly base: bigint; readonly flags: number; readonly size: bigint};
	/** See Restart. */
	readonly restart?: {readonly register: RegisterName; readonly seconds: bigint; readonly fraction: bigint};
}

/** struct rt_sigframe from uc_flags on (arch/x86/include/asm/sigframe.h), as resumer-stub/engine/registers.c writes it. */
const FRAME = {STACK: 16, REGISTERS: 40, FPSTATE: 224, SIGMASK: 296, TIMESPEC: 432, SIZE: 448} as const;
const inOrder = [
	...(['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi', 'rbp', 'rbx', 'rdx'] as const),
	...(['rax', 'rcx', 'rsp', 'rip', 'eflags'] as const),
];
const SEGMENTS = FRAME.REGISTERS + inOrder.length * 8;
const LEGACY_SIZE = 512;
const MAGIC_AT = 464;
const MAGIC = 0x46505853;

/**
 * A program that was stopped is stopped again at the very end of its resume, before its first instruction: when it is frozen in that
 * state, its registers stand in the frame that it will return from. Undefined for every other thread.
 * @param homes mappings that an earlier resume left behind
 */
export function resumedState(
	registers: Registers,
	homes: readonly Mapping[],
	memory: RemoteMemory & {tryRead(address: RemoteAddr, length: number): Buffer | undefined},
): ResumedState | undefined {
	const rip = registers.get('rip');
	const home = homes.find(({start, end}) => rip >= start && rip < end);
	const final = home && memory.tryRead(addr(registers.get('rbx')), 8);
	const frame = final && memory.tryRead(addr(final.readBigUInt64LE()), FRAME.SIZE);
	if (!home || !frame) {
		return undefined;
	}

	const state = registers.copy();
	for (const [i, name] of inOrder.entries()) {
		state.set(name, frame.readBigUInt64LE(FRAME.REGISTERS + i * 8));
	}

	state.set('cs', frame.readUInt16LE(SEGMENTS));
	state.set('ss', frame.readUInt16LE(SEGMENTS + 6));
	state.set('orig_rax', -1);
	const waits = (['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const).find((name) => {
		return state.get(name) >= home.start && state.get(name) < home.end;
	});
	return {
		registers: state,
		xstate: vectors(frame.readBigUInt64LE(FRAME.FPSTATE), memory),
		sigmask: frame.readBigUInt64LE(FRAME.SIGMASK),
		stack: {
			base: frame.readBigUInt64LE(FRAME.STACK),
			flags: frame.readUInt32LE(FRAME.STACK + 8),
			size: frame.readBigUInt64LE(FRAME.STACK + 16),
		},
		...(waits && {
			restart: {
				register: waits,
				seconds: frame.readBigInt64LE(FRAME.TIMESPEC),
				fraction: frame.readBigInt64LE(FRAME.TIMESPEC + 8),
			},
		}),
	};
}

function vectors(at: bigint, memory: RemoteMemory): Buffer {
	if (at === 0n) {
		return Buffer.alloc(0);
	}

	const legacy = memory.read(addr(at), LEGACY_SIZE);
	const size = legacy.readUInt32LE(MAGIC_AT) === MAGIC ? legacy.readUInt32LE(MAGIC_AT + 16) : LEGACY_SIZE;
	return trimXstate(memory.read(addr(at), size));
}
