/** Hand-made snapshots and artefacts for tests of the format. */
import {ArtefactWriter, type Run} from '../../builder/artefact-writer.js';
import type {Encoder, Hasher} from '../../builder/codec.js';
import type {FieldType} from '../../builder/format/fields.js';
import {tableLayouts} from '../../builder/format/layout.js';
import {references, stretches} from '../../builder/format/references.js';
import {constants, emptySnapshot, NONE, type Snapshot, type TableName} from '../../builder/format/schema.js';

const TEXTS = ['', 'plain', 'Grüße 🌍', 'not UTF-8: \udcff\udc80'];

/** A value for the `n`th field that is unlike its neighbours'. */
function value(type: FieldType, n: number): unknown {
	const seed = n * 2654435761;
	switch (type) {
		case 'u8':
			return seed % 256;
		case 'u16':
			return seed % 65536;
		case 'u32':
			return seed % 2 ** 32;
		case 'i32':
			return (seed % 2 ** 31) - 2 ** 30;
		case 'u64':
			return BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n);
		case 'i64':
			return BigInt.asIntN(64, BigInt(seed) * 0x9e3779b97f4a7c15n);
		case 'str':
			return TEXTS[n % TEXTS.length];
		default:
			return Uint8Array.from({length: n % 40}, (_, i) => (n + i) % 256);
	}
}

/** Gives the fields that refer to rows a row that there is. */
function repaired(snapshot: Snapshot, rows: number): Snapshot {
	for (const [name, fields] of Object.entries(references)) {
		for (const [index, row] of (snapshot[name as TableName] as unknown as Record<string, number>[]).entries()) {
			for (const field of Object.keys(fields)) row[field] = index % rows;
		}
	}
	for (const [name, list] of Object.entries(stretches)) {
		for (const row of snapshot[name as TableName] as unknown as Record<string, number>[]) {
			for (const {first, count} of list) Object.assign(row, {[first]: 0, [count]: rows});
		}
	}
	for (const [index, description] of snapshot.description.entries()) {
		Object.assign(description, {kind: index % Object.keys(constants.KIND).length, row: index % rows});
	}
	for (const [index, vma] of snapshot.vma.entries()) {
		const start = 0x10000n * BigInt(index + 1);
		Object.assign(vma, {start, end: start + 0x2000n, mm: 0, kind: index % 5, source: index % rows});
	}
	for (const [index, window] of snapshot.window.entries()) {
		const start = 0x10000n * BigInt(index + 1);
		Object.assign(window, {start, end: start + 0x2000n, kind: 0});
	}
	for (const [index, same] of snapshot.same.entries()) {
		Object.assign(same, {
			start: 0x10000n * BigInt(index + 1),
			end: 0x10000n * BigInt(index + 1) + 0x1000n,
			mm: 0,
			from: 0,
			by: 0,
			window: index,
		});
	}
	for (const [index, task] of snapshot.task.entries()) {
		Object.assign(task, index === 0 ? {parent: NONE, maker: NONE, flags: 0} : {parent: 0, maker: 0, flags: 0});
	}
	for (const mm of snapshot.mm)
		Object.assign(mm, {vdso: 0x7fff0000n, vdso_size: 0x2000n, vvar: 0x7ffec000n, vvar_size: 0x4000n});
	for (const content of snapshot.content) content.size = 5000n;
	for (const [index, fd] of snapshot.fd.entries()) Object.assign(fd, {task: 0, fd: index});
	snapshot.machine.length = 1;
	Object.assign(snapshot.machine[0]!, {root_task: 0});
	return snapshot;
}

/** `rows` rows in every table, every field with a value of its own. Consistent, but of no program. */
export function fullSnapshot(rows = 2): Snapshot {
	const snapshot = emptySnapshot() as Record<TableName, unknown[]>;
	let n = 1;
	for (const {name, fields} of tableLayouts) {
		for (let row = 0; row < rows; row++) {
			snapshot[name as TableName].push(Object.fromEntries(fields.map((field) => [field.name, value(field.type, n++)])));
		}
	}
	return repaired(snapshot as Snapshot, rows);
}

export const storedRun = (address: bigint, length: number, source: number = constants.SOURCE.STORED): Run => ({
	address,
	length: BigInt(length),
	from: 0n,
	index: 0,
	space: constants.SPACE.MM,
	source,
});

/** Bytes that compress, but not to nothing. */
export const somePages = (length: number): Uint8Array =>
	Uint8Array.from({length}, (_, i) => ((i >> 4) * 37 + (i % 7)) % 256);

/** A small artefact with a group of two frames and one of a single frame behind a stub of 4096 bytes. */
export function smallArtefact(hasher: Hasher, encoder: Encoder, snapshot = fullSnapshot()): Uint8Array {
	const chunks: Uint8Array[] = [];
	const sink = {write: (chunk: Uint8Array) => void chunks.push(chunk.slice())};
	const writer = new ArtefactWriter(sink, new Uint8Array(100).fill(0xee), {codec: encoder.codec, hasher});
	const raw = somePages(8192);
	const stored = encoder.compress(raw).slice();
	const {codec} = encoder;
	const {ZERO, IMAGE} = constants.SOURCE;
	writer.group([
		{
			runs: [storedRun(0x1000n, 4096), storedRun(0x8000n, 4096, ZERO), storedRun(0x10000n, 4096)],
			raw,
			stored,
			codec,
		},
		{runs: [storedRun(0x20000n, 4096, ZERO)], raw: {length: 0}, stored: new Uint8Array(), codec: constants.CODEC.NONE},
	]);
	writer.frame([storedRun(0x400000n, 8192, IMAGE)], raw, stored, codec);
	writer.finish(snapshot);
	return new Uint8Array(Buffer.concat(chunks));
}
