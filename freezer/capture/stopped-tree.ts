import {CLOCK, clockNow, sleepMicroseconds} from '../sys/clock.js';
import {childrenOfAll} from '../sys/threads.js';
import type {Pid, Tid} from '../sys/types.js';
import {Unstick} from '../sys/unstick.js';
import {FroreError, failure, refusal} from './errors.js';
import {faceOf, hasEnded, statOf} from './leader.js';
import {findVdso} from './mm.js';
import {hasForeignFilters, preflight} from './preflight.js';
import {childrenOf, isHelper} from './resolve.js';
import {deadlineIn, type Ending, StoppedProcess} from './stop.js';
import {detach} from './tracee.js';

/** A child that has ended and that nobody has waited for; this freezer itself is taken for one that ended with 0. */
export interface Ended {
	readonly pid: Pid;
	readonly parent: Pid;
}

/** The target as one consistent cut: no task of it runs. Disposing releases all of it as it was. */
export class StoppedTree implements Disposable {
	/** Parents before their children. */
	readonly processes: StoppedProcess[] = [];
	readonly ended: Ended[] = [];
	/** Stopped or taken for ended. */
	readonly #known = new Set<number>();
	/** Born during the stop, at a stop since then; not among the processes yet. */
	readonly #newborn = new Set<Tid>();
	readonly #deadline: bigint;

	/** Threads that end while others are waited for would keep us waiting. */
	readonly #unstick = new Unstick();

	private constructor(
		private readonly root: Pid,
		timeoutSeconds: number,
	) {
		this.#deadline = deadlineIn(timeoutSeconds);
	}

	/** @param children false: the root alone */
	static stop(root: Pid, timeoutSeconds: number, children: boolean): StoppedTree {
		const tree = new StoppedTree(root, timeoutSeconds);
		try {
			tree.#add(root, children);
			if (children) {
				tree.#addDescendants();
			}

			return tree;
		} catch (error) {
			tree.release('continue');
			throw error;
		}
	}

	release(ending: Ending): void {
		for (const process of this.processes) {
			process.release(ending);
		}

		for (const tid of this.#newborn) {
			detach(tid);
		}

		this.#newborn.clear();
		this.#unstick[Symbol.dispose]();
	}

	[Symbol.dispose](): void {
		this.release('continue');
	}

	#add(pid: Pid, children: boolean): void {
		const suspendFilters = hasForeignFilters(preflight(pid));
		const options = {vdso: findVdso(faceOf(pid)), suspendFilters, ...(children && {newborn: this.#newborn})};
		this.#known.add(pid);
		try {
			this.processes.push(StoppedProcess.stop(pid, this.#deadline, options));
		} catch (error) {
			this.#known.delete(pid);
			throw error;
		}
	}

	/** A stopped parent makes no more children; orphans that it inherits meanwhile show in the next round. */
	#addDescendants(): void {
		for (let found = true; found; ) {
			found = this.#adoptNewborn();
			// Grows meanwhile: children are looked at in the same round.
			for (const parent of this.processes) {
				for (const child of childrenOfAll(parent.pid, [...parent.threads.keys()])) {
					found = this.#take(child as Pid, parent.pid) || found;
				}
			}

			if (found && clockNow(CLOCK.MONOTONIC) > this.#deadline) {
				throw failure(
					'stop-timeout',
					`process ${this.root} and its descendants could not be stopped in time: new processes appear faster than they can be stopped`,
					'Try again, or give --stop-timeout SECONDS.',
				);
			}
		}
	}

	/** Those whose parent is stopped by now; whose parent has ended meanwhile belongs to another one, perhaps outside. */
	#adoptNewborn(): boolean {
		let found = false;
		for (const tid of this.#newborn) {
			const pid = tid as number as Pid;
			const stat = statOf(pid);
			if (stat && this.processes.some((process) => (process.pid as number) === stat.ppid)) {
				this.processes.push(StoppedProcess.adopt(pid));
				this.#known.add(pid);
			} else if (stat && this.#known.has(stat.ppid)) {
				continue;
			} else {
				detach(tid);
			}

			this.#newborn.delete(tid);
			found = true;
		}

		return found;
	}

	/** True when the tree may look different now. */
	#take(child: Pid, parent: Pid): boolean {
		if (this.#known.has(child) || this.#newborn.has(child as number as Tid)) {
			return false;
		}

		const stat = statOf(child);
		if (stat === undefined || stat.state === 'X') {
			return false; // Gone, or just about to be: its parent knows of it already.
		}

		if ((child as number) === process.pid || hasEnded(stat)) {
			this.#known.add(child);
			this.ended.push({pid: child, parent});
			return true;
		}

		if (isHelper(child)) {
			throw refusal(
				'resumed-inside',
				`process ${parent} has a child ${child} that belongs to a resumed program: a tree that contains one cannot be frozen`,
				`Freeze ${child} by itself, or give --no-children.`,
			);
		}

		this.#stopChild(child);
		return true;
	}

	/**
	 * A child that runs may end or execute another program at any moment, and while it does either /proc tells little about it: only what
	 * is still true a little later is an error.
	 */
	#stopChild(child: Pid): void {
		for (let tries = 0; ; tries++) {
			try {
				this.#add(child, true);
				return;
			} catch (error) {
				const now = statOf(child);
				if (now === undefined || hasEnded(now)) {
					return; // The next round sees what is left of it.
				}

				// Half gone, on a busy machine for quite a while, or another program now.
				const passing = error instanceof FroreError && (error.code === 'exec' || error.code === 'exited');
				if (clockNow(CLOCK.MONOTONIC) > this.#deadline || (!passing && tries === TRIES)) {
					throw error;
				}

				sleepMicroseconds(1000);
			}
		}
	}
}

const TRIES = 10;

/** All pids below `root`, before the stop. */
export function descendantsOf(root: Pid): Pid[] {
	const found = [root];
	for (let i = 0; i < found.length; i++) {
		if (found.length > PROCESS_LIMIT) {
			throw failure('too-many', `process ${root} has more than ${PROCESS_LIMIT} descendants`);
		}

		found.push(...(childrenOf(found[i]!) as Pid[]));
	}

	return found;
}

const PROCESS_LIMIT = 30_000;
