/** Turns bytes into something that can be loaded or executed, and leaves nothing behind, however we end. */
import {accessSync, closeSync, constants, fchmodSync, mkdtempSync, openSync, rmSync, writeSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {FroreError} from '../../builder/errors.js';

/** Of open(2), with O_DIRECTORY in it; Node does not name it. */
const O_TMPFILE = 0o20200000;
const MODE = 0o700;

/**
 * Path of an executable copy of `bytes` in a file without a name. (A memfd would need koffi, which itself has to be unpacked first.)
 * Its descriptor stays open: the dynamic loader takes two objects of one path, as a number used again would give, for the same.
 */
export function unpack(bytes: Uint8Array): string {
	const reasons: string[] = [];
	for (const directory of new Set([tmpdir(), '/dev/shm', '/var/tmp'])) {
		try {
			return unpackIn(directory, bytes);
		} catch (error) {
			const {code, message} = error as NodeJS.ErrnoException;
			reasons.push(`${directory} (${code ?? message})`);
		}
	}
	throw new FroreError('unpack', `cannot unpack what is inside ${process.execPath} into ${reasons.join(' or ')}`, 1, {
		hint: 'Set TMPDIR to a directory that can be written to and is not mounted noexec.',
	});
}

function unpackIn(directory: string, bytes: Uint8Array): string {
	const writable = openNameless(directory);
	try {
		fchmodSync(writable, MODE);
		for (let done = 0; done < bytes.length; ) done += writeSync(writable, bytes, done);
		const path = `/proc/self/fd/${writable}`;
		// Refused on what is mounted noexec, to root too.
		accessSync(path, constants.X_OK);
		// Opened again, since what is open for writing cannot be executed.
		return `/proc/self/fd/${openSync(path, 'r')}`;
	} finally {
		closeSync(writable);
	}
}

function openNameless(directory: string): number {
	try {
		return openSync(directory, O_TMPFILE | constants.O_RDWR, MODE);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOTSUP') throw error;
	}
	// NFS, or overlayfs before Linux 6.1.
	const own = mkdtempSync(join(directory, 'frore-'));
	try {
		return openSync(join(own, 'part'), 'wx+', MODE);
	} finally {
		rmSync(own, {recursive: true, force: true});
	}
}
