import {writeFileSync} from 'node:fs';
import {constants, type Snapshot} from '../../builder/format/schema.js';
import {errno, errnoWords} from '../sys/errno.js';
import type {InjectedChild} from '../sys/inject.js';
import {ProcessMemory} from '../sys/memory.js';
import {readProcText, tryReadProcText} from '../sys/procfs.js';
import {asPid, asTid, type Pid} from '../sys/types.js';
import type {CapturedProcess} from './collect.js';
import {failure} from './errors.js';
import type {Clone} from './injector.js';
import {hasEnded, statOf} from './leader.js';
import type {PageSource} from './own-ranges.js';
import type {ProcessCapture} from './process-capture.js';
import {stateOf} from './tracee.js';
import {visit} from './visit.js';

interface Made {
	readonly process: ProcessCapture;
	readonly clone: Clone;
	readonly source: PageSource;
}

/**
 * Copy-on-write clones of the processes of a stopped tree. They never run; their pages are those of the moment, while the processes go
 * on. Whatever ends the freezer ends them, too.
 */
export class Clones implements Disposable {
	readonly #made: Made[] = [];

	/** The reason when not all processes can be cloned; then there is no clone. */
	static make(processes: readonly CapturedProcess[], snapshot: Snapshot): Clones | string {
		const clones = new Clones();
		try {
			for (const {process} of processes) {
				const obstacle = obstacleOf(process) ?? clones.#add(process, hasReaperInside(process, processes, snapshot));
				if (obstacle !== undefined) {
					clones.#takeBack();
					return `process ${process.innerPid} ${obstacle}`;
				}
			}

			return clones;
		} catch (error) {
			clones.#takeBack();
			throw error;
		}
	}

	of(process: ProcessCapture): PageSource {
		return this.#made.find((made) => made.process === process)!.source;
	}

	/** If memory runs short, the clones are the first to go. To be called after the release. */
	volunteer(): void {
		for (const {source} of this.#made) {
			writeFileSync(`/proc/${source.pid}/oom_score_adj`, '1000');
		}
	}

	/** Throws when a clone has been killed: what was read of it since cannot be trusted. A stopped tracee is woken by nothing else. */
	check(): void {
		for (const {process, source} of this.#made) {
			if (stateOf(source.pid, asTid(source.pid)) !== 't') {
				throw failure(
					'clone-killed',
					`cannot copy the memory of process ${process.innerPid}: its copy-on-write clone was killed, perhaps because memory ran short; nothing was written`,
					'Freeze it without --live.',
				);
			}
		}
	}

	/** Bytes that were held twice in the end: pages that the processes have written to since. */
	extraBytes(): number {
		const sizes = this.#made.map(({source}) => {
			const rollup = readProcText(`/proc/${source.pid}/smaps_rollup`);
			return [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+) kB$/gm)].reduce(
				(sum, [, kb]) => sum + Number(kb),
				0,
			);
		});
		return sizes.reduce((sum, size) => sum + size, 0) * 1024;
	}

	/** Ends the clones, and takes away what is left of them in the running processes. */
	[Symbol.dispose](): void {
		for (const {process, clone, source} of this.#made.splice(0)) {
			source.memory.close();
			if (clone.between) {
				clone.between.reap(clone.copy, clone.around);
				waitInside(process.stopped.pid, clone.between);
			} else {
				clone.copy.kill();
			}
		}
	}

	#add(process: ProcessCapture, keep: boolean): string | undefined {
		const clone = process.inject.clone(keep);
		if (typeof clone === 'bigint') {
			return `cannot be cloned: ${reasons[Number(-clone)] ?? errnoWords(Number(-clone))}`;
		}

		const pid = asPid(clone.copy.tid);
		this.#made.push({process, clone, source: {pid, memory: new ProcessMemory(pid), cow: true}});
		return undefined;
	}

	/** While the processes are still stopped. */
	#takeBack(): void {
		for (const {process, clone, source} of this.#made.splice(0)) {
			source.memory.close();
			if (clone.between) {
				clone.between.reap(clone.copy);
				process.inject.waitFor(clone.between, true);
			} else {
				clone.copy.kill();
			}
		}
	}
}

const reasons: Record<number, string> = {
	[errno.EAGAIN]: 'its limit of processes (RLIMIT_NPROC, pids.max) is reached',
	[errno.ENOMEM]: 'the kernel does not promise so much memory (vm.overcommit_memory, memory.max)',
};

/** Why a process should not be cloned. */
function obstacleOf({pid, inject}: ProcessCapture): string | undefined {
	if (inject.filtered) {
		return 'has a seccomp filter, which might not let it clone itself';
	}

	return endsAsOne(pid as number)
		? 'belongs to a cgroup that is killed as a whole when memory runs short (memory.oom.group)'
		: undefined;
}

/** Documentation/admin-guide/cgroup-v2.rst, memory.oom.group: of its own cgroup or of one above. */
function endsAsOne(pid: number): boolean {
	const path = /^0::(.*)$/m.exec(tryReadProcText(`/proc/${pid}/cgroup`) ?? '')?.[1] ?? '/';
	for (let at = path; at !== '' && at !== '/'; at = at.slice(0, at.lastIndexOf('/'))) {
		if (tryReadProcText(`/sys/fs/cgroup${at}/memory.oom.group`)?.trim() === '1') {
			return true;
		}
	}

	return false;
}

/**
 * Would an orphan of this process become a child of one of the tree: of the next subreaper above it (find_new_reaper, kernel/exit.c), or
 * of the init of their pid namespace? It would see a child that it never had.
 */
function hasReaperInside(process: ProcessCapture, processes: readonly CapturedProcess[], snapshot: Snapshot): boolean {
	const byRow = new Map(processes.map((captured) => [captured.process.row, captured.process]));
	for (let at: ProcessCapture | undefined = process; at; at = byRow.get(snapshot.task[at.row]!.parent)) {
		if (at.innerPid === 1 || snapshot.task[at.row]!.flags & constants.TASK.SUBREAPER) {
			return true;
		}
	}

	return false;
}

const PATIENCE = 5;

/**
 * A second short stop, for the call by which a child that is no more is waited for: of the process itself, or, when that has ended since,
 * of the one that has got its children. To that the child is one of its own, whose end is signalled: the signal is taken back.
 */
function waitInside(maker: Pid, between: InjectedChild): void {
	for (let tries = 0; ; tries++) {
		const parent = statOf(asPid(between.tid))?.ppid;
		try {
			if (parent === undefined) {
				return;
			}

			visit(asPid(parent), PATIENCE, ({inject, facts}) => {
				// Its maker gets no signal for it: one that waits there is another child's.
				const isOthers = parent === (maker as number) || (facts.status.mask('ShdPnd') & SIGCHLD_BIT) !== 0n;
				inject.waitFor(between, isOthers);
			});
			return;
		} catch (error) {
			// It may just have ended, too.
			const stat = statOf(asPid(parent ?? 0));
			if (tries === TRIES || (stat && !hasEnded(stat))) {
				between.kill();
				throw error;
			}
		}
	}
}

const TRIES = 10;
const SIGCHLD_BIT = 1n << 16n;
