import {bytesWaiting, eventsNow, POLLRDHUP} from '../../sys/descriptors.js';
import {closeFd} from '../../sys/pidfd.js';
import {
	getSocketInt,
	type PeekedMessage,
	peekMessage,
	SO_PEEK_OFF,
	SOL_SOCKET,
	setSocketInt,
} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';

const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const ROOM = 1 << 20;

let room: Buffer | undefined;

/** What waits in the receive queue of a socket, and whether some of it could not be seen. */
export interface Queue {
	readonly messages: readonly PeekedMessage[];
	readonly incomplete: boolean;
}

/** Looks without taking anything out. The descriptors in the messages are the caller's to close. */
export function lookIntoQueue(fd: Fd, type: number): Queue {
	const waiting = type === SOCK_STREAM ? bytesWaiting(fd) : 0;
	if (!room || room.length < waiting) {
		room = Buffer.allocUnsafe(Math.max(ROOM, waiting));
	}

	const offset = getSocketInt(fd, SOL_SOCKET, SO_PEEK_OFF) ?? -1;
	if (offset < 0) {
		const first = peekMessage(fd, room);
		if (!first) {
			return {messages: [], incomplete: waiting > 0};
		}

		if (type === SOCK_STREAM && first.data.length >= waiting) {
			return {messages: first.data.length > 0 ? [first] : [], incomplete: first.truncated};
		}

		for (const one of first.fds) {
			closeFd(one);
		}
	}

	return stepThrough(fd, room, offset, type);
}

/**
 * From the front: the peek offset lets one MSG_PEEK see behind the other. It belongs to the socket, so it is put back at the end; only
 * queues of several messages need it. The end of a stream and of a sequence of packets reads like an empty message.
 */
function stepThrough(fd: Fd, buffer: Buffer, offset: number, type: number): Queue {
	const messages: PeekedMessage[] = [];
	const canEnd = type === SOCK_STREAM || (type === SOCK_SEQPACKET && (eventsNow(fd, POLLRDHUP) & POLLRDHUP) !== 0);
	let left = canEnd ? bytesWaiting(fd) : 0;
	if (!setSocketInt(fd, SOL_SOCKET, SO_PEEK_OFF, 0)) {
		return {messages, incomplete: true};
	}

	try {
		for (let message = peekMessage(fd, buffer); message; message = peekMessage(fd, buffer)) {
			if (canEnd && left <= 0 && message.data.length === 0) {
				break;
			}

			left -= message.data.length;
			messages.push(message);
		}
	} finally {
		setSocketInt(fd, SOL_SOCKET, SO_PEEK_OFF, offset);
	}

	return {messages, incomplete: messages.some(({truncated}) => truncated)};
}
