import {availableParallelism} from 'node:os';
import type {Run} from '../../builder/artefact-writer.js';
import {FroreError} from '../../builder/errors.js';
import {SysError} from './errno.js';
import {nativeDirect, nativePages} from './native.js';
import type {PageRange, RangeList} from './pagemap.js';
import {wordsOf} from './registers.js';
import {PAGE_SIZE, type Pid} from './types.js';

/** How pages of one mapping of a stopped process are taken into frames: see native/copy.c. */
export interface PageOrigin {
	readonly source: number;
	/** Pages of zeros become ZERO runs instead of nothing: where a page of the file would show through. */
	readonly keepZeros: boolean;
	/** /proc/PID/mem, where the protection does not let the pages be read otherwise. */
	readonly mem: number | undefined;
}

export type MemoryStretch = PageOrigin & PageRange;

export interface PackedFrame {
	readonly runs: readonly Run[];
	/** Overwritten by the next frame. */
	readonly raw: Uint8Array;
	/** Pages that could not be read (guard pages), with the row of their mm. */
	readonly unreadable: readonly {readonly index: number; readonly address: bigint}[];
}

const FRAME = 1 << 20;
const STRETCH = 40;
const RUN = 32;
const GROUP_ROW = 40;
const FRAME_ROW = 56;
const MOST = 256;
const KEEP_ZEROS = 1n;
const FORCED = 2n;
const BATCH = 1 << 16;

const buffer = {frame: undefined as Buffer | undefined};

/** A process, and the row of its mm. */
export interface Owner {
	readonly pid: Pid;
	readonly index: number;
}

/** As native/copy.c has them. */
export interface StretchList {
	readonly list: Buffer;
	readonly count: number;
}

export function encodeStretches(owner: Owner, stretches: readonly MemoryStretch[]): StretchList {
	const list = encodeOrigins(owner, stretches);
	const words = wordsOf(list);
	for (const [i, {start, end}] of stretches.entries()) {
		words.setBigUint64(i * STRETCH, start, true);
		words.setBigUint64(i * STRETCH + 8, end - start, true);
	}

	return {list, count: stretches.length};
}

function encodeOrigins({pid, index}: Owner, origins: readonly PageOrigin[]): Buffer {
	const list = Buffer.alloc(Math.max(origins.length * STRETCH, 1));
	const words = wordsOf(list);
	for (const [i, {source, keepZeros, mem}] of origins.entries()) {
		const at = i * STRETCH;
		words.setUint32(at + 16, index, true);
		words.setUint32(at + 20, source, true);
		words.setInt32(at + 24, pid, true);
		words.setInt32(at + 28, mem ?? -1, true);
		words.setBigUint64(at + 32, (keepZeros ? KEEP_ZEROS : 0n) | (mem === undefined ? 0n : FORCED), true);
	}

	return list;
}

/** All ranges of a list, so many at a time that they take little memory. @param origins of each area */
export function* encodeRanges(owner: Owner, ranges: RangeList, origins: readonly PageOrigin[]): Generator<StretchList> {
	const areas = encodeOrigins(owner, origins);
	for (let first = 0; first < ranges.length; first += BATCH) {
		const part = ranges.part(first, BATCH);
		const list = Buffer.alloc(part.length * STRETCH);
		nativePages().stretches(part.words, part.length, areas, list);
		yield {list, count: part.length};
	}
}

/** Where groups are to be written, how they are compressed, and which numbers their first frame and run have. */
export interface DirectPlace {
	/** constants.CODEC.* */
	readonly codec: number;
	readonly level: number;
	readonly fd: number;
	readonly offset: number;
	readonly firstFrame: number;
	readonly firstRun: number;
}

/** What was written there: rows of groups, frames and runs as the file has them, and where it ends. */
export interface DirectFrames {
	readonly groups: Uint8Array;
	readonly frames: Uint8Array;
	readonly runs: Uint8Array;
	readonly end: number;
	/** Before compression. */
	readonly rawBytes: number;
}

const MOST_THREADS = 8;
const LOOK_MILLISECONDS = 20;
const FAILED_READ = 1;

/** Memory that is packed. */
export interface Packed {
	readonly owner: Owner;
	readonly stretches: StretchList;
	/** None where pages that equal others are stored again: while the process runs. */
	readonly seen: Seen | undefined;
}

/** Pages of one address space that are stored already; see native/seen.c. */
export class Seen implements Disposable {
	readonly handle: unknown;

	/** @param bytes there are in all; @param mem /proc/PID/mem */
	constructor(bytes: number, mem: number) {
		this.handle = nativePages().seenStart(bytes / PAGE_SIZE, mem);
	}

	[Symbol.dispose](): void {
		if (this.handle) {
			nativePages().seenEnd(this.handle);
		}
	}
}

/** Reads, compresses and writes on all processors; see native/direct.c. `breathe` may throw: then it ends where it is. */
export async function writeDirectly(
	packed: Packed,
	place: DirectPlace,
	breathe: () => Promise<void>,
): Promise<DirectFrames> {
	const {
		owner: {pid},
		stretches: {list, count},
		seen,
	} = packed;
	const {directStart, directWait, directStop, directEnd} = nativeDirect();
	const threads = Math.min(availableParallelism(), MOST_THREADS);
	const {fd, offset, firstFrame, firstRun, codec, level} = place;
	const handle = directStart(
		list,
		count,
		fd,
		offset,
		firstFrame,
		firstRun,
		threads,
		codec,
		level,
		seen?.handle ?? null,
	);
	if (!handle) {
		throw new FroreError('native', 'cannot start threads to copy memory with');
	}

	const outcome = Buffer.alloc(48);
	let ended: DirectFrames;
	try {
		while (directWait(handle, LOOK_MILLISECONDS) > 0) {
			await breathe();
		}
	} finally {
		directStop(handle, outcome);
		const groups = Buffer.alloc(Number(outcome.readBigUInt64LE(0)) * GROUP_ROW);
		const frames = Buffer.alloc(Number(outcome.readBigUInt64LE(8)) * FRAME_ROW);
		const runs = Buffer.alloc(Number(outcome.readBigUInt64LE(16)) * RUN);
		directEnd(handle, groups, frames, runs);
		const [end, rawBytes] = [24, 32].map((at) => Number(outcome.readBigUInt64LE(at)));
		ended = {groups, frames, runs, end: end!, rawBytes: rawBytes!};
	}

	const failed = outcome.readInt32LE(40);
	if (failed !== 0) {
		const [call, what] =
			failed === FAILED_READ ? ['process_vm_readv', `of process ${pid}`] : ['pwrite', 'of the artefact'];
		throw new SysError(call, outcome.readInt32LE(44), what);
	}

	return ended;
}

/** Frames of at most 1 MiB, without pages that are all zeros or stored already. A run never reaches over the end of a stretch. */
export function* packFrames(from: Packed): Generator<PackedFrame> {
	const {
		owner: {pid, index},
		stretches: {list, count},
		seen,
	} = from;
	buffer.frame ??= Buffer.allocUnsafeSlow(FRAME);
	const frame = buffer.frame;
	const cursor = new BigUint64Array(2);
	const packed = Buffer.alloc(56);
	const runs = Buffer.alloc(MOST * RUN);
	const view = wordsOf(runs);
	const passed = Buffer.alloc(MOST * 8);
	while (Number(cursor[0]) < count) {
		const result = nativePages().pack(list, count, cursor, frame, FRAME, packed, runs, passed, seen?.handle ?? null);
		if (Number(result) < 0) {
			throw new SysError('process_vm_readv', -Number(result), `of process ${pid}`);
		}

		yield {
			runs: Array.from({length: packed.readUInt32LE(16)}, (_, i) => runAt(view, i * RUN)),
			raw: frame.subarray(0, Number(packed.readBigUInt64LE(0))),
			unreadable: Array.from({length: packed.readUInt32LE(20)}, (_, i) => ({
				index,
				address: passed.readBigUInt64LE(i * 8),
			})),
		};
	}
}

const runAt = (runs: DataView, at: number): Run => ({
	address: runs.getBigUint64(at, true),
	length: runs.getBigUint64(at + 8, true),
	from: runs.getBigUint64(at + 16, true),
	index: runs.getUint32(at + 24, true),
	space: runs.getUint16(at + 28, true),
	source: runs.getUint16(at + 30, true),
});
