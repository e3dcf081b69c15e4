import {tryReadProcText} from '../sys/procfs.js';
import {childrenOfAll} from '../sys/threads.js';
import type {Pid} from '../sys/types.js';
import {failure, refusal} from './errors.js';
import {findVdso} from './mm.js';
import {parseStat} from './parse/stat.js';
import {hasForeignFilters, preflight} from './preflight.js';
import {childrenOf, isHelper} from './resolve.js';
import {type Ending, StoppedProcess} from './stop.js';

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
	readonly #known = new Set<number>();

	/** @param children false: the root alone */
	static stop(root: Pid, timeoutSeconds: number, children: boolean): StoppedTree {
		const tree = new StoppedTree();
		try {
			tree.#add(root, timeoutSeconds);
			if (children) {
				tree.#addDescendants(timeoutSeconds);
			}

			return tree;
		} catch (error) {
			tree.release('continue');
			throw error;
		}
	}

	get root(): StoppedProcess {
		return this.processes[0]!;
	}

	release(ending: Ending): void {
		for (const process of this.processes) {
			process.release(ending);
		}
	}

	[Symbol.dispose](): void {
		this.release('continue');
	}

	#add(pid: Pid, timeoutSeconds: number): void {
		const suspendFilters = hasForeignFilters(preflight(pid));
		this.#known.add(pid);
		this.processes.push(StoppedProcess.stop(pid, timeoutSeconds, {vdso: findVdso(pid), suspendFilters}));
	}

	/** A stopped parent makes no more children; orphans that it inherits meanwhile show in the next round. */
	#addDescendants(timeoutSeconds: number): void {
		for (let found = true; found; ) {
			found = false;
			// Grows meanwhile: children are looked at in the same round.
			for (const parent of this.processes) {
				for (const child of childrenOfAll(parent.pid, [...parent.threads.keys()])) {
					found = this.#take(child as Pid, parent.pid, timeoutSeconds) || found;
				}
			}
		}
	}

	#take(child: Pid, parent: Pid, timeoutSeconds: number): boolean {
		if (this.#known.has(child)) {
			return false;
		}

		const state = stateOf(child);
		if (state === undefined) {
			return false;
		}

		if ((child as number) === process.pid || state === 'Z' || state === 'X') {
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

		try {
			this.#add(child, timeoutSeconds);
		} catch (error) {
			const now = stateOf(child);
			if (now === undefined || now === 'Z') {
				return true; // It ended meanwhile: the next round sees what is left of it.
			}

			throw error;
		}

		return true;
	}
}

function stateOf(pid: Pid): string | undefined {
	const text = tryReadProcText(`/proc/${pid}/stat`);
	return text === undefined ? undefined : parseStat(text).state;
}

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
