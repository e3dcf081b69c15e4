/** The ways in which a program gets its old ids back, and where each of them is refused. */
import {chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {alive, judged, ready} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import {below} from '../helpers/terminal.js';
import {asOrdinaryUser, asRoot, asUsers, Skipped} from '../helpers/users.js';

const NOBODY = 65534;
const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--inh-caps=-all'];

async function frozen(stage: Stage, target: string, ...args: string[]): Promise<{file: string; pid: number}> {
	const original = await stage.start([stage.target(target), ...args]);
	await ready(original);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	return {file, pid: original.pid};
}

/** Lines of /proc/PID/status that name ids, e.g. "Uid". */
function statusOf(pid: number, name: string): string[] {
	const line = readFileSync(`/proc/${pid}/status`, 'latin1')
		.split('\n')
		.find((text) => text.startsWith(`${name}:`));
	return line?.split(/\s+/).slice(1) ?? [];
}

/** An empty root directory with nothing but /proc and the file. */
function emptyRoot(stage: Stage, file: string): string {
	const root = join(stage.dir, 'root');
	mkdirSync(join(root, 'proc'), {recursive: true});
	copyFileSync(file, join(root, 'job'));
	chmodSync(join(root, 'job'), 0o755);
	return root;
}

const inside = (root: string, proc: boolean, ...how: string[]): string[] => [
	'unshare',
	'--mount',
	'sh',
	'-c',
	`${proc ? `mount -t proc proc ${root}/proc && ` : ''}exec "$@"`,
	'sh',
	'chroot',
	...how,
	root,
];

for (const proc of [true, false]) {
	const where = `in an empty root directory ${proc ? 'with only /proc' : 'without /proc'}`;
	asRoot(`a file resumes ${where}`, async (t, stage) => {
		const {file, pid} = await frozen(stage, 'counter');
		const root = emptyRoot(stage, file);
		for (const args of [[], ['--pid', 'private']]) {
			const copy = await stage.start(['/job', '--fd', '0=inherit', ...args], {prefix: inside(root, proc)});
			await alive(copy);
			const ids = statusOf(below(copy.pid).at(-1)!, 'NSpid');
			t.is(ids.at(-1), String(pid), 'it has its old pid');
			await judged(t, copy, 'the copy');
		}
	});

	asRoot(`a file resumes ${where} for an ordinary user, with a new pid if need be`, async (t, stage) => {
		const {file} = await frozen(stage, 'counter');
		const root = emptyRoot(stage, file);
		chownSync(join(root, 'job'), NOBODY, NOBODY);
		const user = `--userspec=${NOBODY}:${NOBODY}`;
		const refused = await stage.run([...inside(root, proc, user), '/job', '--pid', 'private']);
		t.is(refused.code, 125);
		t.regex(refused.stderr, /^frore: .*user .*\n$|^frore: .*namespaces.*\n$/);
	});
}

asUsers(
	'under a container engine’s filter one thread gets its old pid by walking, or a new one with a warning',
	async (t, stage) => {
		const {file, pid} = await frozen(stage, 'counter');
		const copy = await stage.thaw(file, ['-v'], {prefix: [...stage.who.prefix, stage.target('contained')]});
		await alive(copy);
		const now = statusOf(below(copy.pid).at(-1)!, 'NSpid').at(-1);
		if (now === String(pid)) {
			await judged(t, copy, 'the copy');
		} else {
			t.regex(copy.output, /^frore: warning: the program has got a new pid, /m);
			copy.kill('SIGTERM');
			t.is(await copy.end(), 143);
		}
	},
);

asRoot('in a quiet pid namespace several threads get their old ids by walking', async (t, stage) => {
	const {file, pid} = await frozen(stage, 'threads', '8');
	const near = `echo ${pid - 50} > /proc/sys/kernel/ns_last_pid && exec "$@"`;
	const quiet = ['unshare', '--pid', '--fork', '--mount-proc', 'sh', '-c', near, 'sh', stage.target('contained')];
	const copy = await stage.thaw(file, [], {prefix: quiet});
	await alive(copy);
	process.kill(below(copy.pid).at(-1)!, 'SIGUSR1');
	t.is(await copy.end(), 0, copy.output);
	t.regex(copy.output, /^PASS /m);
});

asRoot('another user runs a file in a user namespace, in which it is the old user', async (t, stage) => {
	const {file} = await frozen(stage, 'counter');
	const theirs = join(stage.dir, 'theirs');
	copyFileSync(file, theirs);
	chmodSync(theirs, 0o755);
	const copy = await stage.thaw(theirs, ['--fd', '0=inherit'], {prefix: asNobody});
	await alive(copy);
	const program = below(copy.pid).at(-1)!;
	t.deepEqual(statusOf(program, 'Uid').slice(0, 4), Array(4).fill(String(NOBODY)), 'outside it is the runner');
	t.deepEqual(statusOf(program, 'CapEff'), ['0000000000000000'], 'without a capability');
	const map = readFileSync(`/proc/${program}/uid_map`, 'latin1').trim().split(/\s+/);
	t.deepEqual(map, ['0', String(NOBODY), '1']);
	await judged(t, copy, 'the copy');
	const refused = await stage.run([...asNobody, theirs, '--pid', 'host']);
	t.is(refused.code, 125);
	t.regex(refused.stderr, /^frore: .*it was frozen as user 0 and this is user 65534; run it as that user\n$/);
});

asRoot('with the capability to choose ids an ordinary user gets the old pid outside namespaces', async (t, stage) => {
	if (!existsSync('/sbin/setcap') && !existsSync('/usr/sbin/setcap')) throw new Skipped('setcap is not installed');
	const original = await stage.start([stage.target('counter')], {prefix: asNobody});
	await ready(original);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	chownSync(file, NOBODY, NOBODY);
	const given = await stage.run(['/sbin/setcap', 'cap_checkpoint_restore+ep', file]);
	if (given.code !== 0) throw new Skipped(`setcap: ${given.stderr.trim()}`);
	const copy = await stage.thaw(file, [], {prefix: asNobody});
	await alive(copy);
	const program = below(copy.pid).at(-1)!;
	t.is(program, original.pid);
	t.deepEqual(statusOf(program, 'CapEff'), ['0000000000000000'], 'the capability has not come along');
	await judged(t, copy, 'the copy');
});

asOrdinaryUser('--pid host without the right to choose ids is refused with the remedy', async (t, stage) => {
	const {file} = await frozen(stage, 'counter');
	const refused = await stage.run([file, '--pid', 'host']);
	t.is(refused.code, 125);
	t.regex(refused.stderr, /^frore: .*CAP_CHECKPOINT_RESTORE.*setcap cap_checkpoint_restore\+ep .*\n$/);
});

asUsers('a stack limit or an address layout other than the runner’s come back', async (t, stage) => {
	for (const how of [
		['prlimit', '--stack=1073741824'],
		['setarch', '-R'],
	]) {
		const original = await stage.start([stage.target('counter')], {prefix: [...stage.who.prefix, ...how]});
		await ready(original);
		const {file} = await stage.freeze(original.pid, {halt: true});
		await original.end();
		const copy = await stage.thaw(file);
		await alive(copy);
		const program = below(copy.pid).at(-1)!;
		if (how[0] === 'prlimit') {
			t.regex(readFileSync(`/proc/${program}/limits`, 'latin1'), /^Max stack size +1073741824 /m);
		} else {
			t.is(readFileSync(`/proc/${program}/personality`, 'latin1'), '00040000\n');
		}
		t.regex(readFileSync(`/proc/${copy.pid}/comm`, 'latin1'), /^job-\d+\.frore$/m, 'the launcher keeps its name');
		await judged(t, copy, 'the copy');
	}
});

asOrdinaryUser('a command line that is not understood is one line and code 125', async (t, stage) => {
	const {file} = await frozen(stage, 'counter');
	for (const args of [['--nonsense'], ['word'], ['--pid', 'best'], ['--fd', 'x'], ['--map', 'x'], ['--pid']]) {
		const refused = await stage.run([file, ...args]);
		t.is(refused.code, 125, args.join(' '));
		t.regex(refused.stderr, /^frore: .*--help\n$/, args.join(' '));
		t.is(refused.stdout, '');
	}
});

asUsers('--check tells how the pids would be given back, as JSON too', async (t, stage) => {
	const {file} = await frozen(stage, 'counter');
	const words = await stage.run([file, '--check']);
	t.is(words.code, 0, words.stderr);
	t.regex(words.stdout, /^it would run on this machine, with its pids? .*\n$/);
	const {code, stdout} = await stage.run([file, '--check', '--json']);
	t.is(code, 0);
	const answer = JSON.parse(stdout);
	t.true(answer.runnable);
	t.deepEqual(answer.reasons, []);
	t.is(answer.pids, stage.who.uid === 0 ? 'host' : 'private');
});

asUsers('--inspect --json is JSON that agrees with frore inspect', async (t, stage) => {
	const {file, pid} = await frozen(stage, 'counter', 'with "quotes" \\ and', 'caf\u00e9');
	const own = JSON.parse((await stage.run([file, '--inspect', '--json'])).stdout);
	const other = JSON.parse((await stage.frore('inspect', file, '--json')).stdout);
	for (const key of ['bytes', 'stubBytes', 'format', 'machine', 'codec', 'host', 'kernel', 'pages', 'cpuNeeds']) {
		t.deepEqual(own[key], other[key], key);
	}
	t.is(own.processes[0].pid, pid);
	t.deepEqual(own.processes[0].memory.stored, other.processes[0].memory.stored);
	const {stdout} = await stage.run([file, '--inspect']);
	t.regex(stdout, new RegExp(`^${pid} +1 `, 'm'));
});
