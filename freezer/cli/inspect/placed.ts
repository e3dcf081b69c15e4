/** Which runs of pages an address space is filled from, and where in it they go. */
import {constants, NONE, type RowOf, type Snapshot} from '../../../builder/format/schema.js';

const {VMA, SPACE, VMA_FLAG} = constants;

/** What is needed of a run of pages. */
export interface PageRun {
	readonly address: bigint;
	readonly length: bigint;
	readonly index: number;
	readonly space: number;
	readonly source: number;
}

export interface Placed<R> {
	readonly run: R;
	readonly address: bigint;
	readonly length: bigint;
	/** Bytes of the run before `address`. */
	readonly skipped: bigint;
}

/** The part of a run, shifted, that lies within [start, end). */
function clip<R extends PageRun>(run: R, shift: bigint, start: bigint, end: bigint): Placed<R>[] {
	const from = run.address + shift > start ? run.address + shift : start;
	const last = run.address + shift + run.length;
	const to = last < end ? last : end;
	return from < to ? [{run, address: from, length: to - from, skipped: from - run.address - shift}] : [];
}

/** Unmodified pages of the files that it maps. */
export function fromFiles<R extends PageRun>(snapshot: Snapshot, runs: readonly R[], mm: number): Placed<R>[] {
	const pages = (vma: RowOf<'vma'>): number =>
		vma.kind === VMA.FILE_PRIVATE || (vma.kind === VMA.FILE_SHARED && vma.flags & VMA_FLAG.READ_ONLY)
			? (snapshot.image[vma.source]?.pages ?? NONE)
			: NONE;
	const contents = new Map<number, R[]>();
	for (const run of runs) {
		if (run.space !== SPACE.CONTENT) continue;
		const found = contents.get(run.index);
		if (found) found.push(run);
		else contents.set(run.index, [run]);
	}
	return snapshot.vma
		.filter((vma) => vma.mm === mm)
		.flatMap((vma) =>
			(contents.get(pages(vma)) ?? []).flatMap((run) => clip(run, vma.start - vma.offset, vma.start, vma.end)),
		);
}

/** Pages of its own, and those that it has in common with an ancestor, for whom they are stored. */
export function itsOwn<R extends PageRun>(snapshot: Snapshot, runs: readonly R[], mm: number): Placed<R>[] {
	const ofMm = (index: number): R[] => runs.filter((run) => run.space === SPACE.MM && run.index === index);
	const inherited = snapshot.same.filter((same) => same.mm === mm && same.from !== mm);
	const ancestors = new Map([...new Set(inherited.map(({from}) => from))].map((from) => [from, ofMm(from)]));
	return [
		...ofMm(mm).map((run) => ({run, address: run.address, length: run.length, skipped: 0n})),
		...inherited.flatMap(({start, end, from}) => ancestors.get(from)!.flatMap((run) => clip(run, 0n, start, end))),
	];
}
