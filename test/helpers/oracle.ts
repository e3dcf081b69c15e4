/** What must be as before after every refusal and every failed freeze: the target, and the directory. */
import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync, readlinkSync} from 'node:fs';
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

/** A target of `refused` that is ready, and how it looked then. */
export interface Subject {
	running: Started;
	idle: number;
	before: Observed;
}

export async function subject(stage: Stage, reason = 'nothing', prefix: string[] = []): Promise<Subject> {
	const running = await stage.start([...prefix, stage.target('refused'), reason]);
	await ready(running);
	const idle = Number((await running.line(/^idle (\d+)$/))[1]);
	return {running, idle, before: observe(running.pid, idle)};
}

/** It is as it was, its heart beats, it finds nothing changed itself, and no file but those allowed is in the stage's directory. */
export async function unharmed(
	t: ExecutionContext,
	stage: Stage,
	{running, idle, before}: Subject,
	{alsoThere = [] as string[], judge = true, step = ''} = {},
): Promise<void> {
	const seen = running.lines.length;
	t.deepEqual(observe(running.pid, idle), before, `the target is as before${step}`);
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
	t.notRegex(stderr, /undefined|\[object|\bnull\b|Error:|NaN/);
}
