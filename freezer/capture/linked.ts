import {lstatSync, readdirSync} from 'node:fs';
import {toBytes, toText} from './text.js';

/** A directory with more than this many names is not looked through while the target is stopped. */
const MOST = 4096;

/**
 * Another name of a file whose own has been removed, in the same directory: sem_open(3) makes one under a name of its own, links it to
 * the wanted one, and removes the first.
 */
export function otherName(pid: number, path: string, ino: bigint): string | undefined {
	const directory = path.slice(0, path.lastIndexOf('/') + 1);
	const here = Buffer.concat([Buffer.from(`/proc/${pid}/root`), toBytes(directory)]);
	try {
		const names = readdirSync(here, {encoding: 'buffer'});
		const found = names.length > MOST ? undefined : names.find((name) => isFile(Buffer.concat([here, name]), ino));
		return found && directory + toText(found);
	} catch {
		return undefined;
	}
}

function isFile(path: Buffer, ino: bigint): boolean {
	try {
		const stat = lstatSync(path, {bigint: true});
		return stat.ino === ino && stat.isFile();
	} catch {
		return false;
	}
}
