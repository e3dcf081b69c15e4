/** Payload of the HEAD section -> snapshot. Every length is bounded before it is used. */
import {damaged} from './errors.js';
import {type Layout, tableLayouts} from './format/layout.js';
import {emptySnapshot, type Snapshot, type TableName} from './format/schema.js';
import {type BlobReader, decodeRow, viewOf} from './rows.js';
import {readStructure, sizeOfStructure} from './structures.js';
import {decodeText} from './text.js';

/** `length` bytes at `offset`, or throws FroreError 'damaged' saying that `what` points outside. */
function slice(bytes: Uint8Array, offset: bigint | number, length: bigint | number, what: string): Uint8Array {
	if (BigInt(offset) + BigInt(length) > BigInt(bytes.length)) {
		throw damaged(
			`the tables are damaged: ${what} says it ends at ${BigInt(offset) + BigInt(length)}, they end at ${bytes.length}`,
		);
	}
	return bytes.subarray(Number(offset), Number(offset) + Number(length));
}

const blobReader = (blob: Uint8Array): BlobReader => ({
	text: (offset, length) => decodeText(slice(blob, offset, length, 'a text')),
	bytes: (offset, length) => slice(blob, offset, length, 'a byte string').slice(),
});

function decodeTable(payload: Uint8Array, id: number, layout: Layout, blob: BlobReader): unknown[] {
	const at = sizeOfStructure('head') + id * sizeOfStructure('directory');
	const {id: found, row_size: rowSize, count, offset} = readStructure('directory', payload, at);
	if (found !== id || rowSize !== layout.size || offset % 8n !== 0n) {
		throw damaged(`the tables are damaged: the directory entry of ${layout.name} is not one`);
	}
	const rows = slice(payload, offset, count * BigInt(rowSize), `table ${layout.name}`);
	const view = viewOf(rows);
	return Array.from({length: Number(count)}, (_, row) => decodeRow(view, row * rowSize, layout, blob));
}

/** Throws FroreError 'damaged'. */
export function decodeHead(payload: Uint8Array): Snapshot {
	slice(payload, 0, sizeOfStructure('head'), 'their head');
	const {tables, blob_offset, blob_length} = readStructure('head', payload);
	if (tables !== tableLayouts.length) {
		throw damaged(`the tables are damaged: ${tables} of them, ${tableLayouts.length} are known`);
	}
	slice(payload, sizeOfStructure('head'), tables * sizeOfStructure('directory'), 'the directory');
	const blob = blobReader(slice(payload, blob_offset, blob_length, 'the blob'));
	const snapshot = emptySnapshot() as Record<TableName, unknown[]>;
	for (const [id, layout] of tableLayouts.entries()) {
		snapshot[layout.name as TableName] = decodeTable(payload, id, layout, blob);
	}
	return snapshot as Snapshot;
}
