import {closeSync, openSync, readSync} from 'node:fs';
import {addressOf, rawSyscall} from './libc.js';
import {nr} from './nr.js';
import {PAGE_SIZE, type Pid} from './types.js';

/** Which pages of a process hold something: PAGEMAP_SCAN (Linux 6.7), else /proc/PID/pagemap. */
export interface PageRange {
	readonly start: bigint;
	readonly end: bigint;
}

/** `own`: only pages that are no longer those of the mapped file. */
export type Wanted = 'any' | 'own';

const PAGEMAP_SCAN = 0xc060_6610;
const PAGE_IS_FILE = 4n;
const PAGE_IS_PRESENT = 8n;
const PAGE_IS_SWAPPED = 16n;
const PAGE_IS_PFNZERO = 32n;
/** With more, walk_end is wrong on 6.18: regions would be reported twice. */
const VECTOR = 512;
const PRESENT = 0x8000_0000;
const SWAPPED = 0x4000_0000;
const FILE_OR_SHARED = 0x2000_0000;
const EXCLUSIVE = 0x0100_0000;
const FRAME_HIGH = 0x007f_ffff;

/** Entries of /proc/PID/pagemap. */
export class PageWords {
	constructor(readonly words: Uint32Array) {}

	/** Per page 1 where it may be mapped by somebody else, too: bit 56 (mapped exclusively, Linux 4.2) is clear. */
	shared(): Uint8Array {
		const marks = new Uint8Array(this.words.length / 2);
		for (let i = 0; i < marks.length; i++) {
			const high = this.words[i * 2 + 1] ?? 0;
			marks[i] = high & (PRESENT | SWAPPED) && !(high & EXCLUSIVE) ? 1 : 0;
		}

		return marks;
	}

	/** Number of the frame that holds a page; 0 when it is not in memory, or not ours to see (CAP_SYS_ADMIN). */
	frame(page: number): number {
		const high = this.words[page * 2 + 1] ?? 0;
		return high & PRESENT ? (high & FRAME_HIGH) * 2 ** 32 + (this.words[page * 2] ?? 0) : 0;
	}
}

export class PageMap {
	readonly #fd: number;
	#scan = true;

	constructor(pid: Pid) {
		this.#fd = openSync(`/proc/${pid}/pagemap`, 'r');
	}

	*ranges(start: bigint, end: bigint, wanted: Wanted): Generator<PageRange> {
		let last: PageRange | undefined;
		for (const range of this.#scan ? this.#scanned(start, end, wanted) : this.#read(start, end, wanted)) {
			if (last && last.end === range.start) {
				last = {start: last.start, end: range.end};
			} else {
				if (last) {
					yield last;
				}

				last = range;
			}
		}

		if (last) {
			yield last;
		}
	}

	/** What is known of each page of a range. */
	words(start: bigint, end: bigint): PageWords {
		const page = BigInt(PAGE_SIZE);
		const words = new Uint32Array(Number((end - start) / page) * 2);
		const bytes = new Uint8Array(words.buffer);
		for (let done = 0; done < bytes.length; ) {
			const length = readSync(this.#fd, bytes, done, bytes.length - done, (start / page) * 8n + BigInt(done));
			if (length <= 0) {
				break;
			}

			done += length;
		}

		return new PageWords(words);
	}

	close(): void {
		closeSync(this.#fd);
	}

	*#scanned(start: bigint, end: bigint, wanted: Wanted): Generator<PageRange> {
		const vector = new BigUint64Array(VECTOR * 3);
		const excluded = wanted === 'own' ? PAGE_IS_FILE : PAGE_IS_PFNZERO;
		let at = start;
		while (at < end) {
			const argument = new BigUint64Array([
				96n,
				0n,
				at,
				end,
				0n,
				addressOf(vector),
				BigInt(VECTOR),
				0n,
				excluded,
				excluded,
				PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
				PAGE_IS_PRESENT,
			]);
			const count = rawSyscall(nr.ioctl, this.#fd, PAGEMAP_SCAN, argument);
			if (count < 0) {
				this.#scan = false;
				yield* this.#read(at, end, wanted);
				return;
			}

			for (let i = 0; i < count; i++) {
				const from = vector[i * 3] ?? 0n;
				const to = vector[i * 3 + 1] ?? 0n;
				if (to > at) {
					yield {start: from > at ? from : at, end: to};
					at = to;
				}
			}

			if (count < VECTOR) {
				return;
			}
		}
	}

	*#read(start: bigint, end: bigint, wanted: Wanted): Generator<PageRange> {
		const page = BigInt(PAGE_SIZE);
		const buffer = Buffer.alloc(1 << 17);
		const words = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.length / 4);
		for (let at = start; at < end; ) {
			const left = Number((end - at) / page) * 8;
			const length = readSync(this.#fd, buffer, 0, Math.min(buffer.length, left), (at / page) * 8n);
			if (length <= 0) {
				return;
			}

			for (let i = 0; i < length / 8; i++) {
				const high = words[i * 2 + 1] ?? 0;
				if (high & (PRESENT | SWAPPED) && !(wanted === 'own' && high & FILE_OR_SHARED)) {
					const from = at + BigInt(i) * page;
					yield {start: from, end: from + page};
				}
			}

			at += BigInt(length / 8) * page;
		}
	}
}
