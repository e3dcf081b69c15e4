import {socketDiagnosis} from '../../sys/sockets.js';

/** What the kernel tells of a UNIX socket beyond its options: net/unix/diag.c. */
export interface UnixFacts {
	/** Inode of the peer's socket: 0 when it has closed, undefined when there never was one. */
	readonly peer: number | undefined;
	/** Bit 0 read, bit 1 write. */
	readonly shutdown: number;
	/** Inode the path leads to, when bound to one. */
	readonly pathInode: number | undefined;
	/** Connections that wait to be accepted (listening), or bytes. */
	readonly waiting: number;
	/** How many may wait (listening). */
	readonly backlog: number;
	/** Inodes of those whose connections wait to be accepted, the next one first (listening). */
	readonly clients: readonly number[];
}

const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_DUMP = 0x301;
const AF_UNIX = 1;
const SHOW_NAME_VFS_PEER_ICONS_RQLEN = 1 | 2 | 4 | 8 | 16;
const UNIX_DIAG_VFS = 1;
const UNIX_DIAG_PEER = 2;
const UNIX_DIAG_ICONS = 3;
const UNIX_DIAG_RQLEN = 4;
const UNIX_DIAG_SHUTDOWN = 6;
const HEADER = 16;
const MESSAGE = 16;

/** Facts of every UNIX socket of our network namespace, by inode; undefined where the kernel does not tell. */
export function unixSockets(): Map<number, UnixFacts> | undefined {
	const request = Buffer.alloc(HEADER + 24);
	request.writeUInt32LE(request.length, 0);
	request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
	request.writeUInt16LE(NLM_F_DUMP, 6);
	request[HEADER] = AF_UNIX;
	request.writeUInt32LE(0xffff_ffff, HEADER + 4);
	request.writeUInt32LE(SHOW_NAME_VFS_PEER_ICONS_RQLEN, HEADER + 12);
	const found = new Map<number, UnixFacts>();
	const complete = socketDiagnosis(request, (type, message) => {
		if (type === SOCK_DIAG_BY_FAMILY) {
			const [ino, facts] = parseUnixFacts(message.subarray(HEADER));
			found.set(ino, facts);
		}
	});
	return complete ? found : undefined;
}

/** struct unix_diag_msg and its attributes. */
export function parseUnixFacts(message: Buffer): [ino: number, facts: UnixFacts] {
	let peer: number | undefined;
	let shutdown = 0;
	let pathInode: number | undefined;
	let waiting = 0;
	let backlog = 0;
	const clients: number[] = [];
	for (let at = MESSAGE; at + 4 <= message.length; ) {
		const length = message.readUInt16LE(at);
		const value = message.subarray(at + 4, at + length);
		switch (message.readUInt16LE(at + 2)) {
			case UNIX_DIAG_VFS:
				pathInode = value.readUInt32LE(0);
				break;
			case UNIX_DIAG_PEER:
				peer = value.readUInt32LE(0);
				break;
			case UNIX_DIAG_ICONS:
				for (let i = 0; i + 4 <= value.length; i += 4) {
					clients.push(value.readUInt32LE(i));
				}

				break;
			case UNIX_DIAG_RQLEN:
				waiting = value.readUInt32LE(0);
				backlog = value.readUInt32LE(4);
				break;
			case UNIX_DIAG_SHUTDOWN:
				shutdown = value[0] ?? 0;
				break;
			default:
		}

		at += Math.max(4, Math.ceil(length / 4) * 4);
	}

	return [message.readUInt32LE(4), {peer, shutdown, pathInode, waiting, backlog, clients}];
}
