/**
 * Text of the kernel is bytes of any encoding. Here it becomes a string and the same bytes again: valid UTF-8 as its characters, every
 * other byte B as the lone surrogate U+DC00 + B, as Python's surrogateescape does.
 */
import {FroreError} from './errors.js';

const strict = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});
const encoder = new TextEncoder();

const LONE_SURROGATE = /(?<![\ud800-\udbff])[\udc00-\udfff]|[\ud800-\udbff](?![\udc00-\udfff])/;

/** Length of the sequence that starts with `lead`, and the range of its second byte (Unicode 15, table 3-7); 0 when there is none. */
function sequence(lead: number): readonly [length: number, low: number, high: number] {
	if (lead < 0x80) return [1, 0, 0];
	if (lead < 0xc2 || lead > 0xf4) return [0, 0, 0];
	if (lead < 0xe0) return [2, 0x80, 0xbf];
	if (lead < 0xf0) return [3, lead === 0xe0 ? 0xa0 : 0x80, lead === 0xed ? 0x9f : 0xbf];
	return [4, lead === 0xf0 ? 0x90 : 0x80, lead === 0xf4 ? 0x8f : 0xbf];
}

/** Length of the valid sequence at `at`, 0 when there is none. */
function validAt(bytes: Uint8Array, at: number): number {
	const [length, low, high] = sequence(bytes[at]!);
	if (at + length > bytes.length) return 0;
	if (length > 1 && (bytes[at + 1]! < low || bytes[at + 1]! > high)) return 0;
	for (let i = 2; i < length; i++) {
		if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
	}
	return length;
}

/** Bytes -> string, losslessly. */
export function decodeText(bytes: Uint8Array): string {
	try {
		return strict.decode(bytes);
	} catch {
		const parts: string[] = [];
		for (let at = 0; at < bytes.length; ) {
			const length = validAt(bytes, at);
			parts.push(
				length > 0 ? strict.decode(bytes.subarray(at, at + length)) : String.fromCharCode(0xdc00 + bytes[at]!),
			);
			at += length || 1;
		}
		return parts.join('');
	}
}

/** String -> bytes; throws for a string that decodeText() cannot have made. */
export function encodeText(text: string): Uint8Array {
	if (!LONE_SURROGATE.test(text)) return encoder.encode(text);
	const bytes: number[] = [];
	for (const character of text) {
		const code = character.codePointAt(0)!;
		if (code >= 0xdc80 && code <= 0xdcff) bytes.push(code - 0xdc00);
		else if (code >= 0xd800 && code <= 0xdfff) {
			throw new FroreError('text', `cannot write the text ${JSON.stringify(text)}: it holds a lone surrogate`);
		} else bytes.push(...encoder.encode(character));
	}
	return Uint8Array.from(bytes);
}
