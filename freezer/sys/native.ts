/** Our shared object (freezer/sys/native/*.c): encoders, decoders, checksums, processor queries. Loaded at the first use. */
import {availableParallelism} from 'node:os';
import koffi from 'koffi';
import {type Decoder, type Encoder, type Hasher, NamedCodecError} from '../../builder/codec.js';
import {FroreError} from '../../builder/errors.js';
import {packagePath} from './package.js';

const PAGE = 4096;
const HASH_STATE = 88;

function load() {
	const path = packagePath('native');
	let library: ReturnType<typeof koffi.load>;
	try {
		library = koffi.load(path);
	} catch (error) {
		throw new FroreError('native', `cannot load ${path}: ${(error as Error).message}`, 1, {
			hint: 'Build it with `npm run build native`; it needs gcc.',
		});
	}
	return {
		bound: library.func('int64_t frore_native_bound(uint64_t length)'),
		encode: library.func('int64_t frore_native_encode(uint32_t, int, void *, uint64_t, const void *, uint64_t)'),
		poolStart: library.func('void *frore_native_pool_start(uint32_t, int, uint32_t, uint32_t)'),
		poolPut: library.func('int frore_native_pool_put(void *, const void *, uint64_t)'),
		poolCollect: library.func('int64_t frore_native_pool_collect(void *, void *, uint64_t)'),
		poolEnd: library.func('void frore_native_pool_end(void *)'),
		decode: library.func(
			'int64_t frore_native_decode(uint32_t, void *, uint64_t, const void *, uint64_t, void *, uint64_t)',
		),
		workspace: library.func('int64_t frore_native_decode_workspace(uint32_t)'),
		hashInit: library.func('void frore_native_hash_init(void *)'),
		hashUpdate: library.func('void frore_native_hash_update(void *, const void *, uint64_t)'),
		hashDigest: library.func('void frore_native_hash_digest(const void *, void *)'),
		xxh64: library.func('void frore_native_xxh64(const void *, uint64_t, void *)'),
		cpuid: library.func('void frore_native_cpuid(uint32_t, uint32_t, void *)'),
		xgetbv: library.func('void frore_native_xgetbv(void *)'),
		samePages: library.func('int64_t frore_native_same_pages(const void *, const void *, uint64_t, void *)'),
		unstick: library.func('void frore_native_unstick(void *, int32_t)'),
		seize: library.func('void frore_native_seize(int32_t, const void *, uint32_t, uint64_t, void *)'),
		poll: library.func('void frore_native_poll(const void *, uint32_t, void *)'),
		look: library.func(
			'int64_t frore_native_look(int32_t, const void *, uint32_t, void *, void *, uint32_t, const void *, uint32_t, void *, uint64_t)',
		),
		run: library.func('int64_t frore_native_run(int32_t, long, int32_t, uint32_t, void *, void *)'),
		children: library.func('int64_t frore_native_children(int32_t, const void *, uint32_t, void *, uint64_t)'),
		ask: library.func('int64_t frore_native_ask(const void *, void *, uint32_t, const void *, const void *, void *)'),
		aheadStart: library.func(
			'void *frore_native_ahead_start(const void *, uint32_t, const void *, uint32_t, uint32_t, uint32_t, const void *, uint32_t)',
		),
		aheadTake: library.func('int64_t frore_native_ahead_take(void *, uint32_t, void *, uint64_t)'),
		aheadEnd: library.func('void frore_native_ahead_end(void *)'),
		ranges: library.func('int64_t frore_native_ranges(int, const void *, uint64_t, void *, uint64_t)'),
		written: library.func('int64_t frore_native_written(int, void *, uint64_t, uint32_t, void *, uint64_t)'),
		words: library.func('void frore_native_words(int, const void *, uint64_t, void *, void *)'),
		pack: library.func(
			'int64_t frore_native_pack(const void *, uint64_t, void *, void *, uint64_t, void *, void *, void *, void *)',
		),
		directStart: library.func(
			'void *frore_native_direct_start(const void *, uint64_t, int, uint64_t, uint64_t, uint64_t, uint32_t, uint32_t, int, void *)',
		),
		directWait: library.func('uint32_t frore_native_direct_wait(void *, uint32_t)'),
		directStop: library.func('void frore_native_direct_stop(void *, void *)'),
		directEnd: library.func('void frore_native_direct_end(void *, void *, void *, void *)'),
		stretches: library.func('void frore_native_stretches(const void *, uint64_t, const void *, void *)'),
		seenStart: library.func('void *frore_native_seen_start(uint64_t, int)'),
		seenEnd: library.func('void frore_native_seen_end(void *)'),
		scanZero: library.func('int64_t frore_native_scan_zero(const void *, uint64_t, void *)'),
	};
}

let loaded: ReturnType<typeof load> | undefined;
const native = (): ReturnType<typeof load> => (loaded ??= load());

const wide = Buffer.alloc(8);

/** See unstick.ts. */
export const nativeUnstick = (list: Int32Array | null, capacity: number): void => native().unstick(list, capacity);

/** See threads.ts and crowd.ts. */
export const nativeThreads = (): Pick<
	ReturnType<typeof load>,
	'seize' | 'poll' | 'look' | 'run' | 'children' | 'ask'
> => native();

/** See ahead.ts. */
export const nativeAhead = (): Pick<ReturnType<typeof load>, 'aheadStart' | 'aheadTake' | 'aheadEnd'> => native();

/** See pagemap.ts, write-tracking.ts and pack.ts. */
export const nativePages = (): Pick<
	ReturnType<typeof load>,
	'ranges' | 'written' | 'words' | 'stretches' | 'pack' | 'seenStart' | 'seenEnd'
> => native();

/** See pack.ts. */
export const nativeDirect = (): Pick<
	ReturnType<typeof load>,
	'directStart' | 'directWait' | 'directStop' | 'directEnd'
> => native();

/** XXH64 with seed 0. */
export function xxh64(data: Uint8Array): bigint {
	native().xxh64(data, data.length, wide);
	return wide.readBigUInt64LE();
}

/** The builder's checksums at the speed of C. */
export function createNativeHasher(): Hasher {
	const state = Buffer.alloc(HASH_STATE);
	return {
		hash64(parts) {
			const {hashInit, hashUpdate, hashDigest} = native();
			hashInit(state);
			for (const part of parts) hashUpdate(state, part, part.length);
			hashDigest(state, wide);
			return wide.readBigUInt64LE();
		},
	};
}

/**
 * Encoder for `codec` (constants.CODEC.*). What compress() returns lies in a buffer that the next call overwrites.
 * @param level zstd -5..19, gzip and flate 1..9; the others have none
 */
export function createNativeEncoder(codec: number, level = 1): Encoder {
	const {bound, encode} = native();
	let output = new Uint8Array();
	return {
		codec,
		compress(raw) {
			const needed = Number(bound(raw.length));
			if (output.length < needed) output = new Uint8Array(needed);
			const length = Number(encode(codec, level, output, output.length, raw, raw.length));
			if (length < 0) throw new NamedCodecError('compress', codec, raw.length);
			return output.subarray(0, length);
		},
	};
}

const MAX_THREADS = 8;
const SLOTS_PER_THREAD = 3;

/** Compresses frames on all processors while its caller goes on; they come out in the order in which they went in. */
export class EncoderPool implements Disposable {
	readonly #pool: unknown;
	readonly #slots: number;
	/** Bytes of the frames that are in, oldest first. */
	readonly #lengths: number[] = [];
	#output = new Uint8Array();

	/** Its threads inherit the affinity of the calling thread. */
	constructor(
		readonly codec: number,
		readonly level = 1,
	) {
		const threads = Math.min(availableParallelism(), MAX_THREADS);
		this.#slots = threads * SLOTS_PER_THREAD;
		this.#pool = native().poolStart(codec, level, threads, this.#slots);
		if (!this.#pool) throw new FroreError('native', 'cannot start threads to compress with');
	}

	/** Frames that were put in and not collected. */
	get pending(): number {
		return this.#lengths.length;
	}

	/** Without a free slot a frame must be collected before the next one is put in. */
	get full(): boolean {
		return this.#lengths.length === this.#slots;
	}

	/** Copies the bytes. */
	put(raw: Uint8Array): void {
		if (this.full || native().poolPut(this.#pool, raw, raw.length) !== 0) {
			throw new NamedCodecError('compress', this.codec, raw.length);
		}
		this.#lengths.push(raw.length);
	}

	/** Waits for the oldest frame; what is returned lies in a buffer that the next call overwrites. */
	collect(): Uint8Array {
		const length = this.#lengths.shift();
		if (length === undefined) throw new RangeError('nothing to collect');
		const {bound, poolCollect} = native();
		const needed = Number(bound(length));
		if (this.#output.length < needed) this.#output = new Uint8Array(needed);
		const stored = Number(poolCollect(this.#pool, this.#output, this.#output.length));
		if (stored < 0) throw new NamedCodecError('compress', this.codec, length);
		return this.#output.subarray(0, stored);
	}

	/** Ends the threads; frames that are still in are lost. */
	[Symbol.dispose](): void {
		native().poolEnd(this.#pool);
	}
}

/** Decoder for every codec: the stub's own code. */
export function createNativeDecoder(): Decoder {
	let workspace = new Uint8Array();
	return {
		decompress(codec, stored, rawLength) {
			const {decode, workspace: needs} = native();
			const needed = Number(needs(codec));
			if (workspace.length < needed) workspace = new Uint8Array(needed);
			const raw = new Uint8Array(rawLength);
			const length = Number(decode(codec, raw, rawLength, stored, stored.length, workspace, workspace.length));
			if (length !== rawLength) throw new NamedCodecError('decode', codec, stored.length);
			return raw;
		},
	};
}

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

/** Under a hypervisor each instruction takes microseconds. */
const leaves = new Map<number, Leaf>();

/** EAX, EBX, ECX, EDX of one CPUID leaf; zeros when the processor has none such. */
export function cpuid(leaf: number, subleaf = 0): Leaf {
	const key = leaf * 64 + subleaf;
	const known = leaves.get(key);
	if (known) return known;
	const out = new Uint32Array(4);
	native().cpuid(leaf, subleaf, out);
	const told: Leaf = [out[0]!, out[1]!, out[2]!, out[3]!];
	leaves.set(key, told);
	return told;
}

/** XCR0: the state components that the kernel has enabled; 0 without XSAVE. */
export function xgetbv(): bigint {
	native().xgetbv(wide);
	return wide.readBigUInt64LE();
}

/** Which pages of `one`, all of which `other` has a counterpart for, are the same in both and not all zeros; as scanZero(). */
export function samePages(one: Uint8Array, other: Uint8Array, bitmap: Uint8Array): number {
	const count = Math.floor(one.length / PAGE);
	if (bitmap.length * 8 < count || other.length < one.length)
		throw new RangeError(`too little room for ${count} pages`);
	return Number(native().samePages(one, other, count, bitmap));
}

/**
 * Which of the 4096-byte pages in `pages` are all zeros: bit n%8 of byte n/8 of `bitmap` is set for page n; returns how many.
 * `bitmap` has a byte for every 8 pages.
 */
export function scanZero(pages: Uint8Array, bitmap: Uint8Array): number {
	const count = Math.floor(pages.length / PAGE);
	if (bitmap.length * 8 < count) throw new RangeError(`bitmap of ${bitmap.length} bytes for ${count} pages`);
	return Number(native().scanZero(pages, count, bitmap));
}
