/** `frore freeze $$`: the shell that runs frore is itself the target. */
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import {Terminal} from '../helpers/terminal.js';
import {thawInTerminal} from '../helpers/tools.js';
import {asUsers} from '../helpers/users.js';

const PROMPT = /ready\$ *$/m;

/** A shell with a variable, a function and a job, in a terminal. */
async function shell(stage: Stage): Promise<Terminal> {
	const terminal = await Terminal.open(stage);
	await terminal.enter('word=kept; shout() { echo "${word^^}"; }; sleep 1000 & clear');
	await terminal.until(PROMPT);
	return terminal;
}

async function asBefore(t: ExecutionContext, terminal: Terminal): Promise<void> {
	t.is(await terminal.ask('shout'), 'KEPT');
	t.regex(await terminal.ask('jobs'), /^\[1\]\+ +Running +sleep 1000 &$/);
}

const freezeSelf = (stage: Stage, ...args: string[]) =>
	`${stage.froreCommand('freeze').join(' ')} $$ -o self.frore --quiet ${args.join(' ')}`;

asUsers('a shell freezes itself and goes on, and the file is a shell with a prompt', async (t, stage) => {
	const terminal = await shell(stage);
	await terminal.enter(freezeSelf(stage));
	await terminal.until(/^self\.frore$/m);
	t.is(await terminal.exitCode(), 0);
	await terminal.clear();
	await asBefore(t, terminal);
	const second = await Terminal.open(stage);
	await thawInTerminal(second, './self.frore --pid private');
	await second.until(PROMPT);
	t.is(await second.exitCode(), 0, 'what frore ended with, as the copy sees it');
	await asBefore(t, second);
	await second.enter('exit 3');
	await second.until(PROMPT);
	t.is(await second.exitCode(), 3);
});

asUsers('a shell freezes itself and ends', async (t, stage) => {
	const terminal = await shell(stage);
	const second = await Terminal.open(stage);
	await terminal.enter(freezeSelf(stage, '--halt'));
	// The window closes with its shell.
	await second.enter('until [ -e self.frore ]; do sleep 0.1; done; clear; ./self.frore');
	await second.until(PROMPT);
	await asBefore(t, second);
	await second.enter('exit 3');
	await second.until(PROMPT);
	t.is(await second.exitCode(), 3);
});
