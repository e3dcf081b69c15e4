import type {Run} from '../../builder/artefact-writer.js';
import {constants} from '../../builder/format/schema.js';
import {scanZero} from '../sys/native.js';
import {PAGE_SIZE} from '../sys/types.js';

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
	/** Other places that get the same bytes. */
	readonly also?: readonly {readonly index: number; readonly address: bigint}[];
	/** Zero pages become ZERO runs instead of nothing: where a page of the file would show through. */
	readonly keepZeros?: boolean;
}

const FRAME = 1 << 20;
const {SOURCE} = constants;

/** Packs stretches of pages into frames of at most 1 MiB, without the pages that are all zeros. */
export class FramePacker {
	readonly #buffer = Buffer.allocUnsafeSlow(FRAME);
	readonly #bitmap = new Uint8Array(FRAME / PAGE_SIZE / 8);
	#used = 0;
	#runs: Run[] = [];
	#open = false;
	/** Bytes that were all zeros. */
	zeroBytes = 0;

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
		scanZero(this.#buffer.subarray(start, start + padded), this.#bitmap);
		for (let page = 0; page < pages; ) {
			const zero = this.#isZero(page);
			let next = page + 1;
			while (next < pages && this.#isZero(next) === zero) {
				next++;
			}

			const from = page * PAGE_SIZE;
			const size = Math.min(next * PAGE_SIZE, length) - from;
			if (!zero) {
				if (start + from !== this.#used) {
					this.#buffer.copyWithin(this.#used, start + from, start + from + size);
				}

				this.#used += size;
				this.#push(stretch, address + BigInt(from), size, stretch.source);
				this.#repeat(stretch, address + BigInt(from), size);
			} else {
				this.zeroBytes += size;
				if (stretch.keepZeros) {
					this.#push(stretch, address + BigInt(from), size, SOURCE.ZERO);
				}
			}

			page = next;
		}

		if (tail) {
			this.flush();
		}
	}

	#repeat({also = [], address: start, space}: Stretch, address: bigint, length: number): void {
		for (const other of also) {
			const place = other.address + address - start;
			this.#runs.push({address: place, length: BigInt(length), index: other.index, space, source: SOURCE.SAME});
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
		this.#runs.push({address, length: BigInt(length), index: stretch.index, space: stretch.space, source});
	}
}
