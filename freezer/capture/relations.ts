import {constants, NONE, type RowOf} from '../../builder/format/schema.js';
import {encodeText} from '../../builder/text.js';
import {kcmp, kcmpType} from '../sys/pidfd.js';
import type {Collection} from './collection.js';
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

/** What clone(2) lets processes share without being threads of one. */
const shareable: readonly (readonly [number, string])[] = [
	[kcmpType.VM, 'its memory'],
	[kcmpType.FILES, 'its descriptor table'],
	[kcmpType.FS, 'its working directory and umask'],
];

/** Sharing that cannot be given back yet is refused by name. */
export function checkSharing(collection: Collection, processes: readonly ProcessCapture[]): void {
	for (const [i, one] of processes.entries()) {
		for (const other of processes.slice(0, i)) {
			for (const [type, what] of shareable) {
				if (kcmp(one.pid, other.pid, type, 0, 0) === 0) {
					collection.refuse({
						pid: one.innerPid,
						kind: 'shared-state',
						text: `it shares ${what} with process ${other.innerPid} (clone without CLONE_THREAD), which would become separate`,
					});
				}
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
			parent: processes.find((candidate) => candidate.stopped.pid === parent)?.row ?? NONE,
			flags: constants.TASK.ZOMBIE,
			cmdline: encodeText(`${facts.stat.comm}\0`),
			wait_status: own ? 0 : facts.stat.exitCode,
		};
		snapshot.task.push(row);
	}
}
