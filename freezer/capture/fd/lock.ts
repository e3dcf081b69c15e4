import {constants, NONE} from '../../../builder/format/schema.js';
import {readProcText} from '../../sys/procfs.js';
import type {CaptureContext} from '../context.js';
import {type LockInfo, parseLocks} from './fdinfo.js';
import {append, type Description} from './types.js';

const {POSIX, OFD, FLOCK} = constants.LOCK_KIND;
const kinds: Partial<Record<LockInfo['kind'], number>> = {POSIX, OFDLCK: OFD, FLOCK};

/** Locks that were taken through this description: POSIX ones belong to the process, the others to the description. */
export function captureLocks(context: CaptureContext, description: Description): void {
	const seen = new Set<string>();
	const [first] = description.holders;
	for (const {task, fd} of description.holders) {
		const known = task === first?.task;
		for (const lock of parseLocks(known ? description.info.text : readProcText(`/proc/${task.pid}/fdinfo/${fd}`))) {
			const kind = kinds[lock.kind];
			const owner = kind === POSIX ? task.row : NONE;
			const key = [lock.kind, owner, lock.start, lock.length].join();
			if (seen.has(key)) {
				continue;
			}

			seen.add(key);
			if (kind === undefined) {
				context.refuse({
					pid: task.innerPid,
					fd,
					kind: 'lease',
					text: 'a file lease: the kernel would have to ask a program that is not there',
				});
				continue;
			}

			append(context, 'lock', {
				start: lock.start,
				length: lock.length,
				task: owner,
				description: description.row,
				kind,
				type: lock.write ? 1 : 0,
			});
		}
	}
}
