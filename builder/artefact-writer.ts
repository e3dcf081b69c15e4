/** Writes an artefact in one pass: stub, preamble, frames as they come, then HEAD, INDEX and trailer. Never seeks. */
import type {Hasher} from './codec.js';
import {encodeHead} from './encode.js';
import {FroreError} from './errors.js';
import {SCHEMA_HASH} from './format/hash.js';
import {constants, FORMAT_VERSION, type Snapshot} from './format/schema.js';
import {
	ARCH_X86_64,
	encodeStructure,
	type Frame,
	type Group,
	offsetOfField,
	PAGE_SIZE,
	PREAMBLE_MAGIC,
	type Run,
	readStructure,
	type Structure,
	type StructureName,
	sizeOfStructure,
	TRAILER_MAGIC,
	writeStructure,
} from './structures.js';

import {inconsistencies} from './validate.js';

export type {Run} from './structures.js';

/** Takes the bytes in order. It is done with a chunk when write() returns: the caller may reuse it. */
export interface Sink {
	write(chunk: Uint8Array): void;
}

export interface WriterOptions {
	/** constants.CODEC.* of most frames; each frame says its own. */
	readonly codec: number;
	readonly hasher: Hasher;
}

/** `runs` say where its pages go; STORED and IMAGE runs take their bytes one after the other from `raw`. */
export interface FrameParts {
	readonly runs: readonly Run[];
	/** Only the length is used. */
	readonly raw: {readonly length: number};
	/** `raw` encoded with `codec`. */
	readonly stored: Uint8Array;
	readonly codec: number;
}

const ALL_IMAGE = 1;

const zeros = new Uint8Array(PAGE_SIZE);
const upTo = (alignment: number, n: number): number => Math.ceil(n / alignment) * alignment;
const padding = (alignment: number, n: number): Uint8Array => zeros.subarray(0, upTo(alignment, n) - n);

const alignmentOf = ({codec, raw}: FrameParts): number =>
	codec === constants.CODEC.NONE && raw.length > 0 ? PAGE_SIZE : 8;

/** Section head, group, rows. */
const headLength = (frames: number, runs: number): number =>
	sizeOfStructure('section') +
	sizeOfStructure('group') +
	frames * sizeOfStructure('frame') +
	runs * sizeOfStructure('run');

function frameOf({runs, raw, stored, codec}: FrameParts, offset: number, end: number, firstRun: number): Frame {
	const {STORED, IMAGE, VOID} = constants.SOURCE;
	const filled = runs.reduce(
		(sum, {source, length}) => (source === STORED || source === IMAGE || source === VOID ? sum + length : sum),
		0n,
	);
	if (filled !== BigInt(raw.length) || (codec === constants.CODEC.NONE && stored.length !== raw.length)) {
		throw new FroreError('internal', `cannot write a frame: its runs take ${filled} bytes of ${raw.length}`);
	}
	return {
		offset: BigInt(offset),
		length: BigInt(end - offset),
		stored_length: BigInt(stored.length),
		raw_length: BigInt(raw.length),
		checksum: 0n,
		first_run: firstRun,
		run_count: runs.length,
		codec,
		flags: runs.length > 0 && runs.every((run) => run.source === IMAGE) ? ALL_IMAGE : 0,
	};
}

const CHUNK = 1 << 16;

/** Rows as the file has them: there may be a million. */
class Rows<N extends StructureName> {
	readonly chunks: Uint8Array[] = [];
	#last = new Uint8Array();
	#used = 0;
	#bytes = 0;

	constructor(readonly name: N) {}

	get length(): number {
		return this.#bytes / sizeOfStructure(this.name);
	}

	push(row: Structure<N>): void {
		const size = sizeOfStructure(this.name);
		if (this.#used + size > this.#last.length) {
			this.#end();
			this.#last = new Uint8Array(CHUNK);
		}
		writeStructure(this.name, this.#last, this.#used, row);
		this.#used += size;
		this.#bytes += size;
	}

	/** Takes them over. */
	append(rows: Uint8Array): void {
		this.#end();
		this.chunks.push(rows);
		this.#bytes += rows.length;
	}

	#end(): void {
		if (this.#used > 0) this.chunks.push(this.#last.subarray(0, this.#used));
		this.#last = new Uint8Array();
		this.#used = 0;
	}

	all(): readonly Uint8Array[] {
		this.#end();
		return this.chunks;
	}

	/** Takes all of them away, as objects. */
	splice(): Structure<N>[] {
		const rows = this.from(0);
		this.chunks.length = 0;
		this.#bytes = 0;
		return rows;
	}

	/** From the one with this number on, as objects. */
	from(first: number): Structure<N>[] {
		const size = sizeOfStructure(this.name);
		let skipped = first * size;
		return this.all().flatMap((chunk) => {
			const start = Math.min(skipped, chunk.length);
			skipped -= start;
			const count = (chunk.length - start) / size;
			return Array.from({length: count}, (_, i) => readStructure(this.name, chunk, start + i * size));
		});
	}
}

function writeRows<N extends StructureName>(
	name: N,
	bytes: Uint8Array,
	at: number,
	rows: readonly Structure<N>[],
): void {
	const size = sizeOfStructure(name);
	for (const [index, row] of rows.entries()) writeStructure(name, bytes, at + index * size, row);
}

export class ArtefactWriter {
	readonly #sink: Sink;
	readonly #hasher: Hasher;
	readonly #groups = new Rows('group');
	readonly #frames = new Rows('frame');
	readonly #runs = new Rows('run');
	readonly #preambleOffset: number;
	#written = 0;

	constructor(sink: Sink, template: Uint8Array, {codec, hasher}: WriterOptions) {
		this.#sink = sink;
		this.#hasher = hasher;
		this.#put(template);
		this.#put(padding(PAGE_SIZE, template.length));
		this.#preambleOffset = this.#written;
		this.#put(this.#preamble(codec));
	}

	/** Bytes given to the sink so far. */
	get bytes(): number {
		return this.#written;
	}

	#put(chunk: Uint8Array): void {
		if (chunk.length === 0) return;
		this.#sink.write(chunk);
		this.#written += chunk.length;
	}

	#preamble(codec: number): Uint8Array {
		const values = {
			magic: PREAMBLE_MAGIC,
			version: FORMAT_VERSION,
			arch: ARCH_X86_64,
			schema_hash: SCHEMA_HASH,
			page_size: PAGE_SIZE,
			codec,
			cipher: constants.CIPHER.NONE,
			pad0: 0,
			key_name: 0n,
		};
		const bytes = encodeStructure('preamble', {...values, checksum: 0n});
		const covered = bytes.subarray(0, offsetOfField('preamble', 'checksum'));
		return encodeStructure('preamble', {...values, checksum: this.#hasher.hash64([covered])});
	}

	/** A group of one frame. */
	frame(runs: readonly Run[], raw: {readonly length: number}, stored: Uint8Array, codec: number): void {
		this.group([{runs, raw, stored, codec}]);
	}

	/** Frames whose data lies together, behind the runs of all of them. */
	group(parts: readonly FrameParts[]): void {
		const {frames, runs, dataOffset, end} = this.#lay(parts);
		const group: Group = {
			offset: BigInt(this.#written),
			length: BigInt(end - this.#written),
			data_offset: BigInt(dataOffset),
			checksum: 0n,
			first_frame: this.#frames.length,
			frame_count: frames.length,
		};
		for (const [i, frame] of frames.entries()) {
			const {stored} = parts[i]!;
			frame.checksum = this.#hasher.hash64([stored, zeros.subarray(0, Number(frame.length) - stored.length)]);
		}
		this.#put(this.#groupHead(group, frames, runs));
		for (const [i, {length}] of frames.entries()) {
			const {stored} = parts[i]!;
			this.#put(stored);
			this.#put(zeros.subarray(0, Number(length) - stored.length));
		}
		this.#groups.push(group);
		for (const frame of frames) this.#frames.push(frame);
		for (const run of runs) this.#runs.push(run);
	}

	/** Where each frame of a group will be. */
	#lay(parts: readonly FrameParts[]): {frames: Frame[]; runs: Run[]; dataOffset: number; end: number} {
		const runs = parts.flatMap((part) => part.runs);
		const dataOffset = upTo(alignmentOf(parts[0]!), this.#written + headLength(parts.length, runs.length));
		const frames: Frame[] = [];
		let [at, firstRun] = [dataOffset, this.#runs.length];
		for (const [i, part] of parts.entries()) {
			const next = parts[i + 1];
			const end = upTo(next ? alignmentOf(next) : 8, at + part.stored.length);
			frames.push(frameOf(part, at, end, firstRun));
			at = end;
			firstRun += part.runs.length;
		}
		return {frames, runs, dataOffset, end: at};
	}

	/** How many runs there are so far. */
	get runs(): number {
		return this.#runs.length;
	}

	/** How many frames there are so far. */
	get frames(): number {
		return this.#frames.length;
	}

	/** Runs from the one with this number on. */
	runsFrom(first: number): readonly Run[] {
		return this.#runs.from(first);
	}

	/**
	 * What has become of the runs of the first `frames` frames: those that `revise` returns fill as many bytes as the run it is given. A
	 * group that has been written keeps the runs that it had.
	 */
	revise(frames: number, revise: (run: Run, frame: number) => readonly Run[]): void {
		const before = this.#runs.splice();
		for (const [number, frame] of this.#frames.splice().entries()) {
			const own = before.slice(frame.first_run, frame.first_run + frame.run_count);
			const now = number < frames ? own.flatMap((run) => revise(run, number)) : own;
			frame.first_run = this.#runs.length;
			frame.run_count = now.length;
			for (const run of now) this.#runs.push(run);
			this.#frames.push(frame);
		}
	}

	/** Groups that somebody else has put behind what the sink has got, as the file has them: rows of `group`, `frame` and `run`. */
	adopt(groups: Uint8Array, frames: Uint8Array, runs: Uint8Array, end: number): void {
		this.#groups.append(groups);
		this.#frames.append(frames);
		this.#runs.append(runs);
		this.#written = end;
	}

	/** From the section head to the data, with its checksum, which is set in `group`, too. */
	#groupHead(group: Group, frames: readonly Frame[], runs: readonly Run[]): Uint8Array {
		const bytes = new Uint8Array(Number(group.data_offset - group.offset));
		const section = sizeOfStructure('section');
		writeStructure('section', bytes, 0, {
			type: constants.SECTION.FRAMES,
			flags: 0,
			length: group.length - BigInt(section),
		});
		writeStructure('group', bytes, section, group);
		const framesAt = section + sizeOfStructure('group');
		writeRows('frame', bytes, framesAt, frames);
		writeRows('run', bytes, framesAt + frames.length * sizeOfStructure('frame'), runs);
		group.checksum = this.#hasher.hash64([bytes]);
		writeStructure('group', bytes, section, group);
		return bytes;
	}

	/** Section head, payload, padding; returns where the payload begins, its length, and all from the section head to the next. */
	#section(type: number, payload: readonly Uint8Array[]): {offset: number; length: number; parts: Uint8Array[]} {
		const length = payload.reduce((sum, part) => sum + part.length, 0);
		const head = encodeStructure('section', {type, flags: 0, length: BigInt(length)});
		const offset = this.#written + head.length;
		const parts = [head, ...payload, padding(8, length)];
		for (const part of parts) this.#put(part);
		return {offset, length, parts};
	}

	#index(): Uint8Array[] {
		const [groups, frames, runs] = [this.#groups, this.#frames, this.#runs];
		const head = encodeStructure('index', {
			groups: BigInt(groups.length),
			frames: BigInt(frames.length),
			runs: BigInt(runs.length),
		});
		return [head, ...groups.all(), ...frames.all(), ...runs.all()];
	}

	/** Writes the tables, the index and the trailer. Nothing may be written after it. Throws for a snapshot that contradicts itself. */
	finish(snapshot: Snapshot): {bytes: number} {
		const wrong = [...inconsistencies(snapshot)];
		if (wrong.length > 0) {
			throw new FroreError(
				'internal',
				`cannot write the snapshot: it contradicts itself: ${wrong.slice(0, 3).join('; ')}`,
			);
		}
		const head = this.#section(constants.SECTION.HEAD, [encodeHead(snapshot)]);
		const index = this.#section(constants.SECTION.INDEX, this.#index());
		const trailer = encodeStructure('trailer', {
			preamble_offset: BigInt(this.#preambleOffset),
			head_offset: BigInt(head.offset),
			head_length: BigInt(head.length),
			head_checksum: this.#hasher.hash64(head.parts),
			index_offset: BigInt(index.offset),
			index_length: BigInt(index.length),
			checksum: 0n,
			magic: TRAILER_MAGIC,
		});
		const at = offsetOfField('trailer', 'checksum');
		const checksum = this.#hasher.hash64([...index.parts, trailer.subarray(0, at)]);
		new DataView(trailer.buffer).setBigUint64(at, checksum, true);
		this.#put(trailer);
		return {bytes: this.#written};
	}
}
