import {errno, SysError} from './errno.js';
import {LANDING_ENTRY, type Landing, landingPage} from './landing.js';
import type {ProcessMemory} from './memory.js';
import {nr} from './nr.js';
import * as ptrace from './ptrace.js';
import {argumentRegisters, Registers} from './registers.js';
import {commonCpu, getAffinity, maskOf, trySetAffinity} from './sched.js';
import {addr, PAGE_SIZE, type RemoteAddr, type Tid} from './types.js';

/**
 * System calls executed by a stopped thread of the target. Never by PTRACE_SINGLESTEP or int3: their SIGTRAP would stay pending if the
 * freezer died. Only the calls that map and unmap the scratch area (some 20 µs each) are open to the freezer's sudden death;
 * all others run in front of a landing (see landing.ts).
 */

const ALL_SIGNALS = 0xffff_ffff_ffff_ffffn;
const PROT_READ_EXEC = 5;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const DATA_PAGES = 4;

/** The area mapped into the target: a code page (landing) and data pages. */
export interface Scratch {
	readonly code: RemoteAddr;
	readonly data: RemoteAddr;
	readonly dataSize: number;
}

const scratchLength = PAGE_SIZE * (1 + DATA_PAGES);

/** One thread while calls are injected into it. The thread is at a ptrace event-stop before `begin` and after `end`. */
export class ThreadInjection {
	/** A stop signal that came in between and has to be sent again after the release. */
	stopSignal = 0;
	#active = false;
	#pinned = false;
	readonly #affinity: Buffer;

	constructor(
		readonly tid: Tid,
		readonly memory: ProcessMemory,
		/** Exactly as found at the event-stop: they are put back at the end. */
		readonly original: Registers,
		readonly signalMask: bigint,
		/** Address of a `syscall` instruction that was in the target before. */
		readonly entry: RemoteAddr,
	) {
		this.#affinity = getAffinity(tid);
	}

	/** Maps the scratch area with this thread, which is then ready for calls. */
	map(landing: Omit<Landing, 'affinity' | 'signalMask'>): Scratch {
		ptrace.setSignalMask(this.tid, ALL_SIGNALS);
		const base = this.#run(this.entry, nr.mmap, 0, scratchLength, PROT_READ_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0);
		if (base < 0n) {
			this.#backToStop();
			ptrace.setSignalMask(this.tid, this.signalMask);
			ptrace.setRegisters(this.tid, this.original.bytes);
			throw new SysError('mmap in the target', Number(-base), `by thread ${this.tid}`);
		}

		const code = addr(base);
		const scratch = {code, data: addr(base + BigInt(PAGE_SIZE)), dataSize: DATA_PAGES * PAGE_SIZE};
		this.#land(scratch, landing);
		const result = this.#run(code, nr.mprotect, scratch.data, scratch.dataSize, PROT_READ_WRITE);
		if (result < 0n) {
			throw new SysError('mprotect in the target', Number(-result), `by thread ${this.tid}`);
		}

		return scratch;
	}

	/** Makes another thread of the same process ready for calls. */
	begin(scratch: Scratch, landing: Omit<Landing, 'affinity' | 'signalMask'>): void {
		this.#land(scratch, landing);
	}

	/** Result or -errno of the call. */
	syscall(scratch: Scratch, number: number, ...args: readonly (number | bigint)[]): bigint {
		return this.#run(scratch.code, number, ...args);
	}

	/** Puts everything back; with `unmap` the scratch area goes too. Afterwards the thread is at an event-stop as before. */
	end(unmap?: Scratch): void {
		if (!this.#active) {
			return;
		}

		if (unmap) {
			this.#prepare(this.entry, nr.munmap, [unmap.code, scratchLength]);
			ptrace.contToSyscall(this.tid);
			this.#waitSyscallStop();
		}

		this.#backToStop();
		this.#unpin();
		ptrace.setSignalMask(this.tid, this.signalMask);
		ptrace.setRegisters(this.tid, this.original.bytes);
		this.#active = false;
	}

	#land(scratch: Scratch, landing: Omit<Landing, 'affinity' | 'signalMask'>): void {
		const full = {...landing, affinity: unpinnedMask(this.#affinity), signalMask: this.signalMask};
		this.memory.write(scratch.code, landingPage(full, scratch.code));
		const registers = this.original.copy();
		registers.set('rip', scratch.code + BigInt(LANDING_ENTRY));
		registers.set('orig_rax', -1);
		ptrace.setRegisters(this.tid, registers.bytes);
		this.#active = true;
		ptrace.setSignalMask(this.tid, ALL_SIGNALS);
		const cpu = commonCpu(tracerAffinity(), this.#affinity);
		if (cpu !== undefined && this.#affinity.some((byte, i) => byte !== (i === cpu >> 3 ? 1 << (cpu & 7) : 0))) {
			this.#pinned = trySetAffinity(this.tid, maskOf(cpu, this.#affinity.length)) === 0;
		}
	}

	#unpin(): void {
		if (this.#pinned) {
			trySetAffinity(this.tid, unpinnedMask(this.#affinity));
			this.#pinned = false;
		}
	}

	#prepare(at: RemoteAddr, number: number, args: readonly (number | bigint)[]): void {
		const registers = this.original.copy();
		registers.set('rip', at);
		registers.set('rax', number);
		registers.set('orig_rax', -1);
		for (const [i, name] of argumentRegisters.entries()) {
			registers.set(name, args[i] ?? 0);
		}

		ptrace.setRegisters(this.tid, registers.bytes);
	}

	#run(at: RemoteAddr, number: number, ...args: readonly (number | bigint)[]): bigint {
		this.#prepare(at, number, args);
		ptrace.contToSyscall(this.tid);
		this.#waitSyscallStop();
		ptrace.contToSyscall(this.tid);
		this.#waitSyscallStop();
		this.#active = true;
		return new Registers(ptrace.getRegisters(this.tid)).signed('rax');
	}

	#waitSyscallStop(): void {
		for (;;) {
			const result = this.#wait();
			if (result.syscall) {
				return;
			}

			ptrace.contToSyscall(this.tid);
		}
	}

	/** From a syscall-stop to an event-stop, where registers that ask for a restart are heeded by the kernel. */
	#backToStop(): void {
		ptrace.interrupt(this.tid);
		ptrace.cont(this.tid);
		for (;;) {
			const result = this.#wait();
			if (result.event === ptrace.event.STOP) {
				return;
			}

			ptrace.cont(this.tid);
		}
	}

	#wait() {
		const result = ptrace.wait(this.tid, true);
		if (result.kind !== 'stop') {
			throw new SysError('injected system call: the thread ended', errno.ESRCH, `in thread ${this.tid}`);
		}

		if (!result.syscall && result.event === 0) {
			if (result.signal !== STOP_SIGNAL) {
				throw new SysError(`injected system call: signal ${result.signal}`, errno.EFAULT, `in thread ${this.tid}`);
			}

			this.stopSignal = result.signal;
		}

		return result;
	}
}

const STOP_SIGNAL = 19;
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

const tracerAffinity = (): Buffer => tracerPinned ?? getAffinity(0);

/** The same mask; but one that holds every CPU this process may know of is widened to all, as if it had never been set. */
const unpinnedMask = (mask: Buffer): Buffer =>
	mask.equals(tracer ?? Buffer.alloc(0)) ? Buffer.alloc(mask.length, 0xff) : mask;
