import {constants, NONE, type RowOf} from '../../builder/format/schema.js';
import {kcmp, kcmpType} from '../sys/pidfd.js';
import type {Collection} from './collection.js';
import {readFacts, taskRow} from './process.js';
import type {ProcessCapture} from './process-capture.js';
import type {Ended} from './stopped-tree.js';

/** Sets who is whose parent; rows stand parents first. */
export function captureParents(collection: Collection, processes: readonly ProcessCapture[]): void {
	const rows = new Map(processes.map(({pid, row}) => [pid as number, row]));
	for (const {facts, row} of processes.slice(1)) {
		collection.snapshot.task[row]!.parent = rows.get(facts.stat.ppid) ?? 0;
	}
}

/** What clone(2) lets processes share without being threads of one. */
const shareable: readonly (readonly [number, string])[] = [
	[kcmpType.VM, 'its memory'],
	[kcmpType.FILES, 'its descriptor table'],
	[kcmpType.FS, 'its working directory and umask'],
];

/** Sharing that cannot be given back yet is refused by name. The kernel's order brings those that share next to each other. */
export function checkSharing(collection: Collection, processes: readonly ProcessCapture[]): void {
	for (const [type, what] of shareable) {
		const inOrder = [...processes].sort((a, b) => order(a, b, type) || a.row - b.row);
		for (const [i, one] of inOrder.entries()) {
			const other = inOrder[i - 1];
			if (other && order(one, other, type) === 0) {
				collection.refuse({
					pid: one.innerPid,
					kind: 'shared-state',
					text: `it shares ${what} with process ${other.innerPid} (clone without CLONE_THREAD), which would become separate`,
				});
			}
		}
	}
}

/** As kcmp(2) tells it: 1 less, 2 greater; what it does not tell is not the same. */
function order(a: ProcessCapture, b: ProcessCapture, type: number): number {
	const told = a === b ? 0 : (kcmp(a.pid, b.pid, type, 0, 0) ?? a.row - b.row);
	return told === 1 ? -1 : told;
}

/** Rows of children that have ended: only their ids and their status come back. */
export function captureEnded(
	collection: Collection,
	processes: readonly ProcessCapture[],
	ended: readonly Ended[],
): void {
	const {snapshot} = collection;
	const rows = new Map(processes.map(({pid, row}) => [pid, row]));
	for (const {pid, parent} of ended) {
		const facts = readFacts(pid);
		const own = (pid as number) === process.pid;
		const row: RowOf<'task'> = {
			...taskRow(pid, facts, 0, 0, 0, false),
			parent: rows.get(parent) ?? NONE,
			flags: constants.TASK.ZOMBIE,
			wait_status: own ? 0 : facts.stat.exitCode,
		};
		snapshot.task.push(row);
	}
}
