import {SysError} from './errno.js';
import {otherCpus} from './inject.js';
import {nativeAhead} from './native.js';
import type {Pid} from './types.js';

/**
 * Files below /proc/PID of several processes, which other threads begin to read at once: see native/ahead.c. What is asked for before
 * they have come to it is read by the caller.
 */

/** How a file is read; the letters are those of native/ahead.c. */
export const reading = {
	file: 'f',
	link: 'l',
	/** Links in a directory, a line each: name and destination. */
	links: 'k',
	/** smaps, without the lines that nobody wants. */
	mappings: 'm',
	/** See descriptorsIn. */
	descriptors: 'd',
	/** See threadsIn. */
	threads: 'c',
} as const;

let room = Buffer.allocUnsafeSlow(1 << 16);

export class ReadAhead<Name extends string> implements Disposable {
	#handle: unknown;
	readonly #index: ReadonlyMap<Name, number>;
	readonly #first: ReadonlyMap<Pid, number>;

	/**
	 * @param names below /proc/PID, first things first
	 * @param late those of them that are not wanted before the others of all processes
	 * @param affinity CPUs that may be used
	 */
	constructor(
		pids: readonly Pid[],
		names: Readonly<Partial<Record<Name, keyof typeof reading>>>,
		late: readonly Name[] = [],
		affinity = otherCpus(),
	) {
		const given = Object.entries(names) as [Name, keyof typeof reading][];
		const early = given.filter(([name]) => !late.includes(name));
		const listed = [...early, ...given.filter(([name]) => late.includes(name))];
		const text = Buffer.from(listed.map(([name, how]) => `${reading[how]}${name}\0`).join(''));
		this.#index = new Map(listed.map(([name], i) => [name, i]));
		this.#first = new Map(pids.map((pid, i) => [pid, i * listed.length]));
		const {aheadStart} = nativeAhead();
		this.#handle = aheadStart(
			Int32Array.from(pids),
			pids.length,
			text,
			text.length,
			listed.length,
			early.length,
			affinity,
			affinity.length,
		);
		if (!this.#handle) {
			throw new RangeError('no memory to read /proc');
		}
	}

	has(name: Name): boolean {
		return this.#index.has(name);
	}

	take(pid: Pid, name: Name): Buffer {
		if (!this.#handle) {
			throw new RangeError(`/proc/${pid}/${name} is asked for too late`);
		}

		const index = this.#first.get(pid)! + this.#index.get(name)!;
		const {aheadTake} = nativeAhead();
		let length = Number(aheadTake(this.#handle, index, room, room.length));
		if (length > room.length) {
			room = Buffer.allocUnsafeSlow(length * 2);
			length = Number(aheadTake(this.#handle, index, room, room.length));
		}

		if (length < 0) {
			throw new SysError('read', -length, `of /proc/${pid}/${name}`);
		}

		return Buffer.from(room.subarray(0, length));
	}

	[Symbol.dispose](): void {
		nativeAhead().aheadEnd(this.#handle);
		this.#handle = undefined;
	}
}

export interface FoundDescriptor {
	readonly fd: number;
	/** What /proc/PID/fd/N leads to. */
	readonly link: Buffer;
	/** /proc/PID/fdinfo/N. */
	readonly info: Buffer;
}

/** Of a piece that was read as `descriptors`: ascending. */
export function* descriptorsIn(bytes: Buffer): Generator<FoundDescriptor> {
	for (let at = 0; at < bytes.length; ) {
		const [fd, linked, told] = [bytes.readInt32LE(at), bytes.readInt32LE(at + 4), bytes.readInt32LE(at + 8)];
		const link = at + 12;
		at = link + linked + told;
		yield {fd, link: bytes.subarray(link, link + linked), info: bytes.subarray(link + linked, at)};
	}
}

export const ownThing = {CREDENTIALS: 1, FILES: 2, DIRECTORY: 4} as const;

/** Of a piece that was read as `threads`: those that do not share all with the first, and what they have of their own. */
export function* threadsIn(bytes: Buffer): Generator<{tid: number; own: number}> {
	for (let at = 0; at < bytes.length; at += 8) {
		yield {tid: bytes.readInt32LE(at), own: bytes.readInt32LE(at + 4)};
	}
}
