/** One row of a table or structure <-> its bytes. */
import {damaged, FroreError} from './errors.js';
import type {FieldType} from './format/fields.js';
import type {Layout, Placed} from './format/layout.js';

export type AnyRow = Record<string, unknown>;

/** Where str and bytes fields put their data. */
export interface BlobWriter {
	text(value: string): {offset: number; length: number};
	bytes(value: Uint8Array): {offset: number; length: number};
}

/** Where they get it back; throws `damaged` when the reference points outside. */
export interface BlobReader {
	text(offset: number, length: number): string;
	bytes(offset: number, length: number): Uint8Array;
}

type NumberType = 'u8' | 'u16' | 'u32' | 'i32';

const range: Record<NumberType, readonly [number, number]> = {
	u8: [0, 0xff],
	u16: [0, 0xffff],
	u32: [0, 0xffffffff],
	i32: [-0x80000000, 0x7fffffff],
};

const isNumberType = (type: FieldType): type is NumberType => type in range;

function writeNumber(view: DataView, at: number, type: NumberType, value: number): void {
	if (type === 'u8') view.setUint8(at, value);
	else if (type === 'u16') view.setUint16(at, value, true);
	else if (type === 'u32') view.setUint32(at, value, true);
	else view.setInt32(at, value, true);
}

/** false when the value is not one of the field's type. */
function writeField(view: DataView, at: number, type: FieldType, value: unknown, blob?: BlobWriter): boolean {
	if (isNumberType(type)) {
		const [low, high] = range[type];
		if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) return false;
		writeNumber(view, at, type, value);
		return true;
	}
	if (type === 'u64' || type === 'i64') {
		if (typeof value !== 'bigint') return false;
		if (value !== (type === 'u64' ? BigInt.asUintN(64, value) : BigInt.asIntN(64, value))) return false;
		view.setBigUint64(at, BigInt.asUintN(64, value), true);
		return true;
	}
	const wanted = type === 'str' ? typeof value === 'string' : value instanceof Uint8Array;
	if (!wanted || !blob) return false;
	const {offset, length} = type === 'str' ? blob.text(value as string) : blob.bytes(value as Uint8Array);
	view.setUint32(at, offset, true);
	view.setUint32(at + 4, length, true);
	return true;
}

const shown = (value: unknown): string =>
	typeof value === 'bigint' ? `${value}n` : typeof value === 'object' ? 'an object' : String(value);

/** Writes `row` at `at`; throws when a value is missing or not of its field's type. `which` names the row in the message. */
export function encodeRow(
	view: DataView,
	at: number,
	layout: Layout,
	row: AnyRow,
	which = '',
	blob?: BlobWriter,
): void {
	for (const {name, type, offset} of layout.fields) {
		if (writeField(view, at + offset, type, row[name], blob)) continue;
		throw new FroreError(
			'internal',
			`cannot write the snapshot: ${layout.name}${which}.${name} is ${shown(row[name])}, which is no ${type}`,
		);
	}
}

function readField(view: DataView, at: number, {type}: Placed, blob?: BlobReader): unknown {
	switch (type) {
		case 'u8':
			return view.getUint8(at);
		case 'u16':
			return view.getUint16(at, true);
		case 'u32':
			return view.getUint32(at, true);
		case 'i32':
			return view.getInt32(at, true);
		case 'u64':
			return view.getBigUint64(at, true);
		case 'i64':
			return view.getBigInt64(at, true);
		default: {
			if (!blob) throw damaged('a structure refers to a blob that it does not have');
			const reference = [view.getUint32(at, true), view.getUint32(at + 4, true)] as const;
			return type === 'str' ? blob.text(...reference) : blob.bytes(...reference);
		}
	}
}

/** Reads the row at `at`, which the caller has bounded. */
export function decodeRow<R>(view: DataView, at: number, layout: Layout, blob?: BlobReader): R {
	return Object.fromEntries(
		layout.fields.map((field) => [field.name, readField(view, at + field.offset, field, blob)]),
	) as R;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
