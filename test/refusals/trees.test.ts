/** Trees that cannot be frozen, or resumed, as they are: named with pid and descriptor, and nothing is harmed. */
import {readFileSync} from 'node:fs';
import type {ExecutionContext} from 'ava';
import {nothingLeft, saysOneLine} from '../helpers/oracle.js';
import type {Stage} from '../helpers/stage.js';
import {PATIENCE, type Started} from '../helpers/started.js';
import {below, commOf} from '../helpers/terminal.js';
import {asRoot, asUsers, Skipped} from '../helpers/users.js';

const REFUSED = 3;
const FAILED = 1;
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** A root that beats, with a child made by `child`, in shell. */
async function beatingWith(stage: Stage, child: string, prefix?: string[]): Promise<Started> {
	const beat = 'while :; do n=$((n + 1)); echo $n; sleep 0.1; done';
	const running = await stage.start(['bash', '-c', `${child}\necho ready; ${beat}`], prefix ? {prefix} : {});
	await running.line(/^ready$/);
	return running;
}

/** Of a process that may have ended meanwhile: the shell's own short sleeps come and go. */
function procText(pid: number, name: string): string {
	try {
		return readFileSync(`/proc/${pid}/${name}`, 'latin1');
	} catch {
		return '';
	}
}

/** The children that sleep for long, once so many are there: the shell says "ready" before they have executed their program. */
async function sleepers(running: Started, count: number): Promise<number[]> {
	for (const end = Date.now() + PATIENCE; ; ) {
		const found = below(running.pid).filter((pid) => /^sleep\x00100\d\x00$/.test(procText(pid, 'cmdline')));
		if (found.length >= count) return found.slice(0, count);
		if (Date.now() > end) throw new Error(`no ${count} of them sleep:\n${running.output}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

const sleeper = async (running: Started): Promise<number> => (await sleepers(running, 1))[0]!;

/** Nobody is traced or stopped, the root goes on, and no file is there. */
async function goesOn(t: ExecutionContext, stage: Stage, running: Started): Promise<void> {
	for (const pid of [running.pid, ...below(running.pid)]) {
		t.notRegex(procText(pid, 'status'), /^State:\s+[tT]/m, `${pid} runs`);
	}
	const seen = running.lines.length;
	await running.line(/^\d+$/, 5000, seen);
	await running.line(/^\d+$/, 5000, running.lines.length);
	nothingLeft(t, stage);
}

asUsers('a child in namespaces of its own is named', async (t, stage) => {
	const possible = await stage.run(['unshare', '-U', 'true']);
	if (possible.code !== 0) throw new Skipped('no user namespaces here');
	const running = await beatingWith(
		stage,
		'unshare -U -n sh -c "exec sleep 1000" &\nuntil pgrep -P $$ -x sleep >/dev/null; do sleep 0.05; done',
	);
	const child = await sleeper(running);
	const {stderr} = await stage.freeze(running.pid, {code: REFUSED});
	t.regex(stderr, new RegExp(`^frore: process ${child}\\b.*namespace`, 'm'));
	await goesOn(t, stage, running);
});

asRoot('a child of another user is named to an ordinary user', async (t, stage) => {
	const running = await stage.start([
		'bash',
		'-c',
		`sleep 1000 & exec ${NOBODY.join(' ')} bash -c 'echo ready; while :; do n=$((n + 1)); echo $n; read -rt 0.1 <> <(:); done'`,
	]);
	await running.line(/^ready$/);
	const child = await sleeper(running);
	const {code, stderr} = await stage.run([
		...NOBODY,
		...stage.froreCommand('freeze', running.pid, '-o', '/tmp/never.frore'),
	]);
	t.is(code, REFUSED, stderr);
	saysOneLine(t, stderr, new RegExp(`process ${child} \\(sleep\\) cannot be frozen: it belongs to user 0`));
	await goesOn(t, stage, running);
});

asUsers('a child that is traced by somebody else is named with its tracer', async (t, stage) => {
	const running = await beatingWith(stage, 'sleep 1000 &');
	const child = await sleeper(running);
	const tracer = await stage.start([stage.target('tracer'), String(child)]);
	await tracer.line(/^attached$/);
	const {stderr} = await stage.freeze(running.pid, {code: REFUSED});
	saysOneLine(
		t,
		stderr,
		new RegExp(`process ${child} \\(sleep\\) cannot be frozen: process ${tracer.pid} \\(tracer\\) traces it`),
	);
	await goesOn(t, stage, running);
});

asUsers('a child that holds the other end of something outside is named with its descriptor', async (t, stage) => {
	const running = await beatingWith(stage, 'exec 7> >(exec sleep 2001); disown; sleep 1000 & exec 7>&-');
	const child = await sleeper(running);
	// The child alone: the reader is outside.
	const {stderr} = await stage.freeze(child, {code: REFUSED});
	t.regex(
		stderr,
		new RegExp(
			`^frore: process ${child}, fd 7: the write end of a pipe to the outside \\(held by sleep, process \\d+\\)`,
		),
	);
	await goesOn(t, stage, running);
});

asUsers('the reader of the destination inside the tree is named', async (t, stage) => {
	const frore = stage.froreCommand('freeze').join(' ');
	const script = `${frore} $$ -o - 2>said | cat >taken; echo "code \${PIPESTATUS[0]}"; cat said`;
	const {stdout} = await stage.run(['bash', '-c', script]);
	t.regex(
		stdout,
		/^code 3\nfrore: cannot write to standard output: its reader is process \d+ \(fd 0\), which is to be stopped; write to a file/i,
	);
});

asUsers('a child that never comes to a stop is named, and the tree goes on', async (t, stage) => {
	const python = [
		'/usr/bin/python3',
		'-c',
		`
import ctypes, os, sys
libc = ctypes.CDLL(None)
os.write(1, b"made\\n")
if libc.vfork() == 0:
    libc.pause()
`,
	];
	const running = await beatingWith(
		stage,
		`${python.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')} & sleep 0.5`,
	);
	await running.line(/^made$/);
	const {stderr} = await stage.freeze(running.pid, {code: FAILED, args: ['--stop-timeout', '1']});
	saysOneLine(t, stderr, /process \d+ .*did not stop|could not be stopped/);
	await goesOn(t, stage, running);
});

asRoot('an id of a child that is in use is named with --pid host', async (t, stage) => {
	const original = await beatingWith(stage, 'sleep 1000 &');
	const child = await sleeper(original);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	// A namespace in which that id, and no other, is taken.
	const script = `
echo ${child - 1} >/proc/sys/kernel/ns_last_pid; sleep 1000 & echo "taken $!"
"$@"; code=$?; kill %1; exit $code`;
	const {code, stdout, stderr} = await stage.run([
		...['unshare', '--pid', '--fork', '--mount-proc', 'bash', '-c', script, 'bash', file, '--pid', 'host'],
	]);
	t.is(stdout, `taken ${child}\n`);
	t.is(code, 125, stderr);
	saysOneLine(t, stderr, new RegExp(`id ${child} is in use; end that process, or take --pid private`));
});

asRoot('a tree of which one id is in use comes back whole in namespaces of its own', async (t, stage) => {
	const original = await beatingWith(stage, 'sleep 1000 & sleep 1001 & sleep 1002 &');
	const children = await sleepers(original, 3);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	// The last of them: the others have been forked by then, and wait for it.
	const script = `
echo ${children[2]! - 1} >/proc/sys/kernel/ns_last_pid; sleep 1003 & echo "taken $!"
"$@"; code=$?; kill %1; exit $code`;
	const prefix = ['unshare', '--pid', '--fork', '--mount-proc', 'bash', '-c', script, 'bash'];
	const copy = await stage.thaw(file, ['-v'], {prefix});
	await copy.line(new RegExp(`^taken ${children[2]}$`));
	await copy.line(/^\d+$/);
	t.regex(copy.output, /^frore: resumed as process \d+, \d+ inside its own namespaces$/m);
	t.notRegex(copy.output, /warning/);
	const inside = below(copy.pid).map((pid) => /^NSpid:.*\s(\d+)$/m.exec(procText(pid, 'status'))?.[1]);
	for (const child of children) t.true(inside.includes(String(child)), `${child} is there with its id`);
});

asUsers('a tree where no way gives its ids is refused with every reason', async (t, stage) => {
	const original = await beatingWith(stage, 'sleep 1000 &');
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	// No capability, and no further user namespace.
	const outer = ['unshare', '-U', '--map-current-user', '--keep-caps', 'sh', '-c'];
	const none = 'setpriv --ambient-caps=-all --inh-caps=-all --bounding-set=-all';
	const done = await stage.run([
		...outer,
		`echo 0 >/proc/sys/user/max_user_namespaces || exit 99; exec ${none} ${file}`,
	]);
	if (done.code === 99 || (done.code === 1 && /unshare/.test(done.stderr)))
		throw new Skipped('no nested namespaces here');
	t.is(done.code, 125, done.stderr);
	saysOneLine(t, done.stderr, /cannot give the program its old ids: host: .*private: /);
});
