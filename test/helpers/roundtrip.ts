/** The main round trip: freeze, the original goes on and judges itself, the copy does too. */
import type {ExecutionContext} from 'ava';
import type {Stage} from './stage.js';
import type {Started, StartOptions} from './started.js';
import {Skipped} from './users.js';

export interface RoundTripOptions {
	freezeArgs?: string[];
	thawArgs?: string[];
	/** Copies of copies; 1 is the plain round trip. */
	generations?: number;
	start?: Partial<StartOptions>;
	/** Done to the original once it is ready, before it is frozen. */
	before?: (original: Started) => Promise<void> | void;
	/** Done just before the signal, to the original and to each copy. */
	beforeSignal?: (running: Started, copy: boolean) => Promise<void> | void;
	/** Done between the end of the original and the start of the copy. */
	between?: () => Promise<void> | void;
	/** Milliseconds until a signalled target has judged itself. */
	patience?: number;
	/** The copy alone: the original is ended by the freeze. */
	halt?: boolean;
}

/** Waits for `ready`; a target that says SKIP skips the test. */
export async function ready(started: Started, limit?: number): Promise<void> {
	const [line] = await started.line(/^(ready|SKIP .*|CANNOT .*)$/, limit);
	if (line.startsWith('SKIP')) throw new Skipped(line.slice(5));
	if (line !== 'ready') throw new Error(line);
}

/** Signals a running target and expects PASS and exit code 0. */
export async function judged(t: ExecutionContext, running: Started, who: string, patience?: number): Promise<void> {
	running.kill('SIGUSR1');
	const code = await running.end(patience);
	const said = running.lines.filter((line) => !/^(beat \d+|ready|\d+)$/.test(line)).join('\n');
	t.is(code, 0, `${who} ended with ${code}:\n${said}`);
	t.regex(said, /^PASS /m, `${who} did not pass:\n${said}`);
}

/** A copy runs once it prints a line of its own. */
export async function alive(copy: Started): Promise<void> {
	await copy.line(/^(beat )?\d+$/);
}

/** With FRORE_UNDISTURBED set nothing is frozen: it shows whether the target itself is right. */
export async function roundTrip(
	t: ExecutionContext,
	stage: Stage,
	command: string[],
	options: RoundTripOptions = {},
): Promise<void> {
	const original = await stage.start(command, options.start);
	await ready(original);
	await options.before?.(original);
	if (process.env.FRORE_UNDISTURBED) {
		await options.beforeSignal?.(original, false);
		await judged(t, original, 'the undisturbed program', options.patience);
		return;
	}
	let {file, stderr} = await stage.freeze(original.pid, {halt: options.halt ?? false, args: options.freezeArgs ?? []});
	if (stderr) t.log(stderr.trimEnd());
	if (options.halt) {
		t.is(await original.end(), 137, 'the original is ended by --halt');
	} else {
		const seen = original.lines.length;
		await original.line(/^(beat )?\d+$/, undefined, seen);
		await options.beforeSignal?.(original, false);
		await judged(t, original, 'the original', options.patience);
	}
	await options.between?.();
	for (let generation = 1; ; generation++) {
		const copy = await stage.thaw(file, options.thawArgs, options.start);
		await alive(copy);
		if (generation === (options.generations ?? 1)) {
			await options.beforeSignal?.(copy, true);
			await judged(t, copy, `the copy (generation ${generation})`, options.patience);
			return;
		}
		({file, stderr} = await stage.freeze(copy.pid, {halt: true, args: options.freezeArgs ?? []}));
		await copy.end();
	}
}
