import {CLOCK, clockNow} from '../sys/clock.js';

export interface Phase {
	readonly name: string;
	readonly milliseconds: number;
}

/** How long the steps of a freeze took. */
export class Stopwatch {
	readonly phases: Phase[] = [];
	#last = clockNow(CLOCK.MONOTONIC);

	/** Ends the step that began at the last mark. */
	mark(name: string): void {
		const now = clockNow(CLOCK.MONOTONIC);
		this.phases.push({name, milliseconds: Number(now - this.#last) / 1e6});
		this.#last = now;
	}
}
