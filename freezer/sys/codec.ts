/** The encoders of the freezer, by the names that the command line has for them. */
import {type Encoder, plainEncoder} from '../../builder/codec.js';
import {EXIT, FroreError} from '../../builder/errors.js';
import {constants} from '../../builder/format/schema.js';
import {createNativeEncoder} from './native.js';

const {CODEC} = constants;
const NAMES: Readonly<Record<string, number>> = {
	none: CODEC.NONE,
	zstd: CODEC.ZSTD,
	gzip: CODEC.GZIP,
	flate: CODEC.DEFLATE,
	snappy: CODEC.SNAPPY,
	lz4: CODEC.LZ4,
};

export interface CodecChoice {
	/** constants.CODEC.* */
	readonly codec: number;
	readonly level: number;
}

/** Parses the argument of --compress: none|zstd[:N]|gzip|flate|snappy|lz4. */
export function parseCodec(text: string): CodecChoice {
	const [, name = '', number] = /^([a-z0-9]+)(?::(-?\d+))?$/.exec(text) ?? [];
	const codec = NAMES[name];
	const level = Number(number ?? 1);
	if (codec === undefined || (number !== undefined && (codec !== CODEC.ZSTD || level < -5 || level > 19))) {
		throw new FroreError('usage', `--compress ${text} is not known`, EXIT.USAGE, {
			hint: 'Valid values are none, zstd, zstd:N with N from -5 to 19, gzip, flate, snappy, lz4.',
		});
	}
	return {codec, level};
}

/** What its compress() returns may be overwritten by the next call. */
export function createEncoder({codec, level}: CodecChoice): Encoder {
	return codec === CODEC.NONE ? plainEncoder : createNativeEncoder(codec, level);
}
