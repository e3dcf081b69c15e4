/** Full-screen programs on a terminal: the screen is equal after the resume, and they go on reacting. */
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import type {Stage} from '../helpers/stage.js';
import {Terminal} from '../helpers/terminal.js';
import {freezeInTerminal, thawInTerminal, withTool} from '../helpers/tools.js';

interface Screenful {
	tool: string;
	/** What is typed at the shell. */
	command: string;
	comm?: string;
	/** On the screen once it has started. */
	shows: RegExp;
	/** Only on a screen of 110 columns and 30 lines, and only if the program draws it. */
	larger: RegExp;
	/** Before the freeze. */
	prepare?: (terminal: Terminal) => Promise<void>;
	/** After the resume; the program must be gone at its end. */
	finish: (terminal: Terminal, stage: Stage, t: ExecutionContext) => Promise<void>;
	/** Keys that suspend it, when not ctrl-Z. */
	suspend?: string[];
	/** The screen need not be equal (a clock is on it). */
	moving?: boolean;
}

/** Without a message that nano shows for a while, as in "[ Read 200 lines ]". */
function lasting(screen: string): string {
	return screen.replace(/ +\[ .* \]/, '');
}

const text = Array.from({length: 200}, (_, i) => `line ${i + 1} of the text`).join('\n');

async function play(t: ExecutionContext, stage: Stage, program: Screenful): Promise<void> {
	writeFileSync(join(stage.dir, 'text'), `${text}\n`);
	chmodSync(join(stage.dir, 'text'), 0o666);
	const terminal = await Terminal.open(stage);
	await terminal.enter(program.command);
	await terminal.until(program.shows);
	await program.prepare?.(terminal);
	const before = await terminal.settled();
	const file = await freezeInTerminal(stage, terminal, program.comm ?? program.tool, program.suspend);
	await thawInTerminal(terminal, file);
	await terminal.until(program.shows, 'the screen of the resumed program');
	if (!program.moving) t.is(lasting(await terminal.settled()), lasting(before), 'the screen is equal after the resume');

	t.notRegex(await terminal.screen(), program.larger);
	await terminal.resize(110, 30);
	await terminal.until(program.larger, 'a larger screen');
	await terminal.resize(80, 24);
	await terminal.until((screen) => !program.larger.test(screen), 'the old screen');

	await terminal.press(...(program.suspend ?? ['C-z']));
	await terminal.until(/Stopped/, 'the shell after ctrl-Z');
	await terminal.enter('clear; fg');
	await terminal.until(program.shows, 'the program after fg');
	const again = await freezeInTerminal(stage, terminal, program.comm ?? program.tool, program.suspend);
	await thawInTerminal(terminal, again);
	await terminal.until(program.shows, 'the screen of the second copy');
	await program.finish(terminal, stage, t);
	await terminal.until(/ready\$ *$/m, 'the prompt at the end');
	await terminal.enter('clear; stty -a | tr " " "\\n" | grep -x -e -\\\\?echo -e -\\\\?icanon; echo "code $?"');
	const at_end = await terminal.until(/^code 0/m, 'the state of the terminal');
	t.regex(at_end, /^echo$/m, 'the terminal echoes again');
	t.regex(at_end, /^icanon$/m, 'the terminal reads lines again');
}

const programs: Screenful[] = [
	{
		tool: 'vim',
		// Without the timeout it waits a second to see whether Escape begins the code of a key.
		command: "vim -u NONE -N -i NONE -c 'set ttimeout ttimeoutlen=10' text",
		shows: /line 1 of the text/,
		larger: /line 27 of the text/,
		prepare: async (terminal) => {
			await terminal.type('ggOtyped before');
			await terminal.press('Escape');
			await terminal.until((screen) => /typed before/.test(screen) && !/INSERT/.test(screen), 'the end of insert mode');
		},
		finish: async (terminal, stage, t) => {
			await terminal.type('otyped after');
			await terminal.press('Escape');
			await terminal.until(/typed after/);
			await terminal.enter(':wq');
			await terminal.until(/ready\$ *$/m);
			t.is(readFileSync(join(stage.dir, 'text'), 'utf8'), `typed before\ntyped after\n${text}\n`);
		},
	},
	{
		tool: 'nano',
		command: 'nano -IU text',
		suspend: ['C-t', 'C-z'],
		shows: /line 1 of the text/,
		larger: /line 26 of the text/,
		prepare: async (terminal) => {
			await terminal.type('typed before ');
			await terminal.until(/typed before line 1/);
		},
		finish: async (terminal, stage, t) => {
			await terminal.type('typed after ');
			await terminal.until(/typed before typed after line 1/);
			await terminal.press('C-s');
			await terminal.until((screen) => !screen.includes('Modified'), 'that the text is written');
			await terminal.press('C-x');
			await terminal.until(/ready\$ *$/m);
			t.is(readFileSync(join(stage.dir, 'text'), 'utf8'), `typed before typed after ${text}\n`);
		},
	},
	{
		tool: 'less',
		command: 'less +55 text',
		shows: /line 6\d of the text/,
		larger: /line 83 of the text/,
		prepare: async (terminal) => {
			await terminal.type('kj');
			await terminal.until(/^:$/m);
		},
		finish: async (terminal) => {
			await terminal.enter('/line 150 of');
			await terminal.until(/line 150 of the text/);
			await terminal.type('q');
		},
	},
	{
		tool: 'top',
		// Its own command line is longer than a line of the smaller screen.
		command: `top -c -d 0.5${'0'.repeat(60)}`,
		shows: /load average[\s\S]*PID/,
		larger: /top -c -d 0\.50{20}/,
		moving: true,
		finish: async (terminal) => {
			const clock = /^top - (\S+)/m.exec(await terminal.screen())?.[1];
			await terminal.until(
				(screen) => /^top - \S+/m.test(screen) && /^top - (\S+)/m.exec(screen)?.[1] !== clock,
				'a new time',
			);
			await terminal.type('q');
		},
	},
];

for (const program of programs) {
	const {tool} = program;
	withTool(
		tool,
		`${tool} comes back with the same screen, reacts to a resize, to ctrl-Z and fg, and ends properly`,
		(t, stage) => play(t, stage, program),
	);
}
