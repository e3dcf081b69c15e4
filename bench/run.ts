/**
 * `npm run bench`: how long a freeze and a resume take, as every user that can be played here. Medians of RUNS; each line names its
 * codec. Ratios matter, not milliseconds: the machine may be busy.
 */
import {execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, mkdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {type Identity, identities, Stage} from '../test/helpers/stage.js';
import type {Started} from '../test/helpers/started.js';

const RUNS = 9;
const PATIENCE = 120_000;
/** Milliseconds: more than the jump in time that bench/programs/resident.c looks for. */
const JUMP = 1500;
const BUILT = join('.build', 'bench');

// Node 20 reads the certificates it names at each start, 40 ms: no part of a freeze.
delete process.env.NODE_EXTRA_CA_CERTS;

const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

function line(what: string, value: string, codec: string, who: Identity, wanted: string): void {
	const columns = [what.padEnd(46), value.padStart(10), codec.padEnd(7), who.name.padEnd(14), wanted];
	console.log(columns.join('  ').trimEnd());
}

function program(stage: Stage, name: string): string {
	const built = join(BUILT, name);
	mkdirSync(BUILT, {recursive: true});
	execFileSync('gcc', ['-O1', '-o', built, join('bench', 'programs', `${name}.c`)]);
	const here = join(stage.dir, name);
	copyFileSync(built, here);
	chmodSync(here, 0o755);
	return here;
}

async function resident(stage: Stage, mebibytes: number): Promise<Started> {
	const started = await stage.start([program(stage, 'resident'), String(mebibytes)]);
	await started.line(/^ready$/, PATIENCE);
	return started;
}

async function freezeOften(stage: Stage, codec: string): Promise<{pause: number; whole: number}> {
	const target = await resident(stage, 0);
	const pauses: number[] = [];
	const wholes: number[] = [];
	for (let run = 0; run < RUNS; run++) {
		const start = process.hrtime.bigint();
		const {stdout} = await stage.freeze(target.pid, {args: ['--json', '--compress', codec]});
		wholes.push(Number(process.hrtime.bigint() - start) / 1e6);
		pauses.push((JSON.parse(stdout) as {pause_ms: number}).pause_ms);
	}
	target.kill();
	return {pause: median(pauses), whole: median(wholes)};
}

/** Milliseconds of each run of a program that prints microseconds. */
async function timed(stage: Stage, command: string[]): Promise<number[]> {
	const {code, stdout, stderr} = await stage.run(command);
	if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}`);
	return stdout
		.trim()
		.split('\n')
		.map((text) => Number(text) / 1000);
}

/** An artefact of a program with so much memory, which has ended. */
async function artefact(stage: Stage, mebibytes: number, codec: string): Promise<string> {
	const target = await resident(stage, mebibytes);
	const {file} = await stage.freeze(target.pid, {halt: true, args: ['--quiet', '--compress', codec]});
	await target.end(PATIENCE);
	await sleep(JUMP);
	return file;
}

async function thaw(stage: Stage, codec: string): Promise<number> {
	const file = await artefact(stage, 0, codec);
	return median(await timed(stage, [program(stage, 'launch'), String(RUNS), file]));
}

async function small(stage: Stage): Promise<void> {
	const {who} = stage;
	for (const codec of ['zstd:1', 'none']) {
		const {pause, whole} = await freezeOften(stage, codec);
		line('small process: it is stopped for', `${pause.toFixed(1)} ms`, codec, who, '<= 5 ms');
		line('small process: the whole command', `${whole.toFixed(0)} ms`, codec, who, '<= 150 ms');
	}
	const wanted = who.uid === 0 ? '<= 1.5 ms' : '<= 4 ms';
	line('artefact started to first instruction', `${(await thaw(stage, 'none')).toFixed(2)} ms`, 'none', who, wanted);
	line('the same', `${(await thaw(stage, 'zstd:1')).toFixed(2)} ms`, 'zstd:1', who, '');
}

/** Both in turns, so that what else the machine does falls on both. */
async function large(stage: Stage): Promise<void> {
	const {who} = stage;
	const file = await artefact(stage, 1024, 'none');
	const [launch, read] = [program(stage, 'launch'), program(stage, 'read')];
	const rounds: Array<{thawed: number; plain: number; huge: number}> = [];
	for (let run = -1; run < RUNS; run++) {
		const [thawed] = await timed(stage, [launch, '1', file]);
		const [plain] = await timed(stage, [read, file]);
		const [huge] = await timed(stage, [read, file, 'huge']);
		// The first brings the file into memory.
		if (run >= 0) rounds.push({thawed: thawed!, plain: plain!, huge: huge!});
	}
	const of = (pick: (round: (typeof rounds)[number]) => number): number => median(rounds.map(pick));
	line('1 GiB: artefact started to first instruction', `${of((r) => r.thawed).toFixed(0)} ms`, 'none', who, '');
	line('1 GiB: one thread reads it into fresh memory', `${of((r) => r.plain).toFixed(0)} ms`, '-', who, '');
	line('1 GiB: ratio', of((r) => r.thawed / r.plain).toFixed(2), 'none', who, '<= 1.3');
	line('1 GiB: ratio to reading it into huge pages', of((r) => r.thawed / r.huge).toFixed(2), 'none', who, '');
}

async function shell(stage: Stage): Promise<void> {
	const started = await stage.start(['sh', '-c', 'tail -f /dev/null | bash --norc -i']);
	const bash = await stage.run(['sh', '-c', `sleep 0.5; pgrep -P ${started.pid} -x bash`]);
	const {file} = await stage.freeze(Number(bash.stdout), {args: ['--quiet']});
	line('artefact of an idle bash', `${(statSync(file).size / 1e6).toFixed(2)} MB`, 'zstd:1', stage.who, '<= 3 MB');
}

for (const who of identities) {
	for (const part of [small, large, shell]) {
		const stage = new Stage(who);
		try {
			await part(stage);
		} catch (error) {
			console.log(`${part.name} (${who.name}) could not be measured: ${(error as Error).message}`);
			process.exitCode = 1;
		} finally {
			stage.close();
		}
	}
}
