/**
 * The vocabulary in which the snapshot format is written down: typed fields grouped into tables.
 * From these tables come the C header of the stub, the encoder and decoder, and docs/FORMAT.md.
 */

/** Wire type of a field. All numbers are little-endian; `str` and `bytes` are references into the blob. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'i32' | 'i64' | 'str' | 'bytes';

/** Size in bytes of each wire type, which is also its alignment (references align to 4). */
export const sizeOf: Record<FieldType, number> = {u8: 1, u16: 2, u32: 4, u64: 8, i32: 4, i64: 8, str: 8, bytes: 8};
export const alignOf: Record<FieldType, number> = {u8: 1, u16: 2, u32: 4, u64: 8, i32: 4, i64: 8, str: 4, bytes: 4};

export interface Field<T extends FieldType = FieldType> {
	readonly type: T;
	/** One line for FORMAT.md and the C header: meaning, unit, constraint. */
	readonly doc: string;
}

const field =
	<T extends FieldType>(type: T) =>
	(doc: string): Field<T> => ({type, doc});

export const u8 = field('u8');
export const u16 = field('u16');
export const u32 = field('u32');
export const u64 = field('u64');
export const i32 = field('i32');
export const i64 = field('i64');
/** Text: bytes of any encoding, kept losslessly (see text.ts); NUL-terminated in the blob for the stub. */
export const str = field('str');
/** Raw bytes, 8-byte aligned in the blob. */
export const bytes = field('bytes');

export interface Table<F extends Record<string, Field> = Record<string, Field>> {
	readonly doc: string;
	readonly fields: F;
}

export const table = <F extends Record<string, Field>>(doc: string, fields: F): Table<F> => ({doc, fields});

/** What a field is in TypeScript. */
export type Value<T extends FieldType> = T extends 'u64' | 'i64'
	? bigint
	: T extends 'str'
		? string
		: T extends 'bytes'
			? Uint8Array
			: number;

/** One row of a table as a plain object. */
export type Row<T extends Table> = {-readonly [K in keyof T['fields']]: Value<T['fields'][K]['type']>};

/** Named constants of the format: rendered as C enumerators `FRORE_<GROUP>_<NAME>`. */
export type Constants = Readonly<Record<string, number>>;
