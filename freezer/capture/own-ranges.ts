import type {ProcessMemory} from '../sys/memory.js';
import {type PageRange, PageWords, RangeList} from '../sys/pagemap.js';
import {PAGE_SIZE, type Pid} from '../sys/types.js';
import type {CapturedProcess} from './collect.js';
import {overlapping} from './spans.js';

const PAGE = BigInt(PAGE_SIZE);

/** What is known of a page of a range: 0 nobody else maps it, or somebody may, or it is stored for an ancestor. */
export const CANDIDATE = 1;
export const SAME = 2;
/** Its place in the window of this process is taken: others have it from there. */
export const STAGED = 3;

/** A stretch of pages that a process has of its own in one mapping. */
export interface OwnRange extends PageRange {
	readonly vma: number;
	/** Per page 0, CANDIDATE or SAME; absent: all 0. */
	readonly marks: Uint8Array | undefined;
	/** As /proc/PID/pagemap tells the pages, with the frame where we may see that. */
	readonly words: PageWords;
}

/** Where the pages of a process are read: the process itself, or a copy-on-write clone of it. */
export interface PageSource {
	readonly pid: Pid;
	readonly memory: ProcessMemory;
	/** Its pages are another one's, too, until somebody writes: see isForced in pages.ts. */
	readonly cow: boolean;
}

/** A process with the ranges it has of its own, ascending. */
export interface Surveyed extends CapturedProcess {
	readonly from: PageSource;
	readonly ranges: OwnRanges;
}

const NOTHING_KNOWN = new PageWords(new Uint32Array(), new Uint8Array());

/** Ascending. Where nothing but the addresses is known of them, they stay a list. */
export class OwnRanges implements Iterable<OwnRange> {
	/** @param vmas the mapping of each area of a list */
	constructor(
		readonly list: RangeList | readonly OwnRange[],
		readonly vmas: readonly number[] = [],
	) {}

	*[Symbol.iterator](): Generator<OwnRange> {
		if (!(this.list instanceof RangeList)) {
			yield* this.list;
			return;
		}

		for (const {start, end, area} of this.list) {
			yield {start, end, vma: this.vmas[area]!, words: NOTHING_KNOWN, marks: undefined};
		}
	}

	/** As an array; those of relatives are one already. */
	get array(): readonly OwnRange[] {
		return this.list instanceof RangeList ? [...this] : this.list;
	}

	/** For each mapping that is `wanted`, those that are in it. */
	by(wanted: (vma: number) => boolean): ReadonlyMap<number, readonly PageRange[]> {
		const {list} = this;
		const found = new Map<number, PageRange[]>();
		const isWanted = this.vmas.map(wanted);
		for (let i = 0; i < list.length; i++) {
			const vma = list instanceof RangeList ? this.vmas[list.areaOf(i)]! : list[i]!.vma;
			if (list instanceof RangeList ? !isWanted[list.areaOf(i)] : !wanted(vma)) {
				continue;
			}

			const ranges = found.get(vma) ?? [];
			ranges.push(list instanceof RangeList ? list.at(i) : list[i]!);
			found.set(vma, ranges);
		}

		return found;
	}
}

/** One range of a survey, and which of its pages somebody else maps, too. */
export const ownRange = ({start, end}: PageRange, vma: number, words = NOTHING_KNOWN): OwnRange => ({
	start,
	end,
	vma,
	words,
	marks: words.shared.includes(CANDIDATE) ? words.shared : undefined,
});

/** The pages of a range that are stored for this process itself. */
export function* unshared({start, end, marks}: OwnRange): Generator<PageRange> {
	if (!marks) {
		yield {start, end};
		return;
	}

	for (let page = 0; page < marks.length; ) {
		const same = marks[page] === SAME;
		let next = page + 1;
		while (next < marks.length && (marks[next] === SAME) === same) {
			next++;
		}

		if (!same) {
			yield {start: start + BigInt(page) * PAGE, end: start + BigInt(next) * PAGE};
		}

		page = next;
	}
}

/** Does the process itself need the place of this page in its window? */
export function isStaged({ranges}: Surveyed, address: bigint): boolean {
	for (const {start, marks} of overlapping(ranges.array, address, address + PAGE)) {
		const mark = marks?.[Number((address - start) / PAGE)];
		return mark === SAME || mark === STAGED;
	}

	return false;
}
