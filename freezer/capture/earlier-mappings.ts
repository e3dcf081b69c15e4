/**
 * What only smaps tells of mappings, from just before the stop. To tell it, the kernel looks at every page (show_smap, fs/proc/task_mmu.c):
 * 13 ms a GiB, for which a large target would stand still. Which mappings there are is looked at during the stop all the same; what was
 * assumed of them is compared with what smaps tells of a clone, after the release.
 */
import {constants} from '../../builder/format/schema.js';
import {ProcessMemory} from '../sys/memory.js';
import {readProc, tryReadProcText} from '../sys/procfs.js';
import {PAGE_SIZE, type Pid} from '../sys/types.js';
import {failure} from './errors.js';
import {asAnonymous} from './lazy.js';
import {type Mapping, parseSmaps} from './parse/smaps.js';
import type {Status} from './parse/status.js';
import {mappingKind} from './parse/vmakind.js';
import type {ProcFiles} from './proc-files.js';
import {toText} from './text.js';
import {type CapturedVma, flagsOf} from './vmas.js';

/** Bytes in memory from which it is worth it. */
const LARGE = 64 << 20;

export interface EarlierMappings {
	/** By pid, of those processes that are large. */
	readonly known: ReadonlyMap<number, ReadonlyMap<string, Mapping>>;
	/** A userfaultfd of ours is registered with mappings: what smaps tells of that is not the target's own. */
	readonly tracked: boolean;
}

export const nothingEarlier: EarlierMappings = {known: new Map(), tracked: false};

export const readSmaps = (pid: Pid, tracked: boolean): Mapping[] =>
	own(parseSmaps(toText(readProc(`/proc/${pid}/smaps`))), tracked);

/** Without what our own registration adds. */
const own = (mappings: Mapping[], tracked: boolean): Mapping[] =>
	tracked ? mappings.map((mapping) => (mapping.flags.has('uw') ? untracked(mapping) : mapping)) : mappings;

const untracked = (mapping: Mapping): Mapping => ({
	...mapping,
	flags: new Set([...mapping.flags].filter((flag) => flag !== 'uw')),
});

export const readMaps = (pid: Pid): Mapping[] => parseSmaps(toText(readProc(`/proc/${pid}/maps`)));

export const observeMappings = (pids: readonly Pid[], tracked: boolean): EarlierMappings => ({
	known: new Map(pids.filter(isLarge).flatMap((pid) => knownOf(pid, tracked))),
	tracked,
});

/** What cannot be told now, perhaps of a process that is just ending, is asked again during the stop. */
function knownOf(pid: Pid, tracked: boolean): [number, ReadonlyMap<string, Mapping>][] {
	try {
		const mappings = readSmaps(pid, tracked);
		return isLazy(pid, mappings) ? [] : [[pid, byKey(mappings)]];
	} catch {
		return [];
	}
}

/** Has other advice been given for a mapping in between? */
export const isRestless = (before: EarlierMappings, after: EarlierMappings): boolean =>
	[...after.known].some(([pid, mappings]) =>
		[...mappings].some(([key, mapping]) => {
			const known = before.known.get(pid)?.get(key);
			return known !== undefined && flagsOf(known) !== flagsOf(mapping);
		}),
	);

/** What stands for another mapping could not be compared. */
function isLazy(pid: Pid, mappings: readonly Mapping[]): boolean {
	const memory = new ProcessMemory(pid);
	try {
		return asAnonymous(mappings, memory) !== mappings;
	} finally {
		memory.close();
	}
}

const isLarge = (pid: Pid): boolean =>
	Number((tryReadProcText(`/proc/${pid}/statm`) ?? '').split(' ')[1] ?? 0) * PAGE_SIZE >= LARGE;

/** The mappings of a stopped process. Locked memory is not inherited by clones: what is assumed of it could not be compared. */
export function mappingsOf(
	files: ProcFiles,
	status: Status,
	{known: all, tracked}: EarlierMappings,
): {mappings: Mapping[]; assumed: boolean} {
	const known = status.number('VmLck') === 0 ? all.get(files.pid) : undefined;
	const now = known ? readMaps(files.pid) : [];
	return known && now.every((mapping) => known.has(keyOf(mapping)))
		? {mappings: now.map((mapping) => ({...mapping, ...told(known.get(keyOf(mapping))!)})), assumed: true}
		: {mappings: own(parseSmaps(files.text('smaps')), tracked), assumed: false};
}

const told = ({flags, pkey}: Mapping): Pick<Mapping, 'flags' | 'pkey'> => ({flags, pkey});

/** Has the clone all mappings that it should inherit, and none else? */
export function isInherited(vmas: readonly CapturedVma[], clone: Pid): boolean {
	const inherited = byKey(readMaps(clone));
	return vmas.every(({mapping}) => inherited.has(keyOf(mapping)) !== mapping.flags.has('dc'));
}

/** Puts right what was assumed: `truth` is what smaps tells of the process, or of its clone, which does not tell of what it lacks. */
export function settle(vmas: readonly CapturedVma[], truth: readonly Mapping[]): void {
	const known = byKey(truth);
	for (const {mapping, row} of vmas) {
		const now = known.get(keyOf(mapping));
		if (!now) {
			continue;
		}

		if (isOther(mapping, now)) {
			throw changed(row);
		}

		row.flags = (row.flags & ~flagsOf(mapping)) | flagsOf(now);
		mapping.flags = now.flags;
	}
}

/**
 * Without a clone nobody tells how it was during the stop; `after` is what smaps tells soon after it. Advice that only concerns speed
 * stays as it was just before the stop.
 */
export function confirm(vmas: readonly CapturedVma[], after: readonly Mapping[]): void {
	const known = byKey(after);
	for (const {mapping, row} of vmas) {
		const now = known.get(keyOf(mapping));
		if (now && (isOther(mapping, now) || (flagsOf(mapping) ^ flagsOf(now)) & (WIPEONFORK | DROPPABLE))) {
			throw changed(row);
		}
	}
}

const {WIPEONFORK, DROPPABLE} = constants.VMA_FLAG;

const isOther = (before: Mapping, now: Mapping): boolean =>
	mappingKind(now) !== mappingKind(before) || now.pkey !== before.pkey;

const changed = ({start}: CapturedVma['row']): Error =>
	failure(
		'changed',
		`cannot freeze: the mapping at ${start.toString(16)} became another one just before or after the stop; nothing was written`,
		'Freeze it again.',
	);

const byKey = (mappings: readonly Mapping[]): ReadonlyMap<string, Mapping> =>
	new Map(mappings.map((mapping) => [keyOf(mapping), mapping]));

/** All that maps tells, but for names. */
const keyOf = ({start, end, read, write, execute, shared, offset, dev, ino}: Mapping): string =>
	[start, end, read, write, execute, shared, offset, dev, ino].join(' ');
