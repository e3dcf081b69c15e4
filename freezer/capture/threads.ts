import type {RowOf} from '../../builder/format/schema.js';
import {constants} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import {tryReadProc} from '../sys/procfs.js';
import * as ptrace from '../sys/ptrace.js';
import {getAffinity, getIoPriority, getRobustList, getSchedAttributes} from '../sys/sched.js';
import type {Pid, Tid} from '../sys/types.js';
import type {ProcessInjector} from './injector.js';
import type {ResumedState} from './resident.js';
import type {StoppedThread} from './stop.js';
import type {Normalised} from './syscalls.js';
import {toText} from './text.js';
import {trimXstate} from './xstate.js';

type ThreadRow = RowOf<'thread'>;

const PR_GET_PDEATHSIG = 2;
const PR_GET_TIMERSLACK = 30;
const PR_GET_TID_ADDRESS = 40;

/** What is visible from outside. Registers and restart are filled in by `applyRegisters`, the rest by `inquire`. */
export function threadRow(pid: Pid, innerTid: number, task: number, stopped: StoppedThread): ThreadRow {
	const {tid} = stopped;
	const rseq = ptrace.getRseq(tid);
	const robust = getRobustList(tid);
	const sched = getSchedAttributes(tid);
	return {
		sigmask: ptrace.getSignalMask(tid),
		sas_sp: 0n,
		sas_size: 0n,
		clear_child_tid: 0n,
		rseq: rseq?.pointer ?? 0n,
		robust_list: robust?.head ?? 0n,
		robust_len: robust?.length ?? 0n,
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
		rseq_len: rseq?.size ?? 0,
		rseq_sig: rseq?.signature ?? 0,
		rseq_flags: rseq?.flags ?? 0,
		pdeathsig: 0,
		sched_policy: sched.policy,
		sched_priority: sched.priority,
		nice: sched.nice,
		ioprio: getIoPriority(tid),
		restart_reg: constants.RESTART_REG.NONE,
		comm: toText(tryReadProc(`/proc/${pid}/task/${tid}/comm`)?.subarray(0, -1) ?? new Uint8Array()),
		regs: stopped.registers.bytes,
		xstate: trimXstate(ptrace.getXstate(tid)),
		affinity: getAffinity(tid as Tid),
	};
}

/** Asks the thread itself for what only it can tell. It must be the injector's current thread. */
export function inquireThread(row: ThreadRow, injector: ProcessInjector): void {
	const at = injector.scratch;
	const slack = injector.syscall(nr.prctl, PR_GET_TIMERSLACK);
	const stack = injector.syscall(nr.sigaltstack, 0, at);
	const address = injector.syscall(nr.prctl, PR_GET_TID_ADDRESS, at + 32n);
	const death = injector.syscall(nr.prctl, PR_GET_PDEATHSIG, at + 40n);
	const answer = injector.readScratch(0, 48);
	if (slack >= 0n) {
		row.timer_slack_ns = slack;
	}

	if (stack === 0n) {
		row.sas_sp = answer.readBigUInt64LE(0);
		row.sas_flags = answer.readUInt32LE(8);
		row.sas_size = answer.readBigUInt64LE(16);
	}

	if (address === 0n) {
		row.clear_child_tid = answer.readBigUInt64LE(32);
	}

	if (death === 0n) {
		row.pdeathsig = answer.readUInt32LE(40);
	}
}

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
