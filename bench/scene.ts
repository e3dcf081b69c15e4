/** Where the benchmark plays: its programs, compiled; its targets; and room on a tmpfs for what is large. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {
	accessSync,
	chmodSync,
	chownSync,
	constants,
	copyFileSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statfsSync,
	writeFileSync,
} from 'node:fs';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Stage} from '../test/helpers/stage.js';

const PATIENCE = 120_000;
const BUILT = join('.build', 'bench');

export const cpus = Math.min(availableParallelism(), 64);

export interface BeatOptions {
	mebibytes?: number;
	/** Words of bench/programs/beat.c. */
	words?: string[];
	/** Put in front of the program. */
	prefix?: string[];
}

/** A running bench/programs/beat.c. */
export class Beater {
	/** Known once it is ready. */
	pid = 0;

	constructor(
		/** bench/programs/nest.c, its parent. */
		readonly child: ChildProcess,
		readonly log: string,
	) {}

	lines(): string[] {
		return readFileSync(this.log, 'utf8').split('\n').slice(0, -1);
	}

	/** The next line behind `from` that begins with the word. */
	async line(word: string, from = 0): Promise<string> {
		for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(2)) {
			const found = this.lines()
				.slice(from)
				.find((line) => line.startsWith(word));
			if (found !== undefined) return found;
			const {exitCode, signalCode} = this.child;
			if (exitCode !== null || signalCode !== null)
				throw new Error(`a target started for it ended (${signalCode ?? exitCode}) without saying "${word}"`);
		}
		throw new Error(`a target started for it has not said "${word}" in ${PATIENCE / 1000} s`);
	}

	/** Since this was last called, as the target saw it: milliseconds of the largest gap, and the share of the time that no gap took. */
	async gap(): Promise<{largest: number; ran: number}> {
		const from = this.lines().length;
		this.signal('SIGUSR1');
		const [largest, lost, , all] = (await this.line('gap', from)).split(' ').slice(1).map(Number);
		return {largest: largest! / 1000, ran: 1 - lost! / all!};
	}

	/** What it feels from now on may be its resume; before, it has only been kept waiting. */
	expectResume(): void {
		writeFileSync(`${this.log}.resume`, '');
	}

	signal(signal: NodeJS.Signals): void {
		process.kill(this.pid, signal);
	}

	/** Ends it, or waits for its end when something else has ended it. */
	async end(kill = true): Promise<void> {
		if (this.child.exitCode !== null || this.child.signalCode !== null) return;
		const ended = new Promise((resolve) => this.child.once('exit', resolve));
		if (kill) this.signal('SIGKILL');
		await Promise.race([ended, sleep(PATIENCE, undefined, {ref: false})]);
	}
}

export class Scene {
	/** On a tmpfs where there is one. */
	readonly room: string;
	private logs = 0;
	private readonly programs = new Map<string, string>();

	constructor(readonly stage: Stage) {
		this.room = mkdtempSync(join(writable('/dev/shm') ? '/dev/shm' : stage.dir, 'frore-bench-'));
		chmodSync(this.room, 0o755);
		const {uid} = stage.who;
		if (process.getuid!() === 0) chownSync(this.room, uid, uid);
	}

	get who(): string {
		return this.stage.who.name;
	}

	/** A program of bench/programs, compiled, where the user of this scene may run it. */
	program(name: string, flags: string[] = []): string {
		const known = this.programs.get(name);
		if (known !== undefined) return known;
		const built = join(BUILT, name);
		mkdirSync(BUILT, {recursive: true});
		execFileSync('gcc', ['-O2', '-pthread', '-o', built, join('bench', 'programs', `${name}.c`), ...flags]);
		const here = join(this.stage.dir, name);
		copyFileSync(built, here);
		chmodSync(here, 0o755);
		this.programs.set(name, here);
		return here;
	}

	/** A beating target; it has ended with the scene at the latest. Not a child of the freezer, nor on a terminal. */
	async beat({mebibytes = 0, words = [], prefix = []}: BeatOptions = {}): Promise<Beater> {
		const log = join(this.stage.dir, `beat-${++this.logs}.log`);
		writeFileSync(log, '', {mode: 0o666});
		chmodSync(log, 0o666);
		const beat = [this.program('beat'), log, String(mebibytes), ...words];
		const command = [...this.stage.who.prefix, this.program('nest'), ...prefix, ...beat];
		const child = spawn(command[0]!, command.slice(1), {
			cwd: this.stage.dir,
			env: this.stage.env,
			stdio: 'ignore',
		});
		child.on('error', () => undefined);
		const beater = new Beater(child, log);
		beater.pid = Number((await beater.line('ready')).split(' ')[1]);
		return beater;
	}

	/** Milliseconds of each run of a program that prints microseconds. */
	async timed(command: string[]): Promise<number[]> {
		const {code, stdout, stderr} = await this.stage.run(command);
		if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${lastLine(stderr)}`);
		return stdout
			.trim()
			.split('\n')
			.map((text) => Number(text) / 1000);
	}

	/** Milliseconds from the start of a command that resumes a target to its first instruction. */
	async launched(beater: Beater, command: string[], times = 1): Promise<number[]> {
		beater.expectResume();
		return this.timed([this.program('launch'), String(times), beater.log, ...command]);
	}

	/** What the command prints; throws with its last words when it fails. */
	async run(command: string[]): Promise<string> {
		const {code, stdout, stderr} = await this.stage.run(command);
		if (code !== 0) throw new Error(lastLine(stderr) || lastLine(stdout) || `${command[0]} ended with ${code}`);
		return stdout;
	}

	/** What is large goes first, and again when nobody is left who could write there. */
	close(): void {
		rmSync(this.room, {recursive: true, force: true});
		this.stage.close();
		rmSync(this.room, {recursive: true, force: true});
	}
}

export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

function writable(path: string): boolean {
	try {
		accessSync(path, constants.W_OK);
		return statfsSync(path).bavail > 0;
	} catch {
		return false;
	}
}

/** MiB that could be used now. */
export const freeMemory = (): number => meminfo('MemAvailable') / 1024;

/** KiB. */
export const meminfo = (name: string): number =>
	Number(new RegExp(`^${name}: *(\\d+)`, 'm').exec(readFileSync('/proc/meminfo', 'utf8'))![1]);
