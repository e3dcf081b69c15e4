import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import type {ContentSource} from './context.js';

/** The content rows of a snapshot with what they are read from; one per object, however many descriptors and mappings lead to it. */
export class Contents {
	readonly #rows = new Map<string, number>();
	readonly sources = new Map<number, ContentSource>();

	constructor(readonly snapshot: Snapshot) {}

	get(key: string, make: () => {row: RowOf<'content'>; source: ContentSource}): number {
		const known = this.#rows.get(key);
		if (known !== undefined) {
			return known;
		}

		const {row, source} = make();
		const index = this.snapshot.content.push(row) - 1;
		this.#rows.set(key, index);
		this.sources.set(index, source);
		return index;
	}

	known(key: string): number | undefined {
		return this.#rows.get(key);
	}

	close(): void {
		for (const source of this.sources.values()) {
			source.close?.();
		}
	}
}
