import type {Snapshot} from '../../builder/format/schema.js';
import {PAGE_SIZE} from '../sys/types.js';
import type {CapturedProcess} from './collect.js';

/** A page inside a mapping that could not be read. */
export interface Unreadable {
	/** Row of mm. */
	readonly index: number;
	readonly address: bigint;
}

/**
 * Guard pages. In the page tables they look like pages that hold something, but nobody can read them; the mappings that may have some
 * are marked "gu" in smaps (Documentation/filesystems/proc.rst, Linux 6.18).
 */
export function captureGuards(
	snapshot: Snapshot,
	{process, vmas}: CapturedProcess,
	unreadable: readonly Unreadable[],
): void {
	if (unreadable.length === 0) {
		return;
	}

	const guarded = vmas.filter(({mapping}) => mapping.flags.has('gu'));
	for (const {index, address} of unreadable) {
		if (index !== process.mm || !guarded.some(({row}) => address >= row.start && address < row.end)) {
			continue;
		}

		const end = address + BigInt(PAGE_SIZE);
		const last = snapshot.guard.at(-1);
		if (last?.mm === index && last.end === address) {
			last.end = end;
		} else {
			snapshot.guard.push({start: address, end, mm: index, pad0: 0});
		}
	}
}
