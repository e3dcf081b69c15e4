import {CLOCK, clockNow, sleepMicroseconds} from '../sys/clock.js';
import {errno, SysError} from '../sys/errno.js';
import {listNumbers} from '../sys/procfs.js';
import * as ptrace from '../sys/ptrace.js';
import {Registers} from '../sys/registers.js';
import {type News, pollAll, seizeAll} from '../sys/threads.js';
import type {Pid, Tid} from '../sys/types.js';
import {FroreError, failure, refusal} from './errors.js';
import {hasEnded, lostItsLeader, statOf} from './leader.js';
import {ptraceHint} from './preflight.js';
import {askForRestart} from './syscalls.js';
import {detach, imageOf, stateOf, stuck} from './tracee.js';

/** One thread at a ptrace event-stop. */
export interface StoppedThread {
	readonly tid: Tid;
	/** What the kernel needs to go on as if nothing had happened: as found, but for askForRestart. */
	readonly registers: Registers;
	/** See askForRestart. */
	readonly wasEintr: boolean;
	/** What the live thread gets at the release instead: a call that waits again, for the time that remained. */
	released?: Registers;
	/** The stop signal of a job-control stop, or 0. */
	readonly jobStop: number;
}

const VDSO_ATTEMPTS = 64;
/** Microseconds between two looks. */
const LONGEST_PAUSE = 1000;
const SIGTRAP = 5;
const SIGKILL = 9;
const SIGSTOP = 19;

const options =
	ptrace.option.SYSGOOD | ptrace.option.FORK | ptrace.option.VFORK | ptrace.option.CLONE | ptrace.option.EXEC;

export interface StopOptions {
	/** Where no thread should stand: another kernel has another one. */
	readonly vdso?: {readonly start: bigint; readonly end: bigint} | undefined;
	/** Lets injected calls pass the target's seccomp filters while it is traced; needs CAP_SYS_ADMIN. */
	readonly suspendFilters?: boolean;
	/** Takes children that are forked while the process is being stopped: attached by the kernel, stopped at their first instruction. */
	readonly newborn?: Set<Tid>;
}

/** On the monotonic clock. */
export const deadlineIn = (seconds: number): bigint => clockNow(CLOCK.MONOTONIC) + BigInt(Math.round(seconds * 1e9));

/** To the stop that it was asked for: any other in between takes the place of that (ptrace_stop, kernel/signal.c), so it is asked again. */
function goOn(tid: Tid, signal = 0): void {
	ptrace.interrupt(tid);
	ptrace.cont(tid, signal);
}

/** How the target goes on. */
export type Ending = 'continue' | 'stop' | 'halt';

/**
 * A process all of whose threads are stopped. Disposing releases it as it was. If the freezer dies instead, the kernel detaches with the
 * same effect, as long as no call is being injected.
 */
export class StoppedProcess implements Disposable {
	readonly threads = new Map<Tid, StoppedThread>();
	readonly #seized = new Set<Tid>();
	/** Stop signals that arrived while system calls were injected. */
	pendingStopSignal = 0;
	#released = false;
	#leaderEnded = false;
	readonly #image: string | undefined;

	private constructor(
		readonly pid: Pid,
		private readonly extraOptions: number,
		private readonly newborn: Set<Tid> | undefined,
	) {
		this.#image = imageOf(pid);
	}

	/**
	 * Seizes and interrupts every thread, and looks again until there is no new one.
	 */
	static stop(pid: Pid, deadline: bigint, {vdso, suspendFilters = false, newborn}: StopOptions = {}): StoppedProcess {
		const process = new StoppedProcess(pid, suspendFilters ? ptrace.option.SUSPEND_SECCOMP : 0, newborn);
		try {
			process.#stopAll(deadline);
			process.#checkImage();
			if (vdso) {
				process.#leaveVdso(vdso, deadline);
			}

			return process;
		} catch (error) {
			process.release('continue');
			if (!(error instanceof FroreError)) {
				process.#awaitImage();
				process.#checkImage();
			}

			throw error;
		}
	}

	/** One that has been born stopped: see `newborn`. */
	static adopt(pid: Pid): StoppedProcess {
		const process = new StoppedProcess(pid, 0, undefined);
		const tid = pid as unknown as Tid;
		process.#seized.add(tid);
		process.#stopped(tid, SIGTRAP);
		return process;
	}

	/** The first thread, or one of the others when that has ended. */
	get leader(): StoppedThread {
		const leader =
			this.threads.get(this.pid as unknown as Tid) ?? (this.#leaderEnded ? [...this.threads.values()][0] : undefined);
		if (!leader) {
			throw failure('exited', `process ${this.pid} ended while it was being stopped; nothing was written`);
		}

		return leader;
	}

	release(ending: Ending): void {
		if (this.#released) {
			return;
		}

		this.#released = true;
		if (ending === 'halt') {
			ptrace.sendSignal(this.pid, SIGKILL);
		} else if (ending === 'stop' || this.pendingStopSignal) {
			ptrace.sendSignal(this.pid, this.pendingStopSignal || SIGSTOP);
		}

		for (const tid of this.#seized) {
			const released = this.threads.get(tid)?.released;
			if (released && ending !== 'halt') {
				try {
					ptrace.setRegisters(tid, released.bytes);
				} catch {
					// The thread is gone: there is nothing to give back.
				}
			}

			detach(tid);
		}
	}

	[Symbol.dispose](): void {
		this.release('continue');
	}

	#stopAll(deadline: bigint): void {
		for (;;) {
			const found = (this.#list() as Tid[]).filter((tid) => !this.#seized.has(tid));
			const results = seizeAll(this.pid, found, options | this.extraOptions);
			for (const [i, tid] of found.entries()) {
				if (results[i] === 0) {
					this.#seized.add(tid);
				}
			}

			const waiting = new Set(found.filter((tid, i) => this.#isSeized(tid, -(results[i] ?? 0))));
			if (waiting.size === 0) {
				return;
			}

			this.#waitAll(waiting, deadline);
		}
	}

	/** Lets threads that stand in the vdso run on for a moment: its functions are short. */
	#leaveVdso(vdso: {start: bigint; end: bigint}, deadline: bigint): void {
		const inside = () =>
			[...this.threads.values()].filter(({registers, jobStop}) => {
				const rip = registers.get('rip');
				return jobStop === 0 && rip >= vdso.start && rip < vdso.end;
			});
		for (let attempt = 0; attempt < VDSO_ATTEMPTS; attempt++) {
			const threads = inside();
			if (threads.length === 0) {
				return;
			}

			for (const {tid} of threads) {
				ptrace.cont(tid);
			}

			sleepMicroseconds(20);
			for (const {tid} of threads) {
				ptrace.interrupt(tid);
			}

			this.#waitAll(new Set(threads.map(({tid}) => tid)), deadline);
			this.#stopAll(deadline);
		}
	}

	#list(): number[] {
		try {
			return listNumbers(`/proc/${this.pid}/task`);
		} catch {
			throw this.#exited();
		}
	}

	/** What the attempt to seize a thread has come to. */
	#isSeized(tid: Tid, error: number): boolean {
		if (error === 0) {
			return true;
		}

		const cause = new SysError('ptrace(SEIZE)', error, `of thread ${tid}`);
		const state = stateOf(this.pid, tid);
		if (error === errno.ESRCH || (error === errno.EPERM && (state === undefined || 'ZX'.includes(state)))) {
			if (error === errno.EPERM && (tid as number) === (this.pid as number)) {
				if (this.#list().length <= 1) {
					throw this.#exited();
				}

				this.#leaderEnded = true;
			}

			return false;
		}

		if (error === errno.EPERM) {
			throw refusal(
				'ptrace-refused',
				`cannot attach to process ${this.pid}: ptrace refused it (EPERM)`,
				ptraceHint(),
				cause,
			);
		}

		throw cause;
	}

	#waitAll(waiting: Set<Tid>, deadline: bigint): void {
		let pause = 20;
		let late = false;
		while (waiting.size > 0) {
			let progress = false;
			const tids = [...waiting];
			let failed: unknown;
			for (const [i, news] of pollAll(tids).entries()) {
				try {
					if (news && this.#heed(tids[i]!, news)) {
						waiting.delete(tids[i]!);
						progress = true;
					}
				} catch (error) {
					// What the others have told is not told again.
					failed ??= error;
				}
			}

			if (failed !== undefined) {
				throw failed;
			}

			if (!progress && waiting.size > 0) {
				if (late) {
					throw stuck(this.pid, [...waiting]);
				}

				// One more look: on a busy machine the sleep itself may have lasted until after the deadline.
				late = clockNow(CLOCK.MONOTONIC) > deadline;

				if (pause === LONGEST_PAUSE) {
					this.#checkImage();
					this.#checkLeader(waiting);
				}

				sleepMicroseconds(pause);
				pause = Math.min(pause * 2, LONGEST_PAUSE);
			}
		}
	}

	/** A first thread that ends is not told of as long as others live (wait_consider_task, kernel/exit.c). */
	#checkLeader(waiting: Set<Tid>): void {
		const stat = waiting.has(this.pid as unknown as Tid) ? statOf(this.pid) : undefined;
		if (stat && lostItsLeader(stat)) {
			waiting.delete(this.pid as unknown as Tid);
			this.#seized.delete(this.pid as unknown as Tid);
			this.#leaderEnded = true;
		}
	}

	/** In the middle of execve(2) a process has registers and memory of neither program. */
	#awaitImage(): void {
		for (let i = 0; i < 100 && this.#image !== undefined && imageOf(this.pid) === undefined; i++) {
			const stat = statOf(this.pid);
			if (!stat || hasEnded(stat)) {
				return;
			}

			sleepMicroseconds(1000);
		}
	}

	/** A thread that was not seized yet may have executed another program unseen. */
	#checkImage(): void {
		const now = imageOf(this.pid);
		if (now !== undefined && this.#image !== undefined && now !== this.#image) {
			throw this.#executed();
		}
	}

	/** True when the thread needs no more waiting. */
	#heed(tid: Tid, {wait: result, registers}: News): boolean {
		if (result.kind !== 'stop') {
			this.#seized.delete(tid);
			if ((tid as number) === (this.pid as number)) {
				throw this.#exited(result.kind === 'gone' ? result.status : undefined);
			}

			return true;
		}

		switch (result.event) {
			case ptrace.event.STOP:
				this.#stopped(tid, result.signal, registers);
				return true;
			case ptrace.event.EXEC:
				throw this.#executed();
			case ptrace.event.CLONE:
				this.#adoptThread(ptrace.eventMessage(tid) as Tid);
				goOn(tid);
				return false;
			case ptrace.event.FORK:
			case ptrace.event.VFORK:
				this.#letGo(ptrace.eventMessage(tid) as Tid, result.event === ptrace.event.VFORK);
				goOn(tid);
				return false;
			default:
				// A signal on its way to the thread: it gets it, and the stop comes right after.
				goOn(tid, result.event === 0 && !result.syscall ? result.signal : 0);
				return false;
		}
	}

	#stopped(tid: Tid, signal: number, registers = new Registers(ptrace.getRegisters(tid))): void {
		const wasEintr = askForRestart(registers);
		if (wasEintr) {
			ptrace.setRegisters(tid, registers.bytes);
		}

		this.threads.set(tid, {tid, registers, wasEintr, jobStop: signal === SIGTRAP ? 0 : signal});
	}

	/** A thread made during the stop is attached already and begins with an event-stop. */
	#adoptThread(tid: Tid): void {
		if (stateOf(this.pid, tid) === undefined) {
			// CLONE is also told for processes whose exit signal is not SIGCHLD.
			this.#letGo(tid, false);
			return;
		}

		this.#seized.add(tid);
		for (;;) {
			const result = ptrace.wait(tid, true);
			if (result.kind !== 'stop') {
				this.#seized.delete(tid);
				return;
			}

			if (result.event === ptrace.event.STOP) {
				this.#stopped(tid, SIGTRAP);
				return;
			}

			ptrace.cont(tid, result.event === 0 ? result.signal : 0);
		}
	}

	/** A child process made during the stop. The child of a vfork must run on at once, or its parent never stops. */
	#letGo(tid: Tid, atOnce: boolean): void {
		const result = ptrace.wait(tid, true);
		if (result.kind === 'stop') {
			if (atOnce || !this.newborn) {
				ptrace.tryDetach(tid);
			} else {
				this.newborn.add(tid);
			}
		}
	}

	#executed(): Error {
		return failure(
			'exec',
			`process ${this.pid} started another program while it was being stopped; nothing was written`,
			'Freeze it again.',
		);
	}

	#exited(status?: number): Error {
		const state = stateOf(this.pid, this.pid as unknown as Tid);
		if (state !== undefined && !'ZX'.includes(state)) {
			// Another thread has executed a program, which took the place of the first thread.
			return this.#executed();
		}

		const how =
			status === undefined
				? ''
				: (status & 0x7f) === 0
					? ` (exit code ${(status >> 8) & 0xff})`
					: ` (signal ${status & 0x7f})`;
		return failure('exited', `process ${this.pid} exited while it was being stopped${how}; nothing was written`);
	}
}
