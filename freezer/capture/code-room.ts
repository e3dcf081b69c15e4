import {LANDING_SIGNATURE, LANDING_SIZE} from '../sys/landing.js';
import type {ProcessMemory} from '../sys/memory.js';
import {addr, type RemoteAddr} from '../sys/types.js';
import {refusal} from './errors.js';
import type {Mapping} from './parse/smaps.js';

/** Executable room that nothing uses, and what stood there. */
export interface CodeRoom {
	readonly address: RemoteAddr;
	readonly original: Buffer;
}

/** A landing with an affinity mask of 8192 CPUs. */
const NEEDED = LANDING_SIZE + 1024;
const LEAST = LANDING_SIZE;

/**
 * Room for the landing in memory that is executable already: the zeros behind the end of the vdso (which the kernel lets a tracer write),
 * else those behind the text of any file. So no moment needs a page that is not there yet.
 */
export function findCodeRoom(mappings: readonly Mapping[], memory: ProcessMemory): CodeRoom {
	// A clone has no copy of what MADV_DONTFORK ("dc") keeps from it.
	const candidates = mappings.filter(
		({execute, shared, path, flags}) => execute && !shared && path !== '[vsyscall]' && !flags.has('dc'),
	);
	candidates.sort((a, b) => Number(b.path === '[vdso]') - Number(a.path === '[vdso]'));
	for (const size of [NEEDED, LEAST]) {
		for (const mapping of candidates) {
			const address = addr(mapping.end - BigInt(size));
			if (address < mapping.start) {
				continue;
			}

			const original = Buffer.alloc(size);
			if (memory.readForced(address, original) !== size) {
				continue;
			}

			if (original.subarray(0, LANDING_SIGNATURE.length).equals(LANDING_SIGNATURE)) {
				// Left behind by a freezer that was killed.
				return {address, original: original.fill(0)};
			}

			if (original.every((byte) => byte === 0)) {
				return {address, original};
			}
		}
	}

	throw refusal(
		'no-room',
		`cannot freeze process ${memory.pid}: there is no unused room in its program text through which it could be asked`,
	);
}

/** The vdso without what a freezer that was killed may have left in its tail. */
export function cleanVdso(image: Buffer): Buffer {
	const end = elfEnd(image);
	const clean = Buffer.from(image);
	return end === undefined ? clean : clean.fill(0, end);
}

/** Where the section header table of a 64-bit ELF file ends: it is the last thing in a vdso. */
function elfEnd(image: Buffer): number | undefined {
	if (image.length < 64 || image.readUInt32BE(0) !== 0x7f454c46) {
		return undefined;
	}

	const table = Number(image.readBigUInt64LE(40));
	const end = table + image.readUInt16LE(58) * image.readUInt16LE(60);
	return table > 0 && end <= image.length ? end : undefined;
}
