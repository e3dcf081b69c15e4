import {fstatSync, readSync, statfsSync} from 'node:fs';
import {constants} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import {PageMap} from '../sys/pagemap.js';
import {tryReadProcText} from '../sys/procfs.js';
import {addr, PAGE_SIZE} from '../sys/types.js';
import {type CaptureContext, type CapturedTask, type ContentSource, contentKey} from './context.js';
import type {Image} from './images.js';
import type {Mapping} from './parse/smaps.js';
import {deviceNumber, type MappingKind} from './parse/vmakind.js';

const {CONTENT} = constants;
const TMPFS = 0x0102_1994;
const RAMFS = 0x8584_58f6;

/** A mapping of the content, in one of the processes. */
export interface View {
	readonly task: CapturedTask;
	readonly mapping: Mapping;
}

export const viewsOf = (context: CaptureContext, wanted: (mapping: Mapping) => boolean): View[] =>
	context.tasks.flatMap((task) => task.mappings.filter(wanted).map((mapping) => ({task, mapping})));

/** The content behind a shared mapping that no path leads to: read through the mappings themselves, unless a descriptor has told of it. */
export function sharedContent(context: CaptureContext, kind: MappingKind, mapping: Mapping): number {
	const key = contentKey(deviceNumber(mapping.dev), mapping.ino);
	return context.content(key, () => {
		const views = viewsOf(context, (other) => other.dev === mapping.dev && other.ino === mapping.ino);
		const size = views.reduce(
			(most, {mapping: {offset, start, end}}) => Math.max(most, Number(offset + end - start)),
			0,
		);
		return {
			row: {
				size: BigInt(size),
				kind: kind === 'memfd' ? CONTENT.MEMFD : kind === 'deleted-file' ? CONTENT.DELETED_FILE : CONTENT.SHARED_MEMORY,
				seals: 0,
				mode: 0o600,
				memfd_flags: kind === 'memfd' ? 2 : 0,
				uid: 0,
				gid: 0,
				name: kind === 'memfd' ? mapping.path.slice('/memfd:'.length) : kind === 'deleted-file' ? mapping.path : '',
				xattr: new Uint8Array(),
			},
			source: throughMappings(views, size),
		};
	});
}

/** A file on tmpfs or ramfs is gone after a reboot: its content comes along, as that of every file with --files embed. */
export function volatileContent(context: CaptureContext, image: Image): void {
	const row = context.snapshot.image[image.row];
	if (!row || image.fd === undefined || (context.options.files !== 'embed' && !isVolatile(image.fd))) {
		return;
	}

	const {fd} = image;
	const stat = fstatSync(fd);
	row.content = context.content(contentKey(row.dev, row.ino), () => ({
		row: {
			size: row.size,
			kind: CONTENT.FILE,
			seals: 0,
			mode: stat.mode & 0o7777,
			memfd_flags: 0,
			uid: stat.uid,
			gid: stat.gid,
			name: row.path,
			xattr: new Uint8Array(),
		},
		source: {size: image.size, read: (offset, buffer) => readSync(fd, buffer, 0, buffer.length, offset)},
	}));
}

function isVolatile(fd: number): boolean {
	const {type} = statfsSync(`/proc/self/fd/${fd}`);
	return type === TMPFS || type === RAMFS;
}

export function throughMappings(views: readonly View[], size: number): ContentSource {
	let pieces: Piece[] | undefined;
	const residents = (): Piece[] => {
		pieces ??= residentPieces(views);
		return pieces;
	};
	return {
		size,
		read(offset, buffer) {
			const piece = residents().find(({start, end}) => offset >= start && offset < end);
			if (!piece) {
				return 0;
			}

			const {task, mapping} = piece.view;
			const part = buffer.subarray(0, Math.min(buffer.length, piece.end - offset));
			const address = addr(mapping.start + BigInt(offset) - mapping.offset);
			return mapping.read ? task.memory.readInto(address, part) : task.memory.readForced(address, part);
		},
		extents: () => residents().map(({start, end}) => ({offset: start, length: end - start})),
	};
}

/** Bytes of the content that are read through one view. */
interface Piece {
	readonly start: number;
	end: number;
	readonly view: View;
}

/**
 * Every page that exists, with a view that shows it. Private mappings show what has been written to them instead: such pages are
 * looked for elsewhere first.
 */
function residentPieces(views: readonly View[]): Piece[] {
	const pieces: Piece[] = [];
	const seen = new Set<number>();
	const take = (view: View, wanted: (offset: number) => boolean): void => {
		for (const offset of residentPages(view)) {
			if (seen.has(offset) || !wanted(offset)) {
				continue;
			}

			seen.add(offset);
			const last = pieces.at(-1);
			if (last && last.view === view && last.end === offset) {
				last.end += PAGE_SIZE;
			} else {
				pieces.push({start: offset, end: offset + PAGE_SIZE, view});
			}
		}
	};

	const privates = views.filter(({mapping}) => !mapping.shared);
	for (const view of views.filter(({mapping}) => mapping.shared)) {
		take(view, () => true);
	}

	for (const view of privates) {
		const written = writtenOffsets(view);
		take(view, (offset) => !written.has(offset));
	}

	for (const view of privates) {
		take(view, () => true);
	}

	return pieces.sort((a, b) => a.start - b.start);
}

function writtenOffsets({task, mapping}: View): ReadonlySet<number> {
	const pageMap = new PageMap(task.pid);
	const offsets = new Set<number>();
	try {
		for (const {start, end} of pageMap.ranges([{start: mapping.start, end: mapping.end, own: true}]).flat()) {
			for (let at = start; at < end; at += BigInt(PAGE_SIZE)) {
				offsets.add(Number(at - mapping.start + mapping.offset));
			}
		}
	} finally {
		pageMap.close();
	}

	return offsets;
}

/**
 * Pages that exist: asked of the target with mincore(2), because reading a hole of shared memory would fill it. That call does not
 * know of shared memory that is swapped out (mm/mincore.c looks no further than the swap cache): where there is swap, all may exist.
 */
function* residentPages({task, mapping}: View): Generator<number> {
	const pages = Number((mapping.end - mapping.start) / BigInt(PAGE_SIZE));
	for (let first = 0; first < pages; first += task.inject.scratchSize) {
		const count = Math.min(task.inject.scratchSize, pages - first);
		const at = mapping.start + BigInt(first * PAGE_SIZE);
		const failed = hasSwap() || task.inject.syscall(nr.mincore, at, count * PAGE_SIZE, task.inject.scratch) !== 0n;
		const present = failed ? Buffer.alloc(count, 1) : task.inject.readScratch(0, count);
		for (let i = 0; i < count; i++) {
			if ((present[i] ?? 0) & 1) {
				yield Number(mapping.offset) + (first + i) * PAGE_SIZE;
			}
		}
	}
}

const hasSwap = (): boolean => (tryReadProcText('/proc/swaps') ?? '').trim().split('\n').length > 1;
