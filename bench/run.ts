/**
 * `npm run bench [-- PART...]`: how long a freeze and a resume take, as every user that can be played here. Medians of RUNS; each line
 * names its codec. Ratios matter, not milliseconds: the machine may be busy.
 */
import {execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, mkdirSync, rmSync, statSync} from 'node:fs';
import {availableParallelism} from 'node:os';
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
	execFileSync('gcc', ['-O1', '-pthread', '-o', built, join('bench', 'programs', `${name}.c`)]);
	const here = join(stage.dir, name);
	copyFileSync(built, here);
	chmodSync(here, 0o755);
	return here;
}

/** @param jump seconds; a stop that is longer ends it */
async function resident(stage: Stage, mebibytes: number, jump = 1): Promise<Started> {
	const started = await stage.start([program(stage, 'resident'), String(mebibytes), String(jump)]);
	await started.line(/^ready$/, PATIENCE);
	return started;
}

async function freezeOften(stage: Stage, codec: string, target: Started): Promise<{pause: number; whole: number}> {
	const pauses: number[] = [];
	const wholes: number[] = [];
	for (let run = 0; run < RUNS; run++) {
		const start = process.hrtime.bigint();
		const {file, stdout} = await stage.freeze(target.pid, {args: ['--json', '--compress', codec, '--max-pause', '60']});
		wholes.push(Number(process.hrtime.bigint() - start) / 1e6);
		pauses.push((JSON.parse(stdout) as {pause_ms: number}).pause_ms);
		rmSync(file);
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
		const {pause, whole} = await freezeOften(stage, codec, await resident(stage, 0));
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

/** So many processes with so many threads each, all but one asleep. */
async function crowd(stage: Stage, processes: number, threads: number, ...more: string[]): Promise<Started> {
	const started = await stage.start([program(stage, 'crowd'), String(processes), String(threads), ...more]);
	await started.line(/^ready$/, PATIENCE);
	return started;
}

async function stoppedFor(stage: Stage, processes: number, threads: number): Promise<number> {
	return (await freezeOften(stage, 'none', await crowd(stage, processes, threads, 'stay'))).pause;
}

async function crowdThaw(stage: Stage, processes: number): Promise<number> {
	const target = await crowd(stage, processes, 1);
	const {file} = await stage.freeze(target.pid, {halt: true, args: ['--quiet', '--compress', 'none']});
	await target.end(PATIENCE);
	await sleep(JUMP);
	return median(await timed(stage, [program(stage, 'launch'), String(RUNS), file]));
}

async function many(stage: Stage): Promise<void> {
	const {who} = stage;
	const row = (what: string, value: number, wanted: string) =>
		line(what, `${value.toFixed(1)} ms`, 'none', who, wanted);
	row('100 threads: stopped for', await stoppedFor(stage, 1, 100), '<= 12 ms');
	row('1,000 threads: stopped for', await stoppedFor(stage, 1, 1000), '<= 60 ms');
	row('1,000 threads of 10 processes: stopped for', await stoppedFor(stage, 10, 100), '<= 80 ms');
	const pauses: number[] = [];
	const thaws: number[] = [];
	for (const count of [50, 200, 1000]) {
		const pause = await stoppedFor(stage, count, 1);
		const thawed = await crowdThaw(stage, count);
		row(`${count} processes: stopped for`, pause, `<= ${(1.2 * count).toFixed(0)} ms`);
		row(`${count} processes: started to first instruction`, thawed, count === 200 ? '<= 200 ms' : '');
		pauses.push(pause / count);
		thaws.push(thawed / count);
	}
	line('freeze: a process of 1,000 / one of 50', (pauses[2]! / pauses[0]!).toFixed(2), 'none', who, '<= 1.5');
	line('resume: a process of 1,000 / one of 50', (thaws[2]! / thaws[0]!).toFixed(2), 'none', who, '<= 1.5');
}

/** Both in turns again. */
async function copying(stage: Stage): Promise<void> {
	const {who} = stage;
	const target = await resident(stage, 1024, 1000);
	const bare = program(stage, 'copy');
	for (const [where, dir] of [
		['tmpfs', '/dev/shm'],
		['disk', stage.dir],
	] as const) {
		const ratios: number[] = [];
		const file = join(dir, `frore-bench-${process.pid}`);
		for (let run = 0; run < RUNS; run++) {
			target.kill('SIGSTOP');
			const threads = String(Math.min(availableParallelism(), 8));
			const [least] = await timed(stage, [bare, String(target.pid), '1024', file, threads]);
			target.kill('SIGCONT');
			const {stdout} = await stage.freeze(target.pid, {file, args: ['--json', '--compress', 'none']});
			rmSync(file, {force: true});
			ratios.push((JSON.parse(stdout) as {pause_ms: number}).pause_ms / least!);
		}
		line(`1 GiB to ${where}: stopped / bare copy`, median(ratios).toFixed(2), 'none', who, '<= 1.15');
	}
	target.kill();
}

async function shell(stage: Stage): Promise<void> {
	const started = await stage.start(['sh', '-c', 'tail -f /dev/null | bash --norc -i']);
	const bash = await stage.run(['sh', '-c', `sleep 0.5; pgrep -P ${started.pid} -x bash`]);
	const {file} = await stage.freeze(Number(bash.stdout), {args: ['--quiet']});
	line('artefact of an idle bash', `${(statSync(file).size / 1e6).toFixed(2)} MB`, 'zstd:1', stage.who, '<= 3 MB');
}

const parts = [small, many, copying, large, shell];
const asked = process.argv.slice(2);

for (const who of identities) {
	for (const part of parts.filter(({name}) => asked.length === 0 || asked.includes(name))) {
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
