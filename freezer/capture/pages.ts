import {readSync} from 'node:fs';
import {constants} from '../../builder/format/schema.js';
import type {ProcessMemory} from '../sys/memory.js';
import type {MemoryStretch} from '../sys/pack.js';
import type {Area, PageRange} from '../sys/pagemap.js';
import {PAGE_SIZE} from '../sys/types.js';
import type {ContentSource} from './context.js';
import type {FramePacker, PageReader, Stretch} from './frames.js';
import type {CapturedVma} from './vmas.js';

const {SOURCE, SPACE, VMA, VMA_FLAG} = constants;

/** Mappings whose pages are copied while the target is stopped. */
export const hasOwnPages = ({row}: CapturedVma): boolean =>
	!(row.flags & (VMA_FLAG.WIPEONFORK | VMA_FLAG.DROPPABLE)) &&
	row.kind !== VMA.FILE_SHARED &&
	row.kind !== VMA.CONTENT_SHARED;

/** Where to look for them. */
export const areaOf = ({row}: CapturedVma): Area => ({start: row.start, end: row.end, own: row.kind !== VMA.ANON});

/** What is copied of such a mapping, given the pages that are its own. */
export function ownPages(vma: CapturedVma, own: readonly PageRange[], memory: ProcessMemory): MemoryStretch[] {
	const {row, mapping, image} = vma;
	// process_vm_readv respects protection: pages behind PROT_NONE or write-only mappings are read by the other way.
	const mem = mapping.read ? undefined : memory.descriptor;
	const keepZeros = row.kind !== VMA.ANON;
	const stored = own.map(({start, end}) => ({start, end, source: SOURCE.STORED, keepZeros, mem}));
	if (!image?.embed || image.fd !== undefined) {
		return stored;
	}

	const others = complement(row.start, row.end, own);
	return [...stored, ...others.map(({start, end}) => ({start, end, source: SOURCE.IMAGE, keepZeros: false, mem}))];
}

/** The same pages of the same file in several address spaces: their bytes are stored once. */
export function sharedImagePages(stretches: Iterable<ImageStretch>): Stretch[] {
	const found = new Map<string, Stretch & {also: {index: number; address: bigint}[]}>();
	for (const stretch of stretches) {
		const {index, address} = stretch;
		const key = `${stretch.image} ${stretch.offset} ${stretch.length}`;
		const first = found.get(key);
		if (first) {
			first.also.push({index, address});
		} else {
			found.set(key, {...stretch, also: []});
		}
	}

	return [...found.values()];
}

export interface ImageStretch extends Stretch {
	/** Row of image, and where in that file. */
	readonly image: number;
	readonly offset: bigint;
}

/** Unmodified pages of an embedded file, read from the file itself: it can be done after the target has been released. */
export function* imagePages(vma: CapturedVma, mm: number, own: readonly PageRange[]): Generator<ImageStretch> {
	const {row, image} = vma;
	const neverWritten = row.kind === VMA.FILE_PRIVATE || (row.kind === VMA.FILE_SHARED && isReadOnly(vma));
	if (!neverWritten || !image?.embed || image.fd === undefined) {
		return;
	}

	const {fd, size} = image;
	const behind = row.start + BigInt(Math.max(0, Math.ceil((size - Number(row.offset)) / PAGE_SIZE) * PAGE_SIZE));
	const end = behind < row.end ? behind : row.end;
	const read: PageReader = (address, buffer) => {
		const count = readSync(fd, buffer, 0, buffer.length, Number(row.offset + address - row.start));
		// The last page of the file ends in zeros.
		buffer.fill(0, count, Math.ceil(count / PAGE_SIZE) * PAGE_SIZE);
		return Math.ceil(count / PAGE_SIZE) * PAGE_SIZE;
	};

	for (const range of complement(row.start, end, own)) {
		yield {
			space: SPACE.MM,
			index: mm,
			address: range.start,
			length: Number(range.end - range.start),
			source: SOURCE.IMAGE,
			read,
			image: image.row,
			offset: row.offset + range.start - row.start,
		};
	}
}

/** A shared mapping of a file that was opened for reading alone is as good as a private one: the program cannot write to it. */
const isReadOnly = ({mapping}: CapturedVma): boolean => !mapping.write && !mapping.flags.has('mw');

export function complement(start: bigint, end: bigint, ranges: readonly PageRange[]): PageRange[] {
	const gaps: PageRange[] = [];
	let at = start;
	for (const range of ranges) {
		if (range.start >= end) {
			break;
		}

		if (range.start > at) {
			gaps.push({start: at, end: range.start});
		}

		if (range.end > at) {
			at = range.end;
		}
	}

	if (at < end) {
		gaps.push({start: at, end});
	}

	return gaps;
}

/** Content that belongs to no address space. */
export function copyContent(index: number, source: ContentSource, packer: FramePacker): void {
	for (const {offset, length} of source.extents?.() ?? [{offset: 0, length: source.size}]) {
		packer.add({
			space: SPACE.CONTENT,
			index,
			address: BigInt(offset),
			length: Math.min(length, source.size - offset),
			source: SOURCE.STORED,
			read: (address, buffer) => source.read(Number(address), buffer),
		});
	}
}
