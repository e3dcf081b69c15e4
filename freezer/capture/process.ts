import type {RowOf} from '../../builder/format/schema.js';
import {constants, NONE} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import {readProcText, tryReadLink, tryReadProcText} from '../sys/procfs.js';
import type {Pid} from '../sys/types.js';
import type {Question} from './inquiry.js';
import {parseStat, type Stat} from './parse/stat.js';
import {parseStatus, type Status} from './parse/status.js';
import type {ProcFiles} from './proc-files.js';
import {toText} from './text.js';

export type TaskRow = RowOf<'task'>;

export interface ProcessFacts {
	readonly status: Status;
	readonly stat: Stat;
}

export const readFacts = (files: ProcFiles): ProcessFacts => ({
	status: parseStatus(files.text('status')),
	stat: parseStat(files.text('stat')),
});

/** The id of another process as the target sees it: the column of the target's own pid namespace; 0 when it is not in there. */
function innerPpid(facts: ProcessFacts): number {
	const depth = facts.status.numbers('NSpid').length;
	if (depth === 1) {
		return facts.stat.ppid;
	}

	const parent = tryReadProcText(`/proc/${facts.stat.ppid}/status`);
	return parent === undefined ? 0 : (parseStatus(parent).numbers('NSpid')[depth - 1] ?? 0);
}

/** What /proc tells about the process. */
export function taskRow(
	files: ProcFiles,
	facts: ProcessFacts,
	mm: number,
	firstThread: number,
	threads: number,
	stopped: boolean,
): TaskRow {
	const {status, stat} = facts;
	const {TASK} = constants;
	const [uid = 0, euid = 0, suid = 0, fsuid = 0] = status.numbers('Uid');
	const [gid = 0, egid = 0, sgid = 0, fsgid = 0] = status.numbers('Gid');
	const groups = status.numbers('Groups');
	const flag = (condition: boolean, value: number) => (condition ? value : 0);
	return {
		cap_inheritable: status.mask('CapInh'),
		cap_permitted: status.mask('CapPrm'),
		cap_effective: status.mask('CapEff'),
		cap_bounding: status.mask('CapBnd'),
		cap_ambient: status.mask('CapAmb'),
		pid: status.inner('NStgid'),
		ppid: innerPpid(facts),
		pgid: status.inner('NSpgid'),
		sid: status.inner('NSsid'),
		parent: NONE,
		maker: NONE,
		mm,
		first_thread: firstThread,
		nthreads: threads,
		exit_signal: stat.exitSignal,
		wait_status: 0,
		flags:
			flag(stopped, TASK.STOPPED) |
			flag(stopped && stat.exitCode !== 0, TASK.STOP_UNTOLD) |
			flag(status.number('NoNewPrivs') === 1, TASK.NO_NEW_PRIVS) |
			flag(stat.ttyNr !== 0, TASK.HAS_TTY) |
			flag(stat.ttyNr !== 0 && stat.tpgid === stat.pgrp, TASK.FOREGROUND) |
			flag(status.inner('NSsid') === status.inner('NStgid'), TASK.SESSION_LEADER) |
			flag(status.inner('NSpgid') === status.inner('NStgid'), TASK.GROUP_LEADER),
		dumpable: 1,
		personality: Number.parseInt(files.tryText('personality') ?? '0', 16),
		umask: Number.parseInt(status.text('Umask') || '22', 8),
		oom_score_adj: Number(files.tryText('oom_score_adj') ?? 0),
		membarrier: 0,
		mdwe: 0,
		seccomp_filters: status.number('Seccomp_filters'),
		tsc: 1,
		cpuid: 1,
		mce_kill: MCE_KILL_DEFAULT,
		uid,
		euid,
		suid,
		fsuid,
		gid,
		egid,
		sgid,
		fsgid,
		securebits: 0,
		xcomp_perm: 0,
		groups: Buffer.from(Uint32Array.from(groups).buffer),
		cwd: files.tryText('cwd') || '/',
		root: files.tryText('root') || '/',
		exe: files.tryText('exe') ?? '',
		cmdline: files.tryBytes('cmdline') ?? new Uint8Array(),
		cgroup: (files.tryText('cgroup') ?? '').trim(),
	};
}

const MCE_KILL_DEFAULT = 2;

const PR = {
	GET_DUMPABLE: 3,
	GET_KEEPCAPS: 7,
	GET_TSC: 25,
	MCE_KILL_GET: 34,
	GET_SECUREBITS: 27,
	GET_CHILD_SUBREAPER: 37,
	GET_THP_DISABLE: 42,
	GET_IO_FLUSHER: 58,
	GET_MDWE: 66,
} as const;
const ARCH_GET_CPUID = 0x1011;
const ARCH_GET_XCOMP_PERM = 0x1022;
const MEMBARRIER_CMD_GET_REGISTRATIONS = 512;

/** What only the process itself can tell. Calls that this kernel lacks leave the default. */
export function askProcess(row: TaskRow): Question {
	const ask = (option: number) => [nr.prctl, option, 0, 0, 0, 0];
	return {
		room: 32,
		calls: (at) => [
			ask(PR.GET_DUMPABLE),
			ask(PR.GET_SECUREBITS),
			ask(PR.GET_MDWE),
			ask(PR.MCE_KILL_GET),
			ask(PR.GET_KEEPCAPS),
			ask(PR.GET_THP_DISABLE),
			ask(PR.GET_IO_FLUSHER),
			[nr.prctl, PR.GET_TSC, at],
			[nr.prctl, PR.GET_CHILD_SUBREAPER, at + 8n],
			[nr.arch_prctl, ARCH_GET_XCOMP_PERM, at + 16n],
			[nr.arch_prctl, ARCH_GET_CPUID, 0],
			[nr.membarrier, MEMBARRIER_CMD_GET_REGISTRATIONS, 0, 0],
		],
		take: (results, answer) => toldByProcess(row, results, answer),
	};
}

function toldByProcess(row: TaskRow, results: readonly bigint[], answer: Buffer): void {
	const {TASK} = constants;
	const [
		dumpable,
		securebits,
		mdwe,
		mceKill,
		keepCaps,
		thpDisable,
		ioFlusher,
		tsc,
		reaper,
		permission,
		cpuidAllowed,
		registrations,
	] = results;
	/** Undefined when this kernel lacks the call. */
	const told = (result = -1n): number | undefined => (result >= 0n ? Number(result) : undefined);
	row.dumpable = told(dumpable) ?? row.dumpable;
	row.securebits = told(securebits) ?? 0;
	row.mdwe = told(mdwe) ?? 0;
	row.mce_kill = told(mceKill) ?? row.mce_kill;
	row.flags |=
		(told(keepCaps) ? TASK.KEEPCAPS : 0) |
		(told(thpDisable) ? TASK.THP_DISABLE : 0) |
		(told(ioFlusher) ? TASK.IO_FLUSHER : 0);
	row.tsc = tsc === 0n ? answer.readUInt32LE(0) : 1;
	row.flags |= reaper === 0n && answer.readUInt32LE(8) !== 0 ? TASK.SUBREAPER : 0;
	row.xcomp_perm = permission === 0n ? answer.readUInt32LE(16) : 0;
	row.cpuid = cpuidAllowed === 0n ? 0 : 1;
	row.membarrier = told(registrations) ?? 0;
}

export const readLinkText = (path: string): string => toText(tryReadLink(path) ?? new Uint8Array());
export const isKernelThread = (stat: Stat): boolean => (stat.flags & 0x0020_0000) !== 0;
export const readComm = (pid: Pid): string => readProcText(`/proc/${pid}/comm`).trimEnd();
