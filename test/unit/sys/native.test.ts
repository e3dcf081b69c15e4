import {readFileSync} from 'node:fs';
import {gunzipSync, inflateRawSync} from 'node:zlib';
import test from 'ava';
import {constants} from '../../../builder/format/schema.js';
import {createEncoder, parseCodec} from '../../../freezer/sys/codec.js';
import {
	cpuid,
	createNativeDecoder,
	createNativeEncoder,
	EncoderPool,
	scanZero,
	xgetbv,
} from '../../../freezer/sys/native.js';
import {somePages} from '../../helpers/snapshots.js';

const PAGE = 4096;

test('frames come out of the pool in order, and decode to what went in', (t) => {
	for (const name of ['none', 'zstd', 'lz4', 'gzip', 'flate', 'snappy']) {
		const {codec, level} = parseCodec(name);
		using pool = new EncoderPool(codec, level);
		const decoder = createNativeDecoder();
		const frames = Array.from({length: 40}, (_, i) => somePages(1 + ((i * 7919) % 60_000)));
		const collected: Uint8Array[] = [];
		for (const frame of frames) {
			if (pool.full) collected.push(pool.collect().slice());
			const mine = frame.slice();
			pool.put(mine);
			mine.fill(0);
		}
		while (pool.pending > 0) collected.push(pool.collect().slice());
		t.is(collected.length, frames.length);
		for (const [i, frame] of frames.entries()) {
			const raw = decoder.decompress(codec, collected[i]!, frame.length);
			t.deepEqual(new Uint8Array(raw), frame, `${name} ${i}`);
		}
	}
});

test('a pool with frames still in it ends', (t) => {
	const pool = new EncoderPool(constants.CODEC.ZSTD);
	pool.put(somePages(100_000));
	pool[Symbol.dispose]();
	t.pass();
});

test('gzip and flate are what zlib understands', (t) => {
	const raw = somePages(70_000);
	t.deepEqual(new Uint8Array(gunzipSync(createEncoder(parseCodec('gzip')).compress(raw))), raw);
	t.deepEqual(new Uint8Array(inflateRawSync(createEncoder(parseCodec('flate')).compress(raw))), raw);
});

test('an unknown codec is refused', (t) => {
	t.throws(() => createNativeEncoder(99).compress(somePages(10)), {message: 'cannot compress 10 bytes with codec 99'});
	t.throws(() => createNativeDecoder().decompress(99, somePages(10), 10), {
		message: 'cannot decode 10 bytes with codec 99',
	});
});

test('zero pages are found, wherever the one byte that is not zero lies', (t) => {
	const pages = new Uint8Array(19 * PAGE);
	for (const [page, at] of [
		[1, 0],
		[3, 4095],
		[8, 2048],
		[18, 255],
	] as const)
		pages[page * PAGE + at] = 1;
	const bitmap = new Uint8Array(3).fill(0xff);
	t.is(scanZero(pages, bitmap), 15);
	t.deepEqual(
		Array.from({length: 19}, (_, page) => (bitmap[page >> 3]! >> (page & 7)) & 1),
		[1, 0, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0],
	);
	t.throws(() => scanZero(pages, new Uint8Array(2)), {instanceOf: RangeError});
});

test('CPUID and XCR0 agree with the kernel', (t) => {
	const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))![1]!.split(' ');
	const [, , ecx] = cpuid(1);
	t.is((ecx & (1 << 28)) !== 0, flags.includes('avx'));
	t.is((cpuid(7)[1] & (1 << 5)) !== 0, flags.includes('avx2'));
	t.deepEqual(cpuid(0x6fffffff), [0, 0, 0, 0]);
	t.is((xgetbv() & 7n) === 7n, flags.includes('avx'));
});
