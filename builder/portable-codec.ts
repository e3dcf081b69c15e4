/** Codecs and checksums by pako and WebAssembly: in a browser, and where there is no native code. Loading them takes some 25 ms. */
import {deflateRaw, gzip, inflateRaw, ungzip} from 'pako';
import xxhash from 'xxhash-wasm';
import {type Decoder, type Encoder, type Hasher, NamedCodecError} from './codec.js';
import {constants} from './format/schema.js';

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
