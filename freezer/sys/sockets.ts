import {addressOf, rawSyscall} from './libc.js';
import {nr} from './nr.js';
import type {Fd} from './types.js';

/** Socket calls on descriptors of ours. Reading is always MSG_PEEK | MSG_DONTWAIT. */

export const SOL_SOCKET = 1;
export const SO_PEEK_OFF = 42;
const MSG_PEEK = 2;
const MSG_TRUNC = 0x20;
const MSG_CTRUNC = 8;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
const SCM_PIDFD = 4;
const SO_REUSEADDR = 2;
const SO_LINGER = 13;
const SO_PEERCRED = 17;
const IPPROTO_TCP = 6;
const TCP_REPAIR = 19;
const TCP_REPAIR_QUEUE = 20;
const TCP_QUEUE_SEQ = 21;
const REPAIR_RECEIVE_QUEUE = 1;
const REPAIR_SEND_QUEUE = 2;
const REPAIR_OFF_WITHOUT_PROBE = -1;
const SOCK_CLOEXEC = 0o2000000;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;

/** Room for what a call returns, used again by the next: thousands of sockets are asked dozens of questions in the pause. */
const room = Buffer.alloc(4096 + 512);
const value = room.subarray(0, 256);
const valueAddress = addressOf(value);
const length = room.subarray(256, 260);
const lengthAddress = addressOf(length);

/** Value of an option, undefined when the socket does not know it. Valid until the next call; at most 256 bytes. */
export function getSocketOption(fd: Fd, level: number, name: number, size = value.length): Buffer | undefined {
	length.writeUInt32LE(size);
	return rawSyscall(nr.getsockopt, fd, level, name, valueAddress, lengthAddress) < 0
		? undefined
		: value.subarray(0, Math.min(size, length.readUInt32LE()));
}

export const getSocketInt = (fd: Fd, level: number, name: number): number | undefined => {
	const value = getSocketOption(fd, level, name, 4);
	return value?.length === 4 ? value.readInt32LE() : undefined;
};

export function setSocketInt(fd: Fd, level: number, name: number, value: number): boolean {
	const buffer = Buffer.alloc(4);
	buffer.writeInt32LE(value);
	return rawSyscall(nr.setsockopt, fd, level, name, buffer, 4) >= 0;
}

/** Count that an option of instructions needs (SO_GET_FILTER), and the instructions themselves. */
export function getSocketFilter(fd: Fd): Buffer | undefined {
	const length = Buffer.alloc(4);
	const count = rawSyscall(nr.getsockopt, fd, SOL_SOCKET, 26, null, length) < 0 ? 0 : length.readUInt32LE();
	if (count === 0) {
		return undefined;
	}

	const value = Buffer.alloc(count * 8);
	return rawSyscall(nr.getsockopt, fd, SOL_SOCKET, 26, value, length) < 0 ? undefined : value;
}

function address(number: number, fd: Fd): Buffer | undefined {
	const value = Buffer.alloc(128);
	const length = Buffer.alloc(4);
	length.writeUInt32LE(value.length);
	return rawSyscall(number, fd, value, length) < 0
		? undefined
		: value.subarray(0, Math.min(value.length, length.readUInt32LE()));
}

/** sockaddr of getsockname(2). */
export const socketName = (fd: Fd): Buffer | undefined => address(nr.getsockname, fd);
/** sockaddr of getpeername(2), undefined when not connected. */
export const peerName = (fd: Fd): Buffer | undefined => address(nr.getpeername, fd);

/** A socket of our own, to know what a fresh one looks like. */
export function openSocket(domain: number, type: number, protocol: number): Fd | undefined {
	const fd = rawSyscall(nr.socket, domain, type | SOCK_CLOEXEC, protocol);
	return fd < 0 ? undefined : (fd as Fd);
}

/** Who made a connection or sent a message (struct ucred), in the numbering of the freezer. */
export interface Credentials {
	readonly pid: number;
	readonly uid: number;
	readonly gid: number;
}

export const parseCredentials = (ucred: Buffer): Credentials => ({
	pid: ucred.readInt32LE(0),
	uid: ucred.readUInt32LE(4),
	gid: ucred.readUInt32LE(8),
});

/** SO_PEERCRED; undefined where the kernel knows nobody. */
export function peerCredentials(fd: Fd): Credentials | undefined {
	const ucred = getSocketOption(fd, SOL_SOCKET, SO_PEERCRED, 12);
	return ucred?.length === 12 && ucred.readInt32LE(0) > 0 ? parseCredentials(ucred) : undefined;
}

/** Repair mode shows root what is in the queues of a TCP socket. Leaving it clears SO_REUSEADDR. */
function inRepair<T>(fd: Fd, queue: number, look: () => T): T | undefined {
	const reuse = getSocketInt(fd, SOL_SOCKET, SO_REUSEADDR) ?? 0;
	if (!setSocketInt(fd, IPPROTO_TCP, TCP_REPAIR, 1)) {
		return undefined;
	}

	try {
		return setSocketInt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, queue) ? look() : undefined;
	} finally {
		setSocketInt(fd, IPPROTO_TCP, TCP_REPAIR_QUEUE, 0);
		if (!setSocketInt(fd, IPPROTO_TCP, TCP_REPAIR, REPAIR_OFF_WITHOUT_PROBE)) {
			setSocketInt(fd, IPPROTO_TCP, TCP_REPAIR, 0);
		}

		setSocketInt(fd, SOL_SOCKET, SO_REUSEADDR, reuse);
	}
}

/** Sequence number behind the last byte that was written, or received in order. */
export const queueEnd = (fd: Fd, queue: 'send' | 'receive'): number | undefined =>
	inRepair(fd, queue === 'send' ? REPAIR_SEND_QUEUE : REPAIR_RECEIVE_QUEUE, () =>
		getSocketInt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ),
	);

/** What a TCP socket has sent and the other end has not acknowledged. */
export function peekSendQueue(fd: Fd, size: number): Buffer | undefined {
	return inRepair(fd, REPAIR_SEND_QUEUE, () => {
		const data = Buffer.alloc(size);
		return rawSyscall(nr.recvfrom, fd, data, size, MSG_PEEK | MSG_DONTWAIT, null, null) === size ? data : undefined;
	});
}

/** Makes the last close(2) of a TCP socket a reset: nothing lingers that would keep its port. */
export function resetAtClose(fd: Fd): void {
	const linger = Buffer.alloc(8);
	linger.writeInt32LE(1);
	rawSyscall(nr.setsockopt, fd, SOL_SOCKET, SO_LINGER, linger, linger.length);
}

export interface PeekedMessage {
	readonly data: Buffer;
	/** sockaddr of the sender, empty when it has no name. */
	readonly address: Buffer;
	/** Our own duplicates of the descriptors in flight: close them. */
	readonly fds: readonly Fd[];
	/** Told where the receiver asks for them (SO_PASSCRED). */
	readonly credentials: Credentials | undefined;
	readonly truncated: boolean;
}

/** The next message at the peek offset, or what waits in a stream; undefined when there is none. `data` is room for it. */
export function peekMessage(fd: Fd, data: Buffer): PeekedMessage | undefined {
	const name = room.subarray(264, 264 + 128);
	const parts = room.subarray(392, 392 + 16);
	const header = room.subarray(408, 408 + 56);
	const control = room.subarray(512);
	parts.writeBigUInt64LE(addressOf(data), 0);
	parts.writeBigUInt64LE(BigInt(data.length), 8);
	header.fill(0);
	header.writeBigUInt64LE(valueAddress + 264n, 0);
	header.writeUInt32LE(name.length, 8);
	header.writeBigUInt64LE(valueAddress + 392n, 16);
	header.writeBigUInt64LE(1n, 24);
	header.writeBigUInt64LE(valueAddress + 512n, 32);
	header.writeBigUInt64LE(BigInt(control.length), 40);
	const got = rawSyscall(nr.recvmsg, fd, valueAddress + 408n, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (got < 0) {
		return undefined;
	}

	return {
		data: Buffer.from(data.subarray(0, got)),
		address: Buffer.from(name.subarray(0, Math.min(name.length, header.readUInt32LE(8)))),
		...readControl(control.subarray(0, Number(header.readBigUInt64LE(40)))),
		truncated: (header.readInt32LE(48) & (MSG_CTRUNC | MSG_TRUNC)) !== 0,
	};
}

function readControl(control: Buffer): Pick<PeekedMessage, 'fds' | 'credentials'> {
	const fds: Fd[] = [];
	let credentials: Credentials | undefined;
	for (let at = 0; at + 16 <= control.length; ) {
		const length = Number(control.readBigUInt64LE(at));
		if (length < 16 || at + length > control.length) {
			break;
		}

		const value = control.subarray(at + 16, at + length);
		switch (control.readInt32LE(at + 8) === SOL_SOCKET ? control.readInt32LE(at + 12) : 0) {
			case SCM_RIGHTS:
				for (let i = 0; i + 4 <= value.length; i += 4) {
					fds.push(value.readInt32LE(i) as Fd);
				}

				break;
			case SCM_CREDENTIALS:
				credentials = parseCredentials(value);
				break;
			case SCM_PIDFD:
				if (value.readInt32LE(0) >= 0) {
					rawSyscall(nr.close, value.readInt32LE(0));
				}

				break;
			default:
		}

		at += Math.ceil(length / 8) * 8;
	}

	return {fds, credentials};
}

/** Sends one request to NETLINK_SOCK_DIAG and hands over every answer (struct nlmsghdr included) until it ends. */
export function socketDiagnosis(request: Uint8Array, take: (type: number, message: Buffer) => void): boolean {
	const fd = openSocket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	if (fd === undefined) {
		return false;
	}

	try {
		if (rawSyscall(nr.sendto, fd, request, request.length, 0, null, 0) < 0) {
			return false;
		}

		const buffer = Buffer.alloc(1 << 17);
		for (;;) {
			const got = rawSyscall(nr.recvfrom, fd, buffer, buffer.length, 0, null, null);
			if (got <= 0) {
				return false;
			}

			for (let at = 0; at + 16 <= got; ) {
				const length = buffer.readUInt32LE(at);
				const type = buffer.readUInt16LE(at + 4);
				if (type === 3 || type === 2 || length < 16) {
					return type === 3;
				}

				take(type, buffer.subarray(at, at + length));
				at += Math.ceil(length / 4) * 4;
			}
		}
	} finally {
		rawSyscall(nr.close, fd);
	}
}

const MCAST_MSFILTER = 48;
/** struct group_filter without sources: interface, sockaddr_storage, mode, number of sources. */
const GROUP_FILTER_SIZE = 144;

/** Is the socket a member of the multicast group? */
export function queryGroupFilter(fd: Fd, level: number, index: number, group: Uint8Array): boolean {
	const filter = Buffer.alloc(GROUP_FILTER_SIZE);
	filter.writeUInt32LE(index, 0);
	filter.set(group, 8);
	length.writeUInt32LE(filter.length);
	return rawSyscall(nr.getsockopt, fd, level, MCAST_MSFILTER, filter, lengthAddress) >= 0;
}
