/** `frore run` between a shell with job control and its program. */
import type {ExecutionContext} from 'ava';
import {commandLine} from '../../helpers/product.js';
import type {Stage} from '../../helpers/stage.js';
import {Terminal} from '../../helpers/terminal.js';
import {asUsers} from '../../helpers/users.js';

const PROMPT = /ready\$ *$/m;

async function inTerminal(stage: Stage, command: string, job = ''): Promise<Terminal> {
	const terminal = await Terminal.open(stage);
	await terminal.enter(`${[...commandLine(), 'run', '--'].join(' ')} ${command}${job}`);
	return terminal;
}

async function endsWith(t: ExecutionContext, terminal: Terminal, code: number): Promise<void> {
	await terminal.until(PROMPT, 'the prompt');
	t.is(await terminal.exitCode(), code, 'the exit code');
}

asUsers('a program under run is stopped, continued and interrupted from the keyboard', async (t, stage) => {
	const terminal = await inTerminal(stage, 'cat');
	await terminal.enter('one');
	await terminal.until(/^one\none$/m);
	await terminal.press('C-z');
	await terminal.until(/Stopped/);
	await terminal.enter('fg');
	await terminal.until(/^\S.*cat$/m);
	await terminal.enter('two');
	await terminal.until(/^two\ntwo$/m);
	await terminal.press('C-c');
	await endsWith(t, terminal, 130);
});

asUsers('a program under run that reads in the background waits for fg', async (t, stage) => {
	const terminal = await inTerminal(stage, `sh -c 'read word; echo "got $word"; exit 4'`, ' &');
	await terminal.until(/\[1\] \d+/);
	for (let i = 0; i < 50 && !/Stopped/.test(await terminal.ask('jobs')); i++) await terminal.clear();
	await terminal.enter('fg');
	await terminal.enter('word');
	await terminal.until(/^got word$/m);
	await endsWith(t, terminal, 4);
});
