import {sleepMicroseconds} from '../sys/clock.js';
import {SysError} from '../sys/errno.js';
import {kcmp, kcmpType} from '../sys/pidfd.js';
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
	const child = tids.map((tid) => vforkChild(pid, tid)).find((found) => found !== undefined);
	const reason =
		child === undefined
			? 'It waits inside the kernel (for a disk, or for a vfork child).'
			: `It waits for its vfork child ${child}, which has neither executed a program nor ended.`;
	return failure(
		'stop-timeout',
		`process ${pid} could not be stopped in time: thread ${where} does not react`,
		`${reason} Try again, or give --stop-timeout SECONDS.`,
	);
}

/** The child that still runs in the memory of its parent, which the kernel keeps waiting meanwhile. */
function vforkChild(pid: Pid, tid: Tid): number | undefined {
	const children = (tryReadProcText(`/proc/${pid}/task/${tid}/children`) ?? '').split(' ').filter(Boolean);
	return children.map(Number).find((child) => kcmp(pid, child as Pid, kcmpType.VM, 0, 0) === 0);
}
