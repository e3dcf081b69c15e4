import {statSync} from 'node:fs';
import {constants} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {askRunner, findRunner} from '../../../freezer/cli/run/client.js';
import {decodeStatus} from '../../../freezer/sys/ending.js';
import {commandLine} from '../../helpers/product.js';
import {asUsers} from '../../helpers/users.js';

const run = (...command: string[]): string[] => [...commandLine(), 'run', '--', ...command];

asUsers('run ends as its program ends', async (t, stage) => {
	t.is((await stage.run(run('sh', '-c', 'exit 7'))).code, 7);
	const killed = await stage.run(['sh', '-c', '"$@"; echo $?', 'sh', ...run('sh', '-c', 'kill -TERM $$')]);
	t.is(killed.stdout, `${128 + constants.signals.SIGTERM}\n`);
	const crashed = await stage.run(['sh', '-c', '"$@"; echo $?', 'sh', ...run('sh', '-c', 'kill -SEGV $$')]);
	t.is(crashed.stdout, `${128 + constants.signals.SIGSEGV}\n`);
});

asUsers('run says in one line what it cannot start', async (t, stage) => {
	const missing = await stage.run(run('no-such-program'));
	t.is(missing.code, 127);
	t.is(missing.stderr, 'frore: cannot run no-such-program: no such file or directory\n');
	const closed = await stage.run(run('/etc/passwd'));
	t.is(closed.code, 126);
	t.is(closed.stderr, 'frore: cannot run /etc/passwd: permission denied\n');
});

asUsers('the program gets its arguments, descriptors and limits as they came', async (t, stage) => {
	const words = ['a b', '', '--help', "it's", '\\'];
	t.is((await stage.run(run('printf', '%s|', ...words))).stdout, `${words.join('|')}|`);
	const seven = await stage.run(['sh', '-c', 'echo seven >file; "$@" 7<file', 'sh', ...run('sh', '-c', 'cat <&7')]);
	t.is(seven.stdout, 'seven\n');
	const look = 'ulimit -n; grep -E "^Sig(Blk|Ign)" /proc/self/status; grep flags /proc/self/fdinfo/1; ls /proc/self/fd';
	const plainly = await stage.run(['sh', '-c', `ulimit -n 100; (${look}) | cat`]);
	const below = await stage.run(['sh', '-c', 'ulimit -n 100; "$@" | cat', 'sh', ...run('sh', '-c', look)]);
	// posix_spawn(3) of glibc leaves its two internal signals ignored (spawni.c).
	t.is(below.stdout.replace('SigIgn:\t0000000180000000', 'SigIgn:\t0000000000000000'), plainly.stdout);
});

asUsers('signals reach the program once', async (t, stage) => {
	const script = 'trap "echo told" USR1; trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done';
	const started = await stage.start(run('sh', '-c', script));
	await started.line(/^ready$/);
	started.kill('SIGUSR1');
	await started.line(/^told$/);
	started.kill('SIGTERM');
	t.is(await started.end(), 3);
	t.deepEqual(started.lines, ['ready', 'told', 'bye']);
});

asUsers('run freezes a descendant for another frore', async (t, stage) => {
	const started = await stage.start(run('sh', '-c', 'sleep 1000 & echo "child $!"; wait; exit 5'));
	const child = (await started.line(/^child (\d+)$/))[1]!;
	const runner = findRunner(Number(child));
	t.truthy(runner);
	const file = join(stage.dir, 'child.frore');
	const flags = {dest: file, children: true, compress: 'none', fd: [], allow: ['all'], files: 'reference'};
	const code = await askRunner(runner!, child, {...flags, stopTimeout: '5', maxPause: '30', halt: true, quiet: true});
	t.is(code, 0);
	t.is(statSync(file).mode & 0o777, 0o700);
	t.is(statSync(file).uid, stage.who.uid);
	t.is(await started.end(), 5);
	t.is(findRunner(process.pid), undefined);
});

test('a status of wait(2) is read as the shell reads it', (t) => {
	t.deepEqual(decodeStatus(7 << 8), {kind: 'exited', code: 7});
	t.deepEqual(decodeStatus(15), {kind: 'killed', signal: 15});
	t.deepEqual(decodeStatus(0x80 | 11), {kind: 'killed', signal: 11});
	t.deepEqual(decodeStatus((20 << 8) | 0x7f), {kind: 'stopped', signal: 20});
	t.deepEqual(decodeStatus(0xffff), {kind: 'continued'});
});
