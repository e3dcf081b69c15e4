import {statSync} from 'node:fs';
import {resolve} from 'node:path';
import {decodeText, encodeText} from '../../../builder/text.js';
import {nr} from '../../sys/nr.js';
import {tryReadLink} from '../../sys/procfs.js';
import {type Credentials, parseCredentials, peerCredentials} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import type {CaptureContext} from '../context.js';
import {AF_UNIX, unixName} from './address.js';
import {innerIdOf} from './pidfd.js';
import type {SocketFacts} from './sockets.js';
import type {Description} from './types.js';

/** Names of UNIX sockets and who made them. */

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SOCK_DGRAM = 2;

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
	size.writeUInt32LE(12);
	inject.writeScratch(16, size);
	const {scratch} = inject;
	return inject.syscall(nr.getsockopt, holder.fd, SOL_SOCKET, SO_PEERCRED, scratch, scratch + 16n) < 0n
		? undefined
		: {...seen, pid: parseCredentials(inject.readScratch(0, 12)).pid};
}
