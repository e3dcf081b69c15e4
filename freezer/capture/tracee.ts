import {sleepMicroseconds} from '../sys/clock.js';
import {SysError} from '../sys/errno.js';
import {tryReadProcText} from '../sys/procfs.js';
import * as ptrace from '../sys/ptrace.js';
import type {Pid, Tid} from '../sys/types.js';
import {failure} from './errors.js';
import {parseStat} from './parse/stat.js';

/** Lets go of a thread in whatever state it is. */
export function detach(tid: Tid): void {
	if (!ptrace.tryDetach(tid)) {
		// Not stopped yet (a failed stop): ask, wait for it, detach.
		try {
			ptrace.interrupt(tid);
		} catch (error) {
			if (error instanceof SysError) {
				return;
			}

			throw error;
		}

		for (let i = 0; i < 200; i++) {
			const result = ptrace.wait(tid, false);
			if (result.kind === 'gone') {
				return;
			}

			if (result.kind === 'stop') {
				ptrace.tryDetach(tid, result.event === 0 && !result.syscall ? result.signal : 0);
				return;
			}

			sleepMicroseconds(100);
		}
	}
}

/** Tells one executed program from the next: where its code and its stack begin. */
export function imageOf(pid: Pid): string | undefined {
	const text = tryReadProcText(`/proc/${pid}/stat`);
	const stat = text === undefined ? undefined : parseStat(text);
	// A process that ends has no memory any more.
	return stat === undefined || stat.startStack === 0n ? undefined : `${stat.startCode} ${stat.startStack}`;
}

export function stateOf(pid: Pid, tid: Tid): string | undefined {
	const text = tryReadProcText(`/proc/${pid}/task/${tid}/stat`);
	return text === undefined ? undefined : parseStat(text).state;
}

/** Words for threads that did not stop. */
export function stuck(pid: Pid, tids: readonly Tid[]): Error {
	const where = tids
		.slice(0, 5)
		.map((tid) => {
			const channel = tryReadProcText(`/proc/${pid}/task/${tid}/wchan`);
			return `${tid} (state ${stateOf(pid, tid) ?? '?'}${channel && channel !== '0' ? ` in ${channel}` : ''})`;
		})
		.join(', ');
	return failure(
		'stop-timeout',
		`process ${pid} could not be stopped in time: thread ${where} does not react`,
		'It waits inside the kernel (for a disk, or for a vfork child). Try again, or give --stop-timeout SECONDS.',
	);
}
