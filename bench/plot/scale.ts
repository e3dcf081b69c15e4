/** Logarithmic axes. */

export interface Scale {
	/** Pixels. */
	at(value: number): number;
}

/** Powers of ten at and between the two, the next ones outside included. */
export function decades(from: number, to: number): number[] {
	const first = Math.floor(Math.log10(from) + 1e-9);
	const last = Math.ceil(Math.log10(to) - 1e-9);
	return Array.from({length: last - first + 1}, (_, i) => Number(`1e${first + i}`));
}

/** Maps from..to (both above 0) onto start..end pixels. */
export function logScale(from: number, to: number, start: number, end: number): Scale {
	if (!(from > 0 && to > from)) throw new RangeError(`no logarithmic axis from ${from} to ${to}`);
	return {at: (value) => start + (Math.log(value / from) / Math.log(to / from)) * (end - start)};
}
