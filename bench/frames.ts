/** What lies in an artefact's frames, for programs that measure the codec alone. */
import {closeSync, openSync, writeSync} from 'node:fs';
import {readFrame} from '../builder/artefact-reader.js';
import {constants} from '../builder/format/schema.js';
import {openFile} from '../freezer/cli/inspect/open.js';

/** Lines of "offset length plain-length" of an artefact's frames that zstd has compressed; bytes. */
export async function zstdFrames(file: string): Promise<string> {
	using opened = await openFile(file);
	return opened.artefact.frames
		.filter(({codec}) => codec === constants.CODEC.ZSTD)
		.map(({offset, stored_length, raw_length}) => `${offset} ${stored_length} ${raw_length}\n`)
		.join('');
}

/** Writes all pages that an artefact holds to a file, one after the other. @returns bytes */
export async function writePages(artefact: string, file: string): Promise<number> {
	using opened = await openFile(artefact);
	const fd = openSync(file, 'w');
	let bytes = 0;
	for (const frame of opened.artefact.frames) bytes += writeSync(fd, readFrame(opened.artefact, frame, opened.decoder));
	closeSync(fd);
	return bytes;
}
