import type {RowOf} from '../../builder/format/schema.js';
import {constants} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import {wordsOf} from '../sys/registers.js';
import type {Look} from '../sys/threads.js';
import type {EachQuestion} from './injector.js';
import type {ResumedState} from './resident.js';
import type {StoppedThread} from './stop.js';
import type {Normalised} from './syscalls.js';
import {toText} from './text.js';

type ThreadRow = RowOf<'thread'>;

const PR_GET_PDEATHSIG = 2;
const PR_GET_NAME = 16;
const PR_GET_TIMERSLACK = 30;
const PR_GET_TID_ADDRESS = 40;

/** What is visible from outside. Registers and restart are filled in by `applyRegisters`, the rest by `inquireThreads`. */
export function threadRow(innerTid: number, task: number, stopped: StoppedThread, look: Look): ThreadRow {
	const {sched} = look;
	return {
		sigmask: look.signalMask,
		sas_sp: 0n,
		sas_size: 0n,
		clear_child_tid: 0n,
		rseq: look.rseq,
		robust_list: look.robustHead,
		robust_len: look.robustLength,
		timer_slack_ns: 50_000n,
		restart_sec: 0n,
		restart_nsec: 0n,
		sched_runtime: sched.runtime,
		sched_deadline: sched.deadline,
		sched_period: sched.period,
		sched_flags: sched.flags,
		task,
		tid: innerTid,
		sas_flags: 2,
		rseq_len: look.rseqLength,
		rseq_sig: look.rseqSignature,
		rseq_flags: look.rseqFlags,
		pdeathsig: 0,
		sched_policy: sched.policy,
		sched_priority: sched.priority,
		nice: sched.nice,
		ioprio: look.ioPriority,
		restart_reg: constants.RESTART_REG.NONE,
		comm: '',
		regs: stopped.registers.bytes,
		xstate: look.xstate,
		affinity: look.affinity,
	};
}

const ANSWER = 64;
const STACK = 0;
const ADDRESS = 32;
const DEATH = 40;
const NAME = 48;

/** Asks every thread itself for what only it can tell. */
export const askThreads = (rows: readonly ThreadRow[]): EachQuestion => ({
	room: ANSWER,
	calls: (at) => [
		[nr.prctl, PR_GET_TIMERSLACK],
		[nr.sigaltstack, 0, at + BigInt(STACK)],
		[nr.prctl, PR_GET_TID_ADDRESS, at + BigInt(ADDRESS)],
		[nr.prctl, PR_GET_PDEATHSIG, at + BigInt(DEATH)],
		[nr.prctl, PR_GET_NAME, at + BigInt(NAME)],
	],
	take([slack, stack, address, death, name], answer, i) {
		const row = rows[i]!;
		if (slack !== undefined && slack >= 0n) {
			row.timer_slack_ns = slack;
		}

		const words = wordsOf(answer);
		if (stack === 0n) {
			row.sas_sp = words.getBigUint64(STACK, true);
			row.sas_flags = words.getUint32(STACK + 8, true);
			row.sas_size = words.getBigUint64(STACK + 16, true);
		}

		if (address === 0n) {
			row.clear_child_tid = words.getBigUint64(ADDRESS, true);
		}

		if (death === 0n) {
			row.pdeathsig = answer.readUInt32LE(DEATH);
		}

		if (name === 0n) {
			row.comm = toText(answer.subarray(NAME, answer.indexOf(0, NAME)));
		}
	},
});

const restartRegisters = constants.RESTART_REG as Readonly<Record<string, number>>;

export function applyRegisters(row: ThreadRow, normalised: Normalised): void {
	row.regs = normalised.registers.bytes;
	if (normalised.restart) {
		row.restart_reg = restartRegisters[normalised.restart.register.toUpperCase()] ?? 0;
		row.restart_sec = normalised.restart.seconds;
		row.restart_nsec = normalised.restart.fraction;
	}
}

/** In place of what the thread is at the moment. */
export function applyResumed(row: ThreadRow, {registers, xstate, sigmask, stack, restart}: ResumedState): void {
	applyRegisters(row, {registers, ...(restart && {restart})});
	row.xstate = xstate;
	row.sigmask = sigmask;
	row.sas_sp = stack.base;
	row.sas_flags = stack.flags;
	row.sas_size = stack.size;
}
