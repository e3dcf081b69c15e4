import type {PageRange} from '../sys/pagemap.js';

/** Ranges that neither overlap nor touch, ascending. */
export class Spans {
	readonly ranges: readonly PageRange[];

	/** Of ranges in any order. */
	constructor(ranges: readonly PageRange[]) {
		const all: {start: bigint; end: bigint}[] = [];
		for (const {start, end} of [...ranges].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))) {
			const last = all.at(-1);
			if (last && last.end >= start) {
				last.end = last.end > end ? last.end : end;
			} else {
				all.push({start, end});
			}
		}

		this.ranges = all;
	}

	/** What lies in [start, end), ascending. */
	*inside(start: bigint, end: bigint): Generator<PageRange> {
		for (const range of overlapping(this.ranges, start, end)) {
			yield {start: range.start > start ? range.start : start, end: range.end < end ? range.end : end};
		}
	}

	/** The gaps in [start, end), ascending. */
	*outside(start: bigint, end: bigint): Generator<PageRange> {
		let at = start;
		for (const range of this.inside(start, end)) {
			if (range.start > at) {
				yield {start: at, end: range.start};
			}

			at = range.end;
		}

		if (at < end) {
			yield {start: at, end};
		}
	}

	touches({start, end}: PageRange): boolean {
		return !this.inside(start, end).next().done;
	}
}

/** Those of ascending ranges that reach into [start, end). */
export function* overlapping<R extends PageRange>(ranges: readonly R[], start: bigint, end: bigint): Generator<R> {
	let low = 0;
	let high = ranges.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (ranges[middle]!.end <= start) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}

	for (let at = low; at < ranges.length && ranges[at]!.start < end; at++) {
		yield ranges[at]!;
	}
}
