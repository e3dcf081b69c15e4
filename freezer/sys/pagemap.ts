import {closeSync, openSync} from 'node:fs';
import {nativePages} from './native.js';
import type {Pid} from './types.js';

/** Which pages of a process hold something: PAGEMAP_SCAN (Linux 6.7), else /proc/PID/pagemap. */
export interface PageRange {
	readonly start: bigint;
	readonly end: bigint;
}

export interface Area extends PageRange {
	/** Only pages that are no longer those of the mapped file. */
	readonly own: boolean;
}

const WORDS = 3;
const FIRST_ROOM = 4096;

/** The ranges in each area, ascending. */
export function pageRanges(pid: Pid, areas: readonly Area[]): PageRange[][] {
	const asked = new BigUint64Array(areas.length * WORDS);
	for (const [i, {start, end, own}] of areas.entries()) {
		asked[i * WORDS] = start;
		asked[i * WORDS + 1] = end;
		asked[i * WORDS + 2] = own ? 1n : 0n;
	}

	const found = areas.map((): PageRange[] => []);
	const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
	try {
		for (let room = FIRST_ROOM; ; room *= 8) {
			const ranges = new BigUint64Array(room * WORDS);
			const count = Number(nativePages().ranges(pagemap, asked, areas.length, ranges, room));
			for (let i = 0; i < count; i++) {
				found[Number(ranges[i * WORDS + 2])]!.push({start: ranges[i * WORDS]!, end: ranges[i * WORDS + 1]!});
			}

			if (count >= 0) {
				return found;
			}
		}
	} finally {
		closeSync(pagemap);
	}
}
