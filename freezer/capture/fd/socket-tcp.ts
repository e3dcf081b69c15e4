import {constants} from '../../../builder/format/schema.js';
import {bytesUnsent, eventsNow} from '../../sys/descriptors.js';
import {closeFd, tryPidfdGetFd} from '../../sys/pidfd.js';
import {acknowledgeNow, getSocketOption, peekSendQueue, resetAtClose, socketDiagnosis} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import type {Collection} from '../collection.js';
import {AF_INET, AF_INET6, hostOf, isLoopback, mappedToFour, portOf} from './address.js';
import type {SocketFacts} from './sockets.js';
import {type Description, withPulled} from './types.js';

/** TCP connections whose both ends are on this machine. */

const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const POLLRDHUP = 0x2000;
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_ACK = 5;
const HEADER = 16;

/** include/net/tcp_states.h */
export const TCP = {
	ESTABLISHED: 1,
	FIN_WAIT1: 4,
	FIN_WAIT2: 5,
	CLOSE: 7,
	CLOSE_WAIT: 8,
	LAST_ACK: 9,
	LISTEN: 10,
	CLOSING: 11,
} as const;
const SENT_END: readonly number[] = [TCP.FIN_WAIT1, TCP.FIN_WAIT2, TCP.LAST_ACK, TCP.CLOSING];
const SEEN_END: readonly number[] = [TCP.CLOSE_WAIT, TCP.LAST_ACK, TCP.CLOSING];

export function tcpInfo(fd: Fd): Buffer | undefined {
	const info = getSocketOption(fd, IPPROTO_TCP, TCP_INFO);
	return info && Buffer.from(info);
}

/** Bit 0 read, bit 1 write. That the other end will send nothing more is the other end's doing. */
export function tcpShutdown(fd: Fd, state: number): number {
	const reads = SEEN_END.includes(state) || (eventsNow(fd, POLLRDHUP) & POLLRDHUP) === 0;
	return (reads ? 0 : 1) | (SENT_END.includes(state) ? 2 : 0);
}

/** What the kernel tells of the other end of a connection: struct inet_diag_msg. */
interface OtherEnd {
	readonly state: number;
	/** 0: no program has it, because it is not accepted yet or has been closed. */
	readonly inode: number;
	/** Bytes in its receive queue. */
	readonly waiting: number;
}

/** The other end of a connection of this machine; undefined when there is none any more. */
export function otherEnd({local, remote}: SocketFacts): OtherEnd | undefined {
	const four = mappedToFour(local) !== undefined && mappedToFour(remote) !== undefined;
	const host = (address: Buffer) => (four ? mappedToFour(address)! : hostOf(address));
	const request = Buffer.alloc(HEADER + 56);
	request.writeUInt32LE(request.length, 0);
	request.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
	request.writeUInt16LE(NLM_F_REQUEST_ACK, 6);
	request[HEADER] = four ? AF_INET : AF_INET6;
	request[HEADER + 1] = IPPROTO_TCP;
	request.writeUInt32LE(0xffff_ffff, HEADER + 4);
	request.writeUInt16BE(portOf(remote), HEADER + 8);
	request.writeUInt16BE(portOf(local), HEADER + 10);
	request.set(host(remote), HEADER + 12);
	request.set(host(local), HEADER + 28);
	request.fill(0xff, HEADER + 48); // the cookie: any
	let found: OtherEnd | undefined;
	socketDiagnosis(request, (type, message) => {
		// Without a connection the kernel tells of the listener.
		if (type === SOCK_DIAG_BY_FAMILY && message[HEADER + 1] !== TCP.LISTEN) {
			found = {
				state: message[HEADER + 1]!,
				waiting: message.readUInt32LE(HEADER + 56),
				inode: message.readUInt32LE(HEADER + 68),
			};
		}
	});
	return found;
}

/** Both addresses are of this machine, so that the kernel knows both ends. */
export const isWithinMachine = ({local, remote}: SocketFacts): boolean =>
	isLoopback(remote) || hostOf(local).equals(hostOf(remote));

/** Does a listener take connections to this address? */
export function listensAt({local}: SocketFacts, address: Buffer): boolean {
	if (portOf(local) !== portOf(address)) {
		return false;
	}

	const own = mappedToFour(local) ?? hostOf(local);
	return own.every((byte) => byte === 0) || own.equals(mappedToFour(address) ?? hostOf(address));
}

const PATIENCE_MS = 5;

/**
 * Bytes that one end has sent and the other has not taken: what has been received is acknowledged now, so that the rest is what did not
 * fit into the receiver's buffer. undefined: nobody may look at them.
 */
export function unreceived(sender: Description, receiver: Description): Buffer | undefined {
	return withPulled(sender, (fd) => {
		if (bytesUnsent(fd) === 0) {
			return Buffer.alloc(0);
		}

		withPulled(receiver, acknowledgeNow);
		for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
			if (bytesUnsent(fd) === 0) {
				return Buffer.alloc(0);
			}
		}

		return peekSendQueue(fd, bytesUnsent(fd));
	});
}

/** Before the original ends: connections within it would keep their ports for a minute (TIME_WAIT), which the copy needs. */
export function resetConnectionsWithin({snapshot, tasks}: Collection): void {
	const {KIND, SOCKET} = constants;
	for (const {task, fd, description} of snapshot.fd) {
		const {kind, row} = snapshot.description[description]!;
		if (kind === KIND.SOCKET && snapshot.socket[row]!.state === SOCKET.CONNECTED) {
			const pulled = tryPidfdGetFd(tasks[task]!.pidfd, fd);
			if (pulled !== undefined) {
				resetAtClose(pulled);
				closeFd(pulled);
			}
		}
	}
}
