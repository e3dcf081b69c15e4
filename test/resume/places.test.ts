/** Started by cron, by ssh -T, by a program: without a terminal, without standard descriptors. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {alive} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import {below, commOf} from '../helpers/terminal.js';
import {toolPath} from '../helpers/tools.js';
import {asUsers, Skipped} from '../helpers/users.js';

async function frozen(stage: Stage, command: string[], until = /^ready$/): Promise<string> {
	const original = await stage.start(command, {cwd: '/'});
	await original.line(until);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	return file;
}

asUsers('a session without a terminal: as under cron or systemd', async (t, stage) => {
	const file = await frozen(stage, [stage.target('counter')]);
	const copy = await stage.start(['setsid', '-w', file]);
	await alive(copy);
	const inside = below(copy.pid).findLast((pid) => commOf(pid) === 'counter') ?? copy.pid;
	// Field 7: the controlling terminal.
	t.is(readFileSync(`/proc/${inside}/stat`, 'latin1').split(') ')[1]!.split(' ')[4], '0');
	process.kill(inside, 'SIGUSR1');
	t.is(await copy.end(), 0, copy.output);
});

asUsers('standard input that is closed, and output into a file', async (t, stage) => {
	const file = await frozen(stage, [stage.target('counter'), '20', '4']);
	const script = `exec <&-; : >out; ${file} >out 2>err & job=$!; while [ "$(grep -c '^[0-9]' out)" -lt 3 ]; do sleep 0.05; done; kill -USR1 $job; wait $job; echo "code $?"; cat err`;
	const {stdout} = await stage.run(['timeout', '20', 'sh', '-c', script]);
	t.is(stdout, 'code 4\n');
	t.regex(readFileSync(join(stage.dir, 'out'), 'utf8'), /^PASS counter$/m);
});

asUsers('input and output through pipes without a terminal: as under ssh -T', async (t, stage) => {
	// It was frozen with a pipe of a shell as its input, and gets the lines of the next one.
	const script =
		'n=0; echo ready; while read -r line; do n=$((n + 1)); echo "$n $line"; done; echo "end of $n"; exit 6';
	const original = await stage.start(['sh', '-c', `{ echo one; sleep 1000; } | { exec sh -c '${script}'; }`]);
	await original.line(/^1 one$/);
	const pid = below(original.pid).find((one) =>
		readFileSync(`/proc/${one}/cmdline`, 'latin1').startsWith('sh\0-c\0n=0'),
	)!;
	const {file} = await stage.freeze(pid, {halt: true});
	const done = await stage.run(['setsid', '-w', file], {input: 'two\nthree\n'});
	t.is(done.code, 6, done.stderr);
	t.is(done.stdout, '2 two\n3 three\nend of 3\n');
});

asUsers('the launcher ends as the program ends, whoever waits for it', async (t, stage) => {
	const file = await frozen(stage, [stage.target('counter'), '20', '33']);
	const script = `import os, signal, subprocess, sys, time
p = subprocess.Popen([sys.argv[1]], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
p.stdout.readline()
p.send_signal(getattr(signal, sys.argv[2]))
p.stdout.read()
print(p.wait())`;
	const python = toolPath('python3');
	if (!python) throw new Skipped('python3 is not installed');
	for (const [signal, status] of [
		['SIGUSR1', '33'],
		['SIGTERM', '-15'],
	]) {
		const {stdout} = await stage.run([python, '-c', script, file, signal!]);
		t.is(stdout, `${status}\n`, signal);
	}
});
