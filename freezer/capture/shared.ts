import {fstatSync, readSync, statfsSync} from 'node:fs';
import {constants} from '../../builder/format/schema.js';
import {nr} from '../sys/nr.js';
import {addr, PAGE_SIZE} from '../sys/types.js';
import {type CaptureContext, type CapturedTask, type ContentSource, contentKey} from './context.js';
import type {Image} from './images.js';
import type {Mapping} from './parse/smaps.js';
import {deviceNumber, type MappingKind} from './parse/vmakind.js';

const {CONTENT} = constants;
const TMPFS = 0x0102_1994;
const RAMFS = 0x8584_58f6;

/** The content behind a shared mapping that no path leads to: read through the mappings themselves, unless a descriptor has told of it. */
export function sharedContent(
	context: CaptureContext,
	task: CapturedTask,
	kind: MappingKind,
	mapping: Mapping,
	mappings: readonly Mapping[],
): number {
	const key = contentKey(deviceNumber(mapping.dev), mapping.ino);
	return context.content(key, () => {
		// Private mappings show their own changes: they are looked through only where there is no other.
		const views = mappings
			.filter((other) => other.dev === mapping.dev && other.ino === mapping.ino)
			.sort((a, b) => Number(b.shared) - Number(a.shared));
		const size = views.reduce((most, view) => Math.max(most, Number(view.offset + view.end - view.start)), 0);
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
			source: throughMappings(task, views, size),
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

function throughMappings(task: CapturedTask, views: readonly Mapping[], size: number): ContentSource {
	const viewAt = (offset: number) =>
		views.find((view) => BigInt(offset) >= view.offset && BigInt(offset) < view.offset + view.end - view.start);
	return {
		size,
		read(offset, buffer) {
			const view = viewAt(offset);
			if (!view) {
				return 0;
			}

			const address = view.start + BigInt(offset) - view.offset;
			const length = Math.min(buffer.length, Number(view.end - address));
			const part = buffer.subarray(0, length);
			return view.read ? task.memory.readInto(addr(address), part) : task.memory.readForced(addr(address), part);
		},
		extents: () => residentExtents(task, views),
	};
}

/** Pages that exist: asked of the target with mincore(2), because reading a hole of shared memory would fill it. */
function* residentExtents(task: CapturedTask, views: readonly Mapping[]): Generator<{offset: number; length: number}> {
	const seen = new Set<number>();
	for (const view of views) {
		const pages = Number((view.end - view.start) / BigInt(PAGE_SIZE));
		for (let first = 0; first < pages; first += task.inject.scratchSize) {
			const count = Math.min(task.inject.scratchSize, pages - first);
			const at = view.start + BigInt(first * PAGE_SIZE);
			const failed = task.inject.syscall(nr.mincore, at, count * PAGE_SIZE, task.inject.scratch) !== 0n;
			const present = failed ? Buffer.alloc(count, 1) : task.inject.readScratch(0, count);
			for (let i = 0; i < count; i++) {
				const offset = Number(view.offset) + (first + i) * PAGE_SIZE;
				if ((present[i] ?? 0) & 1 && !seen.has(offset)) {
					seen.add(offset);
					yield {offset, length: PAGE_SIZE};
				}
			}
		}
	}
}
