import {rawSyscall} from './libc.js';
import {nr} from './nr.js';
import type {Fd} from './types.js';

/**
 * Calls on descriptors of ours, most of them pulled from the target by pidfd_getfd. None of them moves an offset, consumes a byte
 * or blocks. They return undefined where the kernel says no.
 */

export const F_GETFD = 1;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_GETSIG = 11;
export const F_GETOWN_EX = 16;
export const F_GETPIPE_SZ = 1032;
const F_SETPIPE_SZ = 1031;
export const F_GET_SEALS = 1034;

export const POLLIN = 1;
export const POLLPRI = 2;
export const POLLOUT = 4;
export const POLLERR = 8;
export const POLLHUP = 16;
export const POLLRDHUP = 0x2000;

const FIONREAD = 0x541b;
const TIOCOUTQ = 0x5411;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const SPLICE_F_NONBLOCK = 2;
const O_CLOEXEC_NONBLOCK = 0o2004000;
const OPEN_BY_HANDLE_AT = 304;
const O_PATH_CLOEXEC = 0o12000000;
const AT_FDCWD = -100;

/** fcntl(2) without a pointer. */
export function fcntl(fd: Fd, command: number, argument = 0): number | undefined {
	const result = rawSyscall(nr.fcntl, fd, command, argument);
	return result < 0 ? undefined : result;
}

/** Type (F_OWNER_TID 0, PID 1, PGRP 2) and id of who gets SIGIO, in the numbering of the freezer; id 0: nobody. */
export function fileOwner(fd: Fd): {type: number; id: number} {
	const buffer = Buffer.alloc(8);
	return rawSyscall(nr.fcntl, fd, F_GETOWN_EX, buffer) < 0
		? {type: 0, id: 0}
		: {type: buffer.readInt32LE(0), id: buffer.readInt32LE(4)};
}

/** ioctl(2) that fills a structure of `length` bytes. */
export function ioctlGet(fd: Fd, request: number, length: number): Buffer | undefined {
	const buffer = Buffer.alloc(length);
	return rawSyscall(nr.ioctl, fd, request, buffer) < 0 ? undefined : buffer;
}

/** Bytes that wait to be read (FIONREAD). */
export const bytesWaiting = (fd: Fd): number => ioctlGet(fd, FIONREAD, 4)?.readInt32LE(0) ?? 0;

/** Bytes of a socket that the other end has not taken yet (TIOCOUTQ). */
export const bytesUnsent = (fd: Fd): number => ioctlGet(fd, TIOCOUTQ, 4)?.readInt32LE(0) ?? 0;

/** Events of poll(2) at this moment. */
export function eventsNow(fd: Fd, events: number): number {
	const buffer = Buffer.alloc(8);
	buffer.writeInt32LE(fd, 0);
	buffer.writeInt16LE(events, 4);
	return rawSyscall(nr.poll, buffer, 1, 0) < 0 ? 0 : buffer.readInt16LE(6);
}

/** Stretches of a file that may hold data. Moves the offset of `fd`: only for descriptions of our own. */
export function* dataExtents(fd: number, size: number): Generator<{offset: number; length: number}> {
	let at = 0;
	while (at < size) {
		const start = rawSyscall(nr.lseek, fd, at, SEEK_DATA);
		if (start < 0) {
			return;
		}

		const end = rawSyscall(nr.lseek, fd, start, SEEK_HOLE);
		if (end <= start) {
			return;
		}

		yield {offset: start, length: Math.min(end, size) - start};
		at = end;
	}
}

/** A pipe of our own that duplicates what waits in pipes of the target, by tee(2): nothing is taken out. */
export class PipeReader {
	readonly #read: Fd;
	readonly #write: Fd;

	constructor() {
		const ends = Buffer.alloc(8);
		rawSyscall(nr.pipe2, ends, O_CLOEXEC_NONBLOCK);
		this.#read = ends.readInt32LE(0) as Fd;
		this.#write = ends.readInt32LE(4) as Fd;
	}

	/** What waits in the pipe behind the read end `fd`, one buffer per packet in packet mode; undefined when it does not fit. */
	peek(fd: Fd, packets: boolean): Buffer[] | undefined {
		const waiting = bytesWaiting(fd);
		if (waiting === 0 && !packets) {
			return [];
		}

		const capacity = fcntl(fd, F_GETPIPE_SZ) ?? 65_536;
		if (
			(fcntl(this.#write, F_GETPIPE_SZ) ?? 0) < capacity &&
			fcntl(this.#write, F_SETPIPE_SZ, capacity) === undefined
		) {
			return undefined;
		}

		const got = rawSyscall(nr.tee, fd, this.#write, capacity, SPLICE_F_NONBLOCK);
		if (got <= 0) {
			return waiting === 0 ? [] : undefined;
		}

		const parts: Buffer[] = [];
		let left = got;
		while (left > 0) {
			const buffer = Buffer.allocUnsafe(left);
			const length = rawSyscall(nr.read, this.#read, buffer, left);
			if (length <= 0) {
				break;
			}

			parts.push(buffer.subarray(0, length));
			left -= length;
		}

		return got === waiting ? parts : undefined;
	}

	close(): void {
		rawSyscall(nr.close, this.#read);
		rawSyscall(nr.close, this.#write);
	}
}

/** Opens, as O_PATH, the file of a handle (fhandle-type and f_handle of fdinfo) on the file system of `path`. Needs CAP_DAC_READ_SEARCH. */
export function openByHandle(path: Uint8Array, type: number, handle: Uint8Array): Fd | undefined {
	const directory = rawSyscall(nr.openat, AT_FDCWD, Buffer.concat([path, Buffer.alloc(1)]), 0o2000000 | 0o200000, 0);
	if (directory < 0) {
		return undefined;
	}

	const request = Buffer.alloc(8 + handle.length);
	request.writeUInt32LE(handle.length, 0);
	request.writeInt32LE(type, 4);
	request.set(handle, 8);
	const fd = rawSyscall(OPEN_BY_HANDLE_AT, directory, request, O_PATH_CLOEXEC);
	rawSyscall(nr.close, directory);
	return fd < 0 ? undefined : (fd as Fd);
}

/** timerfd_gettime(2): makes the kernel count the ticks of a periodic timer that nobody has read yet. */
export const timerfdForward = (fd: Fd): void => void rawSyscall(nr.timerfd_gettime, fd, Buffer.alloc(32));
