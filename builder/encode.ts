/** Snapshot -> payload of the HEAD section: head, directory, tables, blob. */
import {FroreError} from './errors.js';
import {tableLayouts} from './format/layout.js';
import type {Snapshot, TableName} from './format/schema.js';
import {type AnyRow, type BlobWriter, encodeRow, viewOf} from './rows.js';
import {sizeOfStructure, writeStructure} from './structures.js';
import {encodeText} from './text.js';

const BLOB_LIMIT = 0xffffffff;

const align8 = (n: number): number => Math.ceil(n / 8) * 8;

/** Collects the data of str and bytes fields; equal texts are stored once. */
class Blob implements BlobWriter {
	readonly #parts: {at: number; data: Uint8Array}[] = [];
	readonly #texts = new Map<string, {offset: number; length: number}>();
	#length = 0;

	#put(data: Uint8Array, at: number, end: number): {offset: number; length: number} {
		if (end > BLOB_LIMIT) {
			throw new FroreError('too-large', 'cannot write the snapshot: its tables refer to more than 4 GiB of data');
		}
		if (data.length > 0) this.#parts.push({at, data});
		this.#length = end;
		return {offset: at, length: data.length};
	}

	text(value: string): {offset: number; length: number} {
		let found = this.#texts.get(value);
		if (!found) {
			const data = encodeText(value);
			found = this.#put(data, this.#length, this.#length + data.length + 1);
			this.#texts.set(value, found);
		}
		return found;
	}

	bytes(value: Uint8Array): {offset: number; length: number} {
		const at = align8(this.#length);
		return this.#put(value, at, at + value.length);
	}

	get length(): number {
		return align8(this.#length);
	}

	copyTo(bytes: Uint8Array, offset: number): void {
		for (const {at, data} of this.#parts) bytes.set(data, offset + at);
	}
}

/** Payload of the HEAD section. Throws FroreError 'internal' when a row lacks a field or holds a value of another type. */
export function encodeHead(snapshot: Snapshot): Uint8Array {
	const blob = new Blob();
	const directoryAt = sizeOfStructure('head');
	const rowsAt = directoryAt + tableLayouts.length * sizeOfStructure('directory');
	const counts = tableLayouts.map(({name}) => snapshot[name as TableName].length);
	const rowBytes = tableLayouts.reduce((sum, {size}, id) => sum + size * counts[id]!, 0);
	const front = new Uint8Array(rowsAt + rowBytes);
	const view = viewOf(front);
	let at = rowsAt;
	for (const [id, layout] of tableLayouts.entries()) {
		writeStructure('directory', front, directoryAt + id * sizeOfStructure('directory'), {
			id,
			row_size: layout.size,
			count: BigInt(counts[id]!),
			offset: BigInt(at),
		});
		for (const [index, row] of snapshot[layout.name as TableName].entries()) {
			encodeRow(view, at, layout, row as AnyRow, `[${index}]`, blob);
			at += layout.size;
		}
	}
	writeStructure('head', front, 0, {
		tables: tableLayouts.length,
		pad0: 0,
		blob_offset: BigInt(front.length),
		blob_length: BigInt(blob.length),
	});
	const payload = new Uint8Array(front.length + blob.length);
	payload.set(front);
	blob.copyTo(payload, front.length);
	return payload;
}
