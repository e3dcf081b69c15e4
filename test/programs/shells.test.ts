/** Line-oriented programs on a terminal, with what they had in mind. */
import {join} from 'node:path';
import {Terminal} from '../helpers/terminal.js';
import {freezeInTerminal, thawInTerminal, toolPath, withTool} from '../helpers/tools.js';

withTool('bash', 'bash comes back with variables, history and a function', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	await terminal.enter("PS1='in$ ' bash --norc --noprofile -i");
	await terminal.until(/in\$ *$/m);
	await terminal.enter("colour='dark blue'; count=(1 2 3); set -o vi; set -o emacs; cd /usr");
	await terminal.enter('double() { echo $(($1 * 2)); }');
	await terminal.enter('echo "pid $$"');
	const [, pid] = /pid (\d+)/.exec(await terminal.until(/^pid \d+/m))!;
	const {file} = await stage.freeze(Number(pid), {halt: true});
	await terminal.until(/ready\$ *$/m);
	await thawInTerminal(terminal, file);
	await terminal.press('Enter');
	await terminal.until(/in\$ *$/m);
	t.is(await terminal.ask('echo $colour $((count[2])) $PWD'), 'dark blue 3 /usr');
	t.is(await terminal.ask('double 21'), '42');
	t.is(await terminal.ask('echo $$'), pid!, 'its pid');
	t.regex(await terminal.ask('history'), /colour='dark blue'/, 'its history');
	// A new child, job control, and the end with a code.
	t.is(await terminal.ask('ls -d /usr/bin | cat'), '/usr/bin');
	await terminal.enter('sleep 100');
	await terminal.pidOf('sleep');
	await terminal.press('C-z');
	await terminal.until(/Stopped/);
	t.regex(await terminal.ask('jobs'), /Stopped.*sleep 100/);
	await terminal.enter('fg');
	await terminal.until(/^sleep 100$/m);
	await terminal.press('C-c');
	t.is(await terminal.exitCode(), 130, 'the end of its child by ctrl-C');
	await terminal.enter('exit 7');
	await terminal.until(/ready\$ *$/m);
	t.is(await terminal.exitCode(), 7, 'the exit code');
});

withTool('bash', 'a bash that leads its session goes on here, and twice on other terminals', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	await terminal.enter("PS1='led$ '; colour=green; set -o noclobber; trap 'echo gone' EXIT");
	await terminal.until(/led\$ *$/m);
	const {file} = await stage.freeze(terminal.shellPid);
	t.is(await terminal.ask('echo $colour $?'), 'green 0', 'the original goes on');
	const copies = [await Terminal.open(stage), await Terminal.open(stage)];
	for (const copy of copies) {
		await thawInTerminal(copy, file);
		await copy.press('Enter');
		await copy.until(/led\$ *$/m);
	}
	for (const [i, copy] of copies.entries()) {
		t.is(await copy.ask(`colour="$colour ${i}"; echo $colour`), `green ${i}`, 'each has its own memory');
		t.is(await copy.ask('echo $$'), String(terminal.shellPid), 'its pid');
		t.is(await copy.ask('set -o pipefail; (exit 3) | cat; echo $?'), '3', 'its children');
		t.is(await copy.ask('ps -o tty= -p $$ | tr -d " "'), await copy.ask('tty | sed s:/dev/::'), 'its terminal');
		t.is(await copy.ask('echo old >|f; echo new >f; cat f'), 'bash: f: cannot overwrite existing file\nold');
		await copy.enter('sleep 100 &');
		await copy.until(/\[1\] \d+/);
		t.regex(await copy.ask('kill %1; wait %1; echo $?'), /^143$/m, 'a job in the background');
	}
	t.is(await terminal.ask('echo $colour'), 'green', 'the original is not touched');
	for (const copy of copies) {
		await copy.enter('clear; exit 9');
		await copy.until(/gone[\s\S]*ready\$ *$/m);
		t.is(await copy.exitCode(), 9);
	}
});

withTool('python3', 'the REPL of python3 comes back with its objects', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	await terminal.enter(`${toolPath('python3')} -q -X utf8`);
	await terminal.until(/>>> *$/m);
	await terminal.enter('import itertools, collections, random; random.seed(5)');
	await terminal.enter('d = collections.OrderedDict((k, str(k) * 3) for k in range(1000)); it = itertools.count(10)');
	await terminal.enter('class A: total = 0');
	await terminal.press('Enter');
	await terminal.enter('A.total = sum(range(10**6)); next(it), next(it)');
	await terminal.until(/\(10, 11\)/);
	await terminal.enter('clear');
	const file = await freezeInTerminal(stage, terminal, 'python3');
	await thawInTerminal(terminal, file);
	await terminal.press('Enter');
	await terminal.until(/>>> *$/m);
	await terminal.enter('next(it), len(d), d[7], A.total');
	await terminal.until(/\(12, 1000, '777', 499999500000\)/);
	await terminal.enter('import os, json; json.dumps([os.getpid() == int(os.readlink("/proc/self")), 1])');
	await terminal.until(/'\[true, 1\]'/);
	await terminal.press('C-c');
	await terminal.until(/KeyboardInterrupt/);
	await terminal.enter('exit(3)');
	await terminal.until(/ready\$ *$/m);
	t.is(await terminal.exitCode(), 3, 'the exit code');
});

withTool('bc', 'bc comes back with its variables', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	await terminal.enter('bc -q');
	await terminal.pidOf('bc');
	await terminal.enter('scale=20; x=4*a(1)');
	await terminal.enter('define f(n) { if (n < 2) return (1); return (n * f(n - 1)); }');
	await terminal.enter('f(5)');
	await terminal.until(/^120$/m);
	const file = await freezeInTerminal(stage, terminal, 'bc');
	await thawInTerminal(terminal, file);
	await terminal.enter('f(20)');
	await terminal.until(/^2432902008176640000$/m);
	await terminal.enter('scale');
	await terminal.until(/^20$/m);
	await terminal.enter('quit');
	await terminal.until(/ready\$ *$/m);
	t.pass();
});

withTool('sqlite3', 'sqlite3 inside an open transaction comes back and commits it', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	const database = join(stage.dir, 'data.db');
	await stage.run(['sqlite3', database, 'create table t(a, b); insert into t values(1, "kept");']);
	await terminal.enter(`sqlite3 ${database}`);
	await terminal.until(/sqlite> *$/m);
	await terminal.enter('begin immediate; insert into t select value, "open" from generate_series(2, 500);');
	await terminal.enter('select count(*) || " rows" from t;');
	await terminal.until(/^500 rows$/m);
	const file = await freezeInTerminal(stage, terminal, 'sqlite3');
	t.is((await stage.run(['sqlite3', database, 'select count(*) from t'])).stdout, '1\n', 'nothing is committed yet');
	await thawInTerminal(terminal, file);
	await terminal.enter('select count(*) || " rows" from t;');
	await terminal.until(/^500 rows$/m);
	const other = await stage.run(['sqlite3', database, 'begin immediate;']);
	t.regex(other.stderr, /database is locked/, 'its lock holds');
	await terminal.enter('commit;');
	await terminal.enter('.quit');
	await terminal.until(/ready\$ *$/m);
	t.is(
		(await stage.run(['sqlite3', database, 'select count(*) from t'])).stdout,
		'500\n',
		'the transaction is committed',
	);
});
