/** Signals: what is handled, ignored and pending; timers that will send some. */
import {NONE, type Snapshot} from '../../../builder/format/schema.js';
import {clockName, duration, hex, signalName} from './words.js';

export interface SignalReport {
	/** Signals with a handler of the program: name -> address of the handler. */
	readonly handled: Readonly<Record<string, string>>;
	readonly ignored: string[];
	/** "SIGUSR1 from process 12 (uid 0), for thread 44". */
	readonly pending: string[];
	/** Interval and POSIX timers, one line each. */
	readonly timers: string[];
}

/** @param task row of `task` */
export function describeSignals(snapshot: Snapshot, task: number): SignalReport {
	const actions = snapshot.sigaction.filter((action) => action.task === task);
	return {
		handled: Object.fromEntries(
			actions.filter((action) => action.handler > 1n).map((action) => [signalName(action.signo), hex(action.handler)]),
		),
		ignored: actions.filter((action) => action.handler === 1n).map((action) => signalName(action.signo)),
		pending: snapshot.pending
			.filter((entry) => entry.task === task)
			.map((entry) => `${describeSiginfo(entry.siginfo)}${threadOf(snapshot, entry.thread)}`),
		timers: [...intervalTimers(snapshot, task), ...posixTimers(snapshot, task)],
	};
}

const threadOf = (snapshot: Snapshot, thread: number): string =>
	thread === NONE ? '' : `, for thread ${snapshot.thread[thread]?.tid}`;

/** si_code: SI_USER 0, SI_QUEUE -1, SI_TKILL -6 carry the sender (siginfo_t, sigaction(2)). */
function describeSiginfo(siginfo: Uint8Array): string {
	if (siginfo.length < 24) return 'a signal';
	const view = new DataView(siginfo.buffer, siginfo.byteOffset, siginfo.length);
	const name = signalName(view.getInt32(0, true));
	return [0, -1, -6].includes(view.getInt32(8, true))
		? `${name} from process ${view.getInt32(16, true)} (uid ${view.getUint32(20, true)})`
		: name;
}

function intervalTimers(snapshot: Snapshot, task: number): string[] {
	const names = ['real time', 'virtual time', 'profiling time'];
	return snapshot.itimer
		.filter((timer) => timer.task === task && timer.value_us !== 0n)
		.map(
			(timer) =>
				`interval timer on ${names[timer.which]}: fires in ${duration(timer.value_us * 1000n)}${every(timer.interval_us * 1000n)}`,
		);
}

function posixTimers(snapshot: Snapshot, task: number): string[] {
	return snapshot.posix_timer
		.filter((timer) => timer.task === task)
		.map((timer) => {
			const when = timer.value_ns === 0n ? 'not armed' : `fires in ${duration(timer.value_ns)}`;
			const signal = timer.notify === 1 ? 'no signal' : signalName(timer.signo);
			return `timer ${timer.id} on ${clockName(timer.clockid)}: ${when}${every(timer.interval_ns)}, ${signal}`;
		});
}

const every = (ns: bigint): string => (ns === 0n ? '' : `, every ${duration(ns)}`);
