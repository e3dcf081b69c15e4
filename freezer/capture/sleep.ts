import {readdirSync} from 'node:fs';
import {CLOCK, clockNow, sleepMicroseconds} from '../sys/clock.js';
import {nr} from '../sys/nr.js';
import {tryReadProcText} from '../sys/procfs.js';
import {getAffinity, maskOf, trySetAffinity} from '../sys/sched.js';
import type {Pid} from '../sys/types.js';
import {parseSched} from './parse/sched.js';

/** Since when a thread sleeps, for calls whose remaining time the kernel hides in its restart block. */
export interface Asleep {
	/** CLOCK_MONOTONIC, nanoseconds. */
	readonly since: bigint;
	readonly voluntarySwitches: number;
}

/**
 * Looked at before the stop, because the stop itself wakes every thread. se.exec_start counts in the clock of the CPU on which the
 * thread last ran; it is compared with our own on that CPU.
 */
export function observeSleepers(pids: readonly Pid[]): Map<number, Asleep> {
	const found = new Map<number, Asleep>();
	const clocks = new Map<number, bigint | undefined>();
	const own = getAffinity(0);
	for (const [pid, name] of pids.flatMap((pid) => threadsOf(pid).map((name) => [pid, name] as const))) {
		const stat = tryReadProcText(`/proc/${pid}/task/${name}/stat`);
		const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
		if (fields[0] !== 'S' && fields[0] !== 'T') {
			continue;
		}

		const facts = parseSched(tryReadProcText(`/proc/${pid}/task/${name}/sched`) ?? '');
		const cpu = Number(fields[36]);
		if (!facts) {
			continue;
		}

		if (!clocks.has(cpu)) {
			clocks.set(cpu, clockOffset(cpu, own.length));
		}

		const offset = clocks.get(cpu);
		if (offset !== undefined) {
			found.set(Number(name), {since: facts.execStart + offset, voluntarySwitches: facts.voluntarySwitches});
		}
	}

	if (clocks.size > 0) {
		trySetAffinity(0, own);
	}

	return found;
}

function threadsOf(pid: Pid): string[] {
	try {
		return readdirSync(`/proc/${pid}/task`);
	} catch {
		return [];
	}
}

/** CLOCK_MONOTONIC minus the run queue clock of a CPU; leaves this thread on that CPU. */
function clockOffset(cpu: number, maskLength: number): bigint | undefined {
	if (trySetAffinity(0, maskOf(cpu, maskLength)) !== 0) {
		return undefined;
	}

	sleepMicroseconds(1);
	const text = tryReadProcText('/proc/thread-self/sched');
	const facts = text === undefined ? undefined : parseSched(text);
	return facts && clockNow(CLOCK.MONOTONIC) - facts.execStart;
}

/** Does a running thread wait in a call that the kernel has begun again, restart_syscall(2), after a stop? */
export const inRestartedCall = (pid: Pid, tid: number): boolean =>
	(tryReadProcText(`/proc/${pid}/task/${tid}/syscall`) ?? '').startsWith(`${nr.restart_syscall} `);

/** How long a thread of the stopped process had been asleep at `stopTime`; undefined when it began to sleep after the look. */
export function asleepFor(pid: Pid, tid: number, seen: Asleep | undefined, stopTime: bigint): bigint | undefined {
	if (!seen) {
		return undefined;
	}

	const facts = parseSched(tryReadProcText(`/proc/${pid}/task/${tid}/sched`) ?? '');
	// Waking up to be stopped, and waiting in the stop, is one switch.
	return facts && facts.voluntarySwitches <= seen.voluntarySwitches + 1 && stopTime > seen.since
		? stopTime - seen.since
		: undefined;
}
