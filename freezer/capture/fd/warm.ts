import {closeSync} from 'node:fs';
import {emptySnapshot} from '../../../builder/format/schema.js';
import {descriptorsIn, ReadAhead} from '../../sys/ahead.js';
import {rawSyscall} from '../../sys/libc.js';
import {nr} from '../../sys/nr.js';
import {pidfdOpen} from '../../sys/pidfd.js';
import {asPid} from '../../sys/types.js';
import type {CaptureContext, CapturedTask} from '../context.js';
import {captureDescriptors} from './index.js';

const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM_CLOEXEC = 0o2000001;
const O_CLOEXEC = 0o2000000;

/** Captures descriptors of our own, of the usual kinds, so that the code is compiled before a target is stopped. About 10 ms. */
export function warmDescriptors(rounds: number): void {
	const opened = openUsualKinds();
	const pid = asPid(process.pid);
	const pidfd = pidfdOpen(pid);
	try {
		for (let round = 0; round < rounds; round++) {
			using ahead = new ReadAhead([pid], {fd: 'descriptors'});
			const descriptors = () => descriptorsIn(ahead.take(pid, 'fd'));
			const task = {row: 0, pid, innerPid: pid, pidfd, threads: [], mappings: [], descriptors, filesOwner: 0};
			captureDescriptors(ownContext(task));
		}
	} finally {
		for (const fd of [...opened, pidfd]) {
			closeSync(fd);
		}
	}
}

function openUsualKinds(): number[] {
	const pair = Buffer.alloc(8);
	const fds: number[] = [];
	const take = (fd: number) => fd >= 0 && fds.push(fd);
	const takePair = (result: number) => {
		if (result >= 0) {
			fds.push(pair.readInt32LE(0), pair.readInt32LE(4));
			rawSyscall(nr.write, pair.readInt32LE(4), Buffer.from('warm'), 4);
		}
	};

	takePair(rawSyscall(nr.pipe2, pair, O_CLOEXEC));
	takePair(rawSyscall(nr.socketpair, AF_UNIX, SOCK_STREAM_CLOEXEC, 0, pair));
	take(rawSyscall(nr.socket, AF_INET, SOCK_STREAM_CLOEXEC, 0));
	take(rawSyscall(nr.memfd_create, Buffer.from('warm\0'), 1));
	return fds;
}

/** Nothing of it is kept and nothing is refused. */
function ownContext(task: Omit<CapturedTask, 'memory' | 'inject'>): CaptureContext {
	return {
		snapshot: emptySnapshot(),
		tasks: [task as CapturedTask],
		options: {external: undefined, fdPolicy: new Map(), allow: new Set(['all']), files: 'reference'},
		content: () => 0,
		knownContent: () => undefined,
		taskByInnerPid: () => undefined,
		warn() {},
		refuse() {},
		defer() {},
		helpers: new Set(),
	};
}
