/** Opens an artefact: trailer, preamble, tables and index, each bounded and checked before it is used. */
import type {Decoder, Hasher} from './codec.js';
import {decodeHead} from './decode.js';
import {damaged, FroreError, unknownFormat} from './errors.js';
import {SCHEMA_HASH} from './format/hash.js';
import {constants, FORMAT_VERSION, type Snapshot} from './format/schema.js';
import {viewOf} from './rows.js';
import {
	ARCH_X86_64,
	type Frame,
	type Group,
	offsetOfField,
	PAGE_SIZE,
	PREAMBLE_MAGIC,
	type Preamble,
	type Run,
	readStructure,
	type Structure,
	type StructureName,
	sizeOfStructure,
	TRAILER_MAGIC,
	type Trailer,
} from './structures.js';

import {inconsistencies} from './validate.js';

/** A file, or bytes in memory. */
export interface Source {
	/** For messages: the path, or "stdin". */
	readonly name: string;
	/** Bytes. */
	readonly size: number;
	/** Up to `length` bytes; fewer only at the end. What is returned may be overwritten by the next call. */
	read(offset: number, length: number): Uint8Array;
}

export interface Artefact {
	readonly source: Source;
	readonly hasher: Hasher;
	readonly preamble: Preamble;
	readonly trailer: Trailer;
	readonly snapshot: Snapshot;
	readonly groups: readonly Group[];
	readonly frames: readonly Frame[];
	readonly runs: readonly Run[];
	/** Bytes of the stub, padding included. */
	readonly stubLength: number;
}

const CHUNK = 1024 * 1024;
/** As the stub has it. */
const TABLES_LIMIT = 2 ** 32;

export const bytesSource = (bytes: Uint8Array, name = 'the artefact'): Source => ({
	name,
	size: bytes.length,
	read: (offset, length) => bytes.subarray(offset, offset + length),
});

function readExactly(source: Source, offset: number, length: number): Uint8Array {
	const {name, size} = source;
	const bytes = source.read(offset, length);
	if (bytes.length !== length)
		throw damaged(`${name} is damaged: it ends at ${size}, byte ${offset + length} is needed`);
	return bytes;
}

function readTrailer(source: Source): Trailer {
	const length = sizeOfStructure('trailer');
	if (source.size < length) throw unknownFormat(`${source.name} is not a frore artefact: it has ${source.size} bytes`);
	const trailer = readStructure('trailer', readExactly(source, source.size - length, length));
	if (trailer.magic !== TRAILER_MAGIC) {
		throw unknownFormat(
			`${source.name} is not a frore artefact, or has lost its end: there is no snapshot at the end of its ${source.size} bytes`,
			'Copy it again whole; strip(1) must not be used on it.',
		);
	}
	return trailer;
}

function readPreamble(source: Source, {preamble_offset: offset}: Trailer, hasher: Hasher): Preamble {
	const length = sizeOfStructure('preamble');
	const {name} = source;
	if (offset % BigInt(PAGE_SIZE) !== 0n || offset + BigInt(length) > BigInt(source.size)) {
		throw damaged(
			`${name} is damaged: its trailer says the snapshot begins at ${offset}, the file ends at ${source.size}`,
		);
	}
	const bytes = readExactly(source, Number(offset), length);
	const preamble = readStructure('preamble', bytes);
	if (preamble.magic !== PREAMBLE_MAGIC) throw damaged(`${name} is damaged: no preamble at ${offset}`);
	if (preamble.version !== FORMAT_VERSION) {
		throw unknownFormat(
			`${name}: snapshot format ${preamble.version}, but this frore reads format ${FORMAT_VERSION}`,
			'Use the frore that it was made with.',
		);
	}
	if (preamble.checksum !== hasher.hash64([bytes.subarray(0, offsetOfField('preamble', 'checksum'))])) {
		throw damaged(`${name} is damaged: the preamble's checksum is wrong`);
	}
	if (preamble.schema_hash !== SCHEMA_HASH) {
		throw unknownFormat(
			`${name}: made by another build of frore, whose tables are laid out differently`,
			'Use the frore that it was made with.',
		);
	}
	if (preamble.arch !== ARCH_X86_64 || preamble.page_size !== PAGE_SIZE) {
		throw unknownFormat(`${name}: made for machine ${preamble.arch} with pages of ${preamble.page_size} bytes`);
	}
	return preamble;
}

/** HEAD and INDEX lie next to each other before the trailer. */
function readTables(source: Source, trailer: Trailer, hasher: Hasher): {head: Uint8Array; index: Uint8Array} {
	const section = BigInt(sizeOfStructure('section'));
	const end = BigInt(source.size - sizeOfStructure('trailer'));
	const start = trailer.head_offset - section;
	const middle = trailer.index_offset - section;
	const inside =
		start >= trailer.preamble_offset + BigInt(sizeOfStructure('preamble')) &&
		trailer.head_offset + trailer.head_length <= middle &&
		trailer.index_offset + trailer.index_length <= end &&
		end - start < BigInt(TABLES_LIMIT);
	if (!inside) throw damaged(`${source.name} is damaged: its trailer points outside of the file`);
	// A copy: the next read may reuse the bytes, and slice() of a Buffer would not be one.
	const all = new Uint8Array(readExactly(source, Number(start), Number(end - start)));
	const head = all.subarray(0, Number(middle - start));
	const index = all.subarray(Number(middle - start));
	if (hasher.hash64([head]) !== trailer.head_checksum) {
		throw damaged(`${source.name} is damaged: the checksum of its tables is wrong`);
	}
	const last = readExactly(source, Number(end), offsetOfField('trailer', 'checksum'));
	if (hasher.hash64([index, last]) !== trailer.checksum) {
		throw damaged(`${source.name} is damaged: the checksum of its index is wrong`);
	}
	return {
		head: payloadOf(source, head, constants.SECTION.HEAD, trailer.head_length),
		index: payloadOf(source, index, constants.SECTION.INDEX, trailer.index_length),
	};
}

function payloadOf({name}: Source, bytes: Uint8Array, type: number, length: bigint): Uint8Array {
	const section = readStructure('section', bytes);
	if (section.type !== type || section.length !== length)
		throw damaged(`${name} is damaged: a section's head is wrong`);
	return bytes.subarray(sizeOfStructure('section'), sizeOfStructure('section') + Number(length));
}

interface Index {
	groups: Group[];
	frames: Frame[];
	runs: Run[];
}

function readIndex({name}: Source, payload: Uint8Array): Index {
	const head = sizeOfStructure('index');
	if (payload.length < head) throw damaged(`${name} is damaged: its index is too short`);
	const {groups, frames, runs} = readStructure('index', payload);
	const rows = [groups * BigInt(sizeOfStructure('group')), frames * BigInt(sizeOfStructure('frame'))] as const;
	if (BigInt(head) + rows[0] + rows[1] + runs * BigInt(sizeOfStructure('run')) !== BigInt(payload.length)) {
		throw damaged(
			`${name} is damaged: its index says ${groups} groups, ${frames} frames and ${runs} runs, which it does not hold`,
		);
	}
	const framesAt = head + Number(rows[0]);
	return {
		groups: readRows('group', payload, head, Number(groups)),
		frames: readRows('frame', payload, framesAt, Number(frames)),
		runs: readRows('run', payload, framesAt + Number(rows[1]), Number(runs)),
	};
}

const readRows = <N extends StructureName>(name: N, bytes: Uint8Array, at: number, count: number): Structure<N>[] =>
	Array.from({length: count}, (_, i) => readStructure(name, bytes, at + i * sizeOfStructure(name)));

/** Every byte between preamble and HEAD belongs to one group, and behind the head of that to one of its frames. */
function checkGroups(source: Source, trailer: Trailer, {groups, frames}: Index): void {
	const fail = (what: string, why: string): never => {
		throw damaged(`${source.name} is damaged: ${what} ${why}`);
	};
	const fixed = BigInt(sizeOfStructure('section') + sizeOfStructure('group'));
	const limit = trailer.head_offset - BigInt(sizeOfStructure('section'));
	let at = trailer.preamble_offset + BigInt(sizeOfStructure('preamble'));
	let next = 0;
	for (const [index, group] of groups.entries()) {
		const what = `page group ${index}`;
		const end = group.offset + group.length;
		if (group.offset !== at) fail(what, `says it begins at ${group.offset}, the one before ends at ${at}`);
		if (end > limit) fail(what, `says it ends at ${end}, the groups end at ${limit}`);
		if (group.first_frame !== next || next + group.frame_count > frames.length)
			fail(what, 'refers to frames that are not its own');
		const rows = frames.slice(next, next + group.frame_count);
		const head = fixed + BigInt(rows.length * sizeOfStructure('frame'));
		at = group.data_offset;
		if (at < group.offset + head || at > end) fail(what, 'says its data begins where it does not');
		for (const {offset, length, stored_length: stored} of rows) {
			if (offset !== at) fail(`page frame ${next}`, `says it begins at ${offset}, the one before ends at ${at}`);
			at += length;
			if (at > end) fail(`page frame ${next}`, `says it ends at ${at}, its group ends at ${end}`);
			if (stored > length) fail(`page frame ${next}`, 'holds less data than it says');
			next++;
		}
		if (at !== end) fail(what, `says it ends at ${end}, its last frame ends at ${at}`);
	}
	if (at !== limit || next !== frames.length) fail('it:', 'its page frames are not complete');
}

/** Every run belongs to exactly one frame and to a row that exists. */
function checkRuns(source: Source, {frames, runs}: Index, snapshot: Snapshot): void {
	const fail = (index: number, why: string): never => {
		throw damaged(`${source.name} is damaged: page frame ${index} ${why}`);
	};
	const {ZERO, STORED, IMAGE, COPY, REPEAT, VOID} = constants.SOURCE;
	const isSound = ({space, index: row, source: kind, length, address, from}: Run): boolean => {
		const rows = space === constants.SPACE.MM ? snapshot.mm : space === constants.SPACE.CONTENT ? snapshot.content : [];
		if (row >= rows.length || address + length >= 2n ** 63n) return false;
		if (kind === ZERO || kind === STORED || kind === IMAGE || kind === VOID) return true;
		return (kind === COPY || kind === REPEAT) && space === constants.SPACE.MM && from + length < 2n ** 63n;
	};
	let run = 0;
	for (const [index, frame] of frames.entries()) {
		if (frame.first_run !== run || run + frame.run_count > runs.length)
			fail(index, 'refers to runs of pages that are not its own');
		let raw = 0n;
		for (; run < frame.first_run + frame.run_count; run++) {
			const {source: kind, length} = runs[run]!;
			if (!isSound(runs[run]!)) fail(index, `has a run ${run} that points nowhere`);
			if (kind === STORED || kind === IMAGE || kind === VOID) raw += length;
		}
		if (raw !== frame.raw_length) fail(index, `has runs of ${raw} bytes, but holds ${frame.raw_length}`);
	}
	if (run !== runs.length) throw damaged(`${source.name} is damaged: its page frames are not complete`);
}

/** Throws FroreError 'unknown-format' or 'damaged'. The bytes of the page frames are not read; verify() does that. */
export function openArtefact(source: Source, hasher: Hasher): Artefact {
	const trailer = readTrailer(source);
	const preamble = readPreamble(source, trailer, hasher);
	const tables = readTables(source, trailer, hasher);
	const snapshot = decodeHead(tables.head);
	for (const wrong of inconsistencies(snapshot)) throw damaged(`${source.name} is damaged: ${wrong}`);
	const index = readIndex(source, tables.index);
	checkGroups(source, trailer, index);
	checkRuns(source, index, snapshot);
	return {source, hasher, preamble, trailer, snapshot, ...index, stubLength: Number(trailer.preamble_offset)};
}

function* chunks(source: Source, start: number, end: number): Generator<Uint8Array> {
	for (let at = start; at < end; at += CHUNK) yield readExactly(source, at, Math.min(CHUNK, end - at));
}

/**
 * The head of a group as it lies in the file, with the checksum of the index taken off its checksum field: that leaves the 0 with
 * which the checksum was made, unless the two copies differ.
 */
function* groupHead(source: Source, {offset, data_offset, checksum}: Group): Generator<Uint8Array> {
	const sumAt = sizeOfStructure('section') + offsetOfField('group', 'checksum');
	let first = true;
	for (const chunk of chunks(source, Number(offset), Number(data_offset))) {
		const bytes = first ? chunk.slice() : chunk;
		const view = viewOf(bytes);
		if (first) view.setBigUint64(sumAt, view.getBigUint64(sumAt, true) ^ checksum, true);
		first = false;
		yield bytes;
	}
}

/** Reads every page frame and compares its checksum. Throws FroreError 'damaged'. `onProgress` gets bytes done and in all. */
export function verify(artefact: Artefact, onProgress?: (done: number, total: number) => void): void {
	const {groups, frames, hasher, source} = artefact;
	const total = groups.reduce((sum, group) => sum + Number(group.length), 0);
	let done = 0;
	const compare = (what: string, offset: bigint, length: bigint, parts: Iterable<Uint8Array>, checksum: bigint) => {
		if (hasher.hash64(parts) !== checksum)
			throw damaged(`${source.name} is damaged: the checksum of ${what} at ${offset} is wrong`);
		done += Number(length);
		onProgress?.(done, total);
	};
	for (const [index, group] of groups.entries()) {
		const head = group.data_offset - group.offset;
		compare(`page group ${index}`, group.offset, head, groupHead(source, group), group.checksum);
	}
	for (const [index, {offset, length, checksum}] of frames.entries()) {
		const bytes = chunks(source, Number(offset), Number(offset + length));
		compare(`page frame ${index}`, offset, length, bytes, checksum);
	}
}

/** The bytes of a frame's STORED and IMAGE runs, one after the other. */
export function readFrame({source}: Artefact, frame: Frame, decoder: Decoder): Uint8Array {
	const stored = readExactly(source, Number(frame.offset), Number(frame.stored_length));
	try {
		return decoder.decompress(frame.codec, stored, Number(frame.raw_length));
	} catch (error) {
		throw new FroreError('damaged', `${source.name} is damaged: ${(error as Error).message}`, 4, {cause: error});
	}
}
