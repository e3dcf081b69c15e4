/** A program that a test has started, with what it has printed so far. */
import {type ChildProcess, spawn} from 'node:child_process';

/** How long a test waits for something that should happen at once, milliseconds. */
export const PATIENCE = 20_000;

export interface StartOptions {
	cwd: string;
	env?: NodeJS.ProcessEnv;
	/** Opened by the shell as standard input; default /dev/null. */
	stdin?: string;
	/** Prefix of the command, e.g. setpriv with its options. */
	prefix?: string[];
}

/**
 * A program below a shell, its output in a pipe to `cat`: not a child of libuv, whose waitpid would
 * take its stops away, and with a true pipe (libuv would give it a socket).
 */
export class Started {
	/** Of the program itself; known after `begun`. */
	pid = 0;
	/** Exit code as the shell tells it: 128 + n for signal n. */
	code: number | undefined;
	readonly lines: string[] = [];
	readonly shell: ChildProcess;
	private rest = '';
	private waiters: Array<() => void> = [];

	private constructor(
		readonly command: string[],
		options: StartOptions,
	) {
		// The program gets no descriptor of ours beyond the three.
		const close = 'for f in /proc/self/fd/*; do f=$(basename $f); [ "$f" -gt 2 ] && eval "exec $f>&-"; done;';
		const script = `${close} ( "$@" <"$STDIN_FOR_TEST" 2>&1 & echo "pid $!"; wait $!; echo "exit $?" ) | cat`;
		this.shell = spawn('bash', ['-c', script, 'bash', ...(options.prefix ?? []), ...command], {
			cwd: options.cwd,
			env: {...options.env, STDIN_FOR_TEST: options.stdin ?? '/dev/null'},
			stdio: ['ignore', 'pipe', 'pipe'],
			detached: true,
		});
		this.shell.stdout!.setEncoding('latin1').on('data', (chunk: string) => this.take(chunk));
		this.shell.stderr!.setEncoding('latin1').on('data', (chunk: string) => this.take(chunk));
		this.shell.on('error', (error) => this.take(`${error.message}\n`));
	}

	static async start(command: string[], options: StartOptions): Promise<Started> {
		const started = new Started(command, options);
		await started.until(() => started.pid !== 0, 'its pid');
		return started;
	}

	private take(chunk: string): void {
		const parts = (this.rest + chunk).split('\n');
		this.rest = parts.pop()!;
		for (const line of parts) {
			const pid = this.pid === 0 && /^pid (\d+)$/.exec(line);
			const exit = /^exit (\d+)$/.exec(line);
			if (pid) this.pid = Number(pid[1]);
			else if (exit) this.code = Number(exit[1]);
			else this.lines.push(line);
		}
		for (const waiter of this.waiters.splice(0)) waiter();
	}

	/** Everything printed, for messages. */
	get output(): string {
		return [...this.lines, this.rest].filter((line) => !line.startsWith('beat ')).join('\n');
	}

	/** Waits until the condition holds, looking after every new line; throws with the output. */
	async until(condition: () => boolean, what: string, limit = PATIENCE): Promise<void> {
		const end = Date.now() + limit;
		while (!condition()) {
			const left = end - Date.now();
			if (left <= 0) {
				throw new Error(`${this.command.join(' ')} (pid ${this.pid}): no ${what} in ${limit} ms\n${this.output}`);
			}
			await new Promise<void>((resolve) => {
				const timer = setTimeout(resolve, left);
				this.waiters.push(() => {
					clearTimeout(timer);
					resolve();
				});
			});
		}
	}

	/** The next line at or behind `from` that matches; fails early when the program has ended. */
	async line(pattern: RegExp, limit = PATIENCE, from = 0): Promise<RegExpExecArray> {
		let found: RegExpExecArray | undefined;
		const look = () => {
			for (let i = from; i < this.lines.length && !found; i++) found = pattern.exec(this.lines[i]!) ?? undefined;
			return found !== undefined;
		};
		await this.until(() => look() || this.code !== undefined, `line ${pattern}`, limit);
		if (!look()) {
			throw new Error(`${this.command.join(' ')} ended with ${this.code}, without the line ${pattern}\n${this.output}`);
		}
		return found!;
	}

	/** Its exit code, once it has ended. */
	async end(limit = PATIENCE): Promise<number> {
		await this.until(() => this.code !== undefined, 'end', limit);
		return this.code!;
	}

	kill(signal: NodeJS.Signals = 'SIGKILL'): void {
		process.kill(this.pid, signal);
	}
}
