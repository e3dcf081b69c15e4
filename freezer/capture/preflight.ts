import {readFileSync} from 'node:fs';
import {listNumbers, tryReadLink, tryReadProc, tryReadProcText} from '../sys/procfs.js';
import type {Pid} from '../sys/types.js';
import {failure, refusal} from './errors.js';
import {faceOf, hasEnded, opensThreads} from './leader.js';
import {parseStat} from './parse/stat.js';
import {parseStatus, type Status} from './parse/status.js';
import {toText} from './text.js';

const PF_KTHREAD = 0x0020_0000;
const CAP_SYS_PTRACE = 1n << 19n;
const CAP_SYS_ADMIN = 1n << 21n;

/** What can be refused before anything is stopped. Throws; returns the status read. */
export function preflight(pid: Pid): Status {
	if ((pid as number) === process.pid) {
		throw refusal(
			'self',
			`process ${pid} is frore itself, which cannot freeze itself`,
			'Freeze it from another process.',
		);
	}

	const statText = tryReadProc(`/proc/${pid}/stat`);
	const statusText = tryReadProc(`/proc/${pid}/status`);
	if (!statText || !statusText) {
		throw failure('no-process', `there is no process ${pid}`, 'List processes with `ps -e`.');
	}

	const stat = parseStat(toText(statText));
	const status = parseStatus(toText(statusText));
	const named = `process ${pid} (${stat.comm})`;
	if (status.number('Tgid') !== pid) {
		throw refusal(
			'thread',
			`${pid} is a thread of process ${status.number('Tgid')}`,
			`Freeze ${status.number('Tgid')}.`,
		);
	}

	if (pid === 1) {
		throw refusal(
			'init',
			`${named} cannot be frozen: it is the init process of this pid namespace`,
			'Freeze one of its descendants.',
		);
	}

	if (stat.flags & PF_KTHREAD) {
		throw refusal('kernel-thread', `${named} cannot be frozen: it is a kernel thread`);
	}

	if (hasEnded(stat)) {
		throw refusal('zombie', `${named} cannot be frozen: it has ended and waits for its parent ${stat.ppid} to notice`);
	}

	const face = faceOf(pid);
	if (face !== pid && !opensThreads(face)) {
		throw refusal(
			'leader-exited',
			`${named} cannot be frozen: its first thread has ended, and Linux before 6.9 does not show its descriptors`,
		);
	}

	const shown = face === pid ? status : parseStatus(tryReadProcText(`/proc/${face}/status`) ?? '');
	const tracer = shown.number('TracerPid');
	if (tracer !== 0) {
		throw refusal(
			'traced',
			`${named} cannot be frozen: process ${tracer} (${(tryReadProcText(`/proc/${tracer}/comm`) ?? '?').trim()}) traces it already`,
			'End the debugger or tracer first.',
		);
	}

	checkOwner(face, named, shown);
	checkClass(face, named);
	checkSeccomp(named, shown);
	return shown;
}

function checkOwner(pid: Pid, named: string, status: Status): void {
	const own = ownStatus();
	if (own.mask('CapEff') & CAP_SYS_PTRACE) {
		return;
	}

	const uid = own.numbers('Uid')[1];
	if (
		status
			.numbers('Uid')
			.slice(0, 3)
			.some((other) => other !== uid)
	) {
		throw refusal(
			'owner',
			`${named} cannot be frozen: it belongs to user ${status.numbers('Uid')[0]}, and frore runs as user ${uid}`,
			`Run frore as user ${status.numbers('Uid')[0]} or as root.`,
		);
	}

	if (tryReadLink(`/proc/${pid}/exe`) === undefined) {
		if (hasNoMemory(pid)) {
			throw failure('exited', `${named} ended while it was being frozen; nothing was written`);
		}

		throw refusal(
			'not-dumpable',
			`${named} cannot be frozen: the kernel protects it from its own user (it is not dumpable, or it holds privileges that frore has not)`,
			'Run frore as root.',
		);
	}
}

/** True for a process on its way out, which has given up its memory and is no zombie yet (exit_mm, kernel/exit.c 6.1), or is gone. */
function hasNoMemory(pid: Pid): boolean {
	const text = tryReadProcText(`/proc/${pid}/statm`);
	return text === undefined || text.startsWith('0 ');
}

/** Words for a SEIZE that the kernel refused although the preflight found nothing. */
export function ptraceHint(): string {
	const scope = tryReadProcText('/proc/sys/kernel/yama/ptrace_scope')?.trim();
	switch (scope) {
		case '1':
			return 'kernel.yama.ptrace_scope is 1, so only a parent may attach. Run frore as root, or start the program with `frore run`.';
		case '2':
			return 'kernel.yama.ptrace_scope is 2, so only root may attach. Run frore as root, or set it to 1 and start the program with `frore run`.';
		case '3':
			return 'kernel.yama.ptrace_scope is 3, so nobody may attach until the next boot.';
		default:
			return 'Run frore as root, or start the program with `frore run`.';
	}
}

function checkClass(pid: Pid, named: string): void {
	let magic: Buffer;
	try {
		magic = readFileSync(`/proc/${pid}/auxv`);
	} catch {
		return;
	}

	// A 32-bit program has 8-byte auxv entries: the value of the first one would stand in the high half of its type.
	if (magic.length >= 8 && magic.readUInt32LE(4) !== 0) {
		throw refusal('32-bit', `${named} cannot be frozen: it is a 32-bit program, and frore carries 64-bit ones only`);
	}
}

function checkSeccomp(named: string, status: Status): void {
	if (status.number('Seccomp') === 1) {
		throw refusal(
			'seccomp',
			`${named} cannot be frozen: it runs under strict seccomp, which nothing can be asked through`,
		);
	}

	if (!hasForeignFilters(status)) {
		return;
	}

	const own = ownStatus();
	const counts = `it runs under ${status.number('Seccomp_filters')} seccomp filters and frore under ${own.number('Seccomp_filters')}`;
	if (!(own.mask('CapEff') & CAP_SYS_ADMIN)) {
		throw refusal('seccomp', `${named} cannot be frozen: ${counts}`, 'Run frore as root.');
	}

	if (own.number('Seccomp') !== 0) {
		throw refusal('seccomp', `${named} cannot be frozen: ${counts}`, 'Run frore outside the container.');
	}
}

let own: Status | undefined;
/** Nothing that we ask of it changes while we live. */
const ownStatus = (): Status => (own ??= parseStatus(tryReadProcText('/proc/self/status') ?? ''));

/** True when calls that pass here might not pass there. */
export const hasForeignFilters = (status: Status): boolean =>
	status.number('Seccomp_filters') > ownStatus().number('Seccomp_filters');

/** Writing to a pipe that is read by a task of the stopped tree would never end. */
export function checkReader(pids: readonly Pid[], channel: string | undefined): void {
	if (channel === undefined) {
		return;
	}

	for (const pid of pids) {
		const fd = (pid as number) === process.pid ? undefined : descriptorsOf(pid).find((fd) => reads(pid, fd, channel));
		if (fd !== undefined) {
			throw refusal(
				'reader',
				`cannot write to standard output: its reader is process ${pid} (fd ${fd}), which is to be stopped`,
				'Write to a file.',
			);
		}
	}
}

/** None for a process that has just ended. */
function descriptorsOf(pid: Pid): number[] {
	try {
		return listNumbers(`/proc/${pid}/fd`);
	} catch {
		return [];
	}
}

const O_ACCMODE = 3;
const O_WRONLY = 1;

function reads(pid: Pid, fd: number, channel: string): boolean {
	if (tryReadLink(`/proc/${pid}/fd/${fd}`)?.toString('latin1') !== channel) {
		return false;
	}

	const flags = /^flags:\s*(\d+)/m.exec(tryReadProcText(`/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1] ?? '0';
	return (Number.parseInt(flags, 8) & O_ACCMODE) !== O_WRONLY;
}
