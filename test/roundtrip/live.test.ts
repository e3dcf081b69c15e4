/** `--live`: the program is stopped for a moment, and copied while it runs on. */
import {existsSync, rmSync, writeFileSync} from 'node:fs';
import {release} from 'node:os';
import {join} from 'node:path';
import {after, Freezer, running, traced, until} from '../helpers/freezer.js';
import {saysOneLine, subject, unharmed} from '../helpers/oracle.js';
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import type {Started} from '../helpers/started.js';
import {asUsers, dropsMemory} from '../helpers/users.js';

const live = ['--live', '--json'];

for (const name of ['writers', 'dontfork', 'traceless', 'subreaper', 'turns']) {
	for (const codec of ['none', 'zstd:1']) {
		asUsers(`${name} (${codec}): the original and its copy`, async (t, stage) => {
			await roundTrip(t, stage, [stage.target('live'), name], {
				freezeArgs: [...live, '--compress', codec],
				// Its mappings are its own affair then.
				between: () => writeFileSync(join(stage.dir, 'resumed'), ''),
			});
		});
	}
}

/** Freezes while it runs on; throws when it was not really so. */
async function freezeLive(stage: Stage, pid: number, ...args: string[]): Promise<{file: string; way: string}> {
	const {file, stdout} = await stage.freeze(pid, {args: [...live, ...args]});
	const {live: way} = JSON.parse(stdout) as {live: string | false};
	if (!way) throw new Error(`it was not copied while it ran: ${stdout}`);
	return {file, way};
}

/** Does this kernel keep account of writes? */
const tracks = ((): boolean => {
	const [major = 0, minor = 0] = release().split('.').map(Number);
	return major > 6 || (major === 6 && minor >= 7);
})();

for (const [target, name, what, tracked] of [
	['live', 'writers', 'writes all the time', false],
	['live', 'advice', 'changes the advice for its memory all the time', false],
	['tracked', 'shapes', 'changes its memory in every way', true],
	['tracked', 'forks', 'forks meanwhile, too', false],
] as const) {
	asUsers(
		`ten snapshots of a program that ${what} are each of one moment`,
		async (t, stage) => {
			const original = await stage.start([stage.target(target), name]);
			await ready(original);
			const ways: string[] = [];
			for (let n = 0; n < 10; n++) {
				const {file, way} = await freezeLive(stage, original.pid, '--compress', n % 2 ? 'none' : 'zstd:1');
				ways.push(way);
				const copy = await stage.thaw(file, ['--pid', 'private']);
				await alive(copy);
				await judged(t, copy, `copy ${n}`);
				rmSync(file);
			}
			// A busy machine may leave too much to be copied in the pause.
			if (tracked && tracks) t.true(ways.filter((way) => way === 'tracked').length > 3, ways.join(' '));
			await judged(t, original, 'the original');
		},
		target === 'tracked' ? dropsMemory : {},
	);
}

asUsers(
	'threads that are asleep sleep for as long as they would have, although there are two stops',
	async (t, stage) => {
		await roundTrip(t, stage, [stage.target('tracked'), 'sleepers'], {
			freezeArgs: live,
			// Half of the time has passed when it is frozen.
			before: async () => {
				await after(5000);
			},
			patience: 30_000,
		});
	},
);

asUsers('nothing of the target is changed, and no clone is left', async (t, stage) => {
	const target = await subject(stage, 'big');
	const {file, way} = await freezeLive(stage, target.running.pid);
	if (tracks) t.is(way, 'tracked');
	await until(() => running(stage, target.running.pid).length === 1, 'the end of the clone');
	await unharmed(t, stage, target, {alsoThere: [file.slice(file.lastIndexOf('/') + 1)]});
});

/** The first process of a pid namespace gets every orphan there. */
async function firstOfNamespace(stage: Stage, name: string): Promise<[Started, number]> {
	const user = stage.who.uid === 0 ? [] : ['--user', '--map-root-user'];
	const outer = await stage.start(['unshare', ...user, '--pid', '--fork', '--mount-proc', stage.target('live'), name]);
	await ready(outer);
	const {stdout} = await stage.run(['pgrep', '-P', String(outer.pid)]);
	return [outer, Number(stdout)];
}

asUsers('the first process of a container never sees a child', async (t, stage) => {
	const [outer, pid] = await firstOfNamespace(stage, 'subreaper');
	await freezeLive(stage, pid);
	process.kill(pid, 'SIGUSR1');
	t.is(await outer.end(), 0, outer.output);
	t.regex(outer.output, /^PASS /m);
});

asUsers('where no process may be made the target stays stopped meanwhile, which is said', async (t, stage) => {
	if (stage.who.uid === 0) return void t.pass('RLIMIT_NPROC does not bind root');
	const original = await stage.start(['prlimit', '--nproc=1', stage.target('live'), 'dontfork']);
	await ready(original);
	const {file, stderr} = await stage.freeze(original.pid, {args: ['--live']});
	t.regex(stderr, /^not --live: process \d+ cannot be cloned: its limit of processes .*is reached; it was stopped/m);
	const copy = await stage.thaw(file, ['--pid', 'private']);
	await alive(copy);
	await judged(t, copy, 'the copy');
	await judged(t, original, 'the original');
});

asUsers('a clone that is killed ends the freeze, not the target', async (t, stage) => {
	const target = await subject(stage, 'medium');
	const {pid} = target.running;
	const freezer = new Freezer(stage, pid, 'job.frore', '--live', '--compress', 'zstd:19');
	const clones = () => running(stage, pid).filter((other) => other !== pid);
	// Not the child in between, which is gone before the target goes on.
	await until(() => clones().length === 1 && !traced(pid), 'the clone after the release');
	for (const clone of clones()) process.kill(clone, 'SIGKILL');
	t.deepEqual(await freezer.ended, {code: 1, signal: null}, freezer.stderr);
	saysOneLine(t, freezer.stderr, /its copy-on-write clone was killed.*nothing was written; freeze it without --live/);
	t.false(existsSync(join(stage.dir, 'job.frore')));
	await unharmed(t, stage, target);
});
