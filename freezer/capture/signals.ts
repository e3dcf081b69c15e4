import type {RowOf} from '../../builder/format/schema.js';
import {NONE} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import * as ptrace from '../sys/ptrace.js';
import type {Tid} from '../sys/types.js';
import type {Question} from './inquiry.js';
import type {Status} from './parse/status.js';

const SIGCHLD = 17;
const KERNEL_SIGACTION_SIZE = 32;

/** Dispositions: of caught and ignored signals, and of SIGCHLD, whose default may carry SA_NOCLDWAIT. */
export function askSigactions(
	task: number,
	status: Status,
	take: (rows: readonly RowOf<'sigaction'>[]) => void,
): Question {
	const wanted = status.mask('SigCgt') | status.mask('SigIgn') | (1n << BigInt(SIGCHLD - 1));
	const signals = Array.from({length: 64}, (_, i) => i + 1).filter((signo) => wanted & (1n << BigInt(signo - 1)));
	const rows = (results: readonly bigint[], answer: Buffer) =>
		signals
			.map((signo, i) => {
				const at = i * KERNEL_SIGACTION_SIZE;
				return {
					handler: answer.readBigUInt64LE(at),
					flags: answer.readBigUInt64LE(at + 8),
					restorer: answer.readBigUInt64LE(at + 16),
					mask: answer.readBigUInt64LE(at + 24),
					task,
					signo,
				};
			})
			.filter((row, i) => results[i] === 0n && (row.handler !== 0n || row.flags !== 0n));
	return {
		room: signals.length * KERNEL_SIGACTION_SIZE,
		calls: (at) => signals.map((signo, i) => [nr.rt_sigaction, signo, 0, at + BigInt(i * KERNEL_SIGACTION_SIZE), 8]),
		take: (results, answer) => take(rows(results, answer)),
	};
}

/** Signals waiting for one thread, or (thread NONE) for the whole process. */
export const capturePending = (task: number, thread: number, tid: Tid): RowOf<'pending'>[] =>
	ptrace.peekSignals(tid, thread === NONE).map((siginfo) => ({task, thread, siginfo}));

export const signalNumber = (siginfo: Uint8Array): number =>
	Buffer.from(siginfo.buffer, siginfo.byteOffset, 4).readInt32LE(0);

/** sa_flags of the handler that the first deliverable signal would run; undefined when none is deliverable or has a handler. */
export function deliverableHandlerFlags(
	pending: readonly RowOf<'pending'>[],
	thread: number,
	signalMask: bigint,
	actions: readonly RowOf<'sigaction'>[],
): bigint | undefined {
	const numbers = pending
		.filter((row) => row.thread === thread || row.thread === NONE)
		.map((row) => signalNumber(row.siginfo))
		.filter((signo) => !(signalMask & (1n << BigInt(signo - 1))))
		.sort((a, b) => a - b);
	for (const signo of numbers) {
		const action = actions.find((row) => row.signo === signo);
		if (action && action.handler > 1n) {
			return action.flags;
		}
	}

	return undefined;
}
