/** The terminal is handed to the resumed program and taken back. */
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import {Terminal} from '../helpers/terminal.js';
import {freezeInTerminal, launcherOf, thawInTerminal} from '../helpers/tools.js';
import {asUsers} from '../helpers/users.js';

async function resumed(stage: Stage): Promise<Terminal> {
	const terminal = await Terminal.open(stage);
	await terminal.enter(stage.target('terminal'));
	await terminal.until(/^started$/m);
	const file = await freezeInTerminal(stage, terminal, 'terminal');
	await thawInTerminal(terminal, file);
	// A resumed program is told of its size, so that it draws its screen anew.
	await terminal.until(/^resized 80x24$/m);
	await terminal.enter('size');
	await terminal.until(/^size 80x24$/m);
	return terminal;
}

async function endsWith(t: ExecutionContext, terminal: Terminal, code: number): Promise<void> {
	await terminal.until(/ready\$ *$/m, 'the prompt');
	t.is(await terminal.exitCode(), code, 'the exit code');
}

asUsers('a resumed program reads lines with its own settings, and the shell gets its own back', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.enter('termios');
	await terminal.until(/^termios quiet #$/m);
	await terminal.enter('typoo#');
	await terminal.until(/^got typo$/m);
	await terminal.enter('ids');
	await terminal.until(/^ids pid 1 group 1 foreground 1$/m);
	await terminal.enter('exit 7');
	await endsWith(t, terminal, 7);
	const settings = await terminal.ask('stty -a | grep -o -w -e "erase = ." -e "-*echo"');
	t.regex(settings, /^echo$/m);
	t.notRegex(settings, /erase = #/);
});

asUsers('a resumed program sees a resize', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.resize(61, 17);
	await terminal.until(/^resized 61x17$/m);
	await terminal.enter('exit 0');
	await endsWith(t, terminal, 0);
});

asUsers('ctrl-C ends a resumed program, and the shell sees it', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.press('C-c');
	await endsWith(t, terminal, 130);
});

asUsers('ctrl-D reaches a resumed program', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.press('C-d');
	await terminal.until(/^end of input$/m);
	await endsWith(t, terminal, 0);
});

asUsers('ctrl-Z stops a resumed program, bg and fg continue it', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.press('C-z');
	await terminal.until(/Stopped/);
	await terminal.enter('stty echo; bg');
	await terminal.until(/\[1\].*&$/m);
	await terminal.enter('clear; jobs');
	await terminal.until(/Stopped|Running/);
	await terminal.enter('fg');
	await terminal.until(/^continued$/m);
	await terminal.enter('back again');
	await terminal.until(/^got back again$/m);
	await terminal.enter('exit 3');
	await endsWith(t, terminal, 3);
});

asUsers('a resumed program that dies by a signal lets the shell see that signal', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.enter('abort');
	await endsWith(t, terminal, 134);
});

asUsers('kill of the shell job reaches the resumed program once and ends it', async (t, stage) => {
	const terminal = await resumed(stage);
	await terminal.press('C-z');
	await terminal.until(/Stopped/);
	await terminal.enter('clear; kill %1; fg');
	await endsWith(t, terminal, 143);
});

asUsers('a resumed program can be frozen again by the pid of its launcher, and resumed once more', async (t, stage) => {
	let terminal = await resumed(stage);
	for (let generation = 2; generation <= 3; generation++) {
		const {file} = await stage.freeze(await launcherOf(terminal), {halt: true});
		await terminal.until(/ready\$ *$/m, 'the prompt');
		terminal = await Terminal.open(stage, {cols: 70, rows: 20});
		await thawInTerminal(terminal, file);
		await terminal.until(/^resized 70x20$/m);
		await terminal.enter('size');
		await terminal.until(/^size 70x20$/m);
	}
	await terminal.enter('exit 9');
	await endsWith(t, terminal, 9);
});

asUsers('without a terminal, a program that needs one is not resumed, in one line', async (t, stage) => {
	const terminal = await Terminal.open(stage);
	await terminal.enter(stage.target('terminal'));
	await terminal.until(/^started$/m);
	const file = await freezeInTerminal(stage, terminal, 'terminal');
	const done = await stage.run(['setsid', '-w', file]);
	t.is(done.code, 125);
	t.regex(done.stderr, /^frore: .*terminal.*\n$/);
});
