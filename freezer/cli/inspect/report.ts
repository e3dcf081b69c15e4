/** Everything that `frore inspect` knows about an artefact, as plain data: the JSON, the page and the tables are made of it. */
import type {Artefact} from '../../../builder/artefact-reader.js';
import {codecName, type Decoder} from '../../../builder/codec.js';
import {constants, NONE, type RowOf, type Snapshot} from '../../../builder/format/schema.js';
import {type DescriptorReport, describeDescriptors} from './descriptors.js';
import {describeMaps, type MapReport} from './maps.js';
import {memoryReaders, type ReadMemory} from './memory.js';
import {describeSignals, type SignalReport} from './signals.js';
import {describeThreads, type ThreadReport} from './threads.js';
import {commandLine, limitName, printable, splitNul} from './words.js';

const {TASK, LOCK_KIND} = constants;
const MAXIMUM_ENVIRONMENT = 4 * 1024 * 1024;

export interface ProcessReport {
	readonly pid: number;
	readonly ppid: number;
	readonly pgid: number;
	readonly sid: number;
	/** Pid of the parent when it is inside, else null. */
	readonly parent: number | null;
	readonly name: string;
	readonly command: string;
	readonly argv: string[];
	readonly exe: string;
	readonly cwd: string;
	readonly root: string;
	readonly umask: string;
	readonly user: {uid: number; euid: number; gid: number; egid: number; groups: number[]};
	readonly capabilities: string;
	/** Ended: its parent has not asked for it yet. */
	readonly state: 'running' | 'stopped' | 'ended';
	readonly terminal: 'none' | 'background' | 'foreground';
	readonly noNewPrivileges: boolean;
	readonly seccompFilters: number;
	readonly cgroup: string;
	/** Bytes: mapped; held in the artefact as its own; held there as copies of files. */
	readonly memory: {mapped: number; stored: number; fromFiles: number};
	readonly limits: Readonly<Record<string, {soft: number | 'unlimited'; hard: number | 'unlimited'}>>;
	readonly threads: ThreadReport[];
	readonly maps: MapReport[];
	readonly descriptors: DescriptorReport[];
	readonly locks: string[];
	readonly signals: SignalReport;
	/** NAME=VALUE, as it stands in memory; null when it cannot be read. */
	readonly environment: string[] | null;
}

export interface Report {
	readonly file: string;
	/** Bytes of the whole file and of the program at its head. */
	readonly bytes: number;
	readonly stubBytes: number;
	readonly format: number;
	readonly machine: 'x86_64';
	readonly codec: string;
	/** ISO 8601. */
	readonly taken: string;
	readonly host: string;
	readonly kernel: string;
	readonly cpu: string;
	readonly froreVersion: string;
	/** Pages held, before compression, and the bytes they take in the file. */
	readonly pages: {raw: number; stored: number; frames: number};
	/** Processor features without which it is refused. */
	readonly cpuNeeds: string[];
	readonly warnings: Array<{pid: number; fd: number | null; kind: string; text: string}>;
	readonly processes: ProcessReport[];
}

/** @param decoder for the bytes of the environment; may refuse a codec */
export function makeReport(artefact: Artefact, decoder: Decoder): Report {
	const {snapshot, frames, source, preamble, stubLength} = artefact;
	const machine = snapshot.machine[0]!;
	const readers = memoryReaders(artefact, decoder);
	return {
		file: source.name,
		bytes: source.size,
		stubBytes: stubLength,
		format: preamble.version,
		machine: 'x86_64',
		codec: codecName(preamble.codec),
		taken: new Date(Number(machine.realtime_ns / 1_000_000n)).toISOString(),
		host: machine.hostname,
		kernel: machine.kernel,
		cpu: machine.cpu,
		froreVersion: machine.frore_version,
		pages: {
			raw: frames.reduce((sum, frame) => sum + Number(frame.raw_length), 0),
			stored: frames.reduce((sum, frame) => sum + Number(frame.stored_length), 0),
			frames: frames.length,
		},
		cpuNeeds: snapshot.cpu_need.map((need) => need.name),
		warnings: snapshot.warning.map(({pid, fd, kind, text}) => ({pid, fd: fd === NONE ? null : fd, kind, text})),
		processes: snapshot.task.flatMap((task, row) =>
			task.flags & TASK.TEMPORARY ? [] : [describeProcess(artefact, task, row, readers[task.mm])],
		),
	};
}

function describeProcess(
	{snapshot, runs}: Artefact,
	task: RowOf<'task'>,
	row: number,
	read: ReadMemory = () => undefined,
): ProcessReport {
	const ended = (task.flags & TASK.ZOMBIE) !== 0;
	const maps = ended ? [] : describeMaps(snapshot, runs, task.mm);
	const argv = splitNul(task.cmdline);
	const name = ended ? printable(argv[0] ?? '') : printable(snapshot.thread[task.first_thread]?.comm ?? '');
	const sum = (pick: (map: MapReport) => number): number => maps.reduce((total, map) => total + pick(map), 0);
	return {
		pid: task.pid,
		ppid: task.ppid,
		pgid: task.pgid,
		sid: task.sid,
		parent: task.parent === NONE ? null : (snapshot.task[task.parent]?.pid ?? null),
		name,
		command: argv.length > 0 ? commandLine(argv) : `[${name}]`,
		argv,
		exe: task.exe,
		cwd: task.cwd,
		root: task.root,
		umask: task.umask.toString(8).padStart(3, '0'),
		user: {uid: task.uid, euid: task.euid, gid: task.gid, egid: task.egid, groups: words(task.groups)},
		capabilities: `0x${task.cap_effective.toString(16)}`,
		state: ended ? 'ended' : task.flags & TASK.STOPPED ? 'stopped' : 'running',
		terminal: !(task.flags & TASK.HAS_TTY) ? 'none' : task.flags & TASK.FOREGROUND ? 'foreground' : 'background',
		noNewPrivileges: (task.flags & TASK.NO_NEW_PRIVS) !== 0,
		seccompFilters: task.seccomp_filters,
		cgroup: task.cgroup.trim(),
		memory: {mapped: sum((map) => map.size), stored: sum((map) => map.stored), fromFiles: sum((map) => map.fromFile)},
		limits: limits(snapshot, row),
		threads: describeThreads(snapshot, task, read),
		maps,
		descriptors: describeDescriptors(snapshot, row),
		locks: locks(snapshot, row),
		signals: describeSignals(snapshot, row),
		environment: ended ? [] : environment(snapshot.mm[task.mm], read),
	};
}

const words = (bytes: Uint8Array): number[] => {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	return Array.from({length: bytes.length >> 2}, (_, i) => view.getUint32(4 * i, true));
};

function limits(snapshot: Snapshot, task: number): ProcessReport['limits'] {
	const amount = (value: bigint): number | 'unlimited' => (value === 2n ** 64n - 1n ? 'unlimited' : Number(value));
	return Object.fromEntries(
		snapshot.rlimit
			.filter((limit) => limit.task === task)
			.map((limit) => [limitName(limit.resource), {soft: amount(limit.cur), hard: amount(limit.max)}]),
	);
}

/** Locks of the task itself, and those of descriptions that it holds. */
function locks(snapshot: Snapshot, task: number): string[] {
	const mine = new Map(
		snapshot.fd.filter((entry) => entry.task === task).map((entry) => [entry.description, entry.fd]),
	);
	const kinds = ['POSIX', 'OFD', 'flock'];
	return snapshot.lock
		.filter((lock) => (lock.kind === LOCK_KIND.POSIX ? lock.task === task : mine.has(lock.description)))
		.map((lock) => {
			const range =
				lock.length === 0n ? `${lock.start} to the end` : `${lock.start} to ${lock.start + lock.length - 1n}`;
			const type = lock.type === 1 ? 'write' : 'read';
			return `${kinds[lock.kind]} ${type} lock on fd ${mine.get(lock.description) ?? '?'}, bytes ${range}`;
		});
}

function environment(mm: RowOf<'mm'> | undefined, read: ReadMemory): string[] | null {
	if (!mm || mm.env_end < mm.env_start) return null;
	const length = Number(mm.env_end - mm.env_start);
	if (length === 0) return [];
	const bytes = length <= MAXIMUM_ENVIRONMENT ? read(mm.env_start, length) : undefined;
	return bytes ? splitNul(bytes).filter((entry) => entry !== '') : null;
}
