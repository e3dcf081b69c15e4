import {constants} from '../../builder/format/schema.js';
import {PageMap, type PageRange} from '../sys/pagemap.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import type {Collection} from './collection.js';
import {FramePacker, type FrameSink} from './frames.js';
import {copyContent, imagePages, ownPages} from './pages.js';

/** Lets signals in between pieces of work; the argument says whether the target is stopped. */
type Breathe = (stopped: boolean) => Promise<void>;

/** Ranges of modified pages per mapping of one process. */
export type OwnRanges = readonly PageRange[][];

/** Contents and modified pages, while the target is stopped; returns the ranges of modified pages per process. */
export async function copyMemory(
	state: CapturedState,
	outbox: {put: FrameSink},
	breathe: Breathe,
): Promise<OwnRanges[]> {
	const {collection, processes} = state;
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const [index, source] of collection.contents.sources) {
		copyContent(index, source, packer);
		await breathe(true);
	}

	const own: OwnRanges[] = [];
	for (const captured of processes) {
		const {process} = captured;
		process.inject.finish();
		process.stopped.pendingStopSignal = process.inject.stopSignal;
		own.push(await copyOwnPages(captured, packer, breathe));
	}

	packer.flush();
	for (const captured of processes) {
		tellGuards(collection, captured, packer);
	}

	await breathe(true);
	return own;
}

async function copyOwnPages(
	{process, vmas}: CapturedProcess,
	packer: FramePacker,
	breathe: Breathe,
): Promise<OwnRanges> {
	const pageMap = new PageMap(process.pid);
	const own: PageRange[][] = [];
	try {
		for (const vma of vmas) {
			const ranges: PageRange[] = [];
			for (const stretch of ownPages(vma, process.mm, process.memory, pageMap)) {
				packer.add(stretch);
				if (stretch.source === constants.SOURCE.STORED) {
					ranges.push({start: stretch.address, end: stretch.address + BigInt(stretch.length)});
				}

				if (stretch.length >= LONG) {
					await breathe(true);
				}
			}

			own.push(ranges);
		}
	} finally {
		pageMap.close();
	}

	return own;
}

/** Guard pages (MADV_GUARD_INSTALL) read as zeros after the resume instead of raising SIGSEGV. */
function tellGuards(collection: Collection, {process, vmas}: CapturedProcess, packer: FramePacker): void {
	const guarded = vmas.filter(({mapping}) => mapping.flags.has('gu'));
	const pages = packer.unreadable.filter(
		({index, address}) => index === process.mm && guarded.some(({row}) => address >= row.start && address < row.end),
	);
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
	for (const [p, {process, vmas}] of state.processes.entries()) {
		for (const [i, vma] of vmas.entries()) {
			for (const stretch of imagePages(vma, process.mm, own[p]?.[i] ?? [])) {
				packer.add(stretch);
			}

			await breathe(false);
		}
	}

	packer.flush();
}

/** Bytes after which a signal may come in. */
const LONG = 1 << 23;
