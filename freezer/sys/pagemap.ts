import {closeSync, openSync} from 'node:fs';
import {nativePages} from './native.js';
import {PAGE_SIZE, type Pid} from './types.js';

/** Which pages of a process hold something: PAGEMAP_SCAN (Linux 6.7), else /proc/PID/pagemap. */
export interface PageRange {
	readonly start: bigint;
	readonly end: bigint;
}

export interface Area extends PageRange {
	/** Only pages that are no longer those of the mapped file. */
	readonly own: boolean;
}

const WORDS = 3;
/** Room for what is found; it grows and is used again. */
const FIRST_ROOM = 4096;
let answer = new BigUint64Array(FIRST_ROOM * WORDS);
const PRESENT = 0x8000_0000;
const FRAME_HIGH = 0x007f_ffff;

/** Entries of /proc/PID/pagemap. */
export class PageWords {
	constructor(
		readonly words: Uint32Array,
		/** Per page 1 where somebody else may have it, too. */
		readonly shared: Uint8Array,
	) {}

	/** Number of the frame that holds a page; 0 when it is not in memory, or not ours to see (CAP_SYS_ADMIN). */
	frame(page: number): number {
		const high = this.words[page * 2 + 1] ?? 0;
		return high & PRESENT ? (high & FRAME_HIGH) * 2 ** 32 + (this.words[page * 2] ?? 0) : 0;
	}
}

/** Ranges with the number of their area, which take little memory: there may be a million of them. */
export class RangeList implements Iterable<PageRange & {readonly area: number}> {
	/** Their low and high halves, since each number of 64 bits would be an object. */
	readonly #halves: Uint32Array;

	constructor(readonly words: BigUint64Array) {
		this.#halves = new Uint32Array(words.buffer, words.byteOffset, words.length * 2);
	}

	get length(): number {
		return this.words.length / WORDS;
	}

	/** Of all of them together. */
	get bytes(): number {
		const halves = this.#halves;
		let sum = 0;
		for (let at = 0; at < halves.length; at += 2 * WORDS) {
			sum += (halves[at + 3]! - halves[at + 1]!) * 2 ** 32 + halves[at + 2]! - halves[at]!;
		}

		return sum;
	}

	/** From the `first` one on, so many. */
	part(first: number, count: number): RangeList {
		return new RangeList(this.words.subarray(first * WORDS, (first + count) * WORDS));
	}

	areaOf(i: number): number {
		return this.#halves[(i * WORDS + 2) * 2]!;
	}

	at(i: number): PageRange {
		return {start: this.words[i * WORDS]!, end: this.words[i * WORDS + 1]!};
	}

	*[Symbol.iterator](): Generator<PageRange & {readonly area: number}> {
		for (let i = 0; i < this.length; i++) {
			yield {...this.at(i), area: this.areaOf(i)};
		}
	}
}

export class PageMap {
	readonly #fd: number;

	constructor(pid: Pid) {
		this.#fd = openSync(`/proc/${pid}/pagemap`, 'r');
	}

	/** The ranges in each area, ascending. */
	ranges(areas: readonly Area[]): PageRange[][] {
		const found = areas.map((): PageRange[] => []);
		for (const {start, end, area} of this.list(areas)) {
			found[area]!.push({start, end});
		}

		return found;
	}

	/** The same in the order of the areas. */
	list(areas: readonly Area[]): RangeList {
		const asked = new BigUint64Array(areas.length * WORDS);
		for (const [i, {start, end, own}] of areas.entries()) {
			asked[i * WORDS] = start;
			asked[i * WORDS + 1] = end;
			asked[i * WORDS + 2] = own ? 1n : 0n;
		}

		for (;;) {
			const ranges = answer;
			const count = Number(nativePages().ranges(this.#fd, asked, areas.length, ranges, ranges.length / WORDS));
			if (count < 0) {
				answer = new BigUint64Array(ranges.length * 8);
				continue;
			}

			if (ranges.length === FIRST_ROOM * WORDS) {
				return new RangeList(ranges.slice(0, count * WORDS));
			}

			answer = new BigUint64Array(FIRST_ROOM * WORDS);
			return new RangeList(ranges.subarray(0, count * WORDS));
		}
	}

	/** What is known of each page of these ranges. */
	words(ranges: readonly PageRange[]): PageWords[] {
		const asked = new BigUint64Array(ranges.length * WORDS);
		const counts = ranges.map(({start, end}) => Number(end - start) / PAGE_SIZE);
		for (const [i, {start, end}] of ranges.entries()) {
			asked[i * WORDS] = start;
			asked[i * WORDS + 1] = end;
		}

		const pages = counts.reduce((sum, count) => sum + count, 0);
		const words = new Uint32Array(pages * 2);
		const marks = new Uint8Array(pages);
		nativePages().words(this.#fd, asked, ranges.length, words, marks);
		let at = 0;
		return counts.map((count) => {
			at += count;
			return new PageWords(words.subarray((at - count) * 2, at * 2), marks.subarray(at - count, at));
		});
	}

	close(): void {
		closeSync(this.#fd);
	}
}
