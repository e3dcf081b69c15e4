import {errno, SysError} from './errno.js';
import {
	CHILD_ENTRY,
	CLONE_ENTRY,
	LANDING_ENTRY,
	type Landing,
	LIST_ENTRY,
	landingCode,
	landingProgram,
	OPEN_ENTRY,
} from './landing.js';
import {ProcessMemory} from './memory.js';
import {nr} from './nr.js';
import * as ptrace from './ptrace.js';
import {argumentRegisters, Registers} from './registers.js';
import {commonCpu, getAffinity, maskOf, trySetAffinity} from './sched.js';
import {runUntil} from './threads.js';
import {asPid, type RemoteAddr, type Tid} from './types.js';

/**
 * System calls executed by a stopped thread of the target, in front of a landing (see landing.ts) that makes the freezer's sudden death
 * harmless. Never by PTRACE_SINGLESTEP or int3: their SIGTRAP would stay pending.
 */

const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;
const STOP_SIGNAL = 19;
const SYSCALL_STOP = 0x85;

/** One thread while calls are injected into it. The thread is at a ptrace event-stop before `begin` and after `end`. */
export class ThreadInjection {
	/** A stop signal that came in between and has to be sent again after the release. */
	stopSignal = 0;
	#pinned = false;
	readonly #affinity: Buffer;

	constructor(
		readonly tid: Tid,
		readonly memory: ProcessMemory,
		/** Exactly as found at the event-stop: they are put back at the end. */
		readonly original: Registers,
		readonly signalMask: bigint,
		/** Executable room of LANDING_SIZE bytes that nothing else uses. */
		readonly code: RemoteAddr,
		/** False under a seccomp filter, which might not let a landing give the affinity back. */
		readonly mayPin: boolean,
	) {
		this.#affinity = getAffinity(tid);
	}

	/** Makes the thread ready for calls. From here to the end of `end` it lands if the freezer dies. */
	begin(landing: Pick<Landing, 'registers' | 'restart'>): void {
		const affinity = this.mayPin ? unpinnedMask(this.#affinity) : undefined;
		this.memory.write(this.code, landingCode({...landing, affinity, signalMask: this.signalMask}, this.code));
		const registers = this.original.copy();
		registers.set('rip', this.code + BigInt(LANDING_ENTRY));
		registers.set('orig_rax', -1);
		ptrace.setRegisters(this.tid, registers.bytes);
		ptrace.setSignalMask(this.tid, ALL_SIGNALS);
		const cpu = this.mayPin ? commonCpu(tracerAffinity(), this.#affinity) : undefined;
		if (cpu !== undefined && !this.#affinity.equals(maskOf(cpu, this.#affinity.length))) {
			this.#pinned = trySetAffinity(this.tid, maskOf(cpu, this.#affinity.length)) === 0;
		}
	}

	/** Result or -errno of the call. */
	syscall(call: Call): bigint {
		const registers = callRegisters(this.original, this.code, call);
		this.#run(ptrace.request.SYSCALL, SYSCALL_STOP, 2, registers);
		return registers.signed('rax');
	}

	/**
	 * The call opens a descriptor, which `take` is given; afterwards the thread closes it, and if the freezer dies meanwhile it does that by
	 * itself. Undefined when the call fails.
	 */
	open<T>(call: Call, take: (fd: number) => T): T | undefined {
		const registers = callRegisters(this.original, (this.code + BigInt(OPEN_ENTRY)) as RemoteAddr, call);
		this.#run(ptrace.request.SYSCALL, SYSCALL_STOP, 2, registers);
		const fd = Number(registers.signed('rax'));
		if (fd < 0) {
			return undefined;
		}

		try {
			return take(fd);
		} finally {
			this.#run(ptrace.request.SYSCALL, SYSCALL_STOP, 2);
		}
	}

	/** A child that takes part in what `flags` of clone(2) say, and sends no signal when it ends; or -errno. */
	clone(flags: number): InjectedChild | bigint {
		return cloneAt(this.tid, this.original, this.code, CLONE_ENTRY, flags);
	}

	/** To come next, when the child has ended: the wait4(2) that the thread has in front of it. If the freezer dies, it does that by itself. */
	waitForClone(): void {
		this.#run(ptrace.request.SYSCALL, SYSCALL_STOP, 2);
	}

	/**
	 * Works through the calls at `list`; the last of them lets `signal` in, which nobody heeds, and there the thread stops. False when the
	 * kernel does not let us send it; nothing has happened then.
	 */
	calls(list: RemoteAddr, count: number, signal: number): boolean {
		ptrace.setSignalMask(this.tid, ALL_SIGNALS);
		if (ptrace.sendThreadSignal(this.memory.pid, this.tid, signal) < 0) {
			return false;
		}

		const registers = this.original.copy();
		registers.set('rip', this.code + BigInt(LIST_ENTRY));
		registers.set('orig_rax', -1);
		registers.set('rbx', list);
		registers.set('r12', count);
		this.#run(ptrace.request.CONT, signal, 1, registers);
		return true;
	}

	/** Puts everything back: afterwards the thread is at an event-stop, where the kernel heeds registers that ask for a restart. */
	end(): void {
		ptrace.interrupt(this.tid);
		this.#run(ptrace.request.CONT, ptrace.event.STOP, 1);
		if (this.#pinned) {
			trySetAffinity(this.tid, unpinnedMask(this.#affinity));
			this.#pinned = false;
		}

		ptrace.setSignalMask(this.tid, this.signalMask);
		ptrace.setRegisters(this.tid, this.original.bytes);
	}

	/** So many times to a stop of this kind, or signal; leaves the registers that the thread has there in `registers`. */
	#run(request: number, wanted: number, times: number, registers?: Registers): void {
		const result = runUntil(this.tid, request, wanted, times, registers?.bytes ?? null);
		this.stopSignal ||= result.stopSignal;
		if (result.error !== 0) {
			const told =
				result.error > 0 ? `signal ${result.error}` : result.error === -errno.ESRCH ? 'the thread ended' : 'it failed';
			throw new SysError(
				`injected system call: ${told}`,
				result.error > 0 ? errno.EFAULT : -result.error,
				`in thread ${this.tid}`,
			);
		}
	}
}

type Call = readonly (number | bigint)[];

/**
 * A child that an injected clone(2) has made: stopped, with every signal blocked, killed when the freezer ends. Where it goes on by itself
 * it ends at once (CLONE_ENTRY, CHILD_ENTRY).
 */
export class InjectedChild {
	constructor(
		readonly tid: Tid,
		/** As its maker sees it. */
		readonly innerPid: number,
		readonly registers: Registers,
		/** Where the landing is in its memory. */
		readonly code: RemoteAddr,
	) {
		const {SYSGOOD, CLONE, EXITKILL} = ptrace.option;
		while (waitStop(tid).event !== ptrace.event.STOP) {
			ptrace.cont(tid);
		}

		ptrace.setOptions(tid, SYSGOOD | CLONE | EXITKILL);
	}

	syscall(call: Call): bigint {
		return callAt(this.tid, this.registers, (this.code + BigInt(CHILD_ENTRY)) as RemoteAddr, call).result;
	}

	/** Its own child has the kernel's promise to be killed from the first moment: options are inherited. */
	clone(flags: number): InjectedChild | bigint {
		return cloneAt(this.tid, this.registers, this.code, CHILD_ENTRY, flags);
	}

	/** Takes away its own child. @param around what stands where its code is to be, unless that is there already */
	reap(child: InjectedChild, around?: Uint8Array): void {
		child.kill();
		const memory = new ProcessMemory(asPid(this.tid));
		try {
			if (around) {
				memory.write(this.code, landingProgram(0));
			}

			this.syscall([nr.wait4, child.innerPid, 0, WALL, 0]);
		} finally {
			if (around) {
				memory.write(this.code, around);
			}

			memory.close();
		}
	}

	kill(): void {
		ptrace.sendSignal(this.tid, SIGKILL);
		while (ptrace.wait(this.tid, true).kind === 'stop') {
			ptrace.cont(this.tid);
		}
	}
}

const SIGKILL = 9;
const WALL = 0x4000_0000;

function cloneAt(
	tid: Tid,
	registers: Registers,
	code: RemoteAddr,
	entry: number,
	flags: number,
): InjectedChild | bigint {
	const {result, child} = callAt(tid, registers, (code + BigInt(entry)) as RemoteAddr, [nr.clone, flags]);
	return child === undefined ? result : new InjectedChild(child, Number(result), registers, code);
}

function callRegisters(original: Registers, at: RemoteAddr, [number, ...args]: Call): Registers {
	const registers = original.copy();
	registers.set('rip', at);
	registers.set('rax', number ?? 0);
	registers.set('orig_rax', -1);
	for (const [i, name] of argumentRegisters.entries()) {
		registers.set(name, args[i] ?? 0);
	}

	return registers;
}

/** A call whose child is told of before it returns; nothing but stops of its own is let through. */
function callAt(tid: Tid, registers: Registers, at: RemoteAddr, call: Call): {result: bigint; child: Tid | undefined} {
	let child: Tid | undefined;
	ptrace.setRegisters(tid, callRegisters(registers, at, call).bytes);
	for (let stops = 0; stops < 2; ) {
		ptrace.contToSyscall(tid);
		const stop = waitStop(tid);
		if (!stop.syscall && stop.event === 0 && stop.signal !== STOP_SIGNAL) {
			throw new SysError(`injected system call: signal ${stop.signal}`, errno.EFAULT, `in process ${tid}`);
		}

		child = stop.event === ptrace.event.CLONE ? (ptrace.eventMessage(tid) as Tid) : child;
		stops += stop.syscall ? 1 : 0;
	}

	return {result: new Registers(ptrace.getRegisters(tid)).signed('rax'), child};
}

function waitStop(tid: Tid) {
	const result = ptrace.wait(tid, true);
	if (result.kind !== 'stop') {
		throw new SysError('injected system call: the thread ended', errno.ESRCH, `in thread ${tid}`);
	}

	return result;
}

let tracer: Buffer | undefined;
let tracerPinned: Buffer | undefined;

/** Moves this thread to one CPU, so that handing control to the target and back costs no cross-CPU wake-up. */
export function pinTracer(): void {
	if (tracer) {
		return;
	}

	tracer = getAffinity(0);
	const cpu = commonCpu(tracer, tracer);
	if (cpu !== undefined) {
		tracerPinned = maskOf(cpu, tracer.length);
		trySetAffinity(0, tracerPinned);
	}
}

export function unpinTracer(): void {
	if (tracer) {
		trySetAffinity(0, tracer);
		tracer = undefined;
		tracerPinned = undefined;
	}
}

/** Where other threads may run without being in the way of this one. */
export function otherCpus(): Buffer {
	const all = Buffer.from(tracer ?? getAffinity(0));
	const mine = tracerPinned ?? maskOf(commonCpu(all, all) ?? 0, all.length);
	for (const [i, bits] of mine.entries()) {
		all[i]! &= ~bits;
	}

	return all;
}

const tracerAffinity = (): Buffer => tracerPinned ?? getAffinity(0);

/** The same mask; but one that holds every CPU this process may know of is widened to all, as if it had never been set. */
export const unpinnedMask = (mask: Buffer): Buffer =>
	mask.equals(tracer ?? Buffer.alloc(0)) ? Buffer.alloc(mask.length, 0xff) : mask;
