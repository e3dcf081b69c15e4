import {tryReadProcText} from '../sys/procfs.js';
import type {CaptureContext, CapturedTask} from './context.js';
import {parseStat} from './parse/stat.js';
import {childrenOf} from './resolve.js';

/** Processes between the target and this freezer: they end with the freeze, and no copy needs them. */
function ownAncestry(): Set<number> {
	const found = new Set<number>();
	for (let pid = process.pid; pid > 1; ) {
		found.add(pid);
		const stat = tryReadProcText(`/proc/${pid}/stat`);
		pid = stat === undefined ? 0 : parseStat(stat).ppid;
	}

	return found;
}

/** With --no-children: what stays behind is told. */
export function checkChildren(context: CaptureContext, task: CapturedTask): void {
	const own = ownAncestry();
	const living: string[] = [];
	for (const child of childrenOf(task.pid)) {
		const text = tryReadProcText(`/proc/${child}/stat`);
		if (text === undefined || own.has(child) || context.helpers.has(child)) {
			continue;
		}

		const stat = parseStat(text);
		if (stat.state === 'Z') {
			context.warn({
				pid: task.innerPid,
				kind: 'zombie',
				text: `its child ${child} (${stat.comm}) has ended and was not waited for yet; after the resume wait() says there is no child`,
			});
		} else {
			living.push(`${child} (${stat.comm})`);
		}
	}

	if (living.length === 0) {
		return;
	}

	context.warn({
		pid: task.innerPid,
		kind: 'children',
		text: `its children ${living.join(', ')} stay behind; after the resume wait() says there is no child`,
	});
}
