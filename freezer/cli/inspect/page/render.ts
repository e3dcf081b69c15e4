/** Report -> body of the page. Pure: runs in the browser and in tests. */
import type {ProcessReport, Report} from '../report.js';
import {count, printable, size} from '../words.js';
import {type Html, html, htmlTable} from './html.js';
import {memoryMap} from './memory-map.js';

export function renderBody(report: Report): string {
	return html`<header><h1>${printable(report.file)}</h1>
<p>snapshot format ${report.format}, ${report.machine}, taken ${report.taken.replace('T', ' ').slice(0, 19)} UTC on ${printable(report.host)}
(Linux ${report.kernel}, ${report.cpu}) by frore ${report.froreVersion}</p>
<dl>${facts(report)}</dl></header>
${warnings(report)}
<nav>${htmlTable(['PID', 'THREADS', 'MEMORY', 'FILES', 'COMMAND'], report.processes.map(row))}</nav>
${report.processes.map(section)}`.text;
}

const facts = (report: Report): Html[] =>
	Object.entries({
		file: `${size(report.bytes)}, of these ${size(report.stubBytes)} program`,
		pages: `${size(report.pages.raw)}, ${size(report.pages.stored)} with codec ${report.codec}, ${count(report.pages.frames, 'frame')}`,
		'processor must have': report.cpuNeeds.join(' ') || 'nothing in particular',
	}).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);

function warnings({warnings: list}: Report): Html {
	if (list.length === 0) return html`<p class="good">Nothing of what it had is lost at the resume.</p>`;
	return html`<section class="warnings"><h2>${count(list.length, 'warning')}</h2><ul>${list.map(
		({pid, fd, text}) => html`<li>process ${pid}${fd === null ? '' : ` fd ${fd}`}: ${printable(text)}</li>`,
	)}</ul></section>`;
}

const row = (process: ProcessReport): Array<string | Html> => [
	html`<a href="#p${process.pid}">${process.parent === null ? '' : '└ '}${process.pid}</a>`,
	String(process.threads.length),
	size(process.memory.stored + process.memory.fromFiles),
	String(process.descriptors.length),
	process.command,
];

const section = (
	process: ProcessReport,
): Html => html`<section id="p${process.pid}"><h2>${process.pid} ${process.name}</h2>
<dl>${processFacts(process)}</dl>
<h3>Memory: ${size(process.memory.mapped)} mapped, ${size(process.memory.stored)} of its own, ${size(process.memory.fromFiles)} equal to files</h3>
${memoryMap(process.maps)}
${fold(count(process.maps.length, 'mapping'), mapsTable(process))}
<h3>${count(process.threads.length, 'thread')}</h3>
${threads(process)}
<h3>${count(process.descriptors.length, 'descriptor')}</h3>
${descriptors(process)}
<h3>Signals and timers</h3>
${signals(process)}
${fold('resource limits', limits(process))}
${fold(process.environment ? count(process.environment.length, 'environment variable') : 'environment', environment(process))}
</section>`;

const fold = (title: string, inner: Html): Html => html`<details><summary>${title}</summary>${inner}</details>`;

const processFacts = (process: ProcessReport): Html[] =>
	Object.entries({
		command: process.command,
		program: printable(process.exe),
		'working directory': printable(process.cwd),
		'parent, group, session': `${process.ppid}, ${process.pgid}, ${process.sid}`,
		user: `uid ${process.user.uid}, gid ${process.user.gid}${process.user.groups.length ? `, groups ${process.user.groups.join(' ')}` : ''}`,
		umask: process.umask,
		terminal: process.terminal,
		state: process.state,
	}).map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`);

const mapsTable = ({maps}: ProcessReport): Html =>
	htmlTable(
		['address', 'protection', 'size', 'own', 'of file', 'name', 'flags'],
		maps.map((map) => [
			`${map.start}-${map.end}`,
			map.protection,
			size(map.size),
			map.stored ? size(map.stored) : '-',
			map.fromFile ? size(map.fromFile) : '-',
			map.name || map.kind,
			map.flags.join(' '),
		]),
	);

function threads({threads: list}: ProcessReport): Html {
	const one = (thread: ProcessReport['threads'][number]): Html => {
		const registers = Object.entries(thread.registers).map(
			([name, value]) => html`<span><b>${name}</b> ${value}</span>`,
		);
		const left = thread.remaining ? `, ${thread.remaining} left` : '';
		return html`<details><summary><b>${thread.tid}</b> ${thread.name}: ${thread.doing}${left}</summary>
<div class="registers">${registers}</div>
<p>vector state in use: ${thread.vectors.join(' ') || 'none'}; scheduling ${thread.scheduling} on ${count(thread.cpus, 'CPU')};
blocked signals: ${thread.blockedSignals.join(' ') || 'none'}</p></details>`;
	};
	return html`${list.map(one)}`;
}

function descriptors({descriptors: list, locks}: ProcessReport): Html {
	const table = htmlTable(
		['fd', 'kind', 'what', 'mode', 'shared with'],
		list.map((entry) => [
			String(entry.fd),
			entry.kind,
			entry.what,
			[...entry.mode, ...(entry.closeOnExec ? ['close on exec'] : [])].join(', '),
			entry.sharedWith.map((name) => `fd ${name}`).join(', '),
		]),
	);
	return locks.length === 0 ? table : html`${table}<ul>${locks.map((lock) => html`<li>${lock}</li>`)}</ul>`;
}

function signals({signals: report}: ProcessReport): Html {
	const lines = [
		...Object.entries(report.handled).map(([name, handler]) => html`<li>${name} handled at ${handler}</li>`),
		...(report.ignored.length ? [html`<li>ignored: ${report.ignored.join(' ')}</li>`] : []),
		...report.pending.map((text) => html`<li>pending: ${text}</li>`),
		...report.timers.map((text) => html`<li>${text}</li>`),
	];
	return lines.length ? html`<ul>${lines}</ul>` : html`<p>all have their default effect; none pending; no timer</p>`;
}

const limits = (process: ProcessReport): Html =>
	htmlTable(
		['limit', 'soft', 'hard'],
		Object.entries(process.limits).map(([name, {soft, hard}]) => [name, String(soft), String(hard)]),
	);

const environment = ({environment: list}: ProcessReport): Html =>
	list ? html`<pre>${list.map(printable).join('\n')}</pre>` : html`<p>the memory that holds it could not be read</p>`;
