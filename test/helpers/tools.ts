/** Programs of the distribution that tests drive. */
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import type {Stage} from './stage.js';
import {below, commOf, type Terminal} from './terminal.js';
import {asUsers, notHere, type Play} from './users.js';

/** First place of a program that every user may run: not below a home directory. */
export function toolPath(name: string): string | undefined {
	for (const folder of ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/usr/local/go/bin', '/usr/lib/go/bin']) {
		if (existsSync(join(folder, name))) return join(folder, name);
	}
	return undefined;
}

/** As asUsers, skipped by name when a program is not installed. */
export function withTool(name: string, title: string, play: Play): void {
	if (toolPath(name)) asUsers(title, play);
	else notHere(title, `${name} is not installed and scripts/test-setup.sh could not install it`);
}

/** Compiles with the given command once per run of the tests; the output is looked for first. */
export function madeOnce(out: string, command: string[], env: NodeJS.ProcessEnv = process.env): string {
	if (!existsSync(out)) execFileSync(command[0]!, command.slice(1), {env, stdio: ['ignore', 'inherit', 'inherit']});
	return out;
}

/**
 * Freezes the program that runs in a terminal and ends it; the shell's prompt is back then. With
 * FRORE_UNDISTURBED it is only stopped, which shows whether the test itself is right.
 */
export async function freezeInTerminal(
	stage: Stage,
	terminal: Terminal,
	comm: string,
	suspend = ['C-z'],
): Promise<string> {
	if (process.env.FRORE_UNDISTURBED) {
		await terminal.press(...suspend);
		await terminal.until(/Stopped/);
		return 'fg';
	}
	const pid = await terminal.pidOf(comm);
	const {file} = await stage.freeze(pid, {halt: true});
	// What a full-screen program has drawn is still there.
	await terminal.enter('clear');
	await terminal.until(/^ready\$ *\n*$/, 'the prompt after the program was ended');
	return file;
}

/** Runs an artefact in the foreground of a terminal, on a clean screen. */
export async function thawInTerminal(terminal: Terminal, file: string): Promise<void> {
	await terminal.enter(`clear; ${file}`);
}

/** The launcher that runs in the foreground of a terminal: the only child of its shell. */
export async function launcherOf(terminal: Terminal): Promise<number> {
	for (let tries = 0; tries < 400; tries++) {
		const [first] = below(terminal.shellPid);
		if (first !== undefined && commOf(first)) return first;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
	throw new Error(`nothing runs in the terminal:\n${await terminal.screen()}`);
}
