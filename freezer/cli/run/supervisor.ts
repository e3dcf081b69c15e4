/** Stands between a shell and a child in a process group of its own: terminal, stops, signals. */
import {constants} from 'node:os';
import {type ChildChange, childChange} from '../../sys/ending.js';
import {ownGroup, Terminal} from '../../sys/terminal.js';
import type {Pid} from '../../sys/types.js';

const {SIGTTIN, SIGTTOU} = constants.signals;
/** Passed on when somebody sends them to us. Those of the keyboard reach the child's group without us. */
const FORWARDED: readonly NodeJS.Signals[] = [
	'SIGINT',
	'SIGTERM',
	'SIGHUP',
	'SIGQUIT',
	'SIGUSR1',
	'SIGUSR2',
	'SIGALRM',
	'SIGWINCH',
	'SIGTSTP',
	'SIGCONT',
];
/** A signal that was missed is noticed after this many milliseconds. */
const PERIOD = 1000;

export type Ended = Extract<ChildChange, {kind: 'exited' | 'killed' | 'gone'}>;

export class Supervisor {
	readonly #terminal = Terminal.open();
	#child: Pid | undefined;
	#timer: NodeJS.Timeout | undefined;
	#ended: ((how: Ended) => void) | undefined;
	readonly #forward = (signal: NodeJS.Signals): void => this.#send(signal);
	readonly #look = (): void => this.look();

	/** @param busy true while the child must not be waited for */
	constructor(readonly busy: () => boolean) {
		for (const signal of FORWARDED) process.on(signal, this.#forward);
		process.on('SIGCHLD', this.#look);
	}

	/** Resolves when the child has ended; the terminal is ours again then. */
	watch(child: Pid): Promise<Ended> {
		this.#child = child;
		this.#terminal?.pass(ownGroup(), child);
		this.#timer = setInterval(this.#look, PERIOD);
		return new Promise((resolve) => {
			this.#ended = resolve;
			this.look();
		});
	}

	/** Takes note of what has happened to the child. */
	look(): void {
		for (;;) {
			const change = this.#child === undefined || this.busy() ? undefined : childChange(this.#child);
			if (!change) return;
			if (change.kind === 'stopped') this.#stopped(change.signal);
			else if (change.kind !== 'continued') {
				this.#end(change);
				return;
			}
		}
	}

	#end(how: Ended): void {
		clearInterval(this.#timer);
		for (const signal of FORWARDED) process.off(signal, this.#forward);
		process.off('SIGCHLD', this.#look);
		this.#terminal?.pass(this.#child!, ownGroup());
		this.#terminal?.close();
		this.#child = undefined;
		this.#ended?.(how);
	}

	/** Stops as the child has, with everything in our group, so that the shell sees the whole job stopped. */
	#stopped(signal: number): void {
		const child = this.#child!;
		const wantsTerminal = signal === SIGTTIN || signal === SIGTTOU;
		if (wantsTerminal && (this.#terminal?.pass(ownGroup(), child) || this.#terminal?.foreground() === child)) {
			// In the second case it had asked before it got the terminal at its start.
			process.kill(-child, 'SIGCONT');
			return;
		}

		this.#terminal?.pass(child, ownGroup());
		process.off('SIGTSTP', this.#forward);
		process.kill(0, 'SIGTSTP');
		// Here we have been continued (or could not be stopped: nobody would continue an orphaned group).
		process.on('SIGTSTP', this.#forward);
		this.#terminal?.pass(ownGroup(), child);
		this.#kill('SIGCONT');
	}

	#send(signal: NodeJS.Signals): void {
		if (signal === 'SIGCONT') this.#terminal?.pass(ownGroup(), this.#child ?? 0);
		this.#kill(signal);
	}

	/** Stop and continue are for the job, others for the program, which passes them on as it likes. */
	#kill(signal: NodeJS.Signals): void {
		if (this.#child === undefined) return;
		const group = signal === 'SIGCONT' || signal === 'SIGTSTP';
		try {
			process.kill(group ? -this.#child : this.#child, signal);
		} catch {
			// It has ended; wait(2) will tell.
		}
	}
}
