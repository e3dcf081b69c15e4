import {rawSyscall} from './libc.js';
import {nr} from './nr.js';

const POLLOUT = 4;

const POLLRDHUP = 0x2000;

/** True when the other end will send no more. */
export function hasHungUp(fd: number): boolean {
	const entry = Buffer.alloc(8);
	entry.writeInt32LE(fd, 0);
	entry.writeInt16LE(POLLRDHUP, 4);
	return rawSyscall(nr.poll, entry, 1, 0) > 0 && (entry.readInt16LE(6) & POLLRDHUP) !== 0;
}

/** Waits until a descriptor takes data again (or its reader has gone). */
export function waitWritable(fd: number, milliseconds: number): void {
	const entry = Buffer.alloc(8);
	entry.writeInt32LE(fd, 0);
	entry.writeInt16LE(POLLOUT, 4);
	rawSyscall(nr.poll, entry, 1, milliseconds);
}
