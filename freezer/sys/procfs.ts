import {closeSync, openSync, readdirSync, readlinkSync, readSync} from 'node:fs';

/** /proc readers. Files of /proc have no size: they are read until they end. Text is latin-1-free: see builder/text.ts for paths. */

let scratch = Buffer.allocUnsafe(1 << 18);

/** Whole content as bytes (a copy). Throws the error of node:fs. */
export function readProc(path: string): Buffer {
	const fd = openSync(path, 'r');
	try {
		let length = 0;
		for (;;) {
			const count = readSync(fd, scratch, length, scratch.length - length, null);
			if (count === 0) {
				return Buffer.from(scratch.subarray(0, length));
			}

			length += count;
			if (length === scratch.length) {
				const larger = Buffer.allocUnsafe(scratch.length * 4);
				scratch.copy(larger, 0, 0, length);
				scratch = larger;
			}
		}
	} finally {
		closeSync(fd);
	}
}

export const readProcText = (path: string): string => readProc(path).toString('utf8');

/** Undefined when the file does not exist here or is not readable. */
export function tryReadProc(path: string): Buffer | undefined {
	try {
		return readProc(path);
	} catch {
		return undefined;
	}
}

export const tryReadProcText = (path: string): string | undefined => tryReadProc(path)?.toString('utf8');

/** Target of a /proc link as bytes: names need not be UTF-8. */
export function tryReadLink(path: string): Buffer | undefined {
	try {
		return readlinkSync(path, 'buffer');
	} catch {
		return undefined;
	}
}

export const listNumbers = (path: string): number[] =>
	readdirSync(path)
		.map(Number)
		.filter((value) => Number.isInteger(value))
		.sort((a, b) => a - b);
