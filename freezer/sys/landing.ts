import type {RegisterName, Registers} from './registers.js';

/**
 * The code put into the target while system calls are injected. Its first instruction is `syscall`; what follows is never reached while
 * the freezer lives. If the freezer dies, the kernel detaches, the call ends, and the thread falls through: it restores its CPU
 * affinity, flags, signal mask and registers and jumps back to where it was. Vector state is not touched, so none is restored.
 * (An rt_sigreturn would need the XSAVE area rebuilt to the thread's user_size and would forget its restart block.)
 */

export interface Landing {
	/** Where the thread goes on: restartable registers. */
	readonly registers: Registers;
	readonly signalMask: bigint;
	/** Undefined when it was left alone. */
	readonly affinity: Uint8Array | undefined;
	/** A struct timespec that register `restartRegister` is to point at. */
	readonly restart?: {readonly register: RegisterName; readonly timespec: Uint8Array};
}

/** Bytes of code and slots together with an affinity mask of up to 64 bytes (512 CPUs). */
export const LANDING_SIZE = 512;
/** syscall; mov edi, 0 */
export const LANDING_SIGNATURE = Buffer.from([0x0f, 0x05, 0xbf, 0, 0, 0, 0]);
/** Jumping here lands at once. */
export const LANDING_ENTRY = 2;

const slotsOffset = 192;
const nr = {rt_sigprocmask: 14, sched_setaffinity: 203};

/** ModRM of `mov r64, [rip+disp32]`. */
const loads: readonly (readonly [RegisterName, number, number])[] = [
	['rax', 0x48, 0x05],
	['rcx', 0x48, 0x0d],
	['rdx', 0x48, 0x15],
	['rbx', 0x48, 0x1d],
	['rbp', 0x48, 0x2d],
	['rsi', 0x48, 0x35],
	['rdi', 0x48, 0x3d],
	['r8', 0x4c, 0x05],
	['r9', 0x4c, 0x0d],
	['r10', 0x4c, 0x15],
	['r11', 0x4c, 0x1d],
	['r12', 0x4c, 0x25],
	['r13', 0x4c, 0x2d],
	['r14', 0x4c, 0x35],
	['r15', 0x4c, 0x3d],
];

/** The landing of one thread; `base` is where it will be in the target. */
export function landingCode(landing: Landing, base: bigint): Buffer {
	const page = Buffer.alloc(LANDING_SIZE + Math.max(0, (landing.affinity?.length ?? 0) - 64));
	let slot = slotsOffset;
	let at = 0;
	const emit = (...code: number[]) => {
		for (const byte of code) {
			page[at++] = byte;
		}
	};

	const slotFor = (bytes: Uint8Array): number => {
		page.set(bytes, slot);
		const offset = slot;
		slot += (bytes.length + 7) & ~7;
		return offset;
	};

	const word = (value: bigint): Uint8Array => {
		const bytes = Buffer.alloc(8);
		bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
		return bytes;
	};

	/** An instruction that ends in a rip-relative displacement to `target`. */
	const relative = (code: number[], target: number) => {
		emit(...code, 0, 0, 0, 0);
		page.writeInt32LE(target - at, at - 4);
	};

	const immediate = (code: number[], value: number) => {
		emit(...code, 0, 0, 0, 0);
		page.writeUInt32LE(value, at - 4);
	};

	const registers = landing.registers.copy();
	if (landing.restart) {
		registers.set(landing.restart.register, base + BigInt(slotFor(landing.restart.timespec)));
	}

	emit(0x0f, 0x05); // syscall
	immediate([0xbf], 0); // mov edi, 0
	if (landing.affinity) {
		immediate([0xbe], landing.affinity.length); // mov esi, length
		relative([0x48, 0x8d, 0x15], slotFor(landing.affinity)); // lea rdx, mask
		immediate([0xb8], nr.sched_setaffinity);
		emit(0x0f, 0x05);
	}

	relative([0x48, 0x8d, 0x25], slotFor(word(registers.get('eflags') & ~0x100n))); // lea rsp, flags
	emit(0x9d); // popfq
	relative([0x48, 0x8b, 0x25], slotFor(word(registers.get('rsp')))); // mov rsp, [rsp slot]
	immediate([0xbf], 2); // mov edi, SIG_SETMASK
	relative([0x48, 0x8d, 0x35], slotFor(word(landing.signalMask))); // lea rsi, mask
	immediate([0xba], 0); // mov edx, 0
	immediate([0x41, 0xba], 8); // mov r10d, 8
	immediate([0xb8], nr.rt_sigprocmask);
	emit(0x0f, 0x05);
	for (const [name, rex, modrm] of loads) {
		relative([rex, 0x8b, modrm], slotFor(word(registers.get(name))));
	}

	relative([0xff, 0x25], slotFor(word(registers.get('rip')))); // jmp [rip slot]
	if (at > slotsOffset || slot > page.length) {
		throw new RangeError(`a landing of ${at} bytes of code and ${slot} in all does not fit`);
	}

	return page;
}
