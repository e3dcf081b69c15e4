/** What the tests of real programs share: end the original by freezing it, and go on with its copy. */
import {execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, statfsSync, statSync} from 'node:fs';
import {connect, createServer} from 'node:net';
import {freemem} from 'node:os';
import {basename, join, resolve} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import {PATIENCE, type Started} from '../helpers/started.js';
import {below} from '../helpers/terminal.js';
import {Skipped} from '../helpers/users.js';

/**
 * Freezes with --halt, waits until the original is gone, and runs the file. With FRORE_UNDISTURBED
 * the original itself is given back, which shows whether the test is right.
 */
export async function reborn(
	t: ExecutionContext,
	stage: Stage,
	original: Started,
	args: string[] = [],
	/** Done between the end of the original and the start of the copy. */
	between?: () => void,
): Promise<Started> {
	if (process.env.FRORE_UNDISTURBED) return original;
	const {file, stderr} = await stage.freeze(original.pid, {halt: true, args});
	if (stderr) t.log(stderr.trimEnd());
	t.is(await original.end(), 137, 'the original is ended by --halt');
	between?.();
	return stage.thaw(file);
}

/** A file of test/programs/sources, copied to where the stage's user may read it. */
export function source(stage: Stage, name: string): string {
	const here = join(stage.dir, basename(name));
	copyFileSync(join('test', 'programs', 'sources', name), here);
	chmodSync(here, 0o755);
	return here;
}

/** Of a process of a copy: the pid that we must use, for the one that it has itself. */
export function outerPid(copy: Started, own: number): number {
	for (const pid of [copy.pid, ...below(copy.pid)]) {
		const ids = /^NSpid:\t(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '';
		if (Number(ids.split('\t').at(-1)) === own) return pid;
	}
	throw new Error(`no process ${own} below ${copy.pid}`);
}

/** A TCP port that is free at this moment. */
export function freePort(): Promise<number> {
	return new Promise((resolve, reject) => {
		const probe = createServer();
		probe.on('error', reject);
		probe.listen(0, '127.0.0.1', () => {
			const {port} = probe.address() as {port: number};
			probe.close(() => resolve(port));
		});
	});
}

/** Asks again until the question is answered and the answer is accepted; throws with the last answer. */
export async function eventually<T>(
	question: () => Promise<T>,
	accepted: (answer: T) => boolean = () => true,
	what = 'an answer',
	limit = PATIENCE,
): Promise<T> {
	const end = Date.now() + limit;
	for (;;) {
		let last: unknown;
		try {
			const answer = await question();
			if (accepted(answer)) return answer;
			last = answer;
		} catch (error) {
			last = error;
		}
		if (Date.now() > end) throw new Error(`no ${what} in ${limit} ms, but ${String(last)}`);
		await new Promise((resolve) => setTimeout(resolve, 40));
	}
}

/** Lines sent to and received from a TCP server, over one connection. */
export class Lines {
	closed = false;
	private text = '';
	private readonly socket;

	constructor(port: number) {
		this.socket = connect(port, '127.0.0.1');
		this.socket.setEncoding('utf8').on('data', (chunk: string) => {
			this.text += chunk;
		});
		this.socket.on('error', () => undefined);
		this.socket.on('close', () => {
			this.closed = true;
		});
	}

	/** Sends one line and gives the next one that comes back. */
	async ask(line: string): Promise<string> {
		this.socket.write(`${line}\n`);
		await eventually(
			async () => this.text.includes('\n') || this.closed,
			(done) => done,
			`answer to ${line}`,
		);
		const length = this.text.indexOf('\n');
		if (length < 0) throw new Error(`the connection was closed before the answer to ${line}`);
		const answer = this.text.slice(0, length);
		this.text = this.text.slice(length + 1);
		return answer;
	}

	end(): void {
		this.socket.destroy();
	}
}

/** Skips the running test when the machine is too small for it; sizes in GiB. */
export function needs(stage: Stage, memory: number, disk: number): void {
	const gib = 1024 ** 3;
	if (freemem() < memory * gib) throw new Skipped(`needs ${memory} GiB of free memory`);
	const {bavail, bsize} = statfsSync(stage.dir);
	if (bavail * bsize < disk * gib) throw new Skipped(`needs ${disk} GiB of free disk below ${stage.dir}`);
}

/** Where programs are built, once per checkout. */
function built(name: string): string {
	const folder = resolve('.build', 'programs');
	mkdirSync(folder, {recursive: true});
	return join(folder, name);
}

function older(out: string, from: string): boolean {
	return !existsSync(out) || statSync(out).mtimeMs < statSync(from).mtimeMs;
}

/** Path of the jar made of test/programs/sources/NAME.java. */
export function buildJava(name: string): string {
	const from = join('test', 'programs', 'sources', `${name}.java`);
	const out = built(`${name}.jar`);
	if (older(out, from)) {
		const classes = built(`${name}-classes`);
		execFileSync('javac', ['-d', classes, from]);
		execFileSync('jar', ['cf', out, '-C', classes, '.']);
	}
	return out;
}

/** Path of the program made of test/programs/sources/NAME.go. */
export function buildGo(name: string): string {
	const from = join('test', 'programs', 'sources', `${name}.go`);
	const out = built(name);
	if (older(out, from)) {
		const env = {...process.env, GOCACHE: built('go-cache'), GOFLAGS: '-mod=mod', GO111MODULE: 'off', CGO_ENABLED: '0'};
		execFileSync('go', ['build', '-o', out, from], {env});
	}
	return out;
}
