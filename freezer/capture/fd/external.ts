import {readFileSync, statSync} from 'node:fs';
import {constants, NONE} from '../../../builder/format/schema.js';
import {listNumbers, tryReadLink} from '../../sys/procfs.js';
import type {CaptureContext, ExternalPolicy} from '../context.js';
import {append, type Carried, type Description, isReadable, O_ACCMODE, S_IFIFO, typeOf, where} from './types.js';

/** Descriptors whose other end is outside the target: the policies of --external and --fd. */

const {KIND, HANGUP_WHAT, FILE} = constants;
const AF_UNIX = 1;
const SOCK_STREAM = 1;

/** What is known of the thing when a policy has to be chosen. */
export interface External {
	/** As --allow takes it. */
	readonly kind: string;
	/** "a TCP connection to 10.0.0.4:5432" */
	readonly told: string;
	readonly byDefault: ExternalPolicy;
	/** Who has the other end: asked for a refusal only, since it walks /proc. */
	readonly holder?: () => string;
	/** Family and type of the socket that takes its place after a hangup; a pipe is known by its mode. */
	readonly domain?: number;
	readonly type?: number;
}

export function externalEnd(context: CaptureContext, description: Description, external: External): Carried {
	const policy = context.options.external ?? external.byDefault;
	const {kind, told} = external;
	switch (policy) {
		case 'inherit':
			return inherited(context, description, description.holders[0]?.fd ?? 0, false);
		case 'null':
			context.warn({...where(description), kind, text: `${told}: after the resume it is /dev/null`});
			return path(context, description, '/dev/null', 0);
		case 'hangup':
			context.warn({...where(description), kind, text: `${told}: after the resume its peer has closed`});
			return hangup(context, description, external);
		default:
			context.refuse({
				...where(description),
				kind,
				text: `${told}${external.holder?.() ?? ''}: the other end would be missing`,
				hint: `Give --fd ${description.holders[0]?.fd ?? 'N'}=hangup|null|inherit|PATH, or --external hangup for all such.`,
			});
			return hangup(context, description, external);
	}
}

/** --fd N=null|hangup|inherit|PATH for any descriptor. */
export function chosen(context: CaptureContext, description: Description, external: External): Carried | undefined {
	const holder = description.holders.find(({fd}) => context.options.fdPolicy.has(fd));
	if (!holder) {
		return undefined;
	}

	const what = context.options.fdPolicy.get(holder.fd)!;
	context.warn({
		...where(description),
		kind: external.kind,
		text: `${external.told}: after the resume it is ${what}, as --fd says`,
	});
	switch (what) {
		case 'null':
			return path(context, description, '/dev/null', 0);
		case 'hangup':
			return hangup(context, description, external);
		case 'inherit':
			return inherited(context, description, holder.fd, false);
		default:
			return path(context, description, what, FILE.CREATE | FILE.AT_END);
	}
}

export const inherited = (context: CaptureContext, description: Description, fd: number, wasTty: boolean): Carried => {
	const mode = description.info.flags & O_ACCMODE;
	const {WAS_TTY, READ, WRITE} = constants.INHERIT;
	return {
		kind: KIND.INHERIT,
		row: append(context, 'inherit', {
			launcher_fd: fd,
			flags: (wasTty ? WAS_TTY : 0) | (mode !== 1 ? READ : 0) | (mode !== 0 ? WRITE : 0),
		}),
	};
};

/** Something whose peer has closed: the like of the socket or pipe that was there. */
export function hangup(context: CaptureContext, description: Description, external: External): Carried {
	const isPipe = typeOf(description) === S_IFIFO;
	return {
		kind: KIND.HANGUP,
		row: append(context, 'hangup', {
			domain: external.domain ?? (isPipe ? 0 : AF_UNIX),
			type: external.type ?? (isPipe ? 0 : SOCK_STREAM),
			flags: 0,
			what: isPipe ? (isReadable(description) ? HANGUP_WHAT.PIPE_READ : HANGUP_WHAT.PIPE_WRITE) : HANGUP_WHAT.SOCKET,
			told: external.told,
		}),
	};
}

/** Something that is replaced by a path. */
function path(context: CaptureContext, description: Description, name: string, flags: number): Carried {
	return {
		kind: KIND.FILE,
		row: append(context, 'file', {
			position: 0n,
			size: 0n,
			mtime_ns: 0n,
			ino: 0n,
			dev: 0n,
			rdev: 0n,
			mode: 0,
			open_flags: description.info.flags & O_ACCMODE,
			flags,
			content: NONE,
			pipe: NONE,
			pad0: 0,
			path: name,
		}),
	};
}

const holders = new WeakMap<CaptureContext, Map<string, number>>();

/** Instances of devpts number their terminals independently. */
export const terminalKey = (path: string, dev: bigint): string => `${path} of ${dev}`;

/** " (held by cat, process 77)": who outside the target has the same pipe, socket or terminal. */
export function outsideHolder(context: CaptureContext, link: string): string {
	let known = holders.get(context);
	if (!known) {
		known = allHolders(context);
		holders.set(context, known);
	}

	const pid = known.get(link);
	return pid === undefined ? '' : ` (held by ${commOf(pid)}, process ${pid})`;
}

/** Walks /proc once. */
function allHolders(context: CaptureContext): Map<string, number> {
	const inside = new Set(context.tasks.map(({pid}) => pid as number));
	const found = new Map<string, number>();
	for (const pid of listNumbers('/proc')) {
		if (inside.has(pid) || pid === process.pid) {
			continue;
		}

		let fds: number[] = [];
		try {
			fds = listNumbers(`/proc/${pid}/fd`);
		} catch {
			// Another user's process.
		}

		for (const fd of fds) {
			const path = `/proc/${pid}/fd/${fd}`;
			const link = tryReadLink(path)?.toString('latin1') ?? '';
			if (/^(?:pipe|socket):/.test(link)) {
				found.set(link, pid);
			} else if (link.startsWith('/dev/pts/')) {
				found.set(terminalKey(link, statSync(path, {bigint: true, throwIfNoEntry: false})?.dev ?? 0n), pid);
			}
		}
	}

	return found;
}

function commOf(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
	} catch {
		return 'a program';
	}
}
