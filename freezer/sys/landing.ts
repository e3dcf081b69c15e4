import {type RegisterName, type Registers, registerOffset, wordsOf} from './registers.js';

/**
 * The code put into the target while system calls are injected. Its first instruction is `syscall`; what follows is never reached while
 * the freezer lives. If the freezer dies, the kernel detaches, the call ends, and the thread falls through: it restores its CPU
 * affinity, flags, signal mask and registers and jumps back to where it was. Vector state is not touched, so none is restored.
 * Behind it stands a loop that works through a list of calls, and lands when it has come to the end; then a call that makes a child,
 * which ends instead of landing, and which its maker waits for before it lands; then a call for such children, behind which they end;
 * then a call that opens a descriptor, which is closed before the thread lands.
 * (An rt_sigreturn would need the XSAVE area rebuilt to the thread's user_size and would forget its restart block.)
 */

export interface Landing {
	/** Where the thread goes on: restartable registers. */
	readonly registers: Registers;
	readonly signalMask: bigint;
	/** Undefined when it was left alone. */
	readonly affinity: Uint8Array | undefined;
	/** A struct timespec that register `restartRegister` is to point at. */
	readonly restart?: {readonly register: RegisterName; readonly timespec: Uint8Array} | undefined;
}

/** Bytes of code and slots together with an affinity mask of up to 64 bytes (512 CPUs). */
export const LANDING_SIZE = 568;
/** syscall; mov edi, 0 */
export const LANDING_SIGNATURE = Buffer.from([0x0f, 0x05, 0xbf, 0, 0, 0, 0]);
/** Jumping here lands at once. */
export const LANDING_ENTRY = 2;

/** The loop expects the address of its list in rbx and the number of calls in r12. */
export const LIST_ENTRY = 188;
/** One call of a list: number, six arguments, result; 8 bytes each. */
export const LISTED_CALL = 64;
export const LISTED_RESULT = 56;

/** `syscall` for clone(2), then another for wait4(2): whoever gets 0 from the first ends, its maker waits for that and lands. */
export const CLONE_ENTRY = 240;
/** `syscall` for a child that was made so: it ends behind it. */
export const CHILD_ENTRY = 294;

/** `syscall` for a call that opens a descriptor, then another for close(2). */
export const OPEN_ENTRY = 302;

/** Behind the code: registers as the kernel orders them up to rsp (the signal mask in the place of orig_rax), timespec, affinity. */
export const SLOTS = 328;
const slot = {signalMask: registerOffset.orig_rax, timespec: registerOffset.rsp + 8, affinity: registerOffset.rsp + 24};
const WALL = 0x4000_0000;
const nr = {close: 3, rt_sigprocmask: 14, sched_setaffinity: 203, wait4: 61, exit_group: 231};

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

/** ModRM of `mov r64, [rbx+disp8]`: number and arguments of a listed call. */
const listed: readonly (readonly [number, number])[] = [
	[0x48, 0x43],
	[0x48, 0x7b],
	[0x48, 0x73],
	[0x48, 0x53],
	[0x4c, 0x53],
	[0x4c, 0x43],
	[0x4c, 0x4b],
];

/** Machine code in the making, of no more than `length` bytes. */
export function emitter(length: number) {
	const bytes = Buffer.alloc(length);
	let at = 0;
	const emit = (...code: number[]): void => {
		if (at + code.length > length) {
			throw new RangeError(`code of ${at + code.length} bytes does not fit`);
		}

		bytes.set(code, at);
		at += code.length;
	};

	return {
		bytes,
		at: () => at,
		emit,
		/** An instruction that ends in a rip-relative displacement to `target`. */
		relative(code: number[], target: number): void {
			emit(...code, 0, 0, 0, 0);
			bytes.writeInt32LE(target - at, at - 4);
		},
		immediate(code: number[], value: number): void {
			emit(...code, 0, 0, 0, 0);
			bytes.writeUInt32LE(value, at - 4);
		},
		moveTo(place: number): void {
			if (at > place) {
				throw new RangeError(`code of ${at} bytes does not fit below ${place}`);
			}

			at = place;
		},
	};
}

/** Makes the calls at rbx, of which there are r12. */
export function listLoop({emit, relative, at}: ReturnType<typeof emitter>): void {
	const start = at();
	for (const [i, [rex, modrm]] of listed.entries()) {
		emit(rex, 0x8b, modrm, i * 8);
	}

	emit(0x0f, 0x05);
	emit(0x48, 0x89, 0x43, LISTED_RESULT); // mov [rbx+56], rax
	emit(0x48, 0x83, 0xc3, LISTED_CALL); // add rbx, 64
	emit(0x41, 0xff, 0xcc); // dec r12d
	relative([0x0f, 0x85], start); // jnz
}

const programs = new Map<number, Buffer>();

/** What is the same for every thread; it runs anywhere. Not to be written to. */
export function landingProgram(affinityLength: number): Buffer {
	const known = programs.get(affinityLength);
	if (known) {
		return known;
	}

	const code = emitter(SLOTS);
	const {emit, relative, immediate} = code;
	emit(0x0f, 0x05); // syscall
	immediate([0xbf], 0); // mov edi, 0
	if (affinityLength > 0) {
		immediate([0xbe], affinityLength); // mov esi, length
		relative([0x48, 0x8d, 0x15], SLOTS + slot.affinity); // lea rdx, mask
		immediate([0xb8], nr.sched_setaffinity);
		emit(0x0f, 0x05);
	}

	relative([0x48, 0x8d, 0x25], SLOTS + registerOffset.eflags); // lea rsp, flags
	emit(0x9d); // popfq
	relative([0x48, 0x8b, 0x25], SLOTS + registerOffset.rsp); // mov rsp, [rsp slot]
	immediate([0xbf], 2); // mov edi, SIG_SETMASK
	relative([0x48, 0x8d, 0x35], SLOTS + slot.signalMask); // lea rsi, mask
	immediate([0xba], 0); // mov edx, 0
	immediate([0x41, 0xba], 8); // mov r10d, 8
	immediate([0xb8], nr.rt_sigprocmask);
	emit(0x0f, 0x05);
	for (const [name, rex, modrm] of loads) {
		relative([rex, 0x8b, modrm], SLOTS + registerOffset[name]);
	}

	relative([0xff, 0x25], SLOTS + registerOffset.rip); // jmp [rip slot]
	code.moveTo(LIST_ENTRY);
	listLoop(code);
	relative([0xe9], LANDING_ENTRY); // jmp
	code.moveTo(CLONE_ENTRY);
	emit(0x0f, 0x05); // syscall
	emit(0x48, 0x85, 0xc0); // test rax, rax
	relative([0x0f, 0x88], LANDING_ENTRY); // js
	const wait = [0x31, 0xf6, 0x45, 0x31, 0xd2]; // xor esi, esi; xor r10d, r10d
	const ending = code.at() + 27;
	emit(0x74, ending - code.at() - 2); // jz
	emit(0x48, 0x89, 0xc7, ...wait); // mov rdi, rax
	immediate([0xba], WALL); // mov edx, __WALL
	immediate([0xb8], nr.wait4);
	emit(0x0f, 0x05);
	relative([0xe9], LANDING_ENTRY); // jmp
	code.moveTo(ending);
	emit(0x31, 0xff); // xor edi, edi
	immediate([0xb8], nr.exit_group);
	emit(0x0f, 0x05);
	code.moveTo(CHILD_ENTRY);
	emit(0x0f, 0x05); // syscall
	relative([0xe9], ending); // jmp
	code.moveTo(OPEN_ENTRY);
	emit(0x0f, 0x05); // syscall
	emit(0x48, 0x85, 0xc0); // test rax, rax
	relative([0x0f, 0x88], LANDING_ENTRY); // js
	emit(0x89, 0xc7); // mov edi, eax
	immediate([0xb8], nr.close);
	emit(0x0f, 0x05);
	relative([0xe9], LANDING_ENTRY); // jmp
	programs.set(affinityLength, code.bytes);
	return code.bytes;
}

/** What is one thread's own; `base` is where the code will be in the target. */
export function landingSlots(
	{registers, signalMask, affinity, restart}: Landing,
	base: bigint,
	slots = Buffer.alloc(slot.affinity + (affinity?.length ?? 0)),
): Buffer {
	registers.bytes.copy(slots, 0, 0, slot.timespec);
	const words = wordsOf(slots);
	words.setBigUint64(registerOffset.eflags, registers.get('eflags') & ~0x100n, true);
	words.setBigUint64(slot.signalMask, signalMask, true);
	if (restart) {
		slots.set(restart.timespec, slot.timespec);
		words.setBigUint64(registerOffset[restart.register], base + BigInt(SLOTS + slot.timespec), true);
	}

	if (affinity) {
		slots.set(affinity, slot.affinity);
	}

	return slots;
}

/** The landing of one thread; `base` is where it will be in the target. */
export const landingCode = (landing: Landing, base: bigint): Buffer =>
	Buffer.concat([landingProgram(landing.affinity?.length ?? 0), landingSlots(landing, base)]);
