/** Reads the target's memory out of an artefact. */
import type {Artefact} from '../../../builder/artefact-reader.js';
import {readFrame} from '../../../builder/artefact-reader.js';
import type {Decoder} from '../../../builder/codec.js';
import {constants} from '../../../builder/format/schema.js';
import type {Frame, Run} from '../../../builder/structures.js';

const {SPACE, SOURCE} = constants;
const CACHED_FRAMES = 4;

/** Undefined where the bytes cannot be had: not mapped, or a codec that is not to hand. */
export type ReadMemory = (address: bigint, length: number) => Uint8Array | undefined;

interface Placed {
	readonly run: Run;
	readonly frame: Frame;
	/** Where its bytes are in the decoded frame. */
	readonly offset: number;
}

function placeRuns({frames, runs}: Artefact): Placed[] {
	const placed: Placed[] = [];
	for (const frame of frames) {
		let offset = 0;
		for (const run of runs.slice(frame.first_run, frame.first_run + frame.run_count)) {
			const repeats = run.source === SOURCE.SAME;
			placed.push({run, frame, offset: repeats ? offset - Number(run.length) : offset});
			if (run.source !== SOURCE.ZERO && !repeats) offset += Number(run.length);
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
		const own = all.filter(({run}) => run.space === SPACE.MM && run.index === mm);
		const vmas = artefact.snapshot.vma.filter((vma) => vma.mm === mm);
		return (address, length) => {
			const end = address + BigInt(length);
			if (!vmas.some((vma) => vma.start <= address && end <= vma.end)) return undefined;
			const bytes = new Uint8Array(length);
			try {
				// In the order of the file: for one address the later frame wins.
				for (const {run, frame: where, offset} of own) copyRun(run, where, offset, address, bytes, frame);
				return bytes;
			} catch {
				return undefined;
			}
		};
	});
}

function copyRun(
	run: Run,
	where: Frame,
	offset: number,
	address: bigint,
	into: Uint8Array,
	frame: (frame: Frame) => Uint8Array,
): void {
	const end = address + BigInt(into.length);
	const from = run.address > address ? run.address : address;
	const to = run.address + run.length < end ? run.address + run.length : end;
	if (from >= to) return;
	const [first, last] = [Number(from - address), Number(to - address)];
	if (run.source === SOURCE.ZERO) {
		into.fill(0, first, last);
		return;
	}
	const start = offset + Number(from - run.address);
	into.set(frame(where).subarray(start, start + last - first), first);
}
