/** C sources of zstd, lz4 and zlib as they lie in node_modules; none of them is copied into the tree. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import type {Unit} from './compile.js';

const zstd = 'node_modules/zstd-napi/deps/zstd/lib';
const lz4 = 'node_modules/lz4/deps/lz4/lib';
const zlib = 'node_modules/zlib-sync/deps/zlib';

export const zstdHeader = `${zstd}/zstd.h`;
export const lz4Header = `${lz4}/lz4.h`;
export const zlibHeader = `${zlib}/zlib.h`;

const cFiles = (directory: string): string[] =>
	readdirSync(directory)
		.filter((name) => name.endsWith('.c'))
		.sort()
		.map((name) => join(directory, name));

/** Found by the glue as <zstd.h>, <lz4.h> and zlib's inner headers; -isystem keeps their warnings out of our builds. */
export const thirdPartyIncludes = ['-isystem', zstd, '-isystem', lz4, '-isystem', zlib, '-DZ_SOLO', '-DNO_GZIP'];

const zstdFlags = ['-DZSTD_DISABLE_ASM', '-DZSTD_LEGACY_SUPPORT=0', '-DZSTD_NO_TRACE', `-I${zstd}`, '-w'];

const units = (sources: readonly string[], flags: readonly string[]): Unit[] =>
	sources.map((source) => ({source, flags}));

/** Decoders only, as the stub links them. */
export const decoderUnits = (flags: readonly string[]): Unit[] => [
	...units(
		[
			...cFiles(`${zstd}/decompress`),
			...['entropy_common', 'error_private', 'fse_decompress', 'xxhash', 'zstd_common'].map(
				(name) => `${zstd}/common/${name}.c`,
			),
		],
		[...flags, ...zstdFlags],
	),
	...units([`${lz4}/lz4.c`], [...flags, '-w']),
	...units(
		['inflate', 'inffast', 'inftrees', 'adler32', 'zutil'].map((name) => `${zlib}/${name}.c`),
		[...flags, '-DZ_SOLO', '-DNO_GZIP', '-w'],
	),
];

/** Encoders and decoders, as the shared object links them. */
export const codecUnits = (flags: readonly string[]): Unit[] => [
	...decoderUnits(flags),
	...units(
		[...cFiles(`${zstd}/compress`), `${zstd}/common/pool.c`, `${zstd}/common/threading.c`],
		[...flags, ...zstdFlags],
	),
	...units(
		['deflate', 'trees', 'crc32'].map((name) => `${zlib}/${name}.c`),
		[...flags, '-DZ_SOLO', '-DNO_GZIP', '-w'],
	),
];
