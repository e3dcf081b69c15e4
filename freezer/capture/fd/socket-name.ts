import {readdirSync, statSync} from 'node:fs';
import {dirname} from 'node:path';
import {encodeText} from '../../../builder/text.js';

const AF_UNIX = 1;
const ROOM = 107;

/**
 * A UNIX socket keeps the name that it was bound to when its file is renamed, as supervisord does (it binds a name of its own first).
 * The address of another name of that file in the same directory, by which clients find it; undefined when there is none.
 */
export function renamedTo(path: string, inode: number): {local: Uint8Array; mode: number} | undefined {
	const absolute = path.startsWith('/');
	const directory = dirname(path);
	let names: string[];
	try {
		names = absolute ? readdirSync(Buffer.from(encodeText(directory)), 'latin1') : [];
	} catch {
		return undefined;
	}

	for (const name of names) {
		const bytes = Buffer.concat([Buffer.from(encodeText(`${directory}/`)), Buffer.from(name, 'latin1')]);
		try {
			const stat = statSync(bytes);
			if (stat.ino === inode && stat.isSocket() && bytes.length <= ROOM) {
				const local = Buffer.concat([Buffer.from([AF_UNIX, 0]), bytes, Buffer.from([0])]);
				return {local, mode: stat.mode & 0o7777};
			}
		} catch {
			// Gone meanwhile.
		}
	}

	return undefined;
}
