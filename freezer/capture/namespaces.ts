import {tryReadLink} from '../sys/procfs.js';
import type {Collection} from './collection.js';
import type {ProcessCapture} from './process-capture.js';

/** Links of /proc/PID/ns; that of a task's own pid namespace stands for those of its children, too (namespaces(7)). */
const kinds = [
	'user',
	'pid',
	'pid_for_children',
	'mnt',
	'net',
	'ipc',
	'uts',
	'time',
	'time_for_children',
	'cgroup',
] as const;

const namespacesOf = (pid: number): ReadonlyMap<string, string> =>
	new Map(kinds.map((kind) => [kind, tryReadLink(`/proc/${pid}/ns/${kind}`)?.toString('latin1') ?? '']));

/** The tree comes back in one set of namespaces, so a task that has one of its own is refused by name. */
export function checkNamespaces(collection: Collection, processes: readonly ProcessCapture[]): void {
	const [root, ...others] = processes;
	const own = namespacesOf(root!.pid);
	for (const {pid, innerPid} of others) {
		const different = [...namespacesOf(pid)].filter(([kind, link]) => link !== own.get(kind)).map(([kind]) => kind);
		if (different.length > 0) {
			collection.refuse({
				pid: innerPid,
				kind: 'namespaces',
				text: `it lives in namespaces of its own (${different.join(', ')}), other than those of process ${root!.innerPid}`,
				hint: `Freeze ${pid} by itself, or give --no-children.`,
			});
		}
	}
}
