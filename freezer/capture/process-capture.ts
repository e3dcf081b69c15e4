import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import {constants, NONE} from '../../builder/format/schema.js';
import {encodeText} from '../../builder/text.js';
import {descriptorsIn, type FoundDescriptor} from '../sys/ahead.js';
import {ProcessMemory} from '../sys/memory.js';
import {pidfdOpen, pidfdOpenThread} from '../sys/pidfd.js';
import {tryReadProcText} from '../sys/procfs.js';
import type {Registers} from '../sys/registers.js';
import {type Look, lookAtAll} from '../sys/threads.js';
import {addr, type Fd, type Pid, type RemoteAddr, type Tid} from '../sys/types.js';
import type {CapturedTask, CapturedThread} from './context.js';
import {type EarlierMappings, mappingsOf} from './earlier-mappings.js';
import {type InjectionSite, ProcessInjector} from './injector.js';
import {asAnonymous} from './lazy.js';
import {statOf} from './leader.js';
import {captureLimits} from './limits.js';
import {otherName} from './linked.js';
import {askBreak, inquireKeys, mmRow} from './mm.js';
import type {Mapping} from './parse/smaps.js';
import {parseStatus} from './parse/status.js';
import {mappingKind} from './parse/vmakind.js';
import type {ProcFiles} from './proc-files.js';
import {askProcess, type ProcessFacts, readFacts, taskRow} from './process.js';
import {isResident, type ResumedState, resumedState} from './resident.js';
import {askSigactions, capturePending, deliverableHandlerFlags} from './signals.js';
import {type Asleep, asleepFor} from './sleep.js';
import type {StoppedProcess, StoppedThread} from './stop.js';
import {abortRestartableSequence, hidesItsTime, type Normalised, normalise} from './syscalls.js';
import {toText} from './text.js';
import {applyRegisters, applyResumed, askThreads, threadRow} from './threads.js';
import {askItimers, askPosixTimers} from './timers.js';
import {stateComponents} from './xstate.js';

interface ThreadWork extends CapturedThread {
	readonly stopped: StoppedThread;
	readonly look: Look;
	readonly asleepNs: bigint | undefined;
	/** As it is when no handler is about to run. */
	readonly normalised: Normalised;
	readonly site: InjectionSite;
	/** Set when it has not come out of an earlier resume yet. */
	readonly resumed: ResumedState | undefined;
}

/** One stopped process while its state is collected into the snapshot. */
export class ProcessCapture implements CapturedTask {
	readonly row: number;
	readonly mm: number;
	readonly pid: Pid;
	readonly innerPid: number;
	readonly pidfd: Fd;
	readonly memory: ProcessMemory;
	readonly inject: ProcessInjector;
	readonly threads: readonly ThreadWork[];
	filesOwner: number;
	readonly mappings: readonly Mapping[];
	/** Flags of mappings are those of before the stop. */
	readonly assumed: boolean;
	readonly facts: ProcessFacts;
	/** What an earlier resume left behind. */
	readonly #homes: readonly Mapping[];
	readonly #pending: RowOf<'pending'>[] = [];
	#actions: readonly RowOf<'sigaction'>[] = [];

	constructor(
		readonly snapshot: Snapshot,
		readonly stopped: StoppedProcess,
		readonly files: ProcFiles,
		sleepers: ReadonlyMap<number, Asleep>,
		/** On the monotonic clock. */
		readonly stopTime: bigint,
		earlier: EarlierMappings,
	) {
		const {leader} = stopped;
		const pid = leader.tid as unknown as Pid;
		const leaderEnded = pid !== stopped.pid;
		this.pid = pid;
		this.facts = readFacts(files);
		this.innerPid = this.facts.status.inner('NStgid');
		this.pidfd = leaderEnded ? pidfdOpenThread(pid) : pidfdOpen(pid);
		this.memory = new ProcessMemory(pid);
		this.row = snapshot.task.length;
		this.filesOwner = this.row;
		const firstThread = snapshot.thread.length;
		const inOrder = this.#threadsInOrder();
		const looks = lookAtAll(
			pid,
			inOrder.map(({tid}) => tid),
			stateComponents(),
		);
		// Somebody else has read it meanwhile.
		const {mappings, assumed} = mappingsOf(files, this.facts.status, earlier);
		this.mappings = asAnonymous(
			mappings.map((mapping) => byOtherName(pid, mapping)),
			this.memory,
		);
		this.assumed = assumed;
		this.#homes = this.mappings.filter((mapping) => isResident(this, mapping));
		this.mm = snapshot.mm.push(mmRow(files, this.facts.stat, this.mappings, this.memory)) - 1;
		const lost = leaderEnded ? this.#addLostLeader(looks[0]!) : undefined;
		this.threads = inOrder.map((thread, i) => this.#beginThread(thread, looks[i]!, sleepers, stopTime));
		const count = snapshot.thread.length - firstThread;
		const row = taskRow(files, this.facts, this.mm, firstThread, count, leader.jobStop !== 0);
		snapshot.task.push({...row, ...lost?.(row)});
		this.#waits(capturePending(this.row, NONE, leader.tid));
		this.inject = new ProcessInjector(
			this.memory,
			this.threads.map(({site}) => site),
			this.mappings,
			this.facts.status.number('Seccomp') !== 0,
			this.facts.status.mask('SigCgt'),
		);
	}

	/** What only the target can tell about itself, by injected calls. */
	inquire(): void {
		const {snapshot, row, files, inject} = this;
		const mm = snapshot.mm[this.mm]!;
		const questions = [
			askSigactions(row, this.facts.status, (actions) => {
				this.#actions = actions;
				snapshot.sigaction.push(...actions);
			}),
			askProcess(snapshot.task[row]!),
			askBreak(mm),
			askItimers(row, (timers) => snapshot.itimer.push(...timers)),
			...askPosixTimers(
				row,
				files,
				(tid) => this.#innerTid(tid),
				(timer) => snapshot.posix_timer.push(timer),
			),
		];
		inject.ask(questions, askThreads(this.threads.map((thread) => snapshot.thread[thread.row]!)));
		if (this.mappings.some((mapping) => mapping.pkey !== 0)) {
			inquireKeys(mm, inject);
		}

		snapshot.rlimit.push(...captureLimits(row, files));
	}

	/** Makes the saved registers restartable, now that pending signals and handlers are known. */
	settleRegisters(): void {
		// A filter that never thought of restart_syscall(2) would kill the process at the release.
		const filtered = this.facts.status.number('Seccomp') !== 0;
		for (const thread of this.threads) {
			const row = this.snapshot.thread[thread.row]!;
			const flags = deliverableHandlerFlags(this.#pending, thread.row, row.sigmask, this.#actions);
			const normalised =
				flags === undefined ? thread.normalised : this.#normalise(thread.stopped, thread.asleepNs, thread.look, flags);
			applyRegisters(row, normalised);
			if (thread.resumed) {
				applyResumed(row, thread.resumed);
			} else if (thread.stopped.wasEintr || (filtered && thread.stopped.registers.signed('rax') === RESTARTBLOCK)) {
				thread.stopped.released = this.#liveRegisters(thread.stopped, normalised);
			}
		}
	}

	descriptors(): Iterable<FoundDescriptor> {
		return descriptorsIn(this.files.bytes('fd'));
	}

	close(): void {
		this.memory.close();
	}

	/** A first thread with nothing of its own but its id: it ends again as soon as the others go on. */
	#addLostLeader(look: Look): (row: RowOf<'task'>) => Partial<RowOf<'task'>> {
		const {snapshot, stopped} = this;
		const stat = statOf(stopped.pid)!;
		const like = threadRow(this.innerPid, snapshot.task.length, stopped.leader, look);
		const comm = toText(encodeText(stat.comm));
		snapshot.thread.push({...like, rseq: 0n, robust_list: 0n, robust_len: 0n, comm});
		return ({flags}) => ({
			flags: flags | constants.TASK.LEADER_ENDED,
			wait_status: stat.exitCode,
			exit_signal: stat.exitSignal,
		});
	}

	#waits(signals: readonly RowOf<'pending'>[]): void {
		this.snapshot.pending.push(...signals);
		this.#pending.push(...signals);
	}

	#threadsInOrder(): StoppedThread[] {
		const {leader} = this.stopped;
		return [leader, ...[...this.stopped.threads.values()].filter((thread) => thread !== leader)];
	}

	#beginThread(
		stopped: StoppedThread,
		look: Look,
		sleepers: ReadonlyMap<number, Asleep>,
		stopTime: bigint,
	): ThreadWork {
		const {tid} = stopped;
		const row: RowOf<'thread'> = threadRow(this.#innerTid(tid), this.row, stopped, look);
		const index = this.snapshot.thread.push(row) - 1;
		if (look.pending) {
			this.#waits(capturePending(this.row, index, tid));
		}

		const asleepNs = hidesItsTime(stopped.registers)
			? asleepFor(this.pid, tid, sleepers.get(tid), stopTime)
			: undefined;
		const normalised = this.#normalise(stopped, asleepNs, look, undefined);
		const {registers, restart} = normalised;
		const landing = {
			registers,
			...(restart && {restart: {register: restart.register, timespec: timespec(restart.seconds, restart.fraction)}}),
		};
		const site = {tid, original: stopped.registers, signalMask: row.sigmask, affinity: look.affinity, landing};
		const resumed = resumedState(stopped.registers, this.#homes, this.memory);
		return {row: index, tid, innerTid: row.tid, stopped, look, asleepNs, normalised, site, resumed};
	}

	#normalise(
		stopped: StoppedThread,
		asleepNs: bigint | undefined,
		look: Look,
		handlerFlags: bigint | undefined,
	): Normalised {
		const read = (address: RemoteAddr, length: number) => this.memory.tryRead(address, length);
		const normalised = normalise({
			registers: stopped.registers,
			wasEintr: stopped.wasEintr,
			asleepNs,
			handlerFlags,
			read,
		});
		abortRestartableSequence(normalised.registers, look.rseqSection, read);
		return normalised;
	}

	/** Lets the kernel restart a call that it would end with EINTR only because of the stop. */
	#liveRegisters(stopped: StoppedThread, normalised: Normalised): Registers {
		const registers = normalised.registers.copy();
		registers.set('orig_rax', stopped.registers.get('orig_rax'));
		registers.set('rax', ERESTARTNOHAND);
		registers.set('rip', stopped.registers.get('rip'));
		const {restart} = normalised;
		if (restart) {
			// Below the red zone: the kernel copies it at once, and no one else may rely on that place.
			const at = addr((registers.get('rsp') - 512n) & ~15n);
			const bytes = timespec(restart.seconds, restart.fraction);
			if (this.memory.tryRead(at, bytes.length)) {
				this.memory.write(at, bytes);
				registers.set(restart.register, at);
			}
		}

		return registers;
	}

	#innerTid(tid: number): number {
		if (this.facts.status.numbers('NSpid').length === 1) {
			return tid;
		}

		const known = this.threads?.find((thread) => (thread.tid as number) === tid);
		const text = known ? undefined : tryReadProcText(`/proc/${this.pid}/task/${tid}/status`);
		return known?.innerTid ?? (text === undefined ? tid : parseStatus(text).inner('NSpid'));
	}
}

/** A shared mapping is of a file that has a name, if only one: whoever opens it by that has the same memory. */
function byOtherName(pid: Pid, mapping: Mapping): Mapping {
	const path =
		mapping.deleted && mapping.shared && mappingKind(mapping) === 'deleted-file'
			? otherName(pid, mapping.path, mapping.ino)
			: undefined;
	return path === undefined ? mapping : {...mapping, path, deleted: false};
}

const ERESTARTNOHAND = -514n;
const RESTARTBLOCK = -516n;

function timespec(seconds: bigint, fraction: bigint): Buffer {
	const bytes = Buffer.alloc(16);
	bytes.writeBigInt64LE(seconds, 0);
	bytes.writeBigInt64LE(fraction, 8);
	return bytes;
}

export type {Tid};
