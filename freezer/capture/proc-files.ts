import type {ReadAhead, reading} from '../sys/ahead.js';
import {readProc, tryReadLink} from '../sys/procfs.js';
import type {Pid} from '../sys/types.js';
import {toText} from './text.js';

/** What is read of every stopped process; first what takes longest. */
export const procFiles = {
	smaps: 'mappings',
	status: 'file',
	stat: 'file',
	auxv: 'file',
	coredump_filter: 'file',
	personality: 'file',
	oom_score_adj: 'file',
	cwd: 'link',
	root: 'link',
	exe: 'link',
	cmdline: 'file',
	cgroup: 'file',
	timers: 'file',
	limits: 'file',
	fd: 'descriptors',
	ns: 'links',
	task: 'threads',
} as const satisfies Readonly<Record<string, keyof typeof reading>>;

export type ProcFile = keyof typeof procFiles;

/** What is not asked for before all processes have been looked at. */
export const lateFiles: readonly ProcFile[] = ['timers', 'limits', 'fd', 'ns', 'task'];

/** The directory of one process in /proc. */
export class ProcFiles {
	/** What `ahead` does not read is read when it is asked for; no lists then. */
	constructor(
		readonly pid: Pid,
		private readonly ahead?: ReadAhead<ProcFile>,
	) {}

	bytes(name: ProcFile): Buffer {
		if (this.ahead?.has(name)) {
			return this.ahead.take(this.pid, name);
		}

		const path = `/proc/${this.pid}/${name}`;
		return procFiles[name] === 'link' ? (tryReadLink(path) ?? Buffer.alloc(0)) : readProc(path);
	}

	text(name: ProcFile): string {
		return toText(this.bytes(name));
	}

	/** Undefined when it is not there or not readable. */
	tryBytes(name: ProcFile): Buffer | undefined {
		try {
			return this.bytes(name);
		} catch {
			return undefined;
		}
	}

	tryText(name: ProcFile): string | undefined {
		const bytes = this.tryBytes(name);
		return bytes && toText(bytes);
	}
}
