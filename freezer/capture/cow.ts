/**
 * Private pages that relatives still share: fork(2) has not copied them, since nobody has written to them. Each is stored once, for
 * the eldest that has it, and the resumed relatives share it again.
 */
import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import {constants, NONE} from '../../builder/format/schema.js';
import {samePages} from '../sys/native.js';
import {PageMap, type PageRange} from '../sys/pagemap.js';
import {addr, PAGE_SIZE} from '../sys/types.js';
import {CANDIDATE, isStaged, type OwnRange, SAME, STAGED, type Surveyed} from './own-ranges.js';
import {overlapping} from './spans.js';
import type {CapturedVma} from './vmas.js';
import {recordSame} from './windows.js';

const {VMA, VMA_FLAG} = constants;
const PAGE = BigInt(PAGE_SIZE);
/** A mapping beyond this is a reservation: it would not find a second place in the address space. */
const LONGEST = 1n << 38n;
/** Mappings that are not inherited, or that cannot be moved into place. */
const APART = VMA_FLAG.GROWSDOWN | VMA_FLAG.DONTFORK | VMA_FLAG.WIPEONFORK | VMA_FLAG.DROPPABLE;
const CHUNK = 1 << 20;

/** Who of the relatives has a page from its eldest: descendants, or siblings as well. */
const BELOW = 1;
const BESIDE = 2;

const isEligible = ({row}: CapturedVma): boolean =>
	(row.kind === VMA.ANON || row.kind === VMA.FILE_PRIVATE || row.kind === VMA.CONTENT_PRIVATE) &&
	!(row.flags & APART) &&
	row.end - row.start <= LONGEST;

/** A piece of the eldest's memory, as it has just been read. */
interface Piece {
	readonly eldest: Surveyed;
	readonly vma: RowOf<'vma'>;
	readonly address: bigint;
	readonly bytes: Uint8Array;
	/** Frame of each page, 0 when unknown. */
	readonly frames: readonly number[];
	/** Per page BELOW or BESIDE when somebody has it, too. */
	readonly taken: Uint8Array;
}

export class Relatives implements Disposable {
	readonly #children = new Map<number, Surveyed[]>();
	readonly #byMm: ReadonlyMap<number, Surveyed>;
	readonly #pageMaps = new Map<Surveyed, PageMap>();
	readonly #side = Buffer.allocUnsafeSlow(CHUNK);
	readonly #bitmap = new Uint8Array(CHUNK / PAGE_SIZE / 8);
	readonly #rows: RowOf<'same'>[] = [];
	/** Pages (numbers) that a process stages for its children, though it has another one there itself. */
	readonly #places = new Map<Surveyed, Set<bigint>>();

	constructor(
		readonly snapshot: Snapshot,
		readonly processes: readonly Surveyed[],
	) {
		this.#byMm = new Map(processes.map((surveyed) => [surveyed.process.mm, surveyed]));
		for (const surveyed of processes) {
			const {parent} = snapshot.task[surveyed.process.row]!;
			const siblings = this.#children.get(parent) ?? [];
			this.#children.set(parent, [...siblings, surveyed]);
		}
	}

	[Symbol.dispose](): void {
		for (const pageMap of this.#pageMaps.values()) {
			pageMap.close();
		}
	}

	/** Are there any who may have pages from it? */
	isElder(surveyed: Surveyed): boolean {
		return this.#children.has(surveyed.process.row) || this.#younger(surveyed).length > 0;
	}

	#parentOf({process}: Surveyed): Surveyed | undefined {
		const {parent} = this.snapshot.task[process.row]!;
		return this.processes.find((other) => other.process.row === parent);
	}

	#younger(surveyed: Surveyed): Surveyed[] {
		const siblings = this.#children.get(this.snapshot.task[surveyed.process.row]!.parent) ?? [];
		return this.#parentOf(surveyed) ? siblings.slice(siblings.indexOf(surveyed) + 1) : [];
	}

	/** Finds the relatives that have the pages at `address`, which hold `bytes`, from `eldest`; returns which pages some of them have. */
	find(eldest: Surveyed, range: OwnRange, address: bigint, bytes: Uint8Array): PageRange[] {
		const vma = eldest.vmas[range.vma]!;
		const first = Number((address - range.start) / PAGE);
		// Nobody has what is mapped by the eldest alone.
		const mayBeShared = range.marks?.subarray(first, first + bytes.length / PAGE_SIZE).includes(CANDIDATE);
		if (!mayBeShared || !isEligible(vma)) {
			return [];
		}

		const taken = new Uint8Array(bytes.length / PAGE_SIZE);
		const frames = this.#framesOf(eldest, range, address, taken.length);
		const piece = {eldest, vma: vma.row, address, bytes, frames, taken};
		const end = address + BigInt(bytes.length);
		this.#among(this.#children.get(eldest.process.row) ?? [], piece, address, end, () => true);
		this.#lookBeside(range, piece, end);
		const [below, beside] = [pagesOf(taken, BELOW, address), pagesOf(taken, BESIDE, address)];
		for (const pages of below) {
			this.#add(eldest, eldest, pages);
		}

		const parent = this.#parentOf(eldest);
		for (const pages of parent ? beside : []) {
			this.#add(eldest, eldest, pages, parent);
		}

		const all = [...below, ...beside];
		for (const pages of all) {
			const first = Number((pages.start - range.start) / PAGE);
			range.marks?.fill(STAGED, first, first + Number((pages.end - pages.start) / PAGE));
		}

		return all.sort((a, b) => (a.start < b.start ? -1 : 1));
	}

	/** Pages that the parent has changed since, and its children have not: it stages them, unless it has something to stage there itself. */
	#lookBeside(range: OwnRange, piece: Piece, end: bigint): void {
		const {eldest, address, taken} = piece;
		const parent = this.#parentOf(eldest);
		const {marks} = range;
		const younger = this.#younger(eldest);
		if (!parent || !marks || younger.length === 0) {
			return;
		}

		const places = this.#places.get(parent) ?? new Set();
		this.#places.set(parent, places);
		const first = Number((address - range.start) / PAGE);
		const free = Array.from(taken, (_, page) => {
			const at = address + BigInt(page) * PAGE;
			return marks[first + page] === CANDIDATE && !places.has(at) && !isStaged(parent, at);
		});
		const before = taken.slice();
		taken.fill(0);
		this.#among(younger, piece, address, end, (page) => free[page] === true);
		for (const [page, found] of taken.entries()) {
			if (found) {
				places.add(address + BigInt(page) * PAGE);
			}

			taken[page] = found ? BESIDE : before[page]!;
		}
	}

	/** Frames that the kernel has not moved since the survey, so that those of the descendants, looked at in between, can be compared. */
	#framesOf(eldest: Surveyed, range: OwnRange, address: bigint, count: number): number[] {
		const first = Number((address - range.start) / PAGE);
		const before = Array.from({length: count}, (_, page) => range.words.frame(first + page));
		if (!before.some((frame) => frame !== 0)) {
			return before;
		}

		const pageMap = this.#pageMaps.get(eldest) ?? new PageMap(eldest.from.pid);
		this.#pageMaps.set(eldest, pageMap);
		const now = pageMap.words([{start: address, end: address + BigInt(count) * PAGE}])[0]!;
		return before.map((frame, page) => (frame === now.frame(page) ? frame : 0));
	}

	/** Looks for pages of the piece that `allowed` lets through in these and, where they have them, in their descendants. */
	#among(
		candidates: readonly Surveyed[],
		piece: Piece,
		start: bigint,
		end: bigint,
		allowed: (page: number) => boolean,
	): void {
		for (const child of candidates) {
			for (const range of overlapping(child.ranges.array, start, end)) {
				const vma = child.vmas[range.vma]!;
				if (range.marks && isEligible(vma) && isCompatible(piece.vma, vma.row)) {
					const from = start > range.start ? start : range.start;
					this.#compare(child, range, piece, from, min(end, range.end), allowed);
				}
			}
		}
	}

	#compare(
		child: Surveyed,
		range: OwnRange,
		piece: Piece,
		start: bigint,
		end: bigint,
		allowed: (page: number) => boolean,
	): void {
		const marks = range.marks!;
		const first = Number((start - range.start) / PAGE);
		const last = Number((end - range.start) / PAGE);
		const shift = Number((range.start - piece.address) / PAGE);
		const isCandidate = (page: number): boolean => marks[page] === CANDIDATE && allowed(page + shift);
		const isUnknown = (page: number): boolean =>
			isCandidate(page) && (range.words.frame(page) === 0 || piece.frames[page + shift] === 0);
		const found: PageRange[] = [];
		for (let page = first; page < last; ) {
			let next = page;
			while (next < last && isUnknown(next)) {
				next++;
			}

			const equal =
				next > page
					? this.#equalBytes(child, range, piece, page, next)
					: isCandidate(page) && range.words.frame(page) === piece.frames[page + shift]
						? [page]
						: [];
			for (const same of equal) {
				marks[same] = SAME;
				piece.taken[same + shift] = BELOW;
				extend(found, range.start + BigInt(same) * PAGE);
			}

			page = Math.max(next, page + 1);
		}

		for (const equal of found) {
			this.#add(child, piece.eldest, equal);
			this.#among(this.#children.get(child.process.row) ?? [], piece, equal.start, equal.end, allowed);
		}
	}

	/** Which pages of [from, to) hold the same bytes in both: how it is found out by who may see no frames. */
	#equalBytes(child: Surveyed, range: OwnRange, piece: Piece, from: number, to: number): number[] {
		const start = range.start + BigInt(from) * PAGE;
		const side = this.#side.subarray(0, (to - from) * PAGE_SIZE);
		const got = child.from.memory.readForced(addr(start), side);
		const pages = Math.floor(got / PAGE_SIZE);
		const offset = Number(start - piece.address);
		samePages(piece.bytes.subarray(offset, offset + pages * PAGE_SIZE), side, this.#bitmap);
		const equal: number[] = [];
		for (let page = 0; page < pages; page++) {
			if ((this.#bitmap[page >> 3] ?? 0) & (1 << (page & 7))) {
				equal.push(from + page);
			}
		}

		return equal;
	}

	#add({process}: Surveyed, eldest: Surveyed, {start, end}: PageRange, by = eldest): void {
		this.#rows.push({start, end, mm: process.mm, from: eldest.process.mm, by: by.process.mm, window: NONE});
	}

	/** To be called once all pages have been looked at. */
	finish(): void {
		recordSame(this.snapshot, this.#byMm, this.#rows);
	}
}

function pagesOf(taken: Uint8Array, what: number, address: bigint): PageRange[] {
	const found: PageRange[] = [];
	for (let page = 0; page < taken.length; page++) {
		if (taken[page] === what) {
			extend(found, address + BigInt(page) * PAGE);
		}
	}

	return found;
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
