import {addr} from '../sys/types.js';
import type {RemoteMemory} from './context.js';
import type {Mapping} from './parse/smaps.js';
import {mappingKind} from './parse/vmakind.js';
import {isResident} from './resident.js';

/** First bytes of a preamble: the page that `--lazy` maps below the resident one (resumer-stub/engine/lazy.c). */
const MARK = Buffer.from('FRORESNP', 'latin1');

type Readable = Pick<RemoteMemory, 'readInto'>;

/**
 * An earlier resume with `--lazy` has mapped anonymous memory from its artefact. Such mappings become the anonymous ones again that
 * they stand for, one with the neighbours that they have been cut from; the pages that are still those of the file are `unread`.
 */
export function asAnonymous(mappings: readonly Mapping[], memory: Readable): readonly Mapping[] {
	const mark = mappings.find((mapping, i) => isMark(mapping, mappings[i + 1], memory));
	if (!mark) {
		return mappings;
	}

	const found: Mapping[] = [];
	for (const mapping of mappings) {
		if (mapping === mark) {
			continue;
		}

		const last = found.at(-1);
		const lazy = !mapping.shared && mapping.ino === mark.ino && mapping.dev === mark.dev;
		const next = lazy ? anonymous(mapping, last) : mapping;
		if (last && (last.unread || next.unread) && next.path === last.path && areAlike(last, next)) {
			found[found.length - 1] = joined(last, next);
		} else {
			found.push(next);
		}
	}

	return found;
}

/** The kernel tells device and inode of the mark in the same words as those of all that is mapped from the same file. */
function isMark(mapping: Mapping, next: Mapping | undefined, memory: Readable): boolean {
	if (
		next?.start !== mapping.end ||
		mapping.ino === 0n ||
		mapping.shared ||
		mapping.write ||
		!isResident({memory}, next)
	) {
		return false;
	}

	const head = Buffer.alloc(MARK.length);
	return memory.readInto(addr(mapping.start), head) === head.length && head.equals(MARK);
}

/** With the name of the anonymous page before it: such a page is left where there was a name (begins_anonymous() of lazy.c). */
function anonymous(mapping: Mapping, last: Mapping | undefined): Mapping {
	const path = last && isNamed(last) && areAlike(last, mapping) ? last.path : '';
	const {start, end} = mapping;
	return {...mapping, path, dev: '00:00', ino: 0n, offset: 0n, deleted: false, unread: [{start, end}]};
}

const isNamed = ({path}: Mapping): boolean => path === '[heap]' || path.startsWith('[anon:');

/** Neighbours that were one mapping before. */
function areAlike(one: Mapping, other: Mapping): boolean {
	return (
		one.end === other.start &&
		(mappingKind(one) === 'anonymous' || one.unread !== undefined) &&
		!one.shared &&
		!other.shared &&
		one.read === other.read &&
		one.write === other.write &&
		one.execute === other.execute &&
		one.pkey === other.pkey &&
		codesOf(one) === codesOf(other)
	);
}

/** VmFlags but those that differ between memory of a file and of none (ac: accounted, fs/proc/task_mmu.c). */
const codesOf = ({flags}: Mapping): string => [...flags].filter((code) => code !== 'ac' && code !== 'sd').join(' ');

const joined = (one: Mapping, other: Mapping): Mapping => ({
	...one,
	end: other.end,
	unread: [...(one.unread ?? []), ...(other.unread ?? [])],
});
