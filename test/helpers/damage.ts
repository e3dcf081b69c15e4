/** Damaged copies of an artefact. */
import type {Hasher} from '../../builder/codec.js';
import {tableLayouts} from '../../builder/format/layout.js';
import type {TableName} from '../../builder/format/schema.js';
import {
	offsetOfField,
	readStructure,
	type StructureName,
	sizeOfStructure,
	type Trailer,
} from '../../builder/structures.js';

export type Change = (bytes: Uint8Array, view: DataView) => void;

/** Where a field of the structure at `start` is. */
export const field = <N extends StructureName>(
	start: number,
	name: N,
	member: Parameters<typeof offsetOfField<N>>[1],
): number => start + offsetOfField(name, member);

export class Patient {
	readonly trailerAt: number;
	readonly trailer: Trailer;
	/** Where the payloads and the preamble begin. */
	readonly headAt: number;
	readonly indexAt: number;
	readonly preambleAt: number;

	constructor(
		readonly intact: Uint8Array,
		readonly hasher: Hasher,
	) {
		this.trailerAt = intact.length - sizeOfStructure('trailer');
		this.trailer = readStructure('trailer', intact, this.trailerAt);
		this.headAt = Number(this.trailer.head_offset);
		this.indexAt = Number(this.trailer.index_offset);
		this.preambleAt = Number(this.trailer.preamble_offset);
	}

	/** Where a field of a row of a table is. */
	inTable(name: TableName, row: number, member: string): number {
		const id = tableLayouts.findIndex((layout) => layout.name === name);
		const {fields, size} = tableLayouts[id]!;
		const entry = this.headAt + sizeOfStructure('head') + id * sizeOfStructure('directory');
		const rows = this.headAt + Number(readStructure('directory', this.intact, entry).offset);
		return rows + row * size + fields.find((one) => one.name === member)!.offset;
	}

	/** A copy with a change. */
	changed(change: Change): Uint8Array {
		const bytes = this.intact.slice();
		change(bytes, new DataView(bytes.buffer));
		return bytes;
	}

	/** A copy with a change and the checksums of preamble, tables and index made right again, so that the next check is reached. */
	resealed(change: Change): Uint8Array {
		return this.changed((bytes, view) => {
			change(bytes, view);
			const trailer = (name: keyof Trailer) => field(this.trailerAt, 'trailer', name);
			const section = sizeOfStructure('section');
			const head = Number(view.getBigUint64(trailer('head_offset'), true)) - section;
			const index = Number(view.getBigUint64(trailer('index_offset'), true)) - section;
			const sum = field(this.preambleAt, 'preamble', 'checksum');
			view.setBigUint64(sum, this.hasher.hash64([bytes.subarray(this.preambleAt, sum)]), true);
			if (index > head && index < this.trailerAt) {
				view.setBigUint64(trailer('head_checksum'), this.hasher.hash64([bytes.subarray(head, index)]), true);
				const covered = bytes.subarray(index, trailer('checksum'));
				view.setBigUint64(trailer('checksum'), this.hasher.hash64([covered]), true);
			}
		});
	}
}
