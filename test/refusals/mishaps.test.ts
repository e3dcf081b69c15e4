/** The target or the freezer goes away in the middle of a freeze. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {isDeepStrictEqual} from 'node:util';
import type {ExecutionContext} from 'ava';
import {after, Freezer, running, traced, until} from '../helpers/freezer.js';
import {nothingLeft, refusable, saysOneLine, subject, unharmed} from '../helpers/oracle.js';
import {judged, ready} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import {below} from '../helpers/terminal.js';
import {asUsers, Skipped} from '../helpers/users.js';

for (const [what, reason, live] of [
	['', 'nothing', []],
	[' of --live', 'nothing', ['--live']],
	[' of --live with much memory', 'big', ['--live', '--compress', 'none']],
] as const) {
	asUsers(`the freezer is killed at any moment${what}: the target goes on unharmed, and no file is left`, (t, stage) =>
		killAtAnyMoment(t, stage, reason, live),
	);
}

async function killAtAnyMoment(
	t: ExecutionContext,
	stage: Stage,
	reason: string,
	args: readonly string[],
): Promise<void> {
	const target = await subject(stage, reason);
	const {pid} = target.running;
	const whole = Date.now();
	await new Freezer(stage, pid, 'first.frore', ...args).ended;
	const duration = Date.now() - whole;
	t.true(existsSync(join(stage.dir, 'first.frore')));
	let killed = 0;
	for (let round = 0; round < 30; round++) {
		const file = `killed-${round}.frore`;
		const freezer = new Freezer(stage, pid, file, ...args);
		// Half of them just when the target is stopped, where it could hurt, if that is for long enough to be seen.
		if (round % 2 && reason !== 'big') {
			await until(() => traced(pid) || freezer.child.exitCode !== null, 'the stop');
			await after((round % 10) * 1.2);
		} else {
			await after((duration * round) / 30);
		}
		freezer.child.kill('SIGKILL');
		const {signal} = await freezer.ended;
		if (signal === 'SIGKILL') killed++;
		// It may have come to its end already; what stands there is whole then.
		const there = ['first.frore', file];
		if (existsSync(join(stage.dir, file))) t.is((await stage.frore('check', file)).code, 0);
		await until(() => !traced(pid), 'the release by the kernel');
		// A freezer that dies cannot take its scratch pages back.
		const step = ` (round ${round}, ${signal})`;
		await unharmed(t, stage, target, {alsoThere: there, judge: false, step, deadFreezer: true});
		await stage.run(['rm', '-f', file]);
		await until(() => running(stage, pid).length === 1, 'the end of every copy');
	}
	t.true(killed > 12, `${killed} freezers were really killed`);
	await unharmed(t, stage, target, {alsoThere: ['first.frore'], deadFreezer: true});
}

/** Mask and affinity of each thread: what injected calls change for a moment. */
function threadStates(pid: number): string[] {
	return readdirSync(`/proc/${pid}/task`).map((tid) => {
		const status = readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8');
		return `${tid} ${/^SigBlk:.*$/m.exec(status)} ${/^Cpus_allowed:.*$/m.exec(status)}`;
	});
}

asUsers('the freezer is killed while many threads answer it: all of them go on unharmed', async (t, stage) => {
	const running = await stage.start([stage.target('threads'), '300']);
	await ready(running);
	const before = threadStates(running.pid);
	let killed = 0;
	for (let round = 0; round < 24; round++) {
		const file = `killed-${round}.frore`;
		const freezer = new Freezer(stage, running.pid, file);
		await until(() => traced(running.pid) || freezer.child.exitCode !== null, 'the stop');
		await after(round * 3);
		freezer.child.kill('SIGKILL');
		if ((await freezer.ended).signal === 'SIGKILL') killed++;
		await until(() => !traced(running.pid), 'the release by the kernel');
		await until(() => isDeepStrictEqual(threadStates(running.pid), before), 'that all threads are as before');
		await stage.run(['rm', '-f', file]);
	}
	t.true(killed > 12, `${killed} freezers were really killed`);
	await judged(t, running, 'the program', 60_000);
});

for (const [signal, code] of [
	['SIGINT', 130],
	['SIGTERM', 143],
	['SIGHUP', 129],
] as const) {
	asUsers(`${signal} ends a freeze with ${code}: the target goes on, and no file is left`, async (t, stage) => {
		const target = await subject(stage, 'big');
		for (const pause of [0, 30, 200]) {
			const freezer = new Freezer(stage, target.running.pid, 'job.frore', '--compress', 'zstd:15');
			await until(() => traced(target.running.pid), 'the stop');
			await after(pause);
			freezer.child.kill(signal);
			const ended = await freezer.ended;
			t.deepEqual(ended, {code, signal: null}, `${pause} ms after the stop: ${freezer.stderr}`);
			saysOneLine(t, freezer.stderr, /interrupted; the process goes on, and nothing was written/);
			await unharmed(t, stage, target, {judge: false, step: ` (${pause} ms)`});
		}
		await unharmed(t, stage, target);
	});
}

asUsers('a pause that grows too long is given up', async (t, stage) => {
	const target = await subject(stage, 'big');
	const {stderr} = await stage.freeze(target.running.pid, {code: 1, args: ['--max-pause', '0.004']});
	saysOneLine(
		t,
		stderr,
		/process \d+ was stopped for more than 0\.004 s and goes on now; nothing was written; give --max-pause/,
	);
	await unharmed(t, stage, target);
});

asUsers(
	'a thread that waits for the child of its vfork is waited for, and named when it takes too long',
	async (t, stage) => {
		const target = await subject(stage, 'vforks');
		const {stderr} = await stage.freeze(target.running.pid, {code: 1, args: ['--stop-timeout', '0.3']});
		saysOneLine(
			t,
			stderr,
			/process \d+ could not be stopped in time: thread \d+ \(state D.*\) does not react; .*--stop-timeout/,
		);
		// The child ends after 4 s.
		await until(() => below(target.running.pid).length === 0, 'the end of the child');
		target.before.children = '';
		await unharmed(t, stage, target);
	},
);

const ENDED =
	/^frore: (process \d+ (\([^)]*\) cannot be frozen: it has ended|exited while it was being stopped|(\([^)]*\) )?ended while it was being frozen)|there is no process)/;

asUsers('a target that exits while it is being stopped', async (t, stage) => {
	let hits = 0;
	for (let round = 0; round < 8 && hits < 2; round++) {
		const running = await refusable(stage, 'exits');
		const {code, stderr} = await stage.frore('freeze', String(running.pid), '-o', 'job.frore');
		if (code === 0) {
			await stage.run(['rm', 'job.frore']);
			continue;
		}
		t.is(code, 1, stderr);
		saysOneLine(t, stderr, /process \d+ exited while it was being stopped( \(exit code 9\))?; nothing was written/);
		t.is(await running.end(), 9, 'it ended as it wanted');
		nothingLeft(t, stage);
		hits++;
	}
	if (hits === 0) throw new Skipped('the target never exited in time');
});

asUsers('a target that executes another program while it is being stopped', async (t, stage) => {
	let hits = 0;
	for (let round = 0; round < 8 && hits < 2; round++) {
		const running = await refusable(stage, 'execs');
		const seen = running.lines.length;
		const {code, stderr} = await stage.frore('freeze', String(running.pid), '-o', 'job.frore');
		if (code === 0) {
			await stage.run(['rm', 'job.frore']);
			continue;
		}
		t.is(code, 1, stderr);
		saysOneLine(
			t,
			stderr,
			/process \d+ started another program while it was being stopped; nothing was written; freeze it again/,
		);
		await running.line(/^ready$/, undefined, seen);
		nothingLeft(t, stage);
		t.false(traced(running.pid));
		running.kill('SIGUSR1');
		t.is(await running.end(), 0, running.output);
		hits++;
	}
	if (hits === 0) throw new Skipped('the target never executed in time');
});

asUsers('targets that live for a moment only', async (t, stage) => {
	const outcomes = new Map<string, number>();
	for (let round = 0; round < 12; round++) {
		const running = await stage.start(['sleep', String(0.1 + round * 0.05)]);
		const file = `short-${round}.frore`;
		const {code, stderr} = await stage.frore('freeze', String(running.pid), '-o', file);
		outcomes.set(String(code), (outcomes.get(String(code)) ?? 0) + 1);
		if (code !== 0) t.regex(stderr, ENDED, `round ${round}`);
		t.is(existsSync(join(stage.dir, file)), code === 0, `round ${round}: ${stderr}`);
		t.is(await running.end(), 0);
		await stage.run(['rm', '-f', file]);
		nothingLeft(t, stage);
	}
	t.log([...outcomes].map(([code, count]) => `${count} times exit code ${code}`).join(', '));
});

asUsers('a target that is killed while its memory is copied', async (t, stage) => {
	await killedAfter(t, stage, 0);
	await killedAfter(t, stage, 8);
	await killedAfter(t, stage, 25);
});

async function killedAfter(t: ExecutionContext, stage: Stage, milliseconds: number): Promise<void> {
	const running = await refusable(stage, 'big');
	const freezer = new Freezer(stage, running.pid, 'job.frore', '--compress', 'none');
	await until(() => traced(running.pid), 'the stop');
	await after(milliseconds);
	running.kill('SIGKILL');
	const {code} = await freezer.ended;
	t.is(await running.end(), 137);
	if (code === 0) {
		t.is((await stage.frore('check', 'job.frore')).code, 0, 'an artefact that is there is whole');
		await stage.run(['rm', 'job.frore']);
	} else {
		t.is(code, 1, freezer.stderr);
		saysOneLine(t, freezer.stderr, /process \d+ (exited|ended) while it was being (stopped|frozen)/);
	}
	nothingLeft(t, stage);
}
