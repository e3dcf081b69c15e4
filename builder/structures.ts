/** The fixed structures of the file as typed objects <-> bytes. */
import type {Row} from './format/fields.js';
import {structureLayout} from './format/layout.js';
import type {structures} from './format/schema.js';
import {type AnyRow, decodeRow, encodeRow, viewOf} from './rows.js';

export type StructureName = keyof typeof structures;
export type Structure<N extends StructureName> = Row<(typeof structures)[N]>;

export type Preamble = Structure<'preamble'>;
export type Group = Structure<'group'>;
export type Frame = Structure<'frame'>;
/** A stretch of pages as it stands in the file. */
export type Run = Structure<'run'>;
export type Trailer = Structure<'trailer'>;

/** "FRORESNP" and "FROREEND", read as little-endian numbers. */
export const PREAMBLE_MAGIC = 0x504e5345524f5246n;
export const TRAILER_MAGIC = 0x444e4545524f5246n;
/** e_machine of x86-64. */
export const ARCH_X86_64 = 62;
export const PAGE_SIZE = 4096;

/** Bytes of one such structure. */
export const sizeOfStructure = (name: StructureName): number => structureLayout(name).size;

export function writeStructure<N extends StructureName>(
	name: N,
	bytes: Uint8Array,
	at: number,
	value: Structure<N>,
): void {
	encodeRow(viewOf(bytes), at, structureLayout(name), value as AnyRow);
}

export function encodeStructure<N extends StructureName>(name: N, value: Structure<N>): Uint8Array {
	const bytes = new Uint8Array(sizeOfStructure(name));
	writeStructure(name, bytes, 0, value);
	return bytes;
}

/** Reads the structure at `at`, which the caller has bounded. */
export const readStructure = <N extends StructureName>(name: N, bytes: Uint8Array, at = 0): Structure<N> =>
	decodeRow<Structure<N>>(viewOf(bytes), at, structureLayout(name));

/** Offset of a field in its structure. */
export const offsetOfField = <N extends StructureName>(name: N, field: keyof Structure<N> & string): number =>
	structureLayout(name).fields.find((placed) => placed.name === field)!.offset;
