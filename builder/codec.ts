/** What the builder needs of compression and checksums; the freezer injects native code, a browser WebAssembly and pako. */
import {deflateRaw, gzip, inflateRaw, ungzip} from 'pako';
import xxhash from 'xxhash-wasm';
import {constants} from './format/schema.js';

export interface Encoder {
	/** constants.CODEC.* */
	readonly codec: number;
	/** What is returned may be overwritten by the next call. */
	compress(raw: Uint8Array): Uint8Array;
}

export interface Decoder {
	/** Exactly `rawLength` bytes, or throws. */
	decompress(codec: number, stored: Uint8Array, rawLength: number): Uint8Array;
}

export interface Hasher {
	/** XXH64 with seed 0 over the parts, one behind the other. */
	hash64(parts: Iterable<Uint8Array>): bigint;
}

/** Name of a codec as the command line has it ("flate" for raw deflate), or its number. */
export const codecName = (codec: number): string =>
	(['none', 'zstd', 'lz4', 'flate', 'gzip', 'snappy'] as const)[codec] ?? `codec ${codec}`;

/** A frame could not be compressed or decoded. */
export class NamedCodecError extends Error {
	override readonly name = 'NamedCodecError';

	constructor(
		verb: 'compress' | 'decode',
		readonly codec: number,
		length: number,
	) {
		super(`cannot ${verb} ${length} bytes with ${codecName(codec)}`);
	}
}

/** Checksums by WebAssembly: works everywhere, a few times slower than native code. */
export async function createHasher(): Promise<Hasher> {
	const {create64} = await xxhash();
	return {
		hash64(parts) {
			const state = create64();
			for (const part of parts) state.update(part);
			return state.digest();
		},
	};
}

/** Codec NONE. */
export const plainEncoder: Encoder = {codec: constants.CODEC.NONE, compress: (raw) => raw};

/** gzip and flate without native code. @param level 0..9 */
export function createPakoEncoder(codec: number, level: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 = 1): Encoder {
	const deflate = codec === constants.CODEC.GZIP ? gzip : deflateRaw;
	return {codec, compress: (raw) => deflate(raw, {level})};
}

/** none, gzip and flate without native code; others are left to `next`. */
export function createPakoDecoder(next?: Decoder): Decoder {
	return {
		decompress(codec, stored, rawLength) {
			const {NONE, DEFLATE, GZIP} = constants.CODEC;
			if (codec !== NONE && codec !== DEFLATE && codec !== GZIP) {
				if (next) return next.decompress(codec, stored, rawLength);
				throw new NamedCodecError('decode', codec, stored.length);
			}
			const raw = codec === NONE ? stored : codec === GZIP ? ungzip(stored) : inflateRaw(stored);
			if (raw?.length !== rawLength) throw new NamedCodecError('decode', codec, stored.length);
			return raw;
		},
	};
}
