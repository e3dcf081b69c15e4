import {
	closeSync,
	constants,
	fchmodSync,
	fstatSync,
	fsyncSync,
	lstatSync,
	openSync,
	readlinkSync,
	renameSync,
	rmSync,
	unlinkSync,
	writeSync,
} from 'node:fs';
import {dirname} from 'node:path';
import {isatty} from 'node:tty';
import type {Sink} from '../../builder/artefact-writer.js';
import {errno, errnoName, errnoWords, isErrno, SysError} from '../sys/errno.js';
import {linkDescriptor} from '../sys/link.js';
import {waitWritable} from '../sys/poll.js';
import {EXIT, FroreError, failure} from './errors.js';

/** Where the artefact goes. Nothing is visible at its final place before `commit`. */
export interface Destination extends Sink {
	/** Makes it the artefact: synced, executable, in place. */
	commit(): void;
	/** Leaves nothing behind. */
	abandon(): void;
	/** A descriptor through which frames can be written anywhere behind what was written in order; `resume` says where to go on. */
	readonly random?: {readonly fd: number; resume(end: number): void; failed(error: SysError): Error};
	/** For people. */
	readonly name: string;
	/** "pipe:[N]", "socket:[N]" or the path of a FIFO when it leads to another process. */
	readonly channel?: string;
}

const words: Record<string, string> = {
	ENOENT: 'no such directory',
	EACCES: 'permission denied',
	EROFS: 'the file system is read-only',
	ENOSPC: 'no space left on the device',
	EDQUOT: 'the disk quota is used up',
	EFBIG: 'the file would be larger than allowed',
	EISDIR: 'it is a directory',
	ENOTDIR: 'a part of the path is not a directory',
	EPIPE: 'the reader has gone',
	ETXTBSY: 'it is being executed',
};

const because = (error: unknown): string => {
	if (error instanceof SysError) {
		return words[errnoName(error.errno)] ?? errnoWords(error.errno);
	}

	const {code, message} = error as NodeJS.ErrnoException;
	return words[code ?? ''] ?? message;
};

const cannotWrite = (name: string, error: unknown): FroreError =>
	failure(
		'write',
		`cannot write ${name}: ${because(error)}; nothing was written`,
		'Choose another place with -o.',
		error,
	);

/** @param position undefined: where the descriptor stands */
function writeAll(fd: number, chunk: Uint8Array, position?: number): void {
	for (let done = 0; done < chunk.length; ) {
		try {
			const at = position === undefined ? null : position + done;
			done += writeSync(fd, chunk, done, chunk.length - done, at);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') {
				throw error;
			}

			waitWritable(fd, 1000);
		}
	}
}

/** @param mayReplace false for a default name, which never overwrites */
export function openFile(path: string, mayReplace: boolean): Destination {
	checkTarget(path, mayReplace);
	const temporary = `${path}.tmp`;
	let fd: number;
	let named: boolean;
	try {
		({fd, named} = openUnseen(path, temporary));
	} catch (error) {
		throw cannotWrite(path, error);
	}

	let open = true;
	let position = 0;
	const close = () => {
		if (open) {
			open = false;
			closeSync(fd);
		}
	};

	return {
		name: path,
		random: {
			fd,
			resume(end) {
				position = end;
			},
			failed: (error) => cannotWrite(path, error),
		},
		write(chunk) {
			try {
				writeAll(fd, chunk, position);
				position += chunk.length;
			} catch (error) {
				throw cannotWrite(path, error);
			}
		},
		commit() {
			try {
				fsyncSync(fd);
				fchmodSync(fd, 0o700);
				if (named) {
					close();
					renameSync(temporary, path);
				} else {
					// Nobody can execute a file that is still open for writing.
					const unseen = openSync(`/proc/self/fd/${fd}`, 'r');
					close();
					place(unseen, path, mayReplace ? temporary : undefined);
					closeSync(unseen);
				}

				syncDirectory(dirname(path));
			} catch (error) {
				throw cannotWrite(path, error);
			}
		},
		abandon() {
			close();
			if (!named) {
				return;
			}

			try {
				unlinkSync(temporary);
			} catch {
				// It was renamed or never made.
			}
		},
	};
}

const O_TMPFILE = 0x41_0000;

/** Without a name where the file system can do that: whatever ends this process, nothing is left behind. */
function openUnseen(path: string, temporary: string): {fd: number; named: boolean} {
	const {O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW} = constants;
	try {
		return {fd: openSync(dirname(path), O_TMPFILE | O_WRONLY, 0o600), named: false};
	} catch (error) {
		// Kernels and file systems without it say one of these.
		if (!['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) {
			throw error;
		}

		return {fd: openExclusively(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW), named: true};
	}
}

/** In one step where there is no file yet. @param temporary by which one that is there is replaced; undefined: it is not */
function place(fd: number, path: string, temporary: string | undefined): void {
	try {
		linkDescriptor(fd, path);
	} catch (error) {
		if (!isErrno(error, errno.EEXIST) || temporary === undefined) {
			throw error;
		}

		if (lstatSync(temporary, {throwIfNoEntry: false})?.isFile() === false) {
			throw error;
		}

		rmSync(temporary, {force: true});
		linkDescriptor(fd, temporary);
		try {
			renameSync(temporary, path);
		} catch (cause) {
			unlinkSync(temporary);
			throw cause;
		}
	}
}

/** A leftover of a killed run is ours to replace. */
function openExclusively(path: string, flags: number): number {
	try {
		return openSync(path, flags, 0o600);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !lstatSync(path).isFile()) {
			throw error;
		}

		unlinkSync(path);
		return openSync(path, flags, 0o600);
	}
}

function syncDirectory(path: string): void {
	const fd = openSync(path, 'r');
	try {
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
}

function checkTarget(path: string, mayReplace: boolean): void {
	const stat = lstatSync(path, {throwIfNoEntry: false});
	if (!stat) {
		return;
	}

	if (!mayReplace) {
		throw failure(
			'exists',
			`cannot write ${path}: it exists, and a name that was not asked for is never overwritten`,
			'Choose a name with -o.',
		);
	}

	if (!stat.isFile()) {
		throw failure(
			'write',
			`cannot write ${path}: it is not a regular file`,
			'Choose another place with -o, or - for standard output.',
		);
	}
}

/** Standard output: a pipe, or a file that becomes executable at once. */
export function openStdout(): Destination {
	const fd = 1;
	if (isatty(fd)) {
		throw new FroreError('terminal', 'the artefact is not written to a terminal', EXIT.USAGE, {
			hint: 'Redirect standard output, or name a file with -o.',
		});
	}

	if (fstatSync(fd).isFile()) {
		try {
			fchmodSync(fd, 0o700);
		} catch {
			// Somebody else's file: who may run it is for its owner to say.
		}
	}

	const channel = readlinkSync('/proc/self/fd/1');
	return {
		name: 'standard output',
		...((/^(pipe|socket):/.test(channel) || fstatSync(fd).isFIFO()) && {channel}),
		write(chunk) {
			try {
				writeAll(fd, chunk);
			} catch (error) {
				throw cannotWrite('standard output', error);
			}
		},
		commit() {},
		abandon() {},
	};
}
