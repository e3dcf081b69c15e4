import {constants} from '../../builder/format/schema.js';
import {ownThing, threadsIn} from '../sys/ahead.js';
import type {CaptureContext} from './context.js';
import type {ProcessCapture} from './process-capture.js';

const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const ACCESS_MODE = 3;

/** Circumstances that the tables cannot express. */
export function checkSurroundings(context: CaptureContext, process: ProcessCapture, goesOn: boolean): void {
	const task = context.snapshot.task[process.row]!;
	const {innerPid: pid} = process;
	if (task.cwd.endsWith(' (deleted)')) {
		context.refuse({
			pid,
			kind: 'cwd',
			text: `its working directory ${task.cwd.slice(0, -10)} has been deleted`,
			hint: 'Let the program change to another directory; with --allow cwd it resumes in /.',
		});
		task.cwd = '/';
	}

	if (task.seccomp_filters > 0) {
		const filters =
			task.seccomp_filters === 1 ? 'its seccomp filter is' : `its ${task.seccomp_filters} seccomp filters are`;
		context.warn({pid, kind: 'seccomp', text: `${filters} not put back at the resume`});
	}

	checkThreads(context, process);
	if (goesOn) {
		nameWrittenFiles(context, pid);
	}
}

const ownThings = [
	[ownThing.FILES, 'descriptors of its own (unshare), which is not carried'],
	[ownThing.DIRECTORY, 'a working directory of its own (unshare), which is not carried'],
	// Credentials are per thread in the kernel, and libc keeps those of a process together.
	[ownThing.CREDENTIALS, 'credentials of its own (setuid or capset in one thread), which are not carried'],
] as const;

/** unshare(2) and the like in a thread give it what the others have not. */
function checkThreads(context: CaptureContext, {files, innerPid, threads}: ProcessCapture): void {
	for (const {tid, own} of threads.length > 1 ? threadsIn(files.bytes('task')) : []) {
		const thread = threads.find((other) => (other.tid as number) === tid);
		for (const [thing, words] of thread ? ownThings : []) {
			if (own & thing) {
				context.refuse({pid: innerPid, kind: 'thread-own', text: `its thread ${thread!.innerTid} has ${words}`});
			}
		}
	}
}

/** The program goes on writing where a copy of it, resumed later, will write too. */
function nameWrittenFiles(context: CaptureContext, pid: number): void {
	const {file, description} = context.snapshot;
	const {KIND, FILE} = constants;
	const paths = description
		.filter(({kind, status}) => kind === KIND.FILE && (status & ACCESS_MODE) !== 0)
		.map(({row}) => file[row])
		.filter((row) => row !== undefined && (row.mode & S_IFMT) === S_IFREG && !(row.flags & FILE.DELETED))
		.map((row) => row!.path);
	if (paths.length > 0) {
		const named = [...new Set(paths)];
		context.warn({
			pid,
			kind: 'two-writers',
			text: `it goes on writing to ${named.slice(0, 5).join(', ')}${named.length > 5 ? ` and ${named.length - 5} more` : ''}, and so will what is resumed from the file (--halt ends the original)`,
		});
	}
}
