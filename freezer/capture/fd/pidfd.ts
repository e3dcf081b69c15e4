import {constants} from '../../../builder/format/schema.js';
import {eventsNow, POLLIN} from '../../sys/descriptors.js';
import type {CaptureContext} from '../context.js';
import {externalEnd} from './external.js';
import {parsePidfd} from './fdinfo.js';
import {append, type Carried, type Description, withPulled} from './types.js';

const PIDFD_NONBLOCK = 0o4000;
const PIDFD_THREAD = 0o200;

/** A process of the target is told by the pid the target knows; one that has ended stays ended. */
export function capturePidfd(context: CaptureContext, description: Description): Carried {
	const pid = parsePidfd(description.info.text);
	const ended = pid <= 0 && withPulled(description, (fd) => eventsNow(fd, POLLIN)) !== 0;
	const inner = ended ? -1 : innerIdOf(context, pid);
	if (inner === undefined) {
		return externalEnd(context, description, {
			kind: 'pidfd',
			told: `a pidfd of process ${pid}, which is outside the target`,
			byDefault: 'refuse',
		});
	}

	return {
		kind: constants.KIND.PIDFD,
		row: append(context, 'pidfd', {
			pid: inner,
			flags: description.info.flags & (PIDFD_NONBLOCK | PIDFD_THREAD),
		}),
	};
}

/** The id by which the target knows one of its processes or threads; undefined for others. */
export function innerIdOf(context: CaptureContext, outer: number): number | undefined {
	for (const task of context.tasks) {
		if ((task.pid as number) === outer) {
			return task.innerPid;
		}

		const thread = task.threads.find(({tid}) => (tid as number) === outer);
		if (thread) {
			return thread.innerTid;
		}
	}

	return undefined;
}
