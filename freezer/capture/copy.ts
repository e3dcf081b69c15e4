import {PageMap} from '../sys/pagemap.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import type {Collection} from './collection.js';
import {ownRange, Relatives, type Surveyed, unshared} from './cow.js';
import {FramePacker, type FrameSink, type Stretch} from './frames.js';
import {copyContent, imagePages, memoryReader, ownPages, ownRanges, wantImage} from './pages.js';

/** Lets signals in between pieces of work; the argument says whether the target is stopped. */
type Breathe = (stopped: boolean) => Promise<void>;

/** Contents and modified pages, while the target is stopped. */
export async function copyMemory(state: CapturedState, outbox: {put: FrameSink}, breathe: Breathe): Promise<void> {
	const {collection, processes} = state;
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const [index, source] of collection.contents.sources) {
		copyContent(index, source, packer);
		await breathe(true);
	}

	for (const {process} of processes) {
		process.inject.finish();
		process.stopped.pendingStopSignal = process.inject.stopSignal;
	}

	const surveyed = processes.map((captured) => survey(captured));
	using relatives = new Relatives(collection.snapshot, surveyed);
	for (const one of surveyed) {
		await copyOwnPages(one, relatives, packer, breathe);
		for (const [i, vma] of one.vmas.entries()) {
			for (const stretch of wantImage(vma, one.own[i] ?? [], one.process.memory, state.images)) {
				packer.add(stretch);
			}
		}
	}

	packer.flush();
	relatives.finish();
	for (const captured of processes) {
		tellGuards(collection, captured, packer);
	}

	await breathe(true);
}

function survey(captured: CapturedProcess): Surveyed {
	const {process, vmas} = captured;
	const pageMap = new PageMap(process.pid);
	try {
		const own = vmas.map((vma, i) => ownRanges(vma, pageMap).map((range) => ownRange(range, i, pageMap)));
		return {...captured, own, ranges: own.flat()};
	} finally {
		pageMap.close();
	}
}

async function copyOwnPages(
	surveyed: Surveyed,
	relatives: Relatives,
	packer: FramePacker,
	breathe: Breathe,
): Promise<void> {
	const {process, vmas, ranges} = surveyed;
	const elder = relatives.isElder(surveyed);
	for (const range of ranges) {
		const seen: Stretch['seen'] = elder
			? (address, bytes) => relatives.find(surveyed, range, address, bytes)
			: undefined;
		for (const pages of unshared(range)) {
			const read = memoryReader(vmas[range.vma]!, process.memory, range.marks !== undefined);
			for (const stretch of ownPages(vmas[range.vma]!, process.mm, pages, read, seen)) {
				packer.add(stretch);
				if (stretch.length >= LONG) {
					await breathe(true);
				}
			}
		}
	}
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

/** Unmodified pages of mapped files, each once, after the release. */
export async function copyImages(state: CapturedState, outbox: {put: FrameSink}, breathe: Breathe): Promise<void> {
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const image of state.images.all) {
		for (const stretch of imagePages(image, state.collection.snapshot)) {
			packer.add(stretch);
		}

		await breathe(false);
	}

	packer.flush();
}

/** Bytes after which a signal may come in. */
const LONG = 1 << 23;
