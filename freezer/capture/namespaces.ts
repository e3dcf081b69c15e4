import {tryReadLink} from '../sys/procfs.js';
import type {CaptureContext} from './context.js';
import type {ProcessCapture} from './process-capture.js';

const kinds = [
	['mnt', 'mount'],
	['net', 'network'],
	['pid', 'pid'],
	['user', 'user'],
	['ipc', 'IPC'],
	['uts', 'UTS'],
	['time', 'time'],
	['cgroup', 'cgroup'],
] as const;

const namespaceOf = (pid: number, name: string): string | undefined =>
	tryReadLink(`/proc/${pid}/ns/${name}`)?.toString('latin1');

/** Every process is resumed in the namespaces of the root: one that has others is refused. */
export function checkNamespaces(context: CaptureContext, processes: readonly ProcessCapture[]): void {
	const [root, ...others] = processes;
	if (!root || others.length === 0) {
		return;
	}

	const common = kinds.map(([name]) => namespaceOf(root.pid, name));
	for (const {pid, innerPid, facts} of others) {
		const own = kinds.filter(([name], i) => namespaceOf(pid, name) !== common[i]).map(([, word]) => word);
		if (own.length > 0) {
			context.refuse({
				pid: innerPid,
				kind: 'namespace',
				text: `it (${facts.stat.comm}) is in ${own.length === 1 ? `a ${own[0]} namespace` : `${own.join(', ')} namespaces`} other than that of process ${root.innerPid}; after the resume it would be in the same`,
			});
		}
	}
}
