import type {RowOf} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import type {Question} from './inquiry.js';
import {type PosixTimer, parseTimers} from './parse/timers.js';
import type {ProcFiles} from './proc-files.js';

const ITIMERS = 3;
const ITIMERVAL_SIZE = 32;

/** setitimer(2) timers that are armed. */
export const askItimers = (task: number, take: (rows: readonly RowOf<'itimer'>[]) => void): Question => ({
	room: ITIMERS * ITIMERVAL_SIZE,
	calls: (at) => [0, 1, 2].map((which) => [nr.getitimer, which, at + BigInt(which * ITIMERVAL_SIZE)]),
	take: (_, answer) => take(itimers(task, answer)),
});

function itimers(task: number, answer: Buffer): RowOf<'itimer'>[] {
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

/** timer_create(2) timers, a question each. `innerTid` turns a thread id of ours into the target's. */
export function askPosixTimers(
	task: number,
	files: ProcFiles,
	innerTid: (tid: number) => number,
	take: (row: RowOf<'posix_timer'>) => void,
): Question[] {
	const row = (timer: PosixTimer, [status, overrun = 0n]: readonly bigint[], answer: Buffer) => {
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
	};

	return parseTimers(files.tryText('timers') ?? '').map((timer) => ({
		room: 32,
		calls: (at) => [
			[nr.timer_gettime, timer.id, at],
			[nr.timer_getoverrun, timer.id],
		],
		take: (results, answer) => take(row(timer, results, answer)),
	}));
}
