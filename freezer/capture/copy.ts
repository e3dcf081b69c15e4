import {packFrames, writeDirectly} from '../sys/pack.js';
import {type PageRange, pageRanges} from '../sys/pagemap.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import type {Collection} from './collection.js';
import {FramePacker, type FrameSink} from './frames.js';
import type {Outbox} from './outbox.js';
import {areaOf, copyContent, hasOwnPages, imagePages, ownPages, sharedImagePages} from './pages.js';

/** Lets signals in between pieces of work; the argument says whether the target is stopped. */
type Breathe = (stopped: boolean) => Promise<void>;

/** Ranges of modified pages per mapping of one process. */
export type OwnRanges = readonly PageRange[][];

/** Takes frames, or lets them be written directly. */
export type MemoryOutbox = {put: FrameSink} & Pick<Outbox, 'mayWriteDirectly' | 'directly'>;

/** Contents and modified pages, while the target is stopped; returns the ranges of modified pages per process. */
export async function copyMemory(state: CapturedState, outbox: MemoryOutbox, breathe: Breathe): Promise<OwnRanges[]> {
	const {collection, processes} = state;
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const [index, source] of collection.contents.sources) {
		copyContent(index, source, packer);
		await breathe(true);
	}

	packer.flush();
	const own: OwnRanges[] = [];
	for (const captured of processes) {
		const {process} = captured;
		process.inject.finish();
		process.stopped.pendingStopSignal = process.inject.stopSignal;
		own.push(await copyOwnPages(collection, captured, outbox, breathe));
	}

	await breathe(true);
	return own;
}

/** Each process has frames of its own: at the resume it need not look at those of others. */
async function copyOwnPages(
	collection: Collection,
	captured: CapturedProcess,
	outbox: MemoryOutbox,
	breathe: Breathe,
): Promise<OwnRanges> {
	const {process, vmas} = captured;
	const looked = vmas.filter(hasOwnPages);
	const found = pageRanges(process.pid, looked.map(areaOf));
	const ranges = new Map(looked.map((vma, i) => [vma, found[i]!]));
	const stretches = looked.flatMap((vma) => ownPages(vma, ranges.get(vma)!, process.memory));
	const bytes = stretches.reduce((sum, {start, end}) => sum + end - start, 0n);
	if (outbox.mayWriteDirectly(bytes) && !vmas.some(({mapping}) => mapping.flags.has('gu'))) {
		await outbox.directly((place) => writeDirectly(process.pid, process.mm, stretches, place, () => breathe(true)));
		return vmas.map((vma) => ranges.get(vma) ?? []);
	}

	const unreadable: bigint[] = [];
	for (const frame of packFrames(process.pid, process.mm, stretches)) {
		unreadable.push(...frame.unreadable);
		if (frame.runs.length > 0) {
			outbox.put(frame.runs, frame.raw);
		}

		await breathe(true);
	}

	tellGuards(collection, captured, unreadable);
	return vmas.map((vma) => ranges.get(vma) ?? []);
}

/** Guard pages (MADV_GUARD_INSTALL) read as zeros after the resume instead of raising SIGSEGV. */
function tellGuards(collection: Collection, {process, vmas}: CapturedProcess, unreadable: readonly bigint[]): void {
	const guarded = vmas.filter(({mapping}) => mapping.flags.has('gu'));
	const pages = unreadable.filter((address) => guarded.some(({row}) => address >= row.start && address < row.end));
	if (pages.length > 0) {
		collection.warn({
			pid: process.innerPid,
			kind: 'guard',
			text: `${pages.length} guard pages (MADV_GUARD_INSTALL) become ordinary memory`,
		});
	}
}

/** Unmodified pages of mapped files, after the release. */
export async function copyImages(
	state: CapturedState,
	own: readonly OwnRanges[],
	outbox: {put: FrameSink},
	breathe: Breathe,
): Promise<void> {
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	const stretches = state.processes.flatMap(({process, vmas}, p) =>
		vmas.flatMap((vma, i) => [...imagePages(vma, process.mm, own[p]?.[i] ?? [])]),
	);
	for (const stretch of sharedImagePages(stretches)) {
		packer.add(stretch);
		await breathe(false);
	}

	packer.flush();
}
