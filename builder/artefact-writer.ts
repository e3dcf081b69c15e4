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
	offsetOfField,
	PAGE_SIZE,
	PREAMBLE_MAGIC,
	type Run,
	readStructure,
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

const HUGE = 2 * 1024 * 1024;
const ALL_IMAGE = 1;

const zeros = new Uint8Array(HUGE);
const upTo = (alignment: number, n: number): number => Math.ceil(n / alignment) * alignment;
const padding = (alignment: number, n: number): Uint8Array => zeros.subarray(0, upTo(alignment, n) - n);

export class ArtefactWriter {
	readonly #sink: Sink;
	readonly #hasher: Hasher;
	readonly #frames: Frame[] = [];
	readonly #runs: Run[] = [];
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

	/**
	 * One frame: `runs` say where its pages go; STORED and IMAGE runs take their bytes one after the other from `raw`, of which
	 * only the length is used here. `stored` is `raw` encoded with `codec`.
	 */
	frame(runs: readonly Run[], raw: {readonly length: number}, stored: Uint8Array, codec: number): void {
		const {ZERO, IMAGE} = constants.SOURCE;
		const filled = runs.reduce((sum, run) => (run.source === ZERO ? sum : sum + run.length), 0n);
		if (filled !== BigInt(raw.length) || (codec === constants.CODEC.NONE && stored.length !== raw.length)) {
			throw new FroreError('internal', `cannot write a frame: its runs take ${filled} bytes of ${raw.length}`);
		}
		const headLength = sizeOfStructure('section') + sizeOfStructure('frame') + runs.length * sizeOfStructure('run');
		const alignment = codec !== constants.CODEC.NONE || raw.length === 0 ? 8 : raw.length >= HUGE ? HUGE : PAGE_SIZE;
		const dataOffset = upTo(alignment, this.#written + headLength);
		const end = upTo(8, dataOffset + stored.length);
		const frame: Frame = {
			offset: BigInt(this.#written),
			length: BigInt(end - this.#written),
			data_offset: BigInt(dataOffset),
			stored_length: BigInt(stored.length),
			raw_length: BigInt(raw.length),
			checksum: 0n,
			first_run: this.#runs.length,
			run_count: runs.length,
			codec,
			flags: runs.length > 0 && runs.every((run) => run.source === IMAGE) ? ALL_IMAGE : 0,
		};
		const parts = [
			this.#frameHead(frame, runs, headLength),
			zeros.subarray(0, dataOffset - this.#written - headLength),
			stored,
			zeros.subarray(0, end - dataOffset - stored.length),
		];
		frame.checksum = this.#hasher.hash64(parts);
		writeStructure('frame', parts[0]!, sizeOfStructure('section'), frame);
		for (const part of parts) this.#put(part);
		this.#frames.push(frame);
		for (const run of runs) this.#runs.push({...run});
	}

	/** How many runs there are so far. */
	get runs(): number {
		return this.#runs.length;
	}

	/** Frames that somebody else has put behind what the sink has got, as the file has them: rows of `frame` and `run`. */
	adopt(frames: Uint8Array, runs: Uint8Array, end: number): void {
		const [frame, run] = [sizeOfStructure('frame'), sizeOfStructure('run')];
		for (let at = 0; at < frames.length; at += frame) this.#frames.push(readStructure('frame', frames, at));
		for (let at = 0; at < runs.length; at += run) this.#runs.push(readStructure('run', runs, at));
		this.#written = end;
	}

	#frameHead(frame: Frame, runs: readonly Run[], length: number): Uint8Array {
		const bytes = new Uint8Array(length);
		const section = sizeOfStructure('section');
		writeStructure('section', bytes, 0, {
			type: constants.SECTION.FRAME,
			flags: 0,
			length: frame.length - BigInt(section),
		});
		writeStructure('frame', bytes, section, frame);
		const runsAt = section + sizeOfStructure('frame');
		for (const [index, run] of runs.entries()) {
			writeStructure('run', bytes, runsAt + index * sizeOfStructure('run'), run);
		}
		return bytes;
	}

	/** Section head, payload, padding; returns where the payload begins, and the checksum from the section head to the next. */
	#section(type: number, payload: Uint8Array): {offset: number; parts: Uint8Array[]} {
		const head = encodeStructure('section', {type, flags: 0, length: BigInt(payload.length)});
		const offset = this.#written + head.length;
		const parts = [head, payload, padding(8, payload.length)];
		for (const part of parts) this.#put(part);
		return {offset, parts};
	}

	#indexPayload(): Uint8Array {
		const [head, frame, run] = [sizeOfStructure('index'), sizeOfStructure('frame'), sizeOfStructure('run')];
		const bytes = new Uint8Array(head + this.#frames.length * frame + this.#runs.length * run);
		writeStructure('index', bytes, 0, {frames: BigInt(this.#frames.length), runs: BigInt(this.#runs.length)});
		for (const [index, row] of this.#frames.entries()) writeStructure('frame', bytes, head + index * frame, row);
		const runsAt = head + this.#frames.length * frame;
		for (const [index, row] of this.#runs.entries()) writeStructure('run', bytes, runsAt + index * run, row);
		return bytes;
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
		const headPayload = encodeHead(snapshot);
		const head = this.#section(constants.SECTION.HEAD, headPayload);
		const indexPayload = this.#indexPayload();
		const index = this.#section(constants.SECTION.INDEX, indexPayload);
		const trailer = encodeStructure('trailer', {
			preamble_offset: BigInt(this.#preambleOffset),
			head_offset: BigInt(head.offset),
			head_length: BigInt(headPayload.length),
			head_checksum: this.#hasher.hash64(head.parts),
			index_offset: BigInt(index.offset),
			index_length: BigInt(indexPayload.length),
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
