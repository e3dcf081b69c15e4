/** Item 4 of the issue: how a file is run, by whom, how often, and what it looks like from outside. */
import {copyFileSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import type {Started} from '../helpers/started.js';
import {below} from '../helpers/terminal.js';
import {asOrdinaryUser, asRoot, asUsers, dropsMemory, type Play} from '../helpers/users.js';

/** A counter that has been frozen and ended, and the number it had said last. */
async function frozenCounter(stage: Stage, ...args: string[]): Promise<{file: string; last: number; pid: number}> {
	const original = await stage.start([stage.target('counter'), ...args]);
	await ready(original);
	await original.line(/^5$/);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	return {file, last: Math.max(...original.lines.map(Number).filter(Number.isInteger)), pid: original.pid};
}

/** The resumed program below its launcher. */
function programOf(copy: Started): number {
	return below(copy.pid).at(-1)!;
}

async function nothingLeft(t: ExecutionContext, stage: Stage): Promise<void> {
	for (let tries = 0; stage.processes().length > 0 && tries < 300; tries++) await pause();
	t.deepEqual(stage.processes(), []);
}

function pause(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 10));
}

asUsers('a copy goes on with the next number', async (t, stage) => {
	const {file, last} = await frozenCounter(stage);
	const copy = await stage.thaw(file);
	const [first] = await copy.line(/^\d+$/);
	t.true(Number(first) > last, `it says ${first} after ${last}`);
	t.true(Number(first) <= last + 2, `it says ${first} after ${last}`);
	await judged(t, copy, 'the copy');
});

asUsers('a resumed program has its name and command line in ps', async (t, stage) => {
	const {file} = await frozenCounter(stage, '20');
	const copy = await stage.thaw(file);
	await alive(copy);
	const pid = String(programOf(copy));
	t.is((await stage.run(['ps', '-o', 'comm=', '-p', pid])).stdout, 'counter\n');
	t.is((await stage.run(['ps', '-o', 'args=', '-p', pid])).stdout, `${join(stage.dir, 'counter')} 20\n`);
	await judged(t, copy, 'the copy');
});

asUsers('the same file runs ten times at once', async (t, stage) => {
	const {file} = await frozenCounter(stage);
	const copies = await Promise.all(Array.from({length: 10}, () => stage.thaw(file)));
	for (const copy of copies) await alive(copy);
	for (const copy of copies) await judged(t, copy, 'a copy');
});

asUsers('a copy of the file under another name resumes as well', async (t, stage) => {
	const {file} = await frozenCounter(stage);
	const other = join(stage.dir, 'another name');
	await stage.run(['cp', file, other]);
	await stage.run(['rm', file]);
	const copy = await stage.thaw(other);
	await alive(copy);
	await judged(t, copy, 'the copy');
});

asUsers('the exit code of a resumed program is that of its file', async (t, stage) => {
	const {file} = await frozenCounter(stage, '20', '42');
	const copy = await stage.thaw(file);
	await alive(copy);
	copy.kill('SIGUSR1');
	t.is(await copy.end(), 42);
});

asUsers('the death of a resumed program by a signal is that of its file', async (t, stage) => {
	const {file} = await frozenCounter(stage);
	for (const [signal, code] of [
		['SIGTERM', 143],
		['SIGHUP', 129],
		['SIGALRM', 142],
	] as const) {
		const copy = await stage.thaw(file);
		await alive(copy);
		copy.kill(signal);
		t.is(await copy.end(), code, signal);
		await nothingLeft(t, stage);
	}
	const copy = await stage.thaw(file);
	await alive(copy);
	process.kill(programOf(copy), 'SIGSEGV');
	t.is(await copy.end(), 139, 'SIGSEGV to the program itself');
});

asUsers('when the launcher is killed, nothing of the program is left', async (t, stage) => {
	const {file} = await frozenCounter(stage);
	const copy = await stage.thaw(file);
	await alive(copy);
	copy.kill('SIGKILL');
	await copy.end();
	await nothingLeft(t, stage);
});

asUsers('the output of a file goes into a pipe', async (t, stage) => {
	const {file, last} = await frozenCounter(stage);
	const {stdout} = await stage.run(['sh', '-c', `${file} | head -3`]);
	t.is(stdout.split('\n')[0], String(last + 1));
	t.is(stdout.trim().split('\n').length, 3);
});

asUsers('freeze to standard output gives a file that can be run at once', async (t, stage) => {
	const original = await stage.start([stage.target('counter')]);
	await ready(original);
	const script = '"$@" > job && ./job | head -2';
	const done = await stage.run([
		'sh',
		'-c',
		script,
		'sh',
		...stage.froreCommand('freeze', original.pid, '-o', '-', '--halt'),
	]);
	t.regex(done.stdout, /^\d+\n\d+\n$/, done.stderr);
});

asUsers(
	'five generations keep their numbers of processes, mappings and descriptors, and their size',
	async (t, stage) => {
		const original = await stage.start([stage.target('counter')]);
		await ready(original);
		const look = (copy: Started) => ({
			processes: below(copy.pid).length,
			mappings: readFileSync(`/proc/${programOf(copy)}/maps`, 'latin1')
				.trim()
				.split('\n').length,
			descriptors: readdirSync(`/proc/${programOf(copy)}/fd`).length,
		});
		let {file} = await stage.freeze(original.pid, {halt: true});
		const size = statSync(file).size;
		let first: ReturnType<typeof look> | undefined;
		for (let generation = 1; generation <= 5; generation++) {
			const copy = await stage.thaw(file);
			await alive(copy);
			first ??= look(copy);
			t.deepEqual(look(copy), first, `generation ${generation}`);
			// By the shell's $! and by the pid that ps shows, in turn.
			const pid = generation % 2 ? copy.pid : programOf(copy);
			({file} = await stage.freeze(pid, {halt: true}));
			await copy.end();
			const ratio = statSync(file).size / size;
			t.true(ratio > 0.99 && ratio < 1.01, `generation ${generation} has ${ratio} times the size`);
		}
		const copy = await stage.thaw(file);
		await alive(copy);
		await judged(t, copy, 'the last copy');
	},
);

for (const [target, ...args] of [
	['threads', '16'],
	['memory', 'anonymous'],
	['memory', 'private-file'],
	['pipes', 'pair-stream'],
	['events', 'epoll'],
	['files', 'deleted'],
	['signals', 'pending'],
	['registers', 'avx512'],
] as const) {
	const play: Play = async (t, stage) => {
		await roundTrip(t, stage, [stage.target(target), ...args], {generations: 5, halt: true});
	};
	asUsers(`five generations of ${target} ${args.join(' ')}`, play, args[0] === 'anonymous' ? dropsMemory : {});
}

asUsers('a sleeping program keeps its remaining time over three generations', async (t, stage) => {
	const cases = ['nanosleep', 'poll-timed', 'futex-timed', 'epoll_wait-timed'];
	await roundTrip(t, stage, [stage.target('syscalls'), ...cases], {generations: 3, halt: true});
});

asUsers('--pid private gives the old pid even while the original has it', async (t, stage) => {
	const original = await stage.start([stage.target('attributes'), 'names']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const copy = await stage.thaw(file, ['--pid', 'private']);
	await alive(copy);
	t.not(programOf(copy), original.pid, 'from outside it has another pid');
	await judged(t, copy, 'the copy');
	await judged(t, original, 'the original');
});

asUsers('a file can be resumed while the original is still running', async (t, stage) => {
	const original = await stage.start([stage.target('threads'), '4']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');
	await judged(t, original, 'the original');
});

asRoot('--pid host gives the old pid in this pid namespace, and refuses when it is taken', async (t, stage) => {
	const original = await stage.start([stage.target('threads'), '4']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const refused = await stage.run([file, '--pid', 'host']);
	t.is(refused.code, 125);
	t.regex(refused.stderr, new RegExp(`^frore: .*\\b${original.pid}\\b.*\\n$`), 'one line that names the pid');
	await judged(t, original, 'the original');
	const copy = await stage.thaw(file, ['--pid', 'host']);
	await alive(copy);
	t.true(below(copy.pid).includes(original.pid), 'the old pid is below the launcher');
	await judged(t, copy, 'the copy');
});

asOrdinaryUser('--pid renumber works for a program with one thread', async (t, stage) => {
	const {file} = await frozenCounter(stage);
	const copy = await stage.thaw(file, ['--pid', 'renumber']);
	await alive(copy);
	t.notRegex(readFileSync(`/proc/${programOf(copy)}/status`, 'latin1'), /^NSpid:.*\t.*\t/m, 'no pid namespace is made');
	copy.kill('SIGTERM');
	t.is(await copy.end(), 143);
});

for (const codec of ['none', 'zstd', 'zstd:9', 'gzip', 'flate', 'snappy', 'lz4']) {
	const play: Play = async (t, stage) => {
		await roundTrip(t, stage, [stage.target('memory'), 'anonymous'], {halt: true, freezeArgs: ['--compress', codec]});
	};
	asOrdinaryUser(`a file compressed with ${codec} resumes`, play, codec === 'none' ? dropsMemory : {});
}

asUsers('--stop leaves the program stopped; SIGCONT lets it go on', async (t, stage) => {
	const original = await stage.start([stage.target('counter')]);
	await ready(original);
	await stage.freeze(original.pid, {args: ['--stop']});
	t.regex(readFileSync(`/proc/${original.pid}/status`, 'latin1'), /^State:\tT \(stopped\)/m);
	original.kill('SIGCONT');
	const seen = original.lines.length;
	await original.line(/^\d+$/, undefined, seen);
	await judged(t, original, 'the original');
});

function isStopped(copy: Started): boolean {
	try {
		return /^State:\tT/m.test(readFileSync(`/proc/${below(copy.pid).at(-1)}/status`, 'latin1'));
	} catch {
		return false;
	}
}

asUsers('a program that was stopped when it was frozen stays stopped and is resumed', async (t, stage) => {
	const original = await stage.start([stage.target('counter')]);
	await ready(original);
	original.kill('SIGSTOP');
	const {file} = await stage.freeze(original.pid);
	t.regex(readFileSync(`/proc/${original.pid}/status`, 'latin1'), /^State:\tT \(stopped\)/m);
	original.kill('SIGCONT');
	await judged(t, original, 'the original');
	const copy = await stage.thaw(file);
	for (let tries = 0; !isStopped(copy) && tries < 300; tries++) await pause();
	t.true(isStopped(copy), 'the copy is not stopped');
	copy.kill('SIGCONT');
	await alive(copy);
	await judged(t, copy, 'the copy');
});

asUsers('a file is closed to others and never replaces another one by its default name', async (t, stage) => {
	const original = await stage.start([stage.target('counter')]);
	await ready(original);
	const name = join(stage.dir, `counter-${original.pid}.frore`);
	const first = await stage.frore('freeze', String(original.pid));
	t.is(first.code, 0, first.stderr);
	t.is(first.stdout.trim().replace(/^\.\//, `${stage.dir}/`), name);
	t.is(statSync(name).mode & 0o777, 0o700);
	const second = await stage.frore('freeze', String(original.pid));
	t.is(second.code, 1);
	t.regex(second.stderr, /^frore: .*-o.*$/m);
	writeFileSync(join(stage.dir, 'given'), 'old');
	copyFileSync(name, join(stage.dir, 'kept'));
	const third = await stage.frore('freeze', String(original.pid), '-o', join(stage.dir, 'given'));
	t.is(third.code, 0, third.stderr);
	t.true(statSync(join(stage.dir, 'given')).size > 100_000);
	await judged(t, original, 'the original');
});
