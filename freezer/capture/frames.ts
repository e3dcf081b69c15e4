import type {Run} from '../../builder/artefact-writer.js';
import {constants} from '../../builder/format/schema.js';
import {scanZero} from '../sys/native.js';
import type {PageRange} from '../sys/pagemap.js';
import {PAGE_SIZE} from '../sys/types.js';
import type {Unreadable} from './guards.js';

/** Takes one frame; both arguments are reused by the caller afterwards. */
export type FrameSink = (runs: readonly Run[], raw: Uint8Array) => void;

/** Fills `buffer` with what stands at `address`; returns how many bytes there were. */
export type PageReader = (address: bigint, buffer: Uint8Array) => number;

export interface Stretch {
	readonly space: number;
	/** Row of mm or content. */
	readonly index: number;
	/** Address or offset. */
	readonly address: bigint;
	readonly length: number;
	readonly source: number;
	readonly read: PageReader;
	/** Zero pages become ZERO runs instead of nothing: where a page of the file would show through. */
	readonly keepZeros?: boolean;
	/** Sees each piece as it is read; a run begins and ends where the ranges that it returns, ascending, do. */
	readonly seen?: ((address: bigint, bytes: Uint8Array) => readonly PageRange[]) | undefined;
}

const FRAME = 1 << 20;
const {SOURCE, SPACE} = constants;

/** Packs stretches of pages into frames of at most 1 MiB, without the pages that are all zeros. */
export class FramePacker {
	readonly #buffer = Buffer.allocUnsafeSlow(FRAME);
	readonly #bitmap = new Uint8Array(FRAME / PAGE_SIZE / 8);
	#used = 0;
	#runs: Run[] = [];
	#open = false;
	/** Bytes that were all zeros. */
	zeroBytes = 0;
	/** Pages inside a stretch that could not be read (guard pages). */
	readonly unreadable: Unreadable[] = [];

	constructor(readonly sink: FrameSink) {}

	/** A run never reaches over the end of a stretch: each lies within one mapping. */
	add(stretch: Stretch): void {
		this.#open = false;
		let done = 0;
		while (done < stretch.length) {
			if (this.#used + PAGE_SIZE > FRAME) {
				this.flush();
			}

			const address = stretch.address + BigInt(done);
			const wanted = Math.min(FRAME - this.#used, stretch.length - done);
			const got = stretch.read(address, this.#buffer.subarray(this.#used, this.#used + wanted));
			const whole = got === wanted ? got : got - (got % PAGE_SIZE);
			if (whole === 0) {
				if (stretch.space === SPACE.MM) {
					this.unreadable.push({index: stretch.index, address});
				}

				done += PAGE_SIZE;
				continue;
			}

			this.#take(stretch, address, whole);
			done += whole;
		}
	}

	flush(): void {
		if (this.#runs.length > 0) {
			this.sink(this.#runs, this.#buffer.subarray(0, this.#used));
		}

		this.#runs = [];
		this.#used = 0;
	}

	/** Keeps the pages of the fresh bytes that are not zero, moved together. */
	#take(stretch: Stretch, address: bigint, length: number): void {
		const start = this.#used;
		const tail = length % PAGE_SIZE;
		const padded = tail ? length - tail + PAGE_SIZE : length;
		if (tail) {
			this.#buffer.fill(0, start + length, start + padded);
		}

		const pages = padded / PAGE_SIZE;
		const cuts = cutsOf(stretch.seen?.(address, this.#buffer.subarray(start, start + padded)) ?? [], address);
		scanZero(this.#buffer.subarray(start, start + padded), this.#bitmap);
		for (let page = 0; page < pages; ) {
			const zero = this.#isZero(page);
			let next = page + 1;
			while (next < pages && this.#isZero(next) === zero && !cuts.has(next)) {
				next++;
			}

			if (cuts.has(page)) {
				this.#open = false;
			}

			const from = page * PAGE_SIZE;
			const size = Math.min(next * PAGE_SIZE, length) - from;
			if (!zero) {
				if (start + from !== this.#used) {
					this.#buffer.copyWithin(this.#used, start + from, start + from + size);
				}

				this.#used += size;
				this.#push(stretch, address + BigInt(from), size, stretch.source);
			} else {
				this.zeroBytes += size;
				if (stretch.keepZeros) {
					this.#push(stretch, address + BigInt(from), size, SOURCE.ZERO);
				}
			}

			page = next;
		}

		if (cuts.has(pages)) {
			this.#open = false;
		}

		if (tail) {
			this.flush();
		}
	}

	#isZero(page: number): boolean {
		return ((this.#bitmap[page >> 3] ?? 0) & (1 << (page & 7))) !== 0;
	}

	#push(stretch: Stretch, address: bigint, length: number, source: number): void {
		const last = this.#runs.at(-1);
		if (this.#open && last && last.source === source && last.address + last.length === address) {
			last.length += BigInt(length);
			return;
		}

		this.#open = true;
		this.#runs.push({address, length: BigInt(length), from: 0n, index: stretch.index, space: stretch.space, source});
	}
}

/** Pages at which a range begins or ends. */
const cutsOf = (ranges: readonly PageRange[], address: bigint): ReadonlySet<number> =>
	new Set(ranges.flatMap(({start, end}) => [Number(start - address) / PAGE_SIZE, Number(end - address) / PAGE_SIZE]));
