/** Where one test plays: a directory, a user, and the programs it has started. */
import {spawn} from 'node:child_process';
import {
	chmodSync,
	chownSync,
	copyFileSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join, resolve} from 'node:path';
import {constants} from '../../builder/format/schema.js';
import {readStructure, sizeOfStructure} from '../../builder/structures.js';
import {commandLine} from './product.js';
import {Started, type StartOptions} from './started.js';
import {compileTarget, type Flavour} from './targets.js';

export interface Identity {
	name: 'root' | 'ordinary user';
	uid: number;
	/** Makes a command run as that user, without any capability. */
	prefix: string[];
}

const NOBODY = 65534;

const ordinary: Identity = {
	name: 'ordinary user',
	uid: NOBODY,
	prefix: [
		'setpriv',
		`--reuid=${NOBODY}`,
		`--regid=${NOBODY}`,
		'--clear-groups',
		'--inh-caps=-all',
		'--bounding-set=-all',
	],
};

/** Both when the tests run as root; otherwise only the user they run as. */
export const identities: Identity[] =
	process.getuid!() === 0
		? [{name: 'root', uid: 0, prefix: []}, ordinary]
		: [{name: 'ordinary user', uid: process.getuid!(), prefix: []}];

/**
 * The words of FRORE_TEST_MODE. `lazy`: everything is frozen without compression and resumed with --lazy, where a test does not say how.
 * `live`: what goes on running is frozen with --live.
 */
export const modes: ReadonlySet<string> = new Set((process.env.FRORE_TEST_MODE ?? '').split(',').filter(Boolean));

/** Can it be resumed with --lazy? */
function isPlain(file: string): boolean {
	try {
		const bytes = readFileSync(file);
		const {preamble_offset} = readStructure('trailer', bytes, bytes.length - sizeOfStructure('trailer'));
		return readStructure('preamble', bytes, Number(preamble_offset)).codec === constants.CODEC.NONE;
	} catch {
		return false;
	}
}

/** Options that resume nothing. */
const ASKING = /^--(inspect|info|check|help|version|attach|lazy)\b/;

export interface Finished {
	code: number;
	stdout: string;
	stderr: string;
}

export interface FreezeOptions {
	/** End the target (--halt). */
	halt?: boolean;
	file?: string;
	args?: string[];
	/** Exit code that is expected; default 0. */
	code?: number;
}

export class Stage {
	readonly dir: string;
	readonly env: NodeJS.ProcessEnv;
	readonly started: Started[] = [];
	private files = 0;

	constructor(readonly who: Identity) {
		this.dir = mkdtempSync(join(tmpdir(), 'frore-test-'));
		chmodSync(this.dir, 0o755);
		if (process.getuid!() === 0) chownSync(this.dir, who.uid, who.uid === 0 ? 0 : who.uid);
		const {NODE_EXTRA_CA_CERTS: _, ...env} = process.env;
		this.env = {...env, HOME: this.dir, FRORE_STAGE: this.dir, LC_ALL: 'C.UTF-8', NO_COLOR: '1'};
	}

	/** A compiled target, copied to where this user may run it. */
	target(name: string, flavour: Flavour = 'glibc'): string {
		const built = compileTarget(name, flavour);
		const here = join(this.dir, basename(built));
		copyFileSync(built, here);
		chmodSync(here, 0o755);
		return here;
	}

	/** A script of test/helpers, copied to where this user may read it. */
	helper(name: string): string {
		const here = join(this.dir, name);
		copyFileSync(join('test', 'helpers', name), here);
		chmodSync(here, 0o755);
		return here;
	}

	async start(command: string[], options: Partial<StartOptions> = {}): Promise<Started> {
		const started = await Started.start(command, {cwd: this.dir, env: this.env, prefix: this.who.prefix, ...options});
		this.started.push(started);
		return started;
	}

	/** Runs a command to its end, as this user. */
	run(
		command: string[],
		{input, as = this.who, env = this.env}: {input?: string; as?: Identity; env?: NodeJS.ProcessEnv} = {},
	): Promise<Finished> {
		const [file, ...args] = [...as.prefix, ...command];
		return new Promise((done, reject) => {
			const child = spawn(file!, args, {cwd: this.dir, env, stdio: ['pipe', 'pipe', 'pipe']});
			let stdout = '';
			let stderr = '';
			child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
				stdout += chunk;
			});
			child.stderr.setEncoding('latin1').on('data', (chunk: string) => {
				stderr += chunk;
			});
			child.stdin.on('error', () => undefined).end(input ?? '');
			child.on('error', reject);
			child.on('close', (code, signal) => {
				done({code: code ?? 1000, stdout, stderr: signal ? `${stderr}(ended by ${signal})` : stderr});
			});
		});
	}

	/** The product's command line with arguments, for scripts. */
	froreCommand(...args: Array<string | number>): string[] {
		return [...commandLine(), ...args.map(String)];
	}

	frore(...args: string[]): Promise<Finished> {
		return this.run(this.froreCommand(...args));
	}

	/** Freezes; throws when the exit code is not the expected one. Gives the artefact's path. */
	async freeze(pid: number, options: FreezeOptions = {}): Promise<{file: string} & Finished> {
		const file = options.file ?? join(this.dir, `job-${++this.files}.frore`);
		const halt = options.halt ? ['--halt'] : [];
		const args = options.args ?? [];
		const plain = modes.has('lazy') && !args.some((arg) => arg.startsWith('--compress')) ? ['--compress', 'none'] : [];
		const goesOn = !options.halt && !args.some((arg) => arg === '--halt' || arg === '--stop' || arg === '--live');
		const live = modes.has('live') && goesOn ? ['--live'] : [];
		const done = await this.frore('freeze', String(pid), '-o', file, ...halt, ...plain, ...live, ...args);
		if (done.code !== (options.code ?? 0)) {
			throw new Error(`frore freeze ${pid} ended with ${done.code}, expected ${options.code ?? 0}:\n${done.stderr}`);
		}
		return {file, ...done};
	}

	/** Runs an artefact. */
	thaw(file: string, args: string[] = [], options: Partial<StartOptions> = {}): Promise<Started> {
		const path = file.includes('/') ? file : `./${file}`;
		const lazy = modes.has('lazy') && !args.some((arg) => ASKING.test(arg)) && isPlain(resolve(this.dir, path));
		return this.start([path, ...(lazy ? ['--lazy'] : []), ...args], options);
	}

	/** Ends everything this test has started, by the mark in its environment or its directory, and removes that. */
	close(): void {
		for (let round = 0; round < 20; round++) {
			const left = this.processes();
			// Stopped first: a chain in which each makes the next would always be one step ahead.
			for (const signal of ['SIGSTOP', 'SIGKILL'] as const) {
				for (const pid of left) {
					try {
						process.kill(pid, signal);
					} catch {}
				}
			}
			if (left.length === 0) break;
		}
		if (!process.env.FRORE_KEEP) rmSync(this.dir, {recursive: true, force: true, maxRetries: 10});
	}

	/** Every process that has the mark of this stage, copies included. */
	processes(): number[] {
		return readdirSync('/proc')
			.filter((name) => /^\d+$/.test(name))
			.map(Number)
			.filter((pid) => {
				try {
					// A program may write its title over its environment.
					const marked = readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`FRORE_STAGE=${this.dir}\0`);
					return marked || readlinkSync(`/proc/${pid}/cwd`) === this.dir;
				} catch {
					return false;
				}
			});
	}
}
