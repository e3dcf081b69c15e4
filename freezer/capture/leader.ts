import {closeFd, tryPidfdOpenThread} from '../sys/pidfd.js';
import {listNumbers, tryReadProcText} from '../sys/procfs.js';
import type {Pid, Tid} from '../sys/types.js';
import {parseStat, type Stat} from './parse/stat.js';

/** A first thread may end before the others (pthread_exit in main): the process goes on, and is told as a zombie. */

export function statOf(pid: Pid): Stat | undefined {
	const text = tryReadProcText(`/proc/${pid}/stat`);
	return text === undefined ? undefined : parseStat(text);
}

/** True when nothing of the process lives. */
export const hasEnded = ({state, threads}: Stat): boolean => state === 'X' || (state === 'Z' && threads <= 1);

export const lostItsLeader = ({state, threads}: Stat): boolean => state === 'Z' && threads > 1;

/** What tells about the process in /proc: its directory, or that of another thread when those of the first one are empty. */
export function faceOf(pid: Pid): Pid {
	const stat = statOf(pid);
	if (!stat || !lostItsLeader(stat)) {
		return pid;
	}

	try {
		return (listNumbers(`/proc/${pid}/task`).find((tid) => tid !== (pid as number) && lives(pid, tid as Tid)) ??
			pid) as Pid;
	} catch {
		return pid;
	}
}

function lives(pid: Pid, tid: Tid): boolean {
	const text = tryReadProcText(`/proc/${pid}/task/${tid}/stat`);
	return text !== undefined && !'ZX'.includes(parseStat(text).state);
}

/** Since 6.9 (kernel/pid.c, PIDFD_THREAD). */
export function opensThreads(tid: Pid): boolean {
	const pidfd = tryPidfdOpenThread(tid);
	if (pidfd !== undefined) {
		closeFd(pidfd);
	}

	return pidfd !== undefined;
}
