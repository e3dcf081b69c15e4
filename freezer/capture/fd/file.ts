import {accessSync, constants as fsConstants, lstatSync, statfsSync, statSync} from 'node:fs';
import {constants, NONE} from '../../../builder/format/schema.js';
import {encodeText} from '../../../builder/text.js';
import {type CaptureContext, contentKey} from '../context.js';
import {otherName} from '../linked.js';
import {contentSource} from './content.js';
import {hangup} from './external.js';
import type {Pipes} from './pipe.js';
import {
	append,
	type Carried,
	type Description,
	exact,
	isReadable,
	isWritable,
	O_ACCMODE,
	O_DIRECT,
	O_PATH,
	S_IFBLK,
	S_IFCHR,
	S_IFDIR,
	S_IFIFO,
	S_IFLNK,
	S_IFREG,
	S_IFSOCK,
	typeOf,
	where,
	withPulled,
} from './types.js';

const {FILE, CONTENT, KIND} = constants;
const DELETED = ' (deleted)';
const O_DIRECTORY = 0o200000;
const O_NOFOLLOW = 0o400000;
const O_SYNC = 0o4010000;
const O_NOATIME = 0o1000000;
/** What of F_GETFL belongs into open(2). */
const REOPEN = O_ACCMODE | O_PATH | O_DIRECTORY | O_NOFOLLOW | O_SYNC | O_NOATIME | O_DIRECT;
/** Major number of /dev/null, zero, full, random, urandom, kmsg: opened again they are as they were. */
const MEMORY_DEVICES = 1n;
const TMPFS = 0x0102_1994;
const RAMFS = 0x8584_58f6;
const PROC = 0x9fa0;
/** File systems whose files are no bytes on a disk: message queues, memory of huge pages, secret memory. */
const STRANGE: ReadonlyMap<number, readonly [kind: string, told: string]> = new Map([
	[0x1980_0202, ['mqueue', 'a POSIX message queue']],
	[0x9584_58f6, ['hugetlb', 'a file of huge pages']],
	[0x5345_434d, ['secretmem', 'secret memory']],
]);

const toBytes = (path: string): Buffer => Buffer.from(encodeText(path));

/** Anything with a path: regular files, directories, devices, FIFOs, /proc and /sys files, O_PATH descriptors. */
export function captureFile(context: CaptureContext, pipes: Pipes, description: Description): Carried {
	const {stat, info} = description;
	const type = typeOf(description);
	const {path, reachable} = locate(description);
	const isPath = (info.flags & O_PATH) !== 0;
	const fileSystem = withPulled(description, (fd) => statfsSync(`/proc/self/fd/${fd}`).type);
	const strange = STRANGE.get(fileSystem);
	if (strange) {
		const [kind, told] = strange;
		context.refuse({...where(description), kind, text: `${told} (${path}): it cannot be carried`});
		return hangup(context, description, {kind, told, byDefault: 'refuse'});
	}

	const gone = !reachable && fileSystem !== PROC;
	let flags =
		(isPath ? FILE.PATH_ONLY : 0) |
		(type === S_IFDIR ? FILE.DIRECTORY : 0) |
		(type === S_IFIFO ? FILE.FIFO : 0) |
		(fileSystem === PROC ? FILE.PROC : 0);
	let content = NONE;
	let pipe = NONE;

	if (gone && (type !== S_IFREG || isPath)) {
		context.refuse({
			...where(description),
			kind: 'deleted',
			text: `${path}: it has been removed, and only regular files are carried without their path`,
		});
	} else if (gone) {
		flags |= FILE.DELETED | FILE.EMBEDDED;
		content = embed(context, description, CONTENT.DELETED_FILE, path);
	} else if (type === S_IFREG && !isPath && (context.options.files === 'embed' || isVolatile(fileSystem))) {
		flags |= FILE.EMBEDDED;
		content = embed(context, description, CONTENT.FILE, path);
	} else if (isVolatile(fileSystem) && type === S_IFIFO) {
		flags |= FILE.EMBEDDED;
	}

	if (
		type === S_IFREG &&
		isWritable(description) &&
		!gone &&
		info.position === stat.size &&
		(info.position > 0n || !isReadable(description))
	) {
		flags |= FILE.AT_END;
	}

	if (type === S_IFIFO && !isPath && isReadable(description)) {
		pipe = pipes.object(description);
	}

	tellDoubts(context, description, path, gone);
	const reopened = fileSystem === PROC ? ownProcPath(context, path) : path;
	flags |= fileSystem === PROC && isLate(context, reopened) ? FILE.LATE : 0;

	return {
		kind: KIND.FILE,
		row: append(context, 'file', {
			position: isPath || type === S_IFIFO || type === S_IFCHR ? -1n : info.position,
			size: stat.size,
			mtime_ns: stat.mtimeNs,
			ino: stat.ino,
			dev: stat.dev,
			rdev: stat.rdev,
			mode: stat.mode,
			// O_TMPFILE, which the kernel keeps in the flags, holds the bit of O_DIRECTORY.
			open_flags: info.flags & (type === S_IFDIR ? REOPEN : REOPEN & ~O_DIRECTORY),
			flags,
			content,
			pipe,
			pad0: 0,
			path: reopened,
		}),
	};
}

/** Opened sockets of the file system (O_PATH) and links are the only other types with a path. */
export const hasPath = (description: Description): boolean =>
	[S_IFREG, S_IFDIR, S_IFCHR, S_IFBLK, S_IFIFO, S_IFLNK, S_IFSOCK].includes(typeOf(description)) &&
	description.link.startsWith('/');

/** The path, and whether it still leads to the same inode: from here, or from where the target sees it. */
function locate(description: Description): {path: string; reachable: boolean} {
	const {link, stat, info} = description;
	const look = info.flags & O_PATH ? lstatSync : statSync;
	const leadsThere = (path: string): boolean => {
		try {
			const found = exact(look(toBytes(path), {bigint: true}));
			return found.ino === stat.ino && found.dev === stat.dev;
		} catch {
			return false;
		}
	};

	const [holder] = description.holders;
	const reachable = leadsThere(link) || (holder !== undefined && leadsThere(`/proc/${holder.task.pid}/root${link}`));
	if (reachable || !link.endsWith(DELETED)) {
		return {path: link, reachable};
	}

	const path = link.slice(0, -DELETED.length);
	const linked = stat.nlink > 0n && typeOf(description) === S_IFREG;
	const other = holder && linked ? otherName(holder.task.pid, path, stat.ino) : undefined;
	return {path: other ?? path, reachable: other !== undefined};
}

const isVolatile = (fileSystem: number): boolean => fileSystem === TMPFS || fileSystem === RAMFS;

function embed(context: CaptureContext, description: Description, kind: number, path: string): number {
	const {stat} = description;
	return context.content(contentKey(stat.dev, stat.ino), () => ({
		row: {
			size: stat.size,
			kind,
			seals: 0,
			mode: stat.mode & 0o7777,
			memfd_flags: 0,
			uid: stat.uid,
			gid: stat.gid,
			name: path,
			xattr: new Uint8Array(),
		},
		source: contentSource(description),
	}));
}

/** /proc/1234/… of the target becomes /proc/self/…: what it is where pids are given back in another namespace. */
function ownProcPath(context: CaptureContext, path: string): string {
	const [, pid, rest = ''] = /^\/proc\/(\d+)(\/.*)?$/.exec(path) ?? [];
	const task = context.tasks.find((candidate) => String(candidate.pid) === pid);
	if (!task) {
		return path;
	}

	return task.row === 0 ? `/proc/self${rest}` : `/proc/${task.innerPid}${rest}`;
}

/** Does the path, as ownProcPath gives it, name what the root does not find yet when it opens descriptors? */
function isLate(context: CaptureContext, path: string): boolean {
	const [, name, task] = /^\/proc\/(self|\d+)(\/task\/\d+)?/.exec(path) ?? [];
	return name === 'self' ? task !== undefined : context.tasks.some(({innerPid}) => String(innerPid) === name);
}

function tellDoubts(context: CaptureContext, description: Description, path: string, gone: boolean): void {
	const {stat, info} = description;
	const type = typeOf(description);
	if (type === S_IFCHR && !(info.flags & O_PATH) && stat.rdev >> 8n !== MEMORY_DEVICES) {
		context.refuse({
			...where(description),
			kind: 'device',
			text: `the device ${path}: what its driver keeps for this descriptor would be lost`,
			hint: 'With --allow device it is opened anew.',
		});
	}

	if (gone || !(type === S_IFREG || type === S_IFDIR) || info.flags & O_PATH) {
		return;
	}

	try {
		accessSync(
			toBytes(path),
			(isReadable(description) ? fsConstants.R_OK : 0) | (isWritable(description) ? fsConstants.W_OK : 0),
		);
	} catch {
		context.warn({
			...where(description),
			kind: 'access',
			text: `${path}: the user who freezes may not open it like this; whoever resumes must be allowed to, or own it`,
		});
	}
}
