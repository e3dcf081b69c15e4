/**
 * Private pages that relatives still share: fork(2) has not copied them, since nobody has written to them. Each is stored once, for
 * the eldest that has it, and the resumed relatives share it again.
 */
import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import {constants} from '../../builder/format/schema.js';
import {samePages} from '../sys/native.js';
import type {PageMap, PageRange} from '../sys/pagemap.js';
import {addr, PAGE_SIZE} from '../sys/types.js';
import type {CapturedProcess} from './collect.js';
import type {CapturedVma} from './vmas.js';

const {VMA, VMA_FLAG} = constants;
const PAGE = BigInt(PAGE_SIZE);
/** A mapping beyond this is a reservation: it would not find a second place in the address space. */
const LONGEST = 1n << 38n;
/** Mappings that are not inherited, or that cannot be moved into place. */
const APART = VMA_FLAG.GROWSDOWN | VMA_FLAG.DONTFORK | VMA_FLAG.WIPEONFORK | VMA_FLAG.DROPPABLE;
const CHUNK = 1 << 20;

/** What is known of a page of a range: 0 nobody else maps it, or somebody may, or it is stored for an ancestor. */
const CANDIDATE = 1;
const SAME = 2;

/** A stretch of pages that a process has of its own in one mapping. */
export interface OwnRange extends PageRange {
	readonly vma: number;
	/** Per page 0, CANDIDATE or SAME; absent: all 0. */
	readonly marks: Uint8Array | undefined;
}

/** A process with the ranges it has of its own, ascending. */
export interface Surveyed extends CapturedProcess {
	readonly ranges: readonly OwnRange[];
	/** The same for each mapping. */
	readonly own: readonly (readonly OwnRange[])[];
}

const isEligible = ({row}: CapturedVma): boolean =>
	(row.kind === VMA.ANON || row.kind === VMA.FILE_PRIVATE || row.kind === VMA.CONTENT_PRIVATE) &&
	!(row.flags & APART) &&
	row.end - row.start <= LONGEST;

/** One range of a survey, and which of its pages somebody else maps, too. */
export function ownRange(range: PageRange, vma: number, pageMap: PageMap | false): OwnRange {
	const marks = pageMap ? pageMap.shared(range) : undefined;
	return {...range, vma, marks: marks?.includes(CANDIDATE) ? marks : undefined};
}

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

export class Relatives {
	readonly #children = new Map<number, Surveyed[]>();
	readonly #side = Buffer.allocUnsafeSlow(CHUNK);
	readonly #bitmap = new Uint8Array(CHUNK / PAGE_SIZE / 8);
	readonly #rows: RowOf<'same'>[] = [];

	constructor(
		readonly snapshot: Snapshot,
		readonly processes: readonly Surveyed[],
	) {
		for (const surveyed of processes) {
			const {parent} = snapshot.task[surveyed.process.row]!;
			const siblings = this.#children.get(parent) ?? [];
			this.#children.set(parent, [...siblings, surveyed]);
		}
	}

	hasChildren({process}: Surveyed): boolean {
		return this.#children.has(process.row);
	}

	/** Finds the descendants that have the pages at `address`, which hold `bytes`, from `eldest`; returns which pages some of them have. */
	find(eldest: Surveyed, vma: number, address: bigint, bytes: Uint8Array): PageRange[] {
		if (!isEligible(eldest.vmas[vma]!)) {
			return [];
		}

		const taken = new Uint8Array(bytes.length / PAGE_SIZE);
		this.#descend(eldest, eldest, vma, address, bytes, taken);
		const found: PageRange[] = [];
		for (let page = 0; page < taken.length; page++) {
			if (taken[page]) {
				extend(found, address + BigInt(page) * PAGE);
			}
		}

		for (const range of found) {
			this.#add(eldest, eldest, range);
		}

		return found;
	}

	#descend(
		eldest: Surveyed,
		parent: Surveyed,
		vma: number,
		address: bigint,
		bytes: Uint8Array,
		taken: Uint8Array,
	): void {
		const end = address + BigInt(bytes.length);
		for (const child of this.#children.get(parent.process.row) ?? []) {
			for (const range of overlapping(child.ranges, address, end)) {
				if (
					range.marks &&
					isEligible(child.vmas[range.vma]!) &&
					isCompatible(eldest.vmas[vma]!.row, child.vmas[range.vma]!.row)
				) {
					this.#compare(eldest, child, range, vma, address, bytes, taken);
				}
			}
		}
	}

	#compare(
		eldest: Surveyed,
		child: Surveyed,
		range: OwnRange,
		vma: number,
		address: bigint,
		bytes: Uint8Array,
		taken: Uint8Array,
	): void {
		const marks = range.marks!;
		const from = range.start > address ? range.start : address;
		const to = min(range.end, address + BigInt(bytes.length));
		const last = Number((to - range.start) / PAGE);
		for (let page = Number((from - range.start) / PAGE); page < last; ) {
			let next = page;
			while (next < last && marks[next] === CANDIDATE) {
				next++;
			}

			if (next === page) {
				page++;
				continue;
			}

			const start = range.start + BigInt(page) * PAGE;
			const offset = Number(start - address);
			const length = (next - page) * PAGE_SIZE;
			const side = this.#side.subarray(0, length);
			const got = child.process.memory.readForced(addr(start), side);
			const pages = Math.floor(got / PAGE_SIZE);
			const own = bytes.subarray(offset, offset + pages * PAGE_SIZE);
			samePages(own, side, this.#bitmap);
			const found: PageRange[] = [];
			for (let i = 0; i < pages; i++) {
				if ((this.#bitmap[i >> 3] ?? 0) & (1 << (i & 7))) {
					marks[page + i] = SAME;
					taken[offset / PAGE_SIZE + i] = 1;
					extend(found, start + BigInt(i) * PAGE);
				}
			}

			for (const equal of found) {
				this.#add(child, eldest, equal);
				const at = Number(equal.start - address);
				const part = bytes.subarray(at, at + Number(equal.end - equal.start));
				const below = taken.subarray(at / PAGE_SIZE);
				this.#descend(eldest, child, vma, equal.start, part, below);
			}

			page = next;
		}
	}

	#add({process}: Surveyed, {process: eldest}: Surveyed, {start, end}: PageRange): void {
		this.#rows.push({start, end, mm: process.mm, from: eldest.mm});
	}

	/** The rows of `same` and `window`, once all pages have been looked at. */
	finish(): void {
		const {snapshot} = this;
		this.#rows.sort((a, b) => a.mm - b.mm || (a.start < b.start ? -1 : 1));
		const families = new Families();
		let vma: RowOf<'vma'> | undefined;
		for (const row of this.#rows) {
			const last = snapshot.same.at(-1);
			if (vma && last && last.mm === row.mm && last.from === row.from && last.end === row.start && row.end <= vma.end) {
				last.end = row.end;
			} else {
				snapshot.same.push(row);
			}

			vma = this.#vma(row.mm, row.start);
			families.join(vma, this.#vma(row.from, row.start));
		}

		for (const family of families.all()) {
			const {offset, start, kind, source, flags} = family.reduce((first, row) =>
				row.start < first.start ? row : first,
			);
			const end = family.reduce((most, row) => (row.end > most ? row.end : most), 0n);
			const row = {start, end, offset, kind, source, flags: flags & VMA_FLAG.NORESERVE, pad0: 0};
			const window = snapshot.window.push(row) - 1;
			for (const member of family) {
				member.window = window;
			}
		}
	}

	#vma(mm: number, address: bigint): RowOf<'vma'> {
		const {vmas} = this.processes.find(({process}) => process.mm === mm)!;
		let low = 0;
		let high = vmas.length - 1;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (vmas[middle]!.row.end <= address) {
				low = middle + 1;
			} else {
				high = middle;
			}
		}

		return vmas[low]!.row;
	}
}

/** Mappings that have pages in common, directly or through others. */
class Families {
	readonly #family = new Map<RowOf<'vma'>, Set<RowOf<'vma'>>>();

	join(one: RowOf<'vma'>, other: RowOf<'vma'>): void {
		const first = this.#family.get(one) ?? new Set([one]);
		const second = this.#family.get(other) ?? new Set([other]);
		if (first === second) {
			return;
		}

		for (const row of second) {
			first.add(row);
		}

		for (const row of first) {
			this.#family.set(row, first);
		}
	}

	all(): (readonly RowOf<'vma'>[])[] {
		return [...new Set(this.#family.values())].map((family) => [...family]);
	}
}

/** One made for the other's place would do: the same kind over the same bytes. */
function isCompatible(one: RowOf<'vma'>, other: RowOf<'vma'>): boolean {
	return (
		one.kind === other.kind &&
		one.source === other.source &&
		!((one.flags ^ other.flags) & VMA_FLAG.NORESERVE) &&
		(one.kind === VMA.ANON || one.offset - one.start === other.offset - other.start)
	);
}

function* overlapping(ranges: readonly OwnRange[], start: bigint, end: bigint): Generator<OwnRange> {
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

/** Adds a page behind the others. */
function extend(ranges: PageRange[], page: bigint): void {
	const last = ranges.at(-1);
	if (last && last.end === page) {
		ranges[ranges.length - 1] = {start: last.start, end: page + PAGE};
	} else {
		ranges.push({start: page, end: page + PAGE});
	}
}

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
