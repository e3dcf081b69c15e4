/** The mappings of an address space, and how much of each is in the file. */
import {constants, type RowOf, type Snapshot} from '../../../builder/format/schema.js';
import {fromFiles, itsOwn, type PageRun, type Placed} from './placed.js';
import {address, flagNames, printable, protection} from './words.js';

const {VMA, VMA_FLAG, SOURCE} = constants;

export interface MapReport {
	/** Hexadecimal, without 0x, as in /proc/PID/maps. */
	readonly start: string;
	readonly end: string;
	/** Bytes. */
	readonly size: number;
	/** "rw-p" as in /proc/PID/maps. */
	readonly protection: string;
	readonly kind: string;
	readonly name: string;
	/** Mapping flags and advice. */
	readonly flags: string[];
	/** Bytes in the artefact that are the target's own, also those that an ancestor has, too (before compression). */
	readonly stored: number;
	/** Bytes in the artefact that equal the mapped file: not needed where an unchanged local copy is found. */
	readonly fromFile: number;
}

const kindNames = ['anonymous', 'private file', 'shared file', 'shared memory', 'private content'];

/** Bytes of the mapping that the runs cover; runs ascend by address and do not overlap. */
function covered(runs: readonly Placed<PageRun>[], {start, end}: RowOf<'vma'>): number {
	let low = 0;
	let high = runs.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (runs[middle]!.address + runs[middle]!.length <= start) low = middle + 1;
		else high = middle;
	}
	let bytes = 0;
	for (let i = low; i < runs.length && runs[i]!.address < end; i++) {
		const run = runs[i]!;
		const runEnd = run.address + run.length;
		bytes += Number((runEnd < end ? runEnd : end) - (run.address > start ? run.address : start));
	}
	return bytes;
}

function nameOf(snapshot: Snapshot, vma: RowOf<'vma'>): string {
	if (vma.name) return `[anon:${printable(vma.name)}]`;
	if (vma.path) return printable(vma.path);
	if (vma.flags & VMA_FLAG.HEAP) return '[heap]';
	if (vma.flags & VMA_FLAG.STACK) return '[stack]';
	const source = vma.kind === VMA.FILE_PRIVATE || vma.kind === VMA.FILE_SHARED ? snapshot.image : [];
	return printable(source[vma.source]?.path ?? '');
}

/** Mappings of one address space, ascending. @param mm row of `mm` */
export function describeMaps(snapshot: Snapshot, allRuns: readonly PageRun[], mm: number): MapReport[] {
	const ascending = (a: {address: bigint}, b: {address: bigint}): number => (a.address < b.address ? -1 : 1);
	const own = itsOwn(snapshot, allRuns, mm)
		.filter(({run}) => run.source !== SOURCE.ZERO && run.source !== SOURCE.VOID)
		.sort(ascending);
	// A modified page of a file may be stored beside its image, so each is summed on its own.
	const images = fromFiles(snapshot, allRuns, mm).sort(ascending);
	const {HEAP: _heap, STACK: _stack, RESERVED: _reserved, ...told} = VMA_FLAG;
	return snapshot.vma
		.filter((vma) => vma.mm === mm)
		.map((vma) => ({
			start: address(vma.start),
			end: address(vma.end),
			size: Number(vma.end - vma.start),
			protection: protection(vma.prot, vma.kind === VMA.FILE_SHARED || vma.kind === VMA.CONTENT_SHARED),
			kind: kindNames[vma.kind] ?? `kind ${vma.kind}`,
			name: nameOf(snapshot, vma),
			flags: flagNames(vma.flags & ~(VMA_FLAG.HEAP | VMA_FLAG.STACK | VMA_FLAG.RESERVED), told),
			stored: covered(own, vma),
			fromFile: covered(images, vma),
		}));
}
