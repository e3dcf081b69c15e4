/** What the builder needs of compression and checksums: native code (freezer/sys/native.ts) or portable-codec.ts does it. */
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

/** Codec NONE. */
export const plainEncoder: Encoder = {codec: constants.CODEC.NONE, compress: (raw) => raw};
