import test from 'ava';
import {bytesSource, openArtefact, readFrame, verify} from '../../../builder/artefact-reader.js';
import {ArtefactWriter} from '../../../builder/artefact-writer.js';
import {type Encoder, plainEncoder} from '../../../builder/codec.js';
import {constants} from '../../../builder/format/schema.js';
import {createHasher, createPakoDecoder, createPakoEncoder} from '../../../builder/portable-codec.js';
import {createEncoder, parseCodec} from '../../../freezer/sys/codec.js';
import {createNativeDecoder, createNativeHasher, xxh64} from '../../../freezer/sys/native.js';
import {fullSnapshot, smallArtefact, somePages, storedRun} from '../../helpers/snapshots.js';

const encoders: [string, () => Encoder][] = [
	...['none', 'zstd', 'zstd:9', 'lz4', 'gzip', 'flate', 'snappy'].map((name): [string, () => Encoder] => [
		name,
		() => createEncoder(parseCodec(name)),
	]),
	['gzip by pako', () => createPakoEncoder(constants.CODEC.GZIP)],
	['flate by pako', () => createPakoEncoder(constants.CODEC.DEFLATE)],
];

for (const [name, encoder] of encoders) {
	test(`an artefact written with ${name} is read back whole`, async (t) => {
		const bytes = smallArtefact(createNativeHasher(), encoder());
		const artefact = openArtefact(bytesSource(bytes), await createHasher());
		verify(artefact);
		t.is(artefact.stubLength, 4096);
		t.is(artefact.frames.length, 3);
		t.is(artefact.runs.length, 5);
		t.deepEqual(artefact.snapshot, fullSnapshot());
		const decoder = createNativeDecoder();
		t.deepEqual(new Uint8Array(readFrame(artefact, artefact.frames[0]!, decoder)), somePages(8192));
		t.deepEqual(new Uint8Array(readFrame(artefact, artefact.frames[2]!, decoder)), somePages(8192));
		t.is(artefact.frames[2]!.flags, 1);
	});
}

test('gzip and flate are decoded without native code', async (t) => {
	for (const codec of [constants.CODEC.GZIP, constants.CODEC.DEFLATE, constants.CODEC.NONE]) {
		const encoder = codec === constants.CODEC.NONE ? plainEncoder : createPakoEncoder(codec);
		const artefact = openArtefact(bytesSource(smallArtefact(await createHasher(), encoder)), await createHasher());
		t.deepEqual(new Uint8Array(readFrame(artefact, artefact.frames[0]!, createPakoDecoder())), somePages(8192));
	}
});

test('plain page data of a group lies together, on pages', (t) => {
	const chunks: Uint8Array[] = [];
	const hasher = createNativeHasher();
	const writer = new ArtefactWriter({write: (chunk) => void chunks.push(chunk.slice())}, new Uint8Array(4096), {
		codec: 0,
		hasher,
	});
	const parts = [4096, 2 << 20, 100, 12288].map((length) => {
		const bytes = somePages(length);
		return {runs: [storedRun(0x1000n, length)], raw: bytes, stored: bytes, codec: constants.CODEC.NONE};
	});
	writer.group(parts);
	writer.group(parts.slice(0, 1));
	writer.finish(fullSnapshot(1));
	const artefact = openArtefact(bytesSource(new Uint8Array(Buffer.concat(chunks))), hasher);
	const {offset: first} = artefact.frames[0]!;
	t.deepEqual(
		artefact.frames.slice(0, 4).map(({offset}) => Number(offset - first)),
		[0, 4096, 4096 + (2 << 20), 8192 + (2 << 20)],
	);
	t.true(artefact.frames.every(({offset}) => offset % 4096n === 0n));
	t.deepEqual(
		artefact.groups.map(({first_frame, frame_count}) => [first_frame, frame_count]),
		[
			[0, 4],
			[4, 1],
		],
	);
	for (const [i, {raw}] of parts.entries())
		t.deepEqual(new Uint8Array(readFrame(artefact, artefact.frames[i]!, createNativeDecoder())), raw);
	verify(artefact);
});

test('runs that do not add up to the data are refused when written', (t) => {
	const writer = new ArtefactWriter({write: () => {}}, new Uint8Array(4096), {codec: 0, hasher: createNativeHasher()});
	t.throws(() => writer.frame([storedRun(0n, 4096)], {length: 8192}, new Uint8Array(8192), 0), {code: 'internal'});
});

test('native and WebAssembly checksums are equal, in one piece or several', async (t) => {
	const data = somePages(100_003);
	const wasm = await createHasher();
	const parts = [data.subarray(0, 7), data.subarray(7, 7), data.subarray(7, 5000), data.subarray(5000)];
	t.is(xxh64(data), wasm.hash64([data]));
	t.is(createNativeHasher().hash64(parts), xxh64(data));
	t.is(wasm.hash64(parts), xxh64(data));
	t.is(xxh64(new Uint8Array()), 0xef46db3751d8e999n);
});

for (const name of ['zstd', 'lz4', 'gzip', 'flate', 'snappy']) {
	test(`${name} decodes what it encoded, at awkward lengths`, (t) => {
		const encoder = createEncoder(parseCodec(name));
		const decoder = createNativeDecoder();
		for (const length of [1, 3, 5, 59, 61, 4096, 65535, 65537, 300_000]) {
			for (const raw of [
				somePages(length),
				new Uint8Array(length),
				Uint8Array.from({length}, (_, i) => (i * i * 7919) >> 5),
			]) {
				const stored = encoder.compress(raw).slice();
				t.deepEqual(new Uint8Array(decoder.decompress(encoder.codec, stored, length)), raw);
			}
		}
	});

	test(`${name} refuses damaged data, or decodes no other length`, (t) => {
		const raw = somePages(20_000);
		const encoder = createEncoder(parseCodec(name));
		const decoder = createNativeDecoder();
		const stored = encoder.compress(raw).slice();
		t.throws(() => decoder.decompress(encoder.codec, stored.subarray(0, stored.length - 9), raw.length));
		t.throws(() => decoder.decompress(encoder.codec, stored, raw.length - 1));
		for (let at = 0; at < stored.length; at += 1 + (stored.length >> 8)) {
			const flipped = stored.slice();
			flipped[at]! ^= 0x55;
			try {
				t.is(decoder.decompress(encoder.codec, flipped, raw.length).length, raw.length);
			} catch (error) {
				t.is((error as Error).name, 'NamedCodecError');
			}
		}
	});
}

test('a wrong --compress is answered with the valid values', (t) => {
	t.throws(() => parseCodec('brotli'), {code: 'usage', message: '--compress brotli is not known'});
	t.throws(() => parseCodec('lz4:3'), {code: 'usage'});
	t.throws(() => parseCodec('zstd:40'), {code: 'usage'});
});
