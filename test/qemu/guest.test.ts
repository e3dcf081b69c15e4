/** Item 5 of the issue: the same files, copied to a machine with another kernel, another processor and nothing installed. */
import {existsSync, readFileSync, realpathSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {commandLine, needed} from '../helpers/product.js';
import {type Identity, identities, Stage} from '../helpers/stage.js';
import {compileTarget} from '../helpers/targets.js';
import {toolPath} from '../helpers/tools.js';
import {notHere} from '../helpers/users.js';
import {Guest, noGuest} from './guest.js';

/** What a processor without AVX-512 and its relatives has: QEMU's software processor is one. */
const HWCAPS = ['AVX512F', 'AVX512VL', 'AVX512BW', 'AVX512CD', 'AVX512DQ', 'XSAVEC', 'RTM', 'ERMS', 'FSRM'];
const TUNED = `GLIBC_TUNABLES=glibc.cpu.hwcaps=${HWCAPS.map((name) => `-${name}`).join(',')}`;
const avx512 = /\bavx512f\b/.test(readFileSync('/proc/cpuinfo', 'latin1'));

/** Programs that say a number now and then, and PASS at SIGUSR1 if nothing of them is lost. */
const programs: Record<string, {command: (stage: Stage) => string[]; missing?: string | undefined; ends: number}> = {
	counter: {command: (stage) => [stage.target('counter'), '20', '5'], ends: 5},
	'static musl counter': {command: (stage) => [stage.target('counter', 'musl'), '20', '6'], ends: 6},
	'session on a pseudo-terminal': {command: (stage) => [stage.target('pty'), 'session'], ends: 0},
	bash: {
		command: () => [
			'/bin/bash',
			'-c',
			'declare -A seen; word=kept; pid=$$; trap \'[ $word,${seen[100]},$pid = kept,yes,$$ ] && echo "PASS bash" && exit 7; exit 1\' USR1; echo ready; ' +
				'for ((n = 1; ; n++)); do if ((n % 5000 == 0)); then seen[$((n / 50))]=yes; echo $n; fi; done',
		],
		missing: existsSync('/bin/bash') ? undefined : 'bash is not installed',
		ends: 7,
	},
	python3: {
		command: () => [
			toolPath('python3')!,
			'-u',
			'-X',
			'utf8',
			'-c',
			`
import os, signal, sys, time, random, json
random.seed(3)
data = {str(n): [n, random.random()] for n in range(20000)}
want, pid = json.dumps(data), os.getpid()
def told(*_):
    same = json.dumps(data) == want and os.getpid() == pid and os.readlink("/proc/self") == str(pid)
    print("PASS python3" if same else "FAIL python3")
    sys.exit(8 if same else 1)
signal.signal(signal.SIGUSR1, told)
print("ready")
n = 0
while True:
    n += 1
    print(n)
    time.sleep(0.02)
`,
		],
		missing: toolPath('python3') ? undefined : 'python3 is not installed',
		ends: 8,
	},
};

/** Freezes a running program of the host into a file of the guest. */
async function frozen(guest: Guest, who: Identity, name: string, to: string, tuned: boolean): Promise<void> {
	const stage = new Stage(who);
	try {
		const command = [...(tuned ? ['env', TUNED] : []), ...programs[name]!.command(stage)];
		const original = await stage.start(command, {cwd: '/'});
		await original.line(/^ready$/);
		await original.line(/^(beat )?\d+$/);
		guest.put((await stage.freeze(original.pid, {halt: true})).file, to);
	} finally {
		stage.close();
	}
}

/** Runs a file, waits for three numbers, tells it to judge itself, and ends with its exit code. */
const judging = (file: string) => `
echo "kernel $(uname -r), user $(id -u)"
: >out
${file} >out 2>&1 &
job=$!
n=0; while [ $n -lt 200 ] && [ "$(grep -c '^[b0-9]' out)" -lt 3 ] && kill -0 $job 2>/dev/null; do sleep 0.1; n=$((n + 1)); done
kill -USR1 $job
wait $job; code=$?
cat out | tail -5
exit $code`;

const users = identities.map((who) => ({who, user: who.uid === 0 ? ('root' as const) : ('user' as const)}));

/** frore itself in the guest, where Yama restricts ptrace. */
function addFrore(guest: Guest): void {
	const node = realpathSync(process.execPath);
	guest.putProgram(node, '/usr/bin/node');
	const place = join(commandLine()[1]!, '..', '..');
	for (const name of ['package.json', 'dist', 'templates']) guest.putFolder(join(place, name), `/usr/frore/${name}`);
	for (const name of needed()) guest.putFolder(join('node_modules', name), `/usr/frore/node_modules/${name}`);
	guest.putProgram(compileTarget('counter'), '/usr/bin/counter');
	guest.add('scope 1', 'root', 'echo 1 >/proc/sys/kernel/yama/ptrace_scope; cat /proc/sys/kernel/yama/ptrace_scope');
	const frore =
		'frore() { node /usr/frore/dist/frore.js "$@"; }; waitfor() { n=0; while [ $n -lt 300 ] && ! grep -q "$1" "$2" 2>/dev/null; do sleep 0.1; n=$((n + 1)); done; }';
	guest.add(
		'without run',
		'user',
		`${frore}\ncounter >plain 2>&1 & job=$!; waitfor '^3$' plain\nfrore freeze $job -o no.frore; code=$?; kill $job; ls no.frore*; exit $code`,
	);
	// One shell runs it; another one, which is no relative, freezes the program and its child.
	const running = `{ frore run -- sh -c 'echo "shell $$"; counter 20 9 & echo "child $!"; wait $!; exit $?'; echo "run ended with $?"; } 2>&1 | cat >ran & waitfor '^3$' ran`;
	const freezing = `child=$(sed -n 's/^child //p' ran)
setsid sh -c "node /usr/frore/dist/frore.js freeze $child -o child.frore; echo freeze \\$?" </dev/null
kill -USR1 $child; waitfor ended ran; tail -2 ran
{ sh -c 'echo "launcher $$"; exec ./child.frore'; echo "copy ended with $?"; } 2>&1 | cat >copy &
waitfor '^[0-9]' copy; kill -USR1 $(sed -n 's/^launcher //p' copy); waitfor ended copy; tail -2 copy`;
	guest.add('run', 'user', `${frore}\n${running}\n${freezing}`);
	guest.add('scope 2', 'root', 'echo 2 >/proc/sys/kernel/yama/ptrace_scope; cat /proc/sys/kernel/yama/ptrace_scope');
	guest.add('run at 2', 'user', `${frore}\nfrore run -- counter`);
}

async function played(): Promise<Map<string, {code: number; output: string}>> {
	const guest = new Guest();
	for (const {who, user} of users) {
		for (const name of Object.keys(programs)) {
			if (programs[name]!.missing) continue;
			const file = `/jobs/${name.replaceAll(' ', '-')}-${user}.frore`;
			await frozen(guest, who, name, file, true);
			guest.add(`${name} ${user}`, user, judging(file));
			if (user === 'root' && name === 'counter' && users.length > 1) {
				guest.add('of root by user', 'user', judging(file));
			}
		}
	}
	if (avx512) {
		await frozen(guest, users[0]!.who, 'counter', '/jobs/bound.frore', false);
		guest.add('bound', users[0]!.user, '/jobs/bound.frore');
		guest.add('bound check', users[0]!.user, '/jobs/bound.frore --check');
	}
	addFrore(guest);
	return guest.boot();
}

const reason = noGuest();
let once: ReturnType<typeof played> | undefined;

/** One boot for all. */
async function section(name: string): Promise<{code: number; output: string}> {
	once ??= played();
	const all = await once;
	return (
		all.get(name) ?? {code: -1, output: `the virtual machine never came to it, only to ${[...all.keys()].join(', ')}`}
	);
}

function inGuest(title: string, play: (t: ExecutionContext) => Promise<void>): void {
	if (reason) notHere(title, reason);
	else test.serial(title, play);
}

for (const {user} of users) {
	for (const [name, {ends, missing}] of Object.entries(programs)) {
		const title = `${name} goes on in another machine, as ${user}`;
		if (missing) {
			notHere(title, missing);
			continue;
		}
		inGuest(title, async (t) => {
			t.timeout(150_000);
			const {code, output} = await section(`${name} ${user}`);
			t.is(code, ends, output);
			t.regex(output, /^kernel 6\.1\./m);
			t.regex(output, /^PASS /m);
			t.log(output.split('\n')[0]!);
		});
	}
}

if (avx512) {
	inGuest('a program bound to a processor feature that is not there is refused in words', async (t) => {
		for (const [name, expected] of [
			['bound', 125],
			['bound check', 3],
		] as const) {
			const {code, output} = await section(name);
			t.is(code, expected, output);
			t.regex(output, /processor features that this one lacks: .*\bavx512\w+/);
			t.notRegex(output, /^\d+$/m, 'nothing of it has run');
		}
		t.regex((await section('bound')).output, /^frore: [^\n]*\n$/);
	});
} else {
	notHere(
		'a program bound to a processor feature that is not there is refused in words',
		'this processor has no AVX-512 to be bound to',
	);
}

if (users.length > 1) {
	inGuest("root's program goes on when a user runs its file", async (t) => {
		const {code, output} = await section('of root by user');
		t.is(code, programs.counter!.ends, output);
		t.regex(output, /^PASS counter$/m);
	});
}

inGuest('where Yama is at 1, an unrelated process is refused with the ways out', async (t) => {
	t.is((await section('scope 1')).output, '1\n');
	const {code, output} = await section('without run');
	t.is(code, 3, output);
	t.regex(output, /^frore: cannot attach to process \d+.*ptrace_scope is 1.*`frore run`/m);
	t.regex(output, /no\.frore\*: No such file/, 'no file is left');
});

inGuest('where Yama is at 1, frore run lets another shell freeze a child of the program', async (t) => {
	const {output} = await section('run');
	t.regex(output, /^freeze 0$/m, output);
	t.regex(output, /^run ended with 9$/m, output);
	t.regex(output, /^copy ended with 9$/m, output);
	t.is(output.match(/^PASS counter$/gm)?.length, 2, output);
});

inGuest('where Yama is at 2, frore run refuses in words', async (t) => {
	t.is((await section('scope 2')).output, '2\n');
	const {code, output} = await section('run at 2');
	t.is(code, 125, output);
	t.regex(
		output,
		/^frore: cannot run counter so that it could be frozen: kernel\.yama\.ptrace_scope is 2, .*ptrace_scope to 1\.?\n$/,
	);
});
