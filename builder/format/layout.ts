/** Where each field of a table lies: computed once, used by the C header, the encoder, the decoder and docs/FORMAT.md. */
import {alignOf, type FieldType, sizeOf, type Table} from './fields.js';
import {structures, tables} from './schema.js';

export interface Placed {
	readonly name: string;
	readonly type: FieldType;
	readonly doc: string;
	/** Bytes from the start of the row. */
	readonly offset: number;
}

export interface Layout {
	readonly name: string;
	readonly doc: string;
	readonly fields: readonly Placed[];
	/** Bytes of one row, a multiple of 8. */
	readonly size: number;
	/** Bytes at the end of the row that belong to no field. */
	readonly padding: number;
}

/** Lays out a table; throws when a field would not be naturally aligned, since C would then pad where the table does not say so. */
export function layoutOf(name: string, {doc, fields}: Table): Layout {
	const placed: Placed[] = [];
	let offset = 0;
	for (const [field, {type, doc: told}] of Object.entries(fields)) {
		if (offset % alignOf[type] !== 0) {
			throw new Error(
				`format table ${name}: field ${field} (${type}) would lie at offset ${offset}; reorder or add a pad`,
			);
		}
		placed.push({name: field, type, doc: told, offset});
		offset += sizeOf[type];
	}
	const size = Math.ceil(offset / 8) * 8;
	return {name, doc, fields: placed, size, padding: size - offset};
}

const layouts = (source: Record<string, Table>): Layout[] =>
	Object.entries(source).map(([name, definition]) => layoutOf(name, definition));

/** In the order of the table ids. */
export const tableLayouts = layouts(tables);
export const structureLayouts = layouts(structures);

/** Layout of one of the fixed structures. */
export const structureLayout = (name: keyof typeof structures): Layout =>
	structureLayouts.find((layout) => layout.name === name)!;
