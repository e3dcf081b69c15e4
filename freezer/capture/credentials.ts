import {tryReadProcText} from '../sys/procfs.js';
import type {CaptureContext} from './context.js';
import type {ProcessCapture} from './process-capture.js';

/** The lines of /proc/PID/status that tell who a thread is. */
const WHO = /^(?:[UG]id|Groups|Cap\w+|NoNewPrivs):.*$/gm;

const whoIs = (pid: number, tid: number): string | undefined =>
	tryReadProcText(`/proc/${pid}/task/${tid}/status`)?.match(WHO)?.join('\n');

/** Credentials are per thread in the kernel, and libc keeps those of a process together; what goes behind its back is refused. */
export function checkCredentials(context: CaptureContext, {pid, innerPid, threads}: ProcessCapture): void {
	const [leader, ...others] = threads;
	const own = others.length > 0 ? whoIs(pid, leader!.tid) : undefined;
	for (const {tid, innerTid} of others) {
		if (whoIs(pid, tid) !== own) {
			context.refuse({
				pid: innerPid,
				kind: 'thread-own',
				text: `its thread ${innerTid} has credentials of its own (setuid or capset in one thread), which are not carried`,
			});
		}
	}
}
