/** Programs that hold terminals themselves: everything on these terminals comes back with them. */
import {chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import type {Started} from '../helpers/started.js';
import {Terminal} from '../helpers/terminal.js';
import {freezeInTerminal, thawInTerminal, toolPath, withTool} from '../helpers/tools.js';
import {eventually, reborn} from './reborn.js';

const SHELL = "env PS1='in$ ' HISTFILE= bash --norc --noprofile -i";

/** A terminal multiplexer in the background, spoken to from outside. */
interface Multiplexer {
	readonly stage: Stage;
	/** Nobody is attached before the end: while somebody is, screen obeys no user whose name is "nobody". */
	readonly alone?: boolean;
	/** Speaks to a resumed server from its own namespaces: it looks up pids and terminals by name. */
	enter?(inside: string[]): void;
	/** The command that attaches a terminal. */
	attach(): string;
	pid(): Promise<number>;
	/** Types into a window. */
	type(window: string, text: string): Promise<void>;
	screen(window: string): Promise<string>;
	/** Opens one more window with a command. */
	open(window: string, command: string): Promise<void>;
	end(): Promise<void>;
}

const shows = (it: Multiplexer, window: string, wanted: RegExp): Promise<string> =>
	eventually(
		() => it.screen(window),
		(screen) => wanted.test(screen),
		`${wanted} in window ${window}`,
	);

/** Freezes the server, which ends for its clients, and runs the file. */
async function moved(t: ExecutionContext, it: Multiplexer, pid: number): Promise<Started> {
	const {stage} = it;
	const {file, stderr} = await stage.freeze(pid, {halt: true});
	t.log(stderr.trimEnd());
	const copy = await stage.thaw(file, ['-v']);
	const [, root] = await copy.line(/^frore: resumed as process (\d+)/);
	const user = stage.who.uid === 0 ? [] : ['--user', '--preserve-credentials'];
	it.enter?.(['nsenter', '--target', root!, '--pid', '--mount', ...user, '--']);
	return copy;
}

/** Descriptors that a test runner hands on by mistake would lead to the outside. */
const CLOSING = 'for f in /proc/self/fd/*; do f=$(basename $f); [ $f -gt 2 ] && eval "exec $f>&-"; done; exec "$@"';
const UNBURDENED = ['bash', '-c', CLOSING, 'bash'];

/** A terminal shows what is inside. */
async function attached(it: Multiplexer): Promise<void> {
	const client = await Terminal.open(it.stage);
	await client.enter(`clear; ${it.attach()}`);
	await client.until(/^tty |^sum \d|^code \d|INSERT|^new on/m, 'what is inside');
}

/** Two windows, vim and a shell, with a client attached; twice from one file to the next. */
async function playMultiplexer(t: ExecutionContext, it: Multiplexer): Promise<void> {
	const {stage} = it;
	await it.type('shell', 'n=40; echo "tty $(tty)"; sleep 1000 &\n');
	const [, tty] = /^tty (.+)$/m.exec(await shows(it, 'shell', /^tty .+$/m))!;
	await it.type('vim', 'otyped before');
	await shows(it, 'vim', /typed before[\s\S]*INSERT/);
	if (!it.alone) await attached(it);
	let pid = await it.pid();
	for (let generation = 1; generation <= 2; generation++) {
		const copy = await moved(t, it, pid);
		await it.type('shell', `clear; echo "sum $((n + ${generation})) $(tty) $(jobs | wc -l)"\n`);
		await shows(it, 'shell', new RegExp(`^sum ${40 + generation} ${tty} 1$`, 'm'));
		await shows(it, 'vim', /typed before[\s\S]*INSERT/);
		await it.open(`new${generation}`, 'echo new on $(tty); sleep 1000');
		await shows(it, `new${generation}`, /^new on \/dev\/pts\/\d+$/m);
		if (!it.alone) await attached(it);
		pid = copy.pid;
		if (generation === 1) continue;

		await it.type('shell', 'fg\n');
		await it.type('shell', '\u0003');
		await it.type('shell', 'echo "code $?"\n');
		await shows(it, 'shell', /^code 130$/m);
		await it.type('vim', ' and after\u001b:wq\n');
		await eventually(
			async () => readFileSync(join(stage.dir, 'text'), 'utf8'),
			(text) => text === 'first\ntyped before and after\n',
			'the text as vim has written it',
		);
		if (it.alone) {
			await attached(it);
			t.pass();
			return;
		}

		await it.end();
		t.is(await copy.end(), 0, 'the exit code of the server');
	}
}

function vimOn(stage: Stage): string {
	writeFileSync(join(stage.dir, 'text'), 'first\n');
	chmodSync(join(stage.dir, 'text'), 0o666);
	return `${toolPath('vim')} -u NONE -N -i NONE -n -c 'set ttimeout ttimeoutlen=10' text`;
}

withTool('tmux', 'a tmux server with vim and a shell comes back and is attached again', async (t, stage) => {
	const socket = join(stage.dir, 'inner');
	const settings = join(stage.dir, 'inner.conf');
	writeFileSync(settings, 'set -g default-shell /bin/sh\nset -g status off\nset -g allow-rename off\n');
	const tmux = async (...args: string[]) => {
		const done = await stage.run([...UNBURDENED, 'tmux', '-S', socket, '-f', settings, ...args]);
		if (done.code !== 0) throw new Error(`tmux ${args.join(' ')}: ${done.stderr}`);
		return done.stdout;
	};
	await tmux('new-session', '-d', '-x', '80', '-y', '23', '-n', 'shell', SHELL);
	await tmux('new-window', '-d', '-n', 'vim', vimOn(stage));
	const it: Multiplexer = {
		stage,
		attach: () => `tmux -S ${socket} attach`,
		pid: async () => Number(await tmux('display-message', '-p', '#{pid}')),
		type: async (window, text) => void (await tmux('send-keys', '-l', '-t', window, '--', text.replaceAll('\n', '\r'))),
		screen: (window) => tmux('capture-pane', '-p', '-t', window),
		open: async (window, command) => void (await tmux('new-window', '-d', '-n', window, command)),
		end: async () => void (await tmux('kill-server')),
	};
	await shows(it, 'shell', /in\$ *$/m);
	await shows(it, 'vim', /^first$/m);
	await playMultiplexer(t, it);
});

withTool('screen', 'a screen with vim and a shell comes back and is attached again', async (t, stage) => {
	const env = {...stage.env, SCREENDIR: join(stage.dir, 'screens'), TERM: 'screen'};
	await stage.run(['mkdir', '-m', '700', env.SCREENDIR]);
	const settings = join(stage.dir, 'screenrc');
	writeFileSync(settings, 'startup_message off\nvbell off\n');
	let inside: string[] = [];
	const screen = async (...args: string[]) => {
		const done = await stage.run([...UNBURDENED, ...inside, 'screen', '-c', settings, '-S', 'inner', ...args], {env});
		if (done.code !== 0) throw new Error(`screen ${args.join(' ')}: ${done.stdout}${done.stderr}`);
		return done.stdout;
	};
	let copies = 0;
	const it: Multiplexer = {
		stage,
		alone: stage.who.uid !== 0,
		enter: (prefix) => {
			inside = prefix;
		},
		// The name of the terminal it is attached from must mean the same inside: script makes one there.
		attach: () =>
			`${inside.join(' ')} env SCREENDIR=${env.SCREENDIR} ${inside.length > 0 ? 'script -q -c "screen -r inner" /dev/null' : 'screen -r inner'}`,
		pid: async () => Number(/(\d+)\.inner/.exec((await stage.run(['screen', '-ls'], {env})).stdout)?.[1]),
		type: async (window, text) =>
			void (await screen('-p', window, '-X', 'stuff', text.replaceAll('\n', '\r').replaceAll('$', '\\$'))),
		screen: async (window) => {
			const file = join(stage.dir, `hardcopy-${++copies}`);
			await screen('-p', window, '-X', 'hardcopy', file);
			return eventually(async () => readFileSync(file, 'latin1'));
		},
		open: async (window, command) => void (await screen('-X', 'screen', '-t', window, 'sh', '-c', command)),
		end: async () => void (await screen('-X', 'quit')),
	};
	await screen('-d', '-m', '-t', 'shell', 'sh', '-c', `exec ${SHELL}`);
	await shows(it, 'shell', /in\$ *$/m);
	await screen('-X', 'screen', '-t', 'vim', 'sh', '-c', `exec ${vimOn(stage)}`);
	await shows(it, 'vim', /^first$/m);
	await playMultiplexer(t, it);
});

withTool('script', 'script goes on recording', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	const log = join(stage.dir, 'log');
	await terminal.enter(`script -q -e -c "${SHELL.replaceAll('$', '\\$')}" ${log}`);
	await terminal.until(/in\$ *$/m);
	await terminal.enter('n=40; echo "before $n"');
	await terminal.until(/^before 40$/m);
	const file = await freezeInTerminal(stage, terminal, 'script');
	await thawInTerminal(terminal, file);
	await terminal.press('Enter');
	await terminal.until(/in\$ *$/m);
	await terminal.enter('echo "after $((n + 2))"; stty size');
	await terminal.until(/^after 42\n24 80$/m);
	await terminal.enter('sleep 1000');
	await terminal.pidOf('sleep');
	await terminal.press('C-c');
	await terminal.until(/\^C\s+in\$ *$/m);
	await terminal.enter('exit 6');
	await terminal.until(/ready\$ *$/m);
	t.is(await terminal.exitCode(), 6, 'the exit code');
	t.regex(readFileSync(log, 'latin1'), /^before 40\r$[\s\S]*^after 42\r$/m, 'the record');
});

withTool(
	'script',
	'of a flood of output not a byte is lost, neither by the original nor by the copy',
	async (t, stage) => {
		const log = join(stage.dir, 'log');
		const flood = 'while [ ! -e enough ]; do seq 1 20000; done';
		const command = ['sh', '-c', `exec script -q -c '${flood}' ${log} >/dev/null`];
		const size = () => (existsSync(log) ? statSync(log).size : 0);
		const grown = async () => {
			const before = size();
			await eventually(
				async () => size(),
				(now) => now > before + 300_000,
				'more of the record',
			);
		};
		const whole = async (running: Started, who: string) => {
			await grown();
			mkdirSync(join(stage.dir, 'enough'));
			t.is(await running.end(), 0, who);
			const numbers = readFileSync(log, 'latin1')
				.split('\r\n')
				.slice(0, -1)
				.map((line) => Number(line.split('\n').at(-1)));
			t.is(
				numbers.findIndex((n, at) => n !== (at % 20_000) + 1),
				-1,
				`${who} has lost something`,
			);
		};
		const original = await stage.start(command);
		await grown();
		await stage.freeze(original.pid);
		await whole(original, 'the original');

		rmSync(join(stage.dir, 'enough'), {recursive: true});
		rmSync(log);
		const second = await stage.start(command);
		await grown();
		await whole(await reborn(t, stage, second), 'the copy');
	},
);

withTool('expect', 'expect goes on talking to a shell and to bc', async (t, stage) => {
	const file = join(stage.dir, 'talk.exp');
	writeFileSync(
		file,
		`set timeout 10
spawn -noecho env "PS1=in> " bash --norc --noprofile -i
set shell $spawn_id
expect "in> "
send "n=40; tty\\r"
expect -re {(/dev/pts/\\d+)}
set tty $expect_out(1,string)
expect "in> "
spawn -noecho bc -q
set bc $spawn_id
send "x=7*6\\r"
expect "x=7*6"
send_user "\\nready\\n"
for {set i 0} {![file exists go]} {incr i} { send_user "\\n$i\\n"; after 50 }
send -i $bc "x+1\\r"
expect -i $bc -re {[\\r\\n]43\\r} { send_user "\\nbc 43\\n" }
send -i $shell "echo sum $((n+2)) \\$(tty)\\r"
expect -i $shell "sum 42 $tty\\r" { send_user "\\nshell 42\\n" }
send -i $shell "sleep 100\\r"
expect -i $shell "sleep 100\\r"
after 200
send -i $shell "\\003"
expect -i $shell "in> "
send -i $shell "exit 5\\r"
expect -i $shell eof
send_user "\\nended [lindex [wait -i $shell] 3]\\n"
`.replaceAll('$((n+2))', '\\$((n+2))'),
	);
	const original = await stage.start(['expect', file]);
	await original.line(/^ready\r?$/);
	await original.line(/^1\r?$/);
	const copy = await reborn(t, stage, original);
	await copy.line(/^\d+\r?$/);
	mkdirSync(join(stage.dir, 'go'));
	t.is(await copy.end(), 0, copy.output);
	t.regex(copy.output, /^bc 43\r?$/m);
	t.regex(copy.output, /^shell 42\r?$/m);
	t.regex(copy.output, /^ended 5\r?$/m);
});
