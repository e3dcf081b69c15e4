import {unpinTracer} from '../sys/inject.js';
import {
	encodeRanges,
	encodeStretches,
	type Owner,
	type Packed,
	packFrames,
	Seen,
	type StretchList,
	writeDirectly,
} from '../sys/pack.js';
import {PageMap, RangeList} from '../sys/pagemap.js';
import {tryReadLink} from '../sys/procfs.js';
import type {Pid} from '../sys/types.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import {Relatives} from './cow.js';
import {FramePacker, type FrameSink} from './frames.js';
import {captureGuards, type Unreadable} from './guards.js';
import type {Outbox} from './outbox.js';
import {OwnRanges, ownRange, type PageSource, type Surveyed, unshared} from './own-ranges.js';
import {
	areaOf,
	copyContent,
	hasOwnPages,
	imagePages,
	lostImage,
	merged,
	ownOrigin,
	ownPages,
	takesImage,
	wantImage,
} from './pages.js';
import {childrenOf} from './resolve.js';
import type {Tracking} from './tracking.js';
import type {CapturedVma} from './vmas.js';

/** Lets signals in between pieces of work, and throws when it is time to give up. */
export type Breathe = () => Promise<void>;

/** Takes frames, or lets them be written directly. */
export type MemoryOutbox = {put: FrameSink} & Pick<Outbox, 'mayWriteDirectly' | 'directly'>;

/** What belongs to no process alone, while the target is stopped. */
export async function copyContents({collection}: CapturedState, outbox: MemoryOutbox, breathe: Breathe): Promise<void> {
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const [index, source] of collection.contents.sources) {
		copyContent(index, source, packer);
		await breathe();
	}

	packer.flush();
}

/** Takes everything of ours out of the target. */
export function endInjection({processes}: CapturedState): void {
	for (const {process} of processes) {
		process.inject.finish();
		process.stopped.pendingStopSignal = process.inject.stopSignal;
	}

	unpinTracer();
}

/** Modified pages of the stopped processes themselves. */
export async function copyMemory(
	state: CapturedState,
	outbox: MemoryOutbox,
	breathe: Breathe,
	tracking: Tracking | undefined,
): Promise<Rest> {
	endInjection(state);
	return await copyPages(state, surveyAll(state.processes, state.alone, tracking), outbox, breathe);
}

/** What needs no process any more: to be called after the release. */
export type Rest = () => void;

/** Which pages the stopped processes have of their own, and which of them they may have in common. @param alone see CapturedState */
export const surveyAll = (processes: readonly CapturedProcess[], alone: boolean, tracking?: Tracking): Surveyed[] =>
	processes.map((captured) => {
		const {pid, memory, facts} = captured.process;
		const shares = processes.length > 1 || hasKin(pid, facts.stat.ppid, alone);
		return survey(captured, {pid, memory, cow: false}, shares, tracking);
	});

/** Is there a process outside that may have pages in common with this one: a child, or a parent that runs the same program? */
export function hasKin(pid: Pid, parent: number, alone: boolean): boolean {
	const exe = tryReadLink(`/proc/${pid}/exe`);
	const parents = tryReadLink(`/proc/${parent}/exe`);
	return (alone && childrenOf(pid).length > 0) || (exe !== undefined && parents?.equals(exe) === true);
}

/**
 * @param shares relatives may have pages in common
 * @param tracking knows of pages that have been copied
 */
export function survey(
	captured: CapturedProcess,
	from: PageSource,
	shares: boolean,
	tracking: Tracking | undefined,
): Surveyed {
	const {vmas} = captured;
	const owning = [...vmas.keys()].filter((i) => hasOwnPages(vmas[i]!));
	const known = tracking?.left(owning.map((i) => vmas[i]!));
	const looked = owning.filter((i) => !known?.has(vmas[i]!));
	const pageMap = new PageMap(from.pid);
	try {
		const areas = looked.map((i) => areaOf(vmas[i]!));
		if (!shares && !known?.size && !vmas.some(({mapping}) => mapping.unread)) {
			return {...captured, from, ranges: new OwnRanges(pageMap.list(areas), looked)};
		}

		const found = pageMap.ranges(areas);
		const ranges = new Map(looked.map((i, k) => [i, found[k]!]));
		const listed = owning.flatMap((i) => {
			const present = known?.get(vmas[i]!) ?? ranges.get(i) ?? [];
			const {unread} = vmas[i]!.mapping;
			return (unread ? merged([...present, ...unread]) : present).map((range) => ({range, vma: i}));
		});
		const words = shares ? pageMap.words(listed.map(({range}) => range)) : [];
		return {...captured, from, ranges: new OwnRanges(listed.map(({range, vma}, k) => ownRange(range, vma, words[k])))};
	} finally {
		pageMap.close();
	}
}

/** @param surveyed relatives, parents first: pages that several of them have are stored once */
export async function copyPages(
	state: CapturedState,
	surveyed: readonly Surveyed[],
	outbox: MemoryOutbox,
	breathe: Breathe,
): Promise<Rest> {
	const {snapshot} = state.collection;
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	using relatives = new Relatives(snapshot, surveyed);
	const taking = surveyed.map(({vmas, ranges}) => ranges.by((i) => takesImage(vmas[i]!)));
	for (const [k, one] of surveyed.entries()) {
		const unreadable = relatives.isElder(one)
			? await copyElder(one, relatives, packer, breathe)
			: await copyYounger(one, outbox, breathe);
		captureGuards(snapshot, one, unreadable);
		for (const [i, vma] of one.vmas.entries()) {
			for (const stretch of lostImage(vma, taking[k]!.get(i) ?? [], one.from.memory, state.images)) {
				packer.add(stretch);
			}
		}

		// Each process has frames of its own: at the resume it need not look at those of others.
		packer.flush();
	}

	await breathe();
	return () => {
		relatives.finish();
		for (const [k, {vmas}] of surveyed.entries()) {
			for (const [i, vma] of vmas.entries()) {
				wantImage(vma, taking[k]!.get(i) ?? [], state.images);
			}
		}
	};
}

async function copyYounger(
	{process, from, vmas, ranges}: Surveyed,
	outbox: MemoryOutbox,
	breathe: Breathe,
): Promise<Unreadable[]> {
	const owner = {pid: from.pid, index: process.mm};
	const bytes = bytesOf(ranges);
	using seen = new Seen(bytes, from.memory.descriptor);
	const mayPass = vmas.some(({mapping}) => mapping.flags.has('gu'));
	const direct = !mayPass && outbox.mayWriteDirectly(bytes);
	return await copyPacked({owner, seen}, stretchesOf(owner, vmas, from, ranges), direct, outbox, breathe);
}

/** @param direct written at once, and it does not matter which pages cannot be read */
export async function copyPacked(
	packed: Omit<Packed, 'stretches'>,
	lists: Iterable<StretchList>,
	direct: boolean,
	outbox: MemoryOutbox,
	breathe: Breathe,
): Promise<Unreadable[]> {
	const unreadable: Unreadable[] = [];
	for (const stretches of lists) {
		if (direct) {
			await outbox.directly((place) => writeDirectly({...packed, stretches}, place, breathe));
			continue;
		}

		for (const frame of packFrames({...packed, stretches})) {
			unreadable.push(...frame.unreadable);
			if (frame.runs.length > 0) {
				outbox.put(frame.runs, frame.raw);
			}

			await breathe();
		}
	}

	return unreadable;
}

const bytesOf = ({list}: OwnRanges): number =>
	list instanceof RangeList ? list.bytes : list.reduce((sum, {start, end}) => sum + Number(end - start), 0);

function* stretchesOf(
	owner: Owner,
	vmas: readonly CapturedVma[],
	{memory, cow}: PageSource,
	ranges: OwnRanges,
): Generator<StretchList> {
	const {list} = ranges;
	if (list instanceof RangeList) {
		const origins = ranges.vmas.map((vma) => ownOrigin(vmas[vma]!, memory, cow));
		yield* encodeRanges(owner, list, origins);
		return;
	}

	const stretches = list.flatMap((range) => {
		const origin = ownOrigin(vmas[range.vma]!, memory, cow || range.marks !== undefined);
		return [...unshared(range)].map((pages) => ({...pages, ...origin}));
	});
	yield encodeStretches(owner, stretches);
}

/** Every page that is read is compared with those of its relatives. */
async function copyElder(
	surveyed: Surveyed,
	relatives: Relatives,
	packer: FramePacker,
	breathe: Breathe,
): Promise<readonly Unreadable[]> {
	const {process, from, vmas, ranges} = surveyed;
	for (const range of ranges) {
		const vma = vmas[range.vma]!;
		const seen = (address: bigint, bytes: Uint8Array) => relatives.find(surveyed, range, address, bytes);
		for (const pages of unshared(range)) {
			const cow = from.cow || range.marks !== undefined;
			for (const stretch of ownPages(vma, process.mm, from.memory, pages, cow, seen)) {
				packer.add(stretch);
				if (stretch.length >= LONG) {
					await breathe();
				}
			}
		}
	}

	packer.flush();
	return packer.unreadable.splice(0);
}

/** Unmodified pages of mapped files, each once, after the release. */
export async function copyImages(state: CapturedState, outbox: {put: FrameSink}, breathe: Breathe): Promise<void> {
	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const image of state.images.all) {
		for (const stretch of imagePages(image, state.collection.snapshot)) {
			packer.add(stretch);
		}

		await breathe();
	}

	packer.flush();
}

/** Bytes after which a signal may come in. */
const LONG = 1 << 23;
