import {rawSyscall} from './libc.js';
import {nr} from './nr.js';

const POLLOUT = 4;

/** Waits until a descriptor takes data again (or its reader has gone). */
export function waitWritable(fd: number, milliseconds: number): void {
	const entry = Buffer.alloc(8);
	entry.writeInt32LE(fd, 0);
	entry.writeInt16LE(POLLOUT, 4);
	rawSyscall(nr.poll, entry, 1, milliseconds);
}
