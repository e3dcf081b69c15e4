/** Reads the target's memory out of an artefact. */
import type {Artefact} from '../../../builder/artefact-reader.js';
import {readFrame} from '../../../builder/artefact-reader.js';
import type {Decoder} from '../../../builder/codec.js';
import {constants} from '../../../builder/format/schema.js';
import {type Frame, PAGE_SIZE, type Run} from '../../../builder/structures.js';
import {fromFiles, itsOwn, type PageRun, type Placed} from './placed.js';

const {SOURCE} = constants;
const CACHED_FRAMES = 4;

/** Undefined where the bytes cannot be had: not mapped, or a codec that is not to hand. */
export type ReadMemory = (address: bigint, length: number) => Uint8Array | undefined;

interface InFrame extends Run {
	readonly frame: Frame;
	/** Where its bytes are in the decoded frame. */
	readonly offset: number;
}

function placeRuns({frames, runs}: Artefact): InFrame[] {
	const placed: InFrame[] = [];
	for (const frame of frames) {
		let offset = 0;
		for (const run of runs.slice(frame.first_run, frame.first_run + frame.run_count)) {
			const {source} = run;
			if (source !== SOURCE.VOID) placed.push({...run, frame, offset});
			if (source === SOURCE.STORED || source === SOURCE.IMAGE || source === SOURCE.VOID) offset += Number(run.length);
		}
	}
	return placed;
}

function cachedFrames(artefact: Artefact, decoder: Decoder): (frame: Frame) => Uint8Array {
	const cache = new Map<Frame, Uint8Array>();
	return (frame) => {
		const found = cache.get(frame);
		if (found) return found;
		const bytes = readFrame(artefact, frame, decoder).slice();
		const oldest = cache.keys().next();
		if (cache.size >= CACHED_FRAMES && !oldest.done) cache.delete(oldest.value);
		cache.set(frame, bytes);
		return bytes;
	};
}

/** A reader for each row of `mm`. */
export function memoryReaders(artefact: Artefact, decoder: Decoder): ReadMemory[] {
	const all = placeRuns(artefact);
	const frame = cachedFrames(artefact, decoder);
	return artefact.snapshot.mm.map((_, mm) => {
		const {snapshot} = artefact;
		const placed = [...fromFiles(snapshot, all, mm), ...itsOwn(snapshot, all, mm)];
		const vmas = snapshot.vma.filter((vma) => vma.mm === mm);
		const copies = placed.filter(({run}) => isCopy(run));
		// What a file has gives way to what is its own; then in the order of the file: for one address the later frame wins.
		const filled = placed.filter(({run}) => !isCopy(run));
		const fill = (address: bigint, bytes: Uint8Array): void => {
			for (const piece of filled) copyPiece(piece, address, bytes, frame);
		};
		return (address, length) => {
			const end = address + BigInt(length);
			if (!vmas.some((vma) => vma.start <= address && end <= vma.end)) return undefined;
			const bytes = new Uint8Array(length);
			try {
				fill(address, bytes);
				for (const piece of copies) copyAgain(piece, address, bytes, fill);
				return bytes;
			} catch {
				return undefined;
			}
		};
	});
}

const isCopy = ({source}: PageRun): boolean => source === SOURCE.COPY || source === SOURCE.REPEAT;

/** The part of a piece that lies in the bytes at `address`: addresses, and where it is in them. */
function common(
	piece: Placed<InFrame>,
	address: bigint,
	{length}: Uint8Array,
): {from: bigint; first: number; last: number} {
	const end = address + BigInt(length);
	const from = piece.address > address ? piece.address : address;
	const to = piece.address + piece.length < end ? piece.address + piece.length : end;
	return {from, first: Number(from - address), last: Number(to - address)};
}

/** Pages that equal others, which `fill` knows. */
function copyAgain(
	piece: Placed<InFrame>,
	address: bigint,
	into: Uint8Array,
	fill: (address: bigint, bytes: Uint8Array) => void,
): void {
	const {run, skipped} = piece;
	const {from, first, last} = common(piece, address, into);
	for (let at = first; at < last; ) {
		const offset = skipped + from - piece.address + BigInt(at - first);
		const inPage = offset % BigInt(PAGE_SIZE);
		const length = Math.min(PAGE_SIZE - Number(inPage), last - at);
		fill(run.from + (run.source === SOURCE.REPEAT ? inPage : offset), into.subarray(at, at + length));
		at += length;
	}
}

function copyPiece(
	piece: Placed<InFrame>,
	address: bigint,
	into: Uint8Array,
	bytesOf: (frame: Frame) => Uint8Array,
): void {
	const {run, skipped} = piece;
	const {from, first, last} = common(piece, address, into);
	if (first >= last) return;
	if (run.source === SOURCE.ZERO) {
		into.fill(0, first, last);
		return;
	}
	const start = run.offset + Number(skipped + from - piece.address);
	into.set(bytesOf(run.frame).subarray(start, start + last - first), first);
}
