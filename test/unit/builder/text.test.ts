import test from 'ava';
import fc from 'fast-check';
import {decodeText, encodeText} from '../../../builder/text.js';

test('any bytes become text and the same bytes again', (t) => {
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 64}), (bytes) => {
			t.deepEqual(encodeText(decodeText(bytes)), bytes);
		}),
		{numRuns: 2000},
	);
	t.pass();
});

test('bytes next to the borders of UTF-8 survive', (t) => {
	const border = fc.constantFrom(
		0x00,
		0x7f,
		0x80,
		0xbf,
		0xc1,
		0xc2,
		0xe0,
		0x9f,
		0xa0,
		0xed,
		0xef,
		0xbb,
		0xf0,
		0x8f,
		0x90,
		0xf4,
		0xf5,
		0xff,
	);
	fc.assert(
		fc.property(fc.array(border, {maxLength: 12}), (numbers) => {
			const bytes = Uint8Array.from(numbers);
			t.deepEqual(encodeText(decodeText(bytes)), bytes);
		}),
		{numRuns: 5000},
	);
	t.pass();
});

test('any well-formed text becomes bytes and the same text again', (t) => {
	fc.assert(fc.property(fc.string({unit: 'grapheme'}), (text) => decodeText(encodeText(text)) === text));
	t.pass();
});

test('a byte order mark is kept', (t) => {
	t.is(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), '\ufeffA');
});

test('bytes that are not UTF-8 become lone surrogates, as in Python', (t) => {
	t.is(decodeText(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9, 0x80)), 'a\udcffé\udc80');
});

test('text that no bytes stand for is refused', (t) => {
	t.throws(() => encodeText('\ud800'), {message: /lone surrogate/});
});
