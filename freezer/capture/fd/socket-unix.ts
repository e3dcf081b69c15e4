import {statSync} from 'node:fs';
import {resolve} from 'node:path';
import {decodeText, encodeText} from '../../../builder/text.js';
import {nr} from '../../sys/nr.js';
import {tryReadLink} from '../../sys/procfs.js';
import {
	type Credentials,
	getSocketInt,
	parseCredentials,
	peerCredentials,
	SO_PEEK_OFF,
	SOL_SOCKET,
	setSocketInt,
} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import type {CaptureContext} from '../context.js';
import {AF_UNIX, unixName} from './address.js';
import {innerIdOf} from './pidfd.js';
import type {SocketFacts} from './sockets.js';
import {type Description, withPulled} from './types.js';

/** Names of UNIX sockets and who made them. */

const SO_PEERCRED = 17;
const SOCK_DGRAM = 2;
const MSG_PEEK_DONTWAIT = 0x42;
const UCRED_SIZE = 12;
const HEADER_SIZE = 16;
/** Places in the scratch area: struct msghdr, its struct iovec, a byte, the control data. */
const AT = {parts: 64, data: 96, control: 128} as const;

/** Does the path of a UNIX socket still lead to it, and how is it protected? */
export function pathOf(
	{holders}: Description,
	{domain, local, pathInode}: SocketFacts,
): {reachable: boolean; mode: number} | undefined {
	const name = domain === AF_UNIX ? unixName(local) : undefined;
	if (name === undefined || name.startsWith('@')) {
		return undefined;
	}

	const cwd = holders[0] && tryReadLink(`/proc/${holders[0].task.pid}/cwd`);
	try {
		const stat = statSync(Buffer.from(encodeText(cwd ? resolve(decodeText(cwd), name) : name)));
		return {reachable: pathInode === undefined || stat.ino === pathInode, mode: stat.mode & 0o7777};
	} catch {
		return {reachable: false, mode: 0};
	}
}

/**
 * accept(2) gives the name of the listener: such an end is connected anew through that name, everything else is a pair whose ends are
 * bound to their own names. When the listener has been closed, an end whose name others have too has come from it.
 */
export function findAccepted(all: ReadonlyMap<Description, SocketFacts>): void {
	const listeners = new Map<string, Description>();
	const count = new Map<string, number>();
	for (const [description, facts] of all) {
		const name = facts.domain === AF_UNIX ? unixName(facts.local) : undefined;
		if (name !== undefined && facts.type !== SOCK_DGRAM) {
			const key = `${facts.type} ${name} ${facts.pathInode}`;
			count.set(key, (count.get(key) ?? 0) + 1);
			if (facts.state === 'listening') {
				listeners.set(key, description);
			}
		}
	}

	for (const facts of all.values()) {
		const name = facts.state === 'pair' && facts.peer && facts.domain === AF_UNIX ? unixName(facts.local) : undefined;
		const key = `${facts.type} ${name} ${facts.pathInode}`;
		if (name !== undefined && (count.get(key) ?? 0) > 1 && !all.get(facts.peer!)!.accepted) {
			const listener = listeners.get(key);
			facts.accepted = true;
			facts.listener = listener && pathOf(listener, all.get(listener)!)?.reachable === false ? undefined : listener;
		}
	}
}

/** SO_PEERCRED as the target sees it. A pid that only another pid namespace knows is asked for from inside. */
export function peerOf(context: CaptureContext, description: Description, fd: Fd): Credentials | undefined {
	const seen = peerCredentials(fd);
	const holder = description.holders[0];
	if (!seen || !holder || (holder.task.pid as number) === holder.task.innerPid) {
		return seen;
	}

	const pid = innerIdOf(context, seen.pid);
	if (pid !== undefined) {
		return {...seen, pid};
	}

	const {inject} = holder.task;
	const size = Buffer.alloc(4);
	size.writeUInt32LE(UCRED_SIZE);
	inject.writeScratch(HEADER_SIZE, size);
	const {scratch} = inject;
	return inject.syscall(nr.getsockopt, holder.fd, SOL_SOCKET, SO_PEERCRED, scratch, scratch + BigInt(HEADER_SIZE)) < 0n
		? undefined
		: {...seen, pid: parseCredentials(inject.readScratch(0, UCRED_SIZE)).pid};
}

/**
 * The pid in SCM_CREDENTIALS of the message at an offset of the queue, as the target sees it; 0 when nobody can tell. There is room for
 * the credentials alone, so that no descriptor that comes along is installed in the target.
 */
export function senderPid(context: CaptureContext, description: Description, seen: number, offset: number): number {
	const holder = description.holders[0];
	const known = innerIdOf(context, seen);
	if (known !== undefined || !holder || (holder.task.pid as number) === holder.task.innerPid) {
		return known ?? seen;
	}

	const {inject} = holder.task;
	const {scratch} = inject;
	const header = Buffer.alloc(AT.data);
	header.writeBigUInt64LE(scratch + BigInt(AT.parts), 16);
	header.writeBigUInt64LE(1n, 24);
	header.writeBigUInt64LE(scratch + BigInt(AT.control), 32);
	header.writeBigUInt64LE(BigInt(HEADER_SIZE * 2), 40);
	header.writeBigUInt64LE(scratch + BigInt(AT.data), AT.parts);
	header.writeBigUInt64LE(1n, AT.parts + 8);
	inject.writeScratch(0, header);
	inject.writeScratch(AT.control, Buffer.alloc(HEADER_SIZE * 2));
	return withPulled(description, (fd) => {
		const before = getSocketInt(fd, SOL_SOCKET, SO_PEEK_OFF) ?? -1;
		setSocketInt(fd, SOL_SOCKET, SO_PEEK_OFF, offset);
		try {
			const got = inject.syscall(nr.recvmsg, holder.fd, scratch, MSG_PEEK_DONTWAIT);
			return got < 0n ? 0 : parseCredentials(inject.readScratch(AT.control + HEADER_SIZE, UCRED_SIZE)).pid;
		} finally {
			setSocketInt(fd, SOL_SOCKET, SO_PEEK_OFF, before);
		}
	});
}
