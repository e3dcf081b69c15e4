/** `frore freeze $$`: the shell that runs frore is itself the target. */

import {existsSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import {Terminal} from '../helpers/terminal.js';
import {thawInTerminal, withTool} from '../helpers/tools.js';
import {asUsers} from '../helpers/users.js';
import {eventually} from '../programs/reborn.js';

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

/** In the pane of a tmux server: it is asked for its pid there, frozen from there, and spoken to from outside. */
async function fromItsPane(t: ExecutionContext, stage: Stage, halt: boolean): Promise<void> {
	const socket = join(stage.dir, 'own');
	const settings = join(stage.dir, 'own.conf');
	writeFileSync(settings, 'set -g default-shell /bin/sh\n');
	// Descriptors that the test runner hands on would lead to the outside.
	const clean =
		'for f in /proc/self/fd/*; do f=$(basename $f); [ $f -gt 2 ] && eval "exec $f>&-"; done; exec tmux "$@"';
	const tmux = (...args: string[]) => stage.run(['bash', '-c', clean, 'tmux', '-S', socket, '-f', settings, ...args]);
	const shows = (wanted: RegExp) =>
		eventually(
			async () => (await tmux('capture-pane', '-p', '-t', '0')).stdout,
			(screen) => wanted.test(screen),
			`${wanted} in the pane`,
		);
	const type = (line: string) => tmux('send-keys', '-t', '0', line, 'Enter');
	const shell = "exec env PS1='in$ ' HISTFILE= bash --norc --noprofile -i";
	const opened = await tmux('new-session', '-d', '-x', '100', '-y', '20', shell);
	t.is(opened.code, 0, opened.stderr);
	await shows(/in\$ *$/m);
	const frore = stage.froreCommand('freeze').join(' ');
	const ending = halt ? '--halt' : '';
	await type(
		`n=40; ${frore} $(tmux -S ${socket} display -p '#{pid}') -o server.frore --quiet ${ending}; echo "sum $((n + 1)) $?"`,
	);
	const file = join(stage.dir, 'server.frore');
	await eventually(async () => existsSync(file), Boolean, 'the file');
	if (!halt) {
		await shows(/^sum 41 0$/m);
		await tmux('kill-server');
	}

	const copy = await stage.thaw(file);
	await shows(/^sum 41 0$/m);
	await type('echo "again $n"');
	await shows(/^again 40$/m);
	await tmux('kill-server');
	t.is(await copy.end(), 0, copy.output);
}

withTool('tmux', 'a tmux server is frozen from one of its panes, and goes on', (t, stage) =>
	fromItsPane(t, stage, false),
);
withTool('tmux', 'a tmux server is frozen from one of its panes, and ends', (t, stage) => fromItsPane(t, stage, true));
