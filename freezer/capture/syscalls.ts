import {nr} from '../sys/nr.js';
import type {RegisterName, Registers} from '../sys/registers.js';
import {addr, type RemoteAddr} from '../sys/types.js';

/**
 * A thread that is stopped inside a system call is given registers from which the call begins again, with the time that remained.
 * Pure: registers in, registers out.
 */
export interface InterruptedThread {
	/** At the event-stop, after `askForRestart`: orig_rax is the call, rax what the kernel was about to return. */
	readonly registers: Registers;
	/** What askForRestart said. */
	readonly wasEintr: boolean;
	/** How long the thread has been asleep in this call, nanoseconds; undefined when unknown. */
	readonly asleepNs: bigint | undefined;
	/** sa_flags of the handler that the next deliverable signal would run, or undefined when none is waiting. */
	readonly handlerFlags: bigint | undefined;
	/** Memory of the target; undefined when not readable. */
	read(address: RemoteAddr, length: number): Buffer | undefined;
}

/** A struct timespec (or timeval) that a register must point at. */
export interface Restart {
	readonly register: RegisterName;
	readonly seconds: bigint;
	/** Nanoseconds; microseconds for select(2), whose timeval has the same shape. */
	readonly fraction: bigint;
}

export interface Normalised {
	readonly registers: Registers;
	readonly restart?: Restart;
}

const EINTR = -4n;
const ERESTARTSYS = -512n;
const ERESTARTNOINTR = -513n;
const ERESTARTNOHAND = -514n;
const ERESTART_RESTARTBLOCK = -516n;
const restartCodes = new Set([ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND, ERESTART_RESTARTBLOCK]);
const SA_RESTART = 0x10000000n;
const TIMER_ABSTIME = 1n;
const SECOND = 1_000_000_000n;

/** Calls that return EINTR at a mere stop (signal(7)), or when the socket has a timeout, and that may begin again. */
const rewindable = new Set<number>([
	nr.epoll_wait,
	nr.epoll_pwait,
	nr.epoll_pwait2,
	nr.semop,
	nr.semtimedop,
	nr.rt_sigtimedwait,
	nr.poll,
	nr.ppoll,
	nr.select,
	nr.pselect6,
	nr.read,
	nr.write,
	nr.readv,
	nr.writev,
	nr.recvfrom,
	nr.recvmsg,
	nr.recvmmsg,
	nr.sendto,
	nr.sendmsg,
	nr.sendmmsg,
	nr.accept,
	nr.accept4,
	nr.connect,
	nr.msgrcv,
	nr.msgsnd,
	nr.mq_timedsend,
	nr.mq_timedreceive,
	nr.flock,
	nr.wait4,
	nr.waitid,
	nr.futex,
	nr.futex_waitv,
	nr.futex_wait,
	nr.nanosleep,
	nr.clock_nanosleep,
	nr.pause,
	nr.rt_sigsuspend,
]);

/** Calls that wait under a signal mask of their own: beginning again lets them see the signal under that mask. */
const ownMask = new Set<number>([nr.rt_sigsuspend, nr.ppoll, nr.pselect6, nr.epoll_pwait, nr.epoll_pwait2]);

/** Calls with a relative timeout of which nothing tells how much is left, and the argument that holds it or, in memory, leads to it. */
const timed = new Map<number, {readonly milliseconds?: RegisterName; readonly timespec?: RegisterName}>([
	[nr.nanosleep, {timespec: 'rdi'}],
	[nr.clock_nanosleep, {timespec: 'rdx'}],
	[nr.poll, {milliseconds: 'rdx'}],
	[nr.ppoll, {timespec: 'rdx'}],
	[nr.select, {timespec: 'r8'}],
	[nr.pselect6, {timespec: 'r8'}],
	[nr.futex, {timespec: 'r10'}],
	[nr.epoll_wait, {milliseconds: 'r10'}],
	[nr.epoll_pwait, {milliseconds: 'r10'}],
	[nr.epoll_pwait2, {timespec: 'r10'}],
	[nr.semtimedop, {timespec: 'r10'}],
	[nr.rt_sigtimedwait, {timespec: 'rdx'}],
	[nr.restart_syscall, {}],
]);

/** True when `asleepNs` matters to normalise(): most threads that wait do so without a timeout, and to find it out takes long. */
export function hidesItsTime(registers: Registers): boolean {
	const timeout = timed.get(Number(registers.signed('orig_rax')));
	if (timeout?.milliseconds) {
		return BigInt.asIntN(32, registers.get(timeout.milliseconds)) > 0n;
	}

	return timeout !== undefined && (timeout.timespec === undefined || registers.get(timeout.timespec) !== 0n);
}

/**
 * Turns EINTR that comes from nothing but the stop into "restart unless a handler runs", in place. True when it did. It is done at once
 * and to the live thread too, so that neither the release nor the freezer's death lets the program see the EINTR.
 */
export function askForRestart(registers: Registers): boolean {
	const original = registers.signed('orig_rax');
	if (original < 0n || registers.signed('rax') !== EINTR || !rewindable.has(Number(original))) {
		return false;
	}

	registers.set('rax', ERESTARTNOHAND);
	return true;
}

export function normalise(thread: InterruptedThread): Normalised {
	const registers = thread.registers.copy();
	const original = registers.signed('orig_rax');
	const result = registers.signed('rax');
	registers.set('orig_rax', -1);
	if (original < 0n) {
		return {registers};
	}

	const number = original === BigInt(nr.restart_syscall) ? numberBefore(thread) : Number(original);
	if (number === undefined) {
		if (restartCodes.has(result)) {
			registers.set('rax', EINTR);
		}

		return {registers};
	}

	if (!restartCodes.has(result)) {
		return {registers};
	}

	if (thread.handlerFlags !== undefined && !ownMask.has(number) && endsWithEintr(result, thread.handlerFlags)) {
		registers.set('rax', EINTR);
		return {registers};
	}

	registers.set('rax', number);
	registers.set('rip', registers.get('rip') - 2n);
	const restart = remaining(thread, number, registers);
	return {registers, ...(restart && {restart})};
}

/** What arch_do_signal_or_restart (arch/x86/kernel/signal.c) makes of it when a handler runs. */
const endsWithEintr = (result: bigint, flags: bigint): boolean =>
	result === ERESTARTNOHAND || result === ERESTART_RESTARTBLOCK || (result === ERESTARTSYS && !(flags & SA_RESTART));

/** The number is gone once the kernel has restarted a call by restart_syscall(2): it stands in `mov $nr, %eax` before the instruction. */
function numberBefore(thread: InterruptedThread): number | undefined {
	const window = 24;
	const code = thread.read(addr(thread.registers.get('rip') - BigInt(window + 2)), window);
	const possible = new Set<number>([nr.nanosleep, nr.clock_nanosleep, nr.poll, nr.futex]);
	for (let at = window - 5; code && at >= 0; at--) {
		if (code[at] === 0xb8 && possible.has(code.readUInt32LE(at + 1))) {
			return code.readUInt32LE(at + 1);
		}
	}

	return undefined;
}

/** Puts the time that remains into the registers, or says which pointer must lead to it. */
function remaining(thread: InterruptedThread, number: number, registers: Registers): Restart | undefined {
	const asleep = thread.asleepNs ?? 0n;
	const milliseconds = (name: RegisterName): undefined => {
		const timeout = BigInt.asIntN(32, registers.get(name));
		if (timeout > 0n) {
			const left = timeout * 1_000_000n - asleep;
			registers.set(name, left > 0n ? (left + 999_999n) / 1_000_000n : 0n);
		}
	};

	const timespec = (name: RegisterName, address: bigint, passed: bigint, unit = 1n): Restart | undefined => {
		const bytes = address === 0n ? undefined : thread.read(addr(address), 16);
		if (!bytes) {
			return undefined;
		}

		const total = bytes.readBigInt64LE(0) * SECOND + bytes.readBigInt64LE(8) * unit;
		const left = total > passed ? total - passed : 0n;
		return {register: name, seconds: left / SECOND, fraction: (left % SECOND) / unit};
	};

	switch (number) {
		case nr.nanosleep:
			return sleep('rdi', 'rsi');
		case nr.clock_nanosleep:
			return registers.get('rsi') & TIMER_ABSTIME ? undefined : sleep('rdx', 'r10');
		case nr.poll:
			return milliseconds('rdx');
		case nr.epoll_wait:
		case nr.epoll_pwait:
			return milliseconds('r10');
		case nr.epoll_pwait2:
		case nr.semtimedop:
			return timespec('r10', registers.get('r10'), asleep);
		case nr.rt_sigtimedwait:
			return timespec('rdx', registers.get('rdx'), asleep);
		case nr.futex:
			// FUTEX_WAIT alone takes a relative time.
			return (registers.get('rsi') & 127n) === 0n ? timespec('r10', registers.get('r10'), asleep) : undefined;
		case nr.ppoll:
			// The kernel has written the remaining time back, unless it could not (then it says EINTR).
			return thread.wasEintr ? timespec('rdx', registers.get('rdx'), asleep) : undefined;
		case nr.pselect6:
			return thread.wasEintr ? timespec('r8', registers.get('r8'), asleep) : undefined;
		case nr.select:
			return thread.wasEintr ? timespec('r8', registers.get('r8'), asleep, 1000n) : undefined;
		default:
			return undefined;
	}

	/** The kernel has written what remains to `rem` when it was given. */
	function sleep(request: RegisterName, rem: RegisterName): Restart | undefined {
		return registers.get(rem) === 0n
			? timespec(request, registers.get(request), asleep)
			: timespec(request, registers.get(rem), 0n);
	}
}

/** A thread inside a restartable sequence goes on at its abort handler, as the kernel would have it (kernel/rseq.c). */
export function abortRestartableSequence(
	registers: Registers,
	section: bigint,
	read: (address: RemoteAddr, length: number) => Buffer | undefined,
): void {
	const descriptor = section ? read(addr(section), 32) : undefined;
	if (!descriptor) {
		return;
	}

	const start = descriptor.readBigUInt64LE(8);
	const length = descriptor.readBigUInt64LE(16);
	if (BigInt.asUintN(64, registers.get('rip') - start) < length) {
		registers.set('rip', descriptor.readBigUInt64LE(24));
	}
}
