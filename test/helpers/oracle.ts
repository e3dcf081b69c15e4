/** What must be as before after every refusal and every failed freeze: the target, and the directory. */
import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import type {ExecutionContext} from 'ava';
import {ready} from './roundtrip.js';
import type {Stage} from './stage.js';
import type {Started} from './started.js';
import {compileTarget} from './targets.js';
import {below} from './terminal.js';

/** Lines of /proc/PID/task/TID/status that a freeze has no business with. */
const LINES = [
	'Name',
	'Umask',
	'TracerPid',
	'Uid',
	'Gid',
	'Groups',
	'Threads',
	'SigPnd',
	'ShdPnd',
	'SigBlk',
	'SigIgn',
	'SigCgt',
	'CapEff',
	'NoNewPrivs',
	'Seccomp',
	'Seccomp_filters',
	'Cpus_allowed',
];

/** All that is visible of a process from outside, but for what changes by itself. */
export interface Observed {
	threads: Record<string, string>;
	maps: string;
	descriptors: Record<string, string>;
	children: string;
	/** Of the idle thread; empty when there is none. */
	registers: string;
}

const numbers = (path: string): string[] =>
	readdirSync(path)
		.filter((name) => /^\d+$/.test(name))
		.sort((a, b) => Number(a) - Number(b));

function statusOf(pid: number, tid: string): string {
	const lines = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8').split('\n');
	return lines.filter((line) => LINES.includes(line.split(':')[0]!)).join('\n');
}

function describe(pid: number, fd: string): string {
	const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))![1];
	return `${readlinkSync(`/proc/${pid}/fd/${fd}`)} ${flags}`;
}

/** Adjacent mappings of the same kind may be told as one: the stack grows, and nothing else does. */
const mapsOf = (pid: number): string => readFileSync(`/proc/${pid}/maps`, 'latin1').replace(/^\w+(?=.*\[stack\])/m, '');

export function observe(pid: number, idle?: number): Observed {
	return {
		threads: Object.fromEntries(numbers(`/proc/${pid}/task`).map((tid) => [tid, statusOf(pid, tid)])),
		maps: mapsOf(pid),
		descriptors: Object.fromEntries(numbers(`/proc/${pid}/fd`).map((fd) => [fd, describe(pid, fd)])),
		children: below(pid).join(' '),
		registers: idle === undefined ? '' : execFileSync(compileTarget('regs'), [String(idle)], {encoding: 'utf8'}),
	};
}

/** Starts `refused` for a reason and waits until it is ready. */
export async function refusable(stage: Stage, reason: string): Promise<Started> {
	const there = join(stage.dir, 'refused');
	const running = await stage.start([existsSync(there) ? there : stage.target('refused'), reason]);
	await ready(running);
	return running;
}

/** A target of `refused` that is ready, and how it looked then. */
export interface Subject {
	running: Started;
	idle: number;
	before: Observed;
}

export async function subject(stage: Stage, reason = 'nothing'): Promise<Subject> {
	const running = await refusable(stage, reason);
	const idle = Number((await running.line(/^idle (\d+)$/))[1]);
	return {running, idle, before: observe(running.pid, idle)};
}

interface Range {
	start: number;
	end: number;
	what: string;
}

const rangesOf = (maps: string): Range[] =>
	[...maps.matchAll(/^(\w+)-(\w+) (\S+) \w+ (.*)$/gm)].map(([, start, end, protection, rest]) => ({
		start: Number.parseInt(start!, 16),
		end: Number.parseInt(end!, 16),
		what: `${protection} ${rest}`,
	}));

/** Parts of the mappings of before that are no longer there as they were. */
export function missingMappings(before: string, after: string): string[] {
	const now = rangesOf(after);
	return rangesOf(before)
		.filter(({start, end, what}) => {
			for (const range of now) {
				if (range.what === what && range.start <= start && start < range.end) start = range.end;
			}
			return start < end;
		})
		.map(({start, end, what}) => `${start.toString(16)}-${end.toString(16)} ${what}`);
}

/**
 * It is as it was, its heart beats, it finds nothing changed itself, and no file but those allowed is in the stage's directory.
 * `deadFreezer`: it may need a moment, and may have mappings that it had not before.
 */
export async function unharmed(
	t: ExecutionContext,
	stage: Stage,
	{running, idle, before}: Subject,
	{alsoThere = [] as string[], judge = true, step = '', deadFreezer = false} = {},
): Promise<void> {
	const seen = running.lines.length;
	let now = observe(running.pid, idle);
	if (deadFreezer) {
		const settled = () => isDeepStrictEqual({...now, maps: ''}, {...before, maps: ''});
		// What a dead freezer has left behind is put right by the threads themselves, once they get a processor.
		for (let tries = 0; tries < 100 && !settled(); tries++) {
			await new Promise((resolve) => setTimeout(resolve, 20));
			now = observe(running.pid, idle);
		}
		t.deepEqual(missingMappings(before.maps, now.maps), [], `no mapping is lost${step}`);
		now.maps = before.maps;
	}
	t.deepEqual(now, before, `the target is as before${step}`);
	await running.line(/^beat \d+$/, 5000, seen);
	nothingLeft(t, stage, alsoThere, step);
	if (!judge) return;
	running.kill('SIGUSR1');
	const code = await running.end();
	t.is(code, 0, `the target ended with ${code}${step}:\n${running.output}`);
	t.regex(running.output, /^PASS /m);
}

export function nothingLeft(t: ExecutionContext, stage: Stage, alsoThere: string[] = [], step = ''): void {
	const left = readdirSync(stage.dir).filter((name) => /\.frore|\.tmp|core/.test(name) && !alsoThere.includes(name));
	t.deepEqual(left, [], `no file is left${step}`);
}

/** One line: "frore: what, to which thing, why, what to do". */
export function saysOneLine(t: ExecutionContext, stderr: string, pattern: RegExp): void {
	t.regex(stderr, /^frore: [^\n]+\n$/, 'one line');
	t.regex(stderr, pattern);
	t.notRegex(stderr, /undefined|\[object|[^=]\bnull\b|Error:|NaN/);
}
