import {constants} from '../../../builder/format/schema.js';
import {bytesUnsent, eventsNow, POLLRDHUP} from '../../sys/descriptors.js';
import {closeFd, tryPidfdGetFd} from '../../sys/pidfd.js';
import {
	getSocketInt,
	getSocketOption,
	peekSendQueue,
	queueEnd,
	resetAtClose,
	setSocketInt,
	socketDiagnosis,
} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import type {Collection} from '../collection.js';
import {AF_INET, AF_INET6, AF_UNIX, hostOf, isLoopback, mappedToFour, portOf} from './address.js';
import type {SocketFacts} from './sockets.js';
import {type Description, withPulled} from './types.js';

/** TCP connections whose both ends are on this machine. */

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_INFO = 11;
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
export const SENT_END: readonly number[] = [TCP.FIN_WAIT1, TCP.FIN_WAIT2, TCP.LAST_ACK, TCP.CLOSING];
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
export function otherEnd({local, remote}: Pick<SocketFacts, 'local' | 'remote'>): OtherEnd | undefined {
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

/** Does the kernel tell of this connection at all, so that silence about its other end means something? */
export const isTold = ({local, remote}: SocketFacts): boolean => otherEnd({local: remote, remote: local}) !== undefined;

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

/** Offsets in struct tcp_info (linux/tcp.h). */
const BYTES_ACKED = 120;
const BYTES_RECEIVED = 128;
/** Nanoseconds that all connections together may take to come to rest: what is on its way over loopback needs microseconds. */
const PATIENCE = 100_000_000n;

const counter = (fd: Fd, offset: number): number => Number(tcpInfo(fd)?.readBigUInt64LE(offset) ?? 0n);

/** Written by one end and not received by the other. The end that has connected counts its SYN among the acknowledged bytes. */
function lacking(sender: Fd, receiver: Fd): number {
	const unacknowledged = bytesUnsent(sender);
	const acknowledged = counter(sender, BYTES_ACKED);
	return unacknowledged + acknowledged - counter(receiver, BYTES_RECEIVED);
}

/**
 * Nagle's algorithm holds back a small segment until the one before it is acknowledged, which may take 40 ms. TCP_NODELAY lets what
 * is held back go at once (tcp(7)), also when it is taken back right after.
 */
function push(fd: Fd): void {
	if (getSocketInt(fd, IPPROTO_TCP, TCP_NODELAY) === 0) {
		setSocketInt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		setSocketInt(fd, IPPROTO_TCP, TCP_NODELAY, 0);
	}
}

/**
 * Waits until what is on its way between the two ends has arrived. Whether that is acknowledged says nothing: an acknowledgement may be
 * put off for 40 ms. False: something stays with a sender, because the other end's buffer is full.
 */
function comeToRest(one: Fd, other: Fd, deadline: bigint): boolean {
	const atRest = () => lacking(one, other) + lacking(other, one) === 1;
	if (atRest()) {
		return true;
	}

	push(one);
	push(other);
	do {
		if (atRest()) {
			return true;
		}
	} while (process.hrtime.bigint() < deadline);
	return false;
}

/** What is still with the sender, for root; undefined for others. */
function withSender(sender: Fd, receiver: Fd, sentEnd: boolean): Buffer | undefined {
	const written = queueEnd(sender, 'send');
	const received = queueEnd(receiver, 'receive');
	if (written === undefined || received === undefined) {
		return undefined;
	}

	const missing = (written - received) >>> 0;
	const end = sentEnd ? 1 : 0;
	if (missing <= end) {
		return Buffer.alloc(0);
	}

	const queue = peekSendQueue(sender, bytesUnsent(sender) - end);
	return queue?.subarray(queue.length - (missing - end));
}

/** Connections of the target with itself, before their queues are looked at. */
export class TcpRest {
	#deadline: bigint | undefined;

	/** What either end is still to get from the other's send queue; undefined where that cannot be looked at. */
	of(one: Description, other: Description, sentEnd: {one: boolean; other: boolean}) {
		this.#deadline ??= process.hrtime.bigint() + PATIENCE;
		const deadline = this.#deadline;
		return withPulled(one, (first) =>
			withPulled(other, (second) => {
				const none = Buffer.alloc(0);
				return comeToRest(first, second, deadline)
					? {one: none, other: none}
					: {one: withSender(second, first, sentEnd.other), other: withSender(first, second, sentEnd.one)};
			}),
		);
	}
}

/** Before the original ends: connections within it would keep their ports for a minute (TIME_WAIT), which the copy needs. */
export function resetConnectionsWithin({snapshot, tasks}: Collection): void {
	const {KIND, SOCKET} = constants;
	const connected: readonly number[] = [SOCKET.CONNECTED, SOCKET.PAIR, SOCKET.PENDING];
	for (const {task, fd, description} of snapshot.fd) {
		const {kind, row} = snapshot.description[description]!;
		const socket = kind === KIND.SOCKET ? snapshot.socket[row] : undefined;
		if (socket && socket.domain !== AF_UNIX && connected.includes(socket.state)) {
			const pulled = tryPidfdGetFd(tasks[task]!.pidfd, fd);
			if (pulled !== undefined) {
				resetAtClose(pulled);
				closeFd(pulled);
			}
		}
	}
}
