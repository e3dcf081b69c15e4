/** The directory in which sockets of one user lie: $XDG_RUNTIME_DIR/frore or /tmp/frore-UID, closed to others. */
import {lstatSync, mkdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {EXIT, FroreError} from '../../../builder/errors.js';

/** Also those of a session whose environment differs from ours, so that both ends find each other. */
const candidates = (uid: number): string[] => {
	const session = process.env.XDG_RUNTIME_DIR ? [join(process.env.XDG_RUNTIME_DIR, 'frore')] : [];
	return [...new Set([...session, `/run/user/${uid}/frore`, join(tmpdir(), `frore-${uid}`), `/tmp/frore-${uid}`])];
};

/** True when nobody but `uid` can put anything there or look inside. */
function isPrivate(path: string, uid: number): boolean {
	const stat = lstatSync(path, {throwIfNoEntry: false});
	return stat?.isDirectory() === true && stat.uid === uid && (stat.mode & 0o077) === 0;
}

/** Makes it when it is missing. Throws when every candidate belongs to someone else. */
export function makeRuntimeDirectory(): string {
	const uid = process.geteuid!();
	for (const path of candidates(uid)) {
		try {
			mkdirSync(path, {mode: 0o700});
		} catch {}
		if (isPrivate(path, uid)) return path;
	}
	throw new FroreError(
		'runtime-directory',
		`cannot make a private directory for sockets: ${candidates(uid).join(' and ')} cannot be used`,
		EXIT.FAILED,
		{hint: 'Set XDG_RUNTIME_DIR to a directory of yours.'},
	);
}

/** Where the socket of the `frore run` with this pid may be; `uid` is its owner's. */
export const socketCandidates = (pid: number, uid: number): string[] =>
	candidates(uid)
		.filter((directory) => isPrivate(directory, uid))
		.map((directory) => join(directory, `run-${pid}.sock`));
