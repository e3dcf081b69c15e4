/** A terminal of the program's own: shown on this one, or in the background and attached to later. */
import {readdirSync} from 'node:fs';
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import {Terminal} from '../helpers/terminal.js';
import {freezeInTerminal} from '../helpers/tools.js';
import {asUsers} from '../helpers/users.js';

async function frozenInTerminal(stage: Stage): Promise<{terminal: Terminal; file: string}> {
	const terminal = await Terminal.open(stage);
	await terminal.enter(stage.target('terminal'));
	await terminal.until(/^started$/m);
	const file = await freezeInTerminal(stage, terminal, 'terminal');
	await terminal.until(/ready\$ *$/m, 'the prompt');
	return {terminal, file};
}

/** Types a line once the terminal is in the program's hands: what it says proves that. */
async function talk(terminal: Terminal, line: string, answer: RegExp): Promise<void> {
	for (let tries = 0; tries < 40; tries++) {
		await terminal.enter(line);
		try {
			await terminal.until(answer, String(answer), 500);
			return;
		} catch {}
	}
	await terminal.until(answer);
}

async function endsWith(t: ExecutionContext, terminal: Terminal, code: number): Promise<void> {
	await terminal.until(/ready\$ *$/m, 'the prompt');
	t.is(await terminal.exitCode(), code, 'the exit code');
	t.is(await terminal.ask("stty -a | grep -o '.icanon'"), ' icanon', 'the shell has its own settings back');
}

async function detached(stage: Stage): Promise<{terminal: Terminal; file: string; supervisor: number}> {
	const {terminal, file} = await frozenInTerminal(stage);
	const supervisor = Number((await terminal.ask(`XDG_RUNTIME_DIR=${stage.dir} ${file} --detach`)).trim());
	return {terminal, file, supervisor};
}

asUsers('--own-tty gives the program a session and a terminal of its own', async (t, stage) => {
	const {terminal, file} = await frozenInTerminal(stage);
	await terminal.enter(`clear; ${file} --own-tty`);
	await talk(terminal, 'ids', /^ids pid 1 group 1 foreground 1$/m);
	await terminal.resize(61, 17);
	await terminal.until(/^resized 61x17$/m);
	await terminal.press('C-z');
	await terminal.until(/Stopped/);
	await terminal.enter('fg');
	await talk(terminal, 'size', /^size 61x17$/m);
	await terminal.enter('exit 6');
	await endsWith(t, terminal, 6);
});

asUsers(
	'ctrl-Z stops a program on its own terminal also where its parent did not lead the session',
	async (t, stage) => {
		const terminal = await Terminal.open(stage);
		await terminal.enter(`bash -c 'set -m; ${stage.target('terminal')}; true'`);
		await terminal.until(/^started$/m);
		const file = await freezeInTerminal(stage, terminal, 'terminal');
		await terminal.until(/ready\$ *$/m, 'the prompt');
		await terminal.enter(`clear; ${file} --own-tty`);
		await talk(terminal, 'size', /^size 80x24$/m);
		await terminal.press('C-z');
		await terminal.until(/Stopped/);
		await terminal.enter('fg');
		await talk(terminal, 'ids', /^ids pid \d group 1 foreground 1$/m);
		await terminal.enter('exit 5');
		await endsWith(t, terminal, 5);
	},
);

asUsers('ctrl-C reaches a program on its own terminal', async (t, stage) => {
	const {terminal, file} = await frozenInTerminal(stage);
	await terminal.enter(`clear; ${file} --own-tty`);
	await talk(terminal, 'size', /^size 80x24$/m);
	await terminal.press('C-c');
	await endsWith(t, terminal, 130);
});

asUsers('a detached program can be attached to, left with ctrl-\\, and attached to again', async (t, stage) => {
	const {terminal, file, supervisor} = await detached(stage);
	t.true(supervisor > 1);
	for (let round = 0; round < 2; round++) {
		await terminal.enter(`clear; XDG_RUNTIME_DIR=${stage.dir} ${file} --attach ${round ? supervisor : ''}`);
		await talk(terminal, `round${round}`, new RegExp(`^got round${round}$`, 'm'));
		await terminal.press('C-\\');
		await terminal.until(/^frore: detached$/m);
		await endsWith(t, terminal, 0);
	}
	const other = await Terminal.open(stage, {cols: 70, rows: 20});
	await other.enter(`clear; XDG_RUNTIME_DIR=${stage.dir} ${file} --attach`);
	await talk(other, 'size', /^size 70x20$/m);
	await other.enter('exit 4');
	await endsWith(t, other, 4);
	t.deepEqual(readdirSync(`${stage.dir}/frore`), [], 'its socket is gone');
});

asUsers('a signal to the supervisor of a detached program ends it', async (t, stage) => {
	const {terminal, file, supervisor} = await detached(stage);
	await terminal.ask(`kill ${supervisor}`);
	const gone = await terminal.ask(
		`while kill -0 ${supervisor} 2>/dev/null; do :; done; XDG_RUNTIME_DIR=${stage.dir} ${file} --attach; echo $?`,
	);
	t.regex(gone, /^frore: cannot attach: no detached program of yours is running\n125$/);
});

asUsers('a program that cannot be resumed in the background says so, and the command fails', async (t, stage) => {
	const {terminal, file} = await frozenInTerminal(stage);
	const said = await terminal.ask(`${file} --detach --fd 0=/nowhere/at/all; echo $?`);
	t.regex(said, /^frore: .*\/nowhere\/at\/all/);
	t.regex(said, /125$/);
});
