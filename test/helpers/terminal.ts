/** A true terminal for interactive programs: tmux, whose screen can be read and whose size can be changed. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Stage} from './stage.js';
import {PATIENCE} from './started.js';

let count = 0;

export class Terminal {
	private constructor(
		private readonly stage: Stage,
		private readonly socket: string,
		/** Of the shell that runs in the terminal. */
		readonly shellPid: number,
	) {}

	/** Opens a terminal with an interactive bash whose prompt is "ready$ ". */
	static async open(stage: Stage, {cols = 80, rows = 24} = {}): Promise<Terminal> {
		const socket = join(stage.dir, `tmux-${++count}`);
		const shell = "exec env -u TMUX TERM=screen PS1='ready$ ' HISTFILE= bash --norc --noprofile -i";
		const size = ['-x', String(cols), '-y', String(rows)];
		const settings = `${socket}.conf`;
		// Without $SHELL tmux takes the account's shell, and an ordinary user here has none to log in with.
		writeFileSync(settings, 'set -g status off\nset -g default-shell /bin/sh\n');
		const opened = await stage.run(['tmux', '-S', socket, '-f', settings, 'new-session', '-d', ...size, shell]);
		if (opened.code !== 0) throw new Error(`tmux: ${opened.stderr}`);
		const {stdout} = await stage.run(['tmux', '-S', socket, 'list-panes', '-F', '#{pane_pid}']);
		const terminal = new Terminal(stage, socket, Number(stdout));
		await terminal.until(/ready\$ *$/m, 'a prompt');
		return terminal;
	}

	private tmux(...args: string[]) {
		return this.stage.run(['tmux', '-S', this.socket, ...args]);
	}

	/** Types text as it is. */
	async type(text: string): Promise<void> {
		// tmux takes a last ";" as the end of its command.
		await this.tmux('send-keys', '-l', '--', text.replace(/;$/, '\\;'));
	}

	/** Presses keys by tmux's names: Enter, Escape, C-c, C-z, Up … */
	async press(...keys: string[]): Promise<void> {
		await this.tmux('send-keys', '--', ...keys);
	}

	/** Types a line. */
	async enter(line: string): Promise<void> {
		await this.type(line);
		await this.press('Enter');
	}

	async screen(): Promise<string> {
		return `${(await this.tmux('capture-pane', '-p')).stdout.trimEnd()}\n`;
	}

	/** The screen with what has scrolled away. */
	async history(): Promise<string> {
		return (await this.tmux('capture-pane', '-p', '-S', '-')).stdout;
	}

	async resize(cols: number, rows: number): Promise<void> {
		await this.tmux('resize-window', '-x', String(cols), '-y', String(rows));
	}

	async clear(): Promise<void> {
		await this.press('C-l');
		await this.tmux('clear-history');
	}

	/** Waits until the screen matches; throws with the screen. */
	async until(
		wanted: RegExp | ((screen: string) => boolean),
		what = String(wanted),
		limit = PATIENCE,
	): Promise<string> {
		const end = Date.now() + limit;
		for (;;) {
			const screen = await this.screen();
			if (typeof wanted === 'function' ? wanted(screen) : wanted.test(screen)) return screen;
			if (Date.now() > end) throw new Error(`the terminal does not show ${what} in ${limit} ms; it shows\n${screen}`);
			await new Promise((resolve) => setTimeout(resolve, 40));
		}
	}

	/** Waits until the screen has not changed for some looks, and gives it. */
	async settled(): Promise<string> {
		let before = await this.screen();
		for (let same = 0, looks = 0; same < 5 && looks < 200; looks++) {
			await new Promise((resolve) => setTimeout(resolve, 40));
			const now = await this.screen();
			same = now === before ? same + 1 : 0;
			before = now;
		}
		return before;
	}

	/** Waits for a process of that name below the terminal's shell and gives its pid. */
	async pidOf(comm: string, limit = PATIENCE): Promise<number> {
		const end = Date.now() + limit;
		for (;;) {
			const found = below(this.shellPid).find((pid) => commOf(pid) === comm);
			if (found) return found;
			if (Date.now() > end) throw new Error(`no ${comm} runs in the terminal:\n${await this.screen()}`);
			await new Promise((resolve) => setTimeout(resolve, 30));
		}
	}

	/** Exit code of what the shell ran last. */
	async exitCode(): Promise<number> {
		const mark = `c${++count}`;
		await this.enter(`echo "${mark} $?"`);
		const pattern = new RegExp(`^${mark} (\\d+)$`, 'm');
		return Number(pattern.exec(await this.until(pattern))![1]);
	}

	/** Runs a line in the shell and gives what it prints, by marks around it. */
	async ask(line: string, limit = PATIENCE): Promise<string> {
		const mark = `m${++count}`;
		await this.enter(`echo ${mark}'<'; ${line}; echo '>'${mark}`);
		const pattern = new RegExp(`^${mark}<\\n([\\s\\S]*?)>${mark}$`, 'm');
		const screen = await this.until(pattern, `an answer to ${line}`, limit);
		return pattern.exec(screen)![1]!.trimEnd();
	}
}

export function commOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
	} catch {
		return '';
	}
}

/** All descendants, parents first. */
export function below(root: number): number[] {
	const children = new Map<number, number[]>();
	for (const name of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
		try {
			const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
			const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
			children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
		} catch {}
	}
	const all: number[] = [];
	const queue = [root];
	for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
		const next = children.get(pid) ?? [];
		all.push(...next);
		queue.push(...next);
	}
	return all;
}
