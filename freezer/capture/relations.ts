import {constants, NONE, type RowOf} from '../../builder/format/schema.js';
import {encodeText} from '../../builder/text.js';
import {kcmp, kcmpType} from '../sys/pidfd.js';
import type {Collection} from './collection.js';
import {ProcFiles} from './proc-files.js';
import {readFacts, taskRow} from './process.js';
import type {ProcessCapture} from './process-capture.js';
import type {Ended} from './stopped-tree.js';

/** Sets who is whose parent; rows stand parents first. */
export function captureParents(collection: Collection, processes: readonly ProcessCapture[]): void {
	const rows = new Map(processes.map(({stopped, row}) => [stopped.pid as number, row]));
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
	for (const {type, what, flag} of shareable) {
		const eldest = sharers(processes, type);
		for (const one of processes) {
			const other = eldest.get(one)!;
			const task = collection.snapshot.task[one.row]!;
			const parent = processes.find(({row}) => row === task.parent);
			if (other === one) {
				continue;
			}

			if (flag && parent && eldest.get(parent) === other && task.maker === task.parent) {
				task.flags |= flag;
				one.filesOwner = flag === constants.TASK.SHARES_FILES ? other.row : one.filesOwner;
			} else {
				collection.refuse({
					pid: one.innerPid,
					kind: 'shared-state',
					text: `it shares ${what} with process ${other.innerPid} (clone without CLONE_THREAD), which would become separate`,
				});
			}
		}
	}
}

/** To each process the eldest that has the same thing. The kernel's order brings those that share it next to each other. */
function sharers(processes: readonly ProcessCapture[], type: number): ReadonlyMap<ProcessCapture, ProcessCapture> {
	const inOrder = [...processes].sort((a, b) => order(a, b, type) || a.row - b.row);
	const eldest = new Map<ProcessCapture, ProcessCapture>();
	for (const [i, one] of inOrder.entries()) {
		const other = inOrder[i - 1];
		eldest.set(one, other && order(one, other, type) === 0 ? eldest.get(other)! : one);
	}

	return eldest;
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
	const rows = new Map(processes.map(({stopped, row}) => [stopped.pid, row]));
	for (const {pid, parent} of ended) {
		const files = new ProcFiles(pid);
		const facts = readFacts(files);
		if (facts.status.inner('NStgid') === 0) {
			continue; // Gone since.
		}

		const own = (pid as number) === process.pid;
		const row: RowOf<'task'> = {
			...taskRow(files, facts, 0, 0, 0, false),
			parent: rows.get(parent) ?? NONE,
			flags: constants.TASK.ZOMBIE,
			cmdline: encodeText(`${facts.stat.comm}\0`),
			wait_status: own ? 0 : facts.stat.exitCode,
		};
		snapshot.task.push(row);
	}
}
