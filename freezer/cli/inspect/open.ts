/** Opens an artefact named on the command line: a file, or "-" for standard input. */
import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {type Artefact, openArtefact, type Source} from '../../../builder/artefact-reader.js';
import type {Decoder, Hasher} from '../../../builder/codec.js';
import {EXIT, FroreError} from '../../../builder/errors.js';
import {createHasher, createPakoDecoder} from '../../../builder/portable-codec.js';

export interface Opened extends Disposable {
	readonly artefact: Artefact;
	readonly decoder: Decoder;
}

/** Native code when it can be loaded; else what JavaScript and WebAssembly can do (no zstd, lz4, snappy). */
async function engines(): Promise<{hasher: Hasher; decoder: Decoder}> {
	try {
		const {createNativeDecoder, createNativeHasher} = await import('../../sys/native.js');
		const hasher = createNativeHasher();
		hasher.hash64([]);
		return {hasher, decoder: createNativeDecoder()};
	} catch {
		return {hasher: await createHasher(), decoder: createPakoDecoder()};
	}
}

async function standardInput(): Promise<Source> {
	if (process.stdin.isTTY) {
		throw new FroreError('usage', 'cannot read an artefact from a terminal; give a file, or a pipe', EXIT.USAGE);
	}
	const chunks: Buffer[] = [];
	for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
	const bytes = new Uint8Array(Buffer.concat(chunks));
	return {name: 'stdin', size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length)};
}

const REASONS: Readonly<Record<string, string>> = {
	ENOENT: 'there is no such file',
	EACCES: 'permission denied; an artefact is readable by its owner alone',
	EISDIR: 'it is a directory',
};

/** Wraps an error of node:fs about `path` into one line. */
export function fileError(verb: string, path: string, error: unknown): FroreError {
	const code = (error as NodeJS.ErrnoException).code ?? '';
	return new FroreError('file', `cannot ${verb} ${path}: ${REASONS[code] ?? (error as Error).message}`, EXIT.FAILED, {
		cause: error,
	});
}

function fileSource(path: string): {source: Source; fd: number} {
	let fd: number;
	try {
		fd = openSync(path, 'r');
	} catch (error) {
		throw fileError('read', path, error);
	}
	const stat = fstatSync(fd);
	if (!stat.isFile()) {
		closeSync(fd);
		const what = stat.isDirectory() ? 'it is a directory' : 'it is not a regular file; give - to read a pipe';
		throw new FroreError('file', `cannot read ${path}: ${what}`, EXIT.FAILED);
	}
	// No Buffer: its slice() does not copy.
	let buffer = new Uint8Array(0);
	const read = (offset: number, length: number): Uint8Array => {
		if (buffer.length < length) buffer = new Uint8Array(length);
		let done = 0;
		while (done < length) {
			const count = readSync(fd, buffer, done, length - done, offset + done);
			if (count === 0) break;
			done += count;
		}
		return buffer.subarray(0, done);
	};
	return {source: {name: path, size: stat.size, read}, fd};
}

/** Throws FroreError: exit code 1 when it cannot be read, 4 when it is damaged or no artefact. */
export async function openFile(path: string): Promise<Opened> {
	const {hasher, decoder} = await engines();
	if (path === '-') {
		return {artefact: openArtefact(await standardInput(), hasher), decoder, [Symbol.dispose]() {}};
	}
	const {source, fd} = fileSource(path);
	try {
		return {artefact: openArtefact(source, hasher), decoder, [Symbol.dispose]: () => closeSync(fd)};
	} catch (error) {
		closeSync(fd);
		throw error;
	}
}
