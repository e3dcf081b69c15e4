import {readSync} from 'node:fs';
import {constants, type Snapshot} from '../../builder/format/schema.js';
import type {ProcessMemory} from '../sys/memory.js';
import type {PageOrigin} from '../sys/pack.js';
import type {Area, PageRange} from '../sys/pagemap.js';
import {addr, PAGE_SIZE} from '../sys/types.js';
import type {ContentSource} from './context.js';
import type {FramePacker, PageReader, Stretch} from './frames.js';
import type {Image, Images} from './images.js';
import type {CapturedVma} from './vmas.js';

const {SOURCE, SPACE, VMA, VMA_FLAG} = constants;

/** Longest stretch, so that signals can be looked at in between. */
const PIECE = 1n << 24n;

/** Mappings with pages that are copied: not those that belong to the file or to a content, or that come back as zeros. */
export const hasOwnPages = ({row}: CapturedVma): boolean =>
	!(row.flags & (VMA_FLAG.WIPEONFORK | VMA_FLAG.DROPPABLE)) &&
	row.kind !== VMA.FILE_SHARED &&
	row.kind !== VMA.CONTENT_SHARED;

/** Where to look for them. */
export const areaOf = ({row}: CapturedVma): Area => ({start: row.start, end: row.end, own: row.kind !== VMA.ANON});

/**
 * process_vm_readv respects protection: pages behind PROT_NONE or write-only mappings are read by /proc/PID/mem. So are those that
 * are shared until somebody writes: process_vm_readv pins them, for which the kernel copies them first (mm/gup.c, since 5.19), and
 * the target would take as much memory as if it shared nothing.
 */
const isForced = ({mapping}: CapturedVma, cow: boolean): boolean => cow || !mapping.read;

/** How pages of a mapping are copied. */
export const ownOrigin = (vma: CapturedVma, memory: ProcessMemory, cow: boolean): PageOrigin => ({
	source: SOURCE.STORED,
	keepZeros: vma.row.kind !== VMA.ANON,
	mem: isForced(vma, cow) ? memory.descriptor : undefined,
});

/** Pages that are copied in pieces that somebody looks at as they are read. */
export function* ownPages(
	vma: CapturedVma,
	mm: number,
	memory: ProcessMemory,
	{start, end}: PageRange,
	cow: boolean,
	seen: Stretch['seen'],
): Generator<Stretch> {
	for (let at = start; at < end; at += PIECE) {
		yield {
			space: SPACE.MM,
			index: mm,
			address: at,
			length: Number((at + PIECE < end ? at + PIECE : end) - at),
			source: SOURCE.STORED,
			read: memoryReader(vma, memory, cow),
			keepZeros: vma.row.kind !== VMA.ANON,
			seen,
		};
	}
}

const memoryReader = (vma: CapturedVma, memory: ProcessMemory, cow = false): PageReader =>
	isForced(vma, cow)
		? (address, buffer) => memory.readForced(addr(address), buffer)
		: (address, buffer) => memory.readInto(addr(address), buffer);

/** May there be something that it takes from an embedded file? */
export const takesImage = ({row, image}: CapturedVma): boolean =>
	image?.embed === true &&
	(row.kind === VMA.FILE_PRIVATE || (row.kind === VMA.FILE_SHARED && (row.flags & VMA_FLAG.READ_ONLY) !== 0));

/** Parts of its embedded file, by address, that a mapping takes unmodified. */
function takenFrom(vma: CapturedVma, own: readonly PageRange[]): PageRange[] {
	const {row, image} = vma;
	if (!image || !takesImage(vma)) {
		return [];
	}

	const {fd, size} = image;
	const behind = row.start + BigInt(Math.max(0, Math.ceil((size - Number(row.offset)) / PAGE_SIZE) * PAGE_SIZE));
	return complement(row.start, fd === undefined || behind > row.end ? row.end : behind, own);
}

/** Where the file cannot be opened any more, the bytes are those of the mapping itself, and copied at once. */
export function* lostImage(
	vma: CapturedVma,
	own: readonly PageRange[],
	memory: ProcessMemory,
	images: Images,
): Generator<Stretch> {
	const {row, image} = vma;
	if (!image || image.fd !== undefined) {
		return;
	}

	const shift = row.offset - row.start;
	for (const {start, end} of takenFrom(vma, own)) {
		const inFile = {start: start + shift, end: end + shift};
		for (const missing of complement(inFile.start, inFile.end, merged(image.wanted))) {
			yield {
				space: SPACE.CONTENT,
				index: images.want(image, missing),
				address: missing.start,
				length: Number(missing.end - missing.start),
				source: SOURCE.IMAGE,
				read: (offset, buffer) => memoryReader(vma, memory)(offset - shift, buffer),
			};
		}

		images.want(image, inFile);
	}
}

/** What a mapping takes from a file that can be read is wanted of the image. */
export function wantImage(vma: CapturedVma, own: readonly PageRange[], images: Images): void {
	const {row, image} = vma;
	if (image?.fd === undefined) {
		return;
	}

	const shift = row.offset - row.start;
	for (const {start, end} of takenFrom(vma, own)) {
		images.want(image, {start: start + shift, end: end + shift});
	}
}

/** What mappings want of an image that can be read: it can be done after the target has been released. */
export function* imagePages({row, fd, wanted}: Image, snapshot: Snapshot): Generator<Stretch> {
	if (fd === undefined) {
		return;
	}

	const read: PageReader = (offset, buffer) => {
		const count = readSync(fd, buffer, 0, buffer.length, Number(offset));
		// The last page of the file ends in zeros.
		buffer.fill(0, count, Math.ceil(count / PAGE_SIZE) * PAGE_SIZE);
		return Math.ceil(count / PAGE_SIZE) * PAGE_SIZE;
	};

	for (const {start, end} of merged(wanted)) {
		yield {
			space: SPACE.CONTENT,
			index: snapshot.image[row]!.pages,
			address: start,
			length: Number(end - start),
			source: SOURCE.IMAGE,
			read,
		};
	}
}

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

export function merged(ranges: readonly PageRange[]): PageRange[] {
	const all: {start: bigint; end: bigint}[] = [];
	for (const {start, end} of [...ranges].sort((a, b) => (a.start < b.start ? -1 : 1))) {
		const last = all.at(-1);
		if (last && last.end >= start) {
			last.end = last.end > end ? last.end : end;
		} else {
			all.push({start, end});
		}
	}

	return all;
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
