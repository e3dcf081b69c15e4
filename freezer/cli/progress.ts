/** A bar on standard error, when that is a terminal; nothing elsewhere. */
import {isatty} from 'node:tty';
import {Presets, SingleBar} from 'cli-progress';
import {formatBytes} from './messages.js';

/** Below this many bytes it would only flicker. */
const WORTH_IT = 64 * 2 ** 20;

export interface Progress extends Disposable {
	/** Bytes done and in all. */
	show(done: number, total: number): void;
}

/** @param label what is being done, one word */
export function createProgress(label: string): Progress {
	if (!isatty(2)) return {show() {}, [Symbol.dispose]() {}};
	const bar = new SingleBar(
		{
			stream: process.stderr,
			format: `  ${label.padEnd(8)} [{bar}] {done}/{all}  {rate}/s  {eta_formatted} left`,
			barCompleteChar: '#',
			barIncompleteChar: '-',
			barsize: 24,
			hideCursor: true,
			clearOnComplete: true,
		},
		Presets.legacy,
	);
	const start = Date.now();
	let running = false;
	return {
		show(done, total) {
			if (total < WORTH_IT) return;
			const rate = formatBytes((done / Math.max(Date.now() - start, 1)) * 1000);
			const words = {done: formatBytes(done), all: formatBytes(total), rate};
			if (running) bar.update(done, words);
			else bar.start(total, done, words);
			running = true;
		},
		[Symbol.dispose]() {
			if (running) bar.stop();
		},
	};
}
