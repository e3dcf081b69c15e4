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

/** What clone(2) lets processes share without being threads of one, and the flag that gives it back to a child of its parent. */
const shareable = [
	{type: kcmpType.VM, what: 'its memory', flag: undefined},
	{type: kcmpType.FILES, what: 'its descriptor table', flag: constants.TASK.SHARES_FILES},
	{type: kcmpType.FS, what: 'its working directory and umask', flag: constants.TASK.SHARES_FS},
] as const;

/** Sharing is inherited from the parent; what cannot be given back that way is refused by name. */
export function captureSharing(collection: Collection, processes: readonly ProcessCapture[]): void {
	const {snapshot} = collection;
	for (const [i, one] of processes.entries()) {
		const task = snapshot.task[one.row]!;
		for (const {type, what, flag} of shareable) {
			const sharers = processes.slice(0, i).filter((other) => kcmp(one.pid, other.pid, type, 0, 0) === 0);
			const parent = sharers.find(({row}) => row === task.parent);
			if (parent && flag) {
				task.flags |= flag;
				one.filesOwner = flag === constants.TASK.SHARES_FILES ? parent.filesOwner : one.filesOwner;
			} else if (sharers[0]) {
				collection.refuse({
					pid: one.innerPid,
					kind: 'shared-state',
					text: `it shares ${what} with process ${sharers[0].innerPid} (clone without CLONE_THREAD), which would become separate`,
				});
			}
		}
	}
}

/** Rows of children that have ended: only their ids and their status come back. */
export function captureEnded(
	collection: Collection,
	processes: readonly ProcessCapture[],
	ended: readonly Ended[],
): void {
	const {snapshot} = collection;
	for (const {pid, parent} of ended) {
		const facts = readFacts(pid);
		const own = (pid as number) === process.pid;
		const row: RowOf<'task'> = {
			...taskRow(pid, facts, 0, 0, 0, false),
			parent: processes.find((candidate) => candidate.pid === parent)?.row ?? NONE,
			flags: constants.TASK.ZOMBIE,
			wait_status: own ? 0 : facts.stat.exitCode,
		};
		snapshot.task.push(row);
	}
}
