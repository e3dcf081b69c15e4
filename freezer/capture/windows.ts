import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import {constants} from '../../builder/format/schema.js';
import type {Surveyed} from './own-ranges.js';

const {VMA, VMA_FLAG} = constants;
const HUGE_LIMIT = 8n << 20n;

/** The rows of `same` and `window`, once all pages have been looked at. */
export function recordSame(
	snapshot: Snapshot,
	byMm: ReadonlyMap<number, Surveyed>,
	rows: readonly RowOf<'same'>[],
): void {
	const families = new Families();
	let vma: RowOf<'vma'> | undefined;
	for (const row of [...rows].sort((a, b) => a.mm - b.mm || (a.start < b.start ? -1 : 1))) {
		const last = snapshot.same.at(-1);
		const goesOn = last && last.mm === row.mm && last.from === row.from && last.by === row.by && last.end === row.start;
		if (vma && goesOn && row.end <= vma.end) {
			last.end = row.end;
		} else {
			snapshot.same.push(row);
		}

		vma = vmaAt(byMm.get(row.mm)!, row.start);
		families.join(vma, vmaAt(byMm.get(row.from)!, row.start));
	}

	for (const family of families.all()) {
		const window = snapshot.window.push(windowOf(snapshot, family)) - 1;
		for (const member of family) {
			member.window = window;
		}
	}

	for (const row of snapshot.same) {
		row.window = vmaAt(byMm.get(row.mm)!, row.start).window;
	}
}

function windowOf(snapshot: Snapshot, family: readonly RowOf<'vma'>[]): RowOf<'window'> {
	const {offset, start, kind, source, flags} = family.reduce((first, row) => (row.start < first.start ? row : first));
	const end = family.reduce((most, row) => (row.end > most ? row.end : most), 0n);
	const huge = isFull(snapshot, family, start, end) ? VMA_FLAG.HUGEPAGE : 0;
	return {start, end, offset, kind, source, flags: (flags & VMA_FLAG.NORESERVE) | huge, pad0: 0};
}

/** Big anonymous memory that is (almost) all there is filled faster in huge pages; as the stub does it for what nobody shares. */
function isFull(snapshot: Snapshot, family: readonly RowOf<'vma'>[], start: bigint, end: bigint): boolean {
	const apart = VMA_FLAG.HEAP | VMA_FLAG.NOHUGEPAGE;
	if (end - start < HUGE_LIMIT || family.some(({kind, flags}) => kind !== VMA.ANON || flags & apart)) {
		return false;
	}

	const members = new Set(family.map(({mm}) => mm));
	const staged = snapshot.same.reduce(
		(sum, row) =>
			row.mm === row.by && row.mm === row.from && members.has(row.mm) && row.start >= start && row.end <= end
				? sum + row.end - row.start
				: sum,
		0n,
	);
	return staged >= ((end - start) * 7n) / 8n;
}

/** The mapping that holds the address. */
function vmaAt({vmas}: Surveyed, address: bigint): RowOf<'vma'> {
	let low = 0;
	let high = vmas.length - 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (vmas[middle]!.row.end <= address) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}

	return vmas[low]!.row;
}

/** Mappings that have pages in common, directly or through others. */
class Families {
	readonly #family = new Map<RowOf<'vma'>, Set<RowOf<'vma'>>>();

	join(one: RowOf<'vma'>, other: RowOf<'vma'>): void {
		const first = this.#family.get(one) ?? new Set([one]);
		const second = this.#family.get(other) ?? new Set([other]);
		if (first === second) {
			return;
		}

		for (const row of second) {
			first.add(row);
		}

		for (const row of first) {
			this.#family.set(row, first);
		}
	}

	all(): (readonly RowOf<'vma'>[])[] {
		return [...new Set(this.#family.values())].map((family) => [...family]);
	}
}
