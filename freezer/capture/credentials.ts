import type {CaptureContext} from './context.js';
import type {ProcessCapture} from './process-capture.js';

/** Credentials are per thread in the kernel, and libc keeps those of a process together; what goes behind its back is refused. */
export function checkCredentials(context: CaptureContext, {files, innerPid, threads}: ProcessCapture): void {
	const bytes = threads.length > 1 ? files.bytes('task') : Buffer.alloc(0);
	for (let at = 0; at < bytes.length; at += 4) {
		const different = threads.find(({tid}) => tid === bytes.readInt32LE(at));
		if (different) {
			context.refuse({
				pid: innerPid,
				kind: 'thread-own',
				text: `its thread ${different.innerTid} has credentials of its own (setuid or capset in one thread), which are not carried`,
			});
		}
	}
}
