/** The report as text for people: an overview, and one closer look per flag. */

import type {ProcessReport, Report} from './report.js';
import {colors, columns} from './table.js';
import {count, printable, size} from './words.js';

export const views = ['maps', 'fds', 'threads', 'signals', 'env'] as const;
export type View = (typeof views)[number];

/** @param wanted views to show instead of the overview; empty for the overview */
export function renderText(report: Report, wanted: readonly View[]): string {
	if (wanted.length === 0) return overview(report);
	const parts = report.processes.flatMap((process) =>
		wanted.map((view) => `${heading(process, view)}\n${renderers[view](process)}`),
	);
	return `${parts.join('\n\n')}\n`;
}

function overview(report: Report): string {
	const taken = `${report.taken.slice(0, 16).replace('T', ' ')} UTC`;
	const lines = [
		`${colors.bold(printable(report.file))}: snapshot format ${report.format}, ${report.machine}, taken ${taken} on Linux ${report.kernel}`,
		...tree(report.processes),
		colors.dim(
			`${size(report.bytes)} with codec ${report.codec}; ${size(report.pages.raw)} of pages in ${size(report.pages.stored)}; taken on ${printable(report.host)} by frore ${report.froreVersion}`,
		),
	];
	lines.push(...cgroups(report.processes));
	for (const warning of report.warnings) {
		const where = warning.fd === null ? '' : ` fd ${warning.fd}:`;
		lines.push(`${colors.yellow('warning')}: process ${warning.pid}:${where} ${printable(warning.text)}`);
	}
	return `${lines.join('\n')}\n`;
}

function tree(processes: readonly ProcessReport[]): string[] {
	const rows: string[][] = [];
	const visit = (process: ProcessReport, depth: number): void => {
		rows.push([
			`${'  '.repeat(Math.max(depth - 1, 0))}${depth > 0 ? '└ ' : ''}${process.pid}`,
			String(process.threads.length),
			size(process.memory.stored + process.memory.fromFiles),
			String(process.descriptors.length),
			`${short(process.command, 120)}${process.state === 'running' ? '' : ` (${process.state})`}`,
		]);
		for (const child of processes) if (child.parent === process.pid && child !== process) visit(child, depth + 1);
	};
	for (const process of processes) if (process.parent === null) visit(process, 0);
	return columns(['PID', 'THREADS', 'MEMORY', 'FILES', 'COMMAND'], rows).split('\n');
}

/** Each with its members; the hierarchies of version 1 where a process is at their root say nothing. */
function cgroups(processes: readonly ProcessReport[]): string[] {
	const members = new Map<string, number[]>();
	for (const {cgroup, pid, state} of processes) {
		// HIERARCHY:CONTROLLERS:PATH; version 2 has the hierarchy 0 and no controllers.
		const places = cgroup.split('\n').map((line) => line.replace(/^\d+:(?=[^:])|^\d+::/, ''));
		const telling = places.filter((place) => !/(^|:)\/$/.test(place));
		const name = (telling.length > 0 ? telling : places.slice(-1)).join(' ');
		if (name !== '' && state !== 'ended') members.set(name, [...(members.get(name) ?? []), pid]);
	}

	return [...members].map(([name, pids]) => {
		const who = members.size === 1 ? '' : `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')} `;
		return colors.dim(
			`${who}in cgroup ${printable(name)}, not given back: it will be in that of whoever runs the file`,
		);
	});
}

const short = (text: string, limit: number): string => (text.length > limit ? `${text.slice(0, limit - 1)}…` : text);

const heading = (process: ProcessReport, view: View): string =>
	`${colors.bold(`${process.pid}`)} ${short(process.command, 60)}: ${headings[view](process)}`;

const headings: Record<View, (process: ProcessReport) => string> = {
	maps: ({maps, memory}) => `${count(maps.length, 'mapping')}, ${size(memory.mapped)}`,
	fds: ({descriptors}) => count(descriptors.length, 'descriptor'),
	threads: ({threads}) => count(threads.length, 'thread'),
	signals: () => 'signals and timers',
	env: ({environment}) => (environment ? count(environment.length, 'variable') : 'environment'),
};

const renderers: Record<View, (process: ProcessReport) => string> = {
	maps: ({maps}) =>
		columns(
			['ADDRESS', 'PROT', 'SIZE', 'OWN', 'OF FILE', 'NAME', 'FLAGS'],
			maps.map((map) => [
				`${map.start}-${map.end}`,
				map.protection,
				size(map.size),
				map.stored ? size(map.stored) : '-',
				map.fromFile ? size(map.fromFile) : '-',
				map.name,
				map.flags.join(' '),
			]),
			[2, 3, 4],
		),
	fds: ({descriptors, locks}) =>
		[
			columns(
				['FD', 'WHAT', 'MODE', 'SHARED WITH'],
				descriptors.map((entry) => [
					String(entry.fd),
					entry.what,
					[...entry.mode, ...(entry.closeOnExec ? ['close on exec'] : [])].join(', '),
					entry.sharedWith.map((name) => `fd ${name}`).join(', '),
				]),
				[0],
			),
			...locks,
		].join('\n'),
	threads: ({threads}) =>
		columns(
			['TID', 'NAME', 'STATE', 'INSTRUCTION', 'STACK', 'VECTORS', 'BLOCKED', 'SCHEDULING'],
			threads.map((thread) => [
				String(thread.tid),
				thread.name,
				thread.remaining ? `${thread.doing}, ${thread.remaining} left` : thread.doing,
				thread.registers.rip ?? '',
				thread.registers.rsp ?? '',
				thread.vectors.join(' '),
				blocked(thread.blockedSignals),
				`${thread.scheduling}; ${count(thread.cpus, 'CPU')}`,
			]),
		),
	signals: ({signals}) =>
		[
			...Object.entries(signals.handled).map(([name, handler]) => `handled  ${name} at ${handler}`),
			...(signals.ignored.length > 0 ? [`ignored  ${signals.ignored.join(' ')}`] : []),
			...signals.pending.map((text) => `pending  ${text}`),
			...signals.timers.map((text) => `timer    ${text}`),
		].join('\n') || 'all signals have their default effect; none is pending; no timer',
	env: ({environment}) =>
		environment ? environment.map(printable).join('\n') : 'the memory that holds it could not be read',
};

const blocked = (names: readonly string[]): string =>
	names.length === 0
		? '-'
		: names.length > 40
			? `${names.length} signals`
			: names.map((name) => name.slice(3)).join(' ');
