import type {RowOf} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import {tryReadProcText} from '../sys/procfs.js';
import type {Pid} from '../sys/types.js';
import type {Injector} from './context.js';
import {parseTimers} from './parse/timers.js';

const ITIMERS = 3;
const ITIMERVAL_SIZE = 32;

/** setitimer(2) timers that are armed. */
export function captureItimers(task: number, inject: Injector): RowOf<'itimer'>[] {
	const at = inject.scratch;
	inject.syscalls([0, 1, 2].map((which) => [nr.getitimer, which, at + BigInt(which * ITIMERVAL_SIZE)]));
	const answer = inject.readScratch(0, ITIMERS * ITIMERVAL_SIZE);
	const microseconds = (at: number) => answer.readBigInt64LE(at) * 1_000_000n + answer.readBigInt64LE(at + 8);
	return [0, 1, 2]
		.map((which) => ({
			interval_us: microseconds(which * ITIMERVAL_SIZE),
			value_us: microseconds(which * ITIMERVAL_SIZE + 16),
			task,
			which,
		}))
		.filter((row) => row.value_us !== 0n || row.interval_us !== 0n);
}

/** timer_create(2) timers. `innerTid` turns a thread id of ours into the target's. */
export function capturePosixTimers(
	task: number,
	pid: Pid,
	inject: Injector,
	innerTid: (tid: number) => number,
): RowOf<'posix_timer'>[] {
	const listed = parseTimers(tryReadProcText(`/proc/${pid}/timers`) ?? '');
	return listed.map((timer) => {
		const status = inject.syscall(nr.timer_gettime, timer.id, inject.scratch);
		const overrun = inject.syscall(nr.timer_getoverrun, timer.id);
		const answer = inject.readScratch(0, 32);
		const nanoseconds = (at: number) =>
			status === 0n ? answer.readBigInt64LE(at) * 1_000_000_000n + answer.readBigInt64LE(at + 8) : 0n;
		return {
			sigval: timer.sigval,
			interval_ns: nanoseconds(0),
			value_ns: nanoseconds(16),
			task,
			id: timer.id,
			clockid: timer.clockid,
			notify: timer.notify,
			signo: timer.signo,
			tid: timer.notify & 4 ? innerTid(timer.target) : 0,
			overrun: overrun >= 0n ? Number(overrun) : 0,
			pad0: 0,
		};
	});
}
