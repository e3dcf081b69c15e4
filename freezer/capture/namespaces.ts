import type {Collection} from './collection.js';
import type {ProcessCapture} from './process-capture.js';

/** Links of /proc/PID/ns; that of a task's own pid namespace stands for those of its children, too (namespaces(7)). */
const kinds = new Set([
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
]);

/** Kind and name of each, in a line. */
const namespacesOf = ({files}: ProcessCapture): string[] =>
	(files.tryText('ns') ?? '').split('\n').filter((line) => kinds.has(line.slice(0, line.indexOf(' '))));

/** The tree comes back in one set of namespaces, so a task that has one of its own is refused by name. */
export function checkNamespaces(collection: Collection, processes: readonly ProcessCapture[]): void {
	const [root, ...others] = processes;
	const own = new Set(others.length > 0 ? namespacesOf(root!) : []);
	for (const other of others) {
		const {pid, innerPid} = other;
		const different = namespacesOf(other).filter((line) => !own.has(line));
		if (different.length > 0) {
			const named = different.map((line) => line.slice(0, line.indexOf(' '))).join(', ');
			collection.refuse({
				pid: innerPid,
				kind: 'namespaces',
				text: `it lives in namespaces of its own (${named}), other than those of process ${root!.innerPid}`,
				hint: `Freeze ${pid} by itself, or give --no-children.`,
			});
		}
	}
}
