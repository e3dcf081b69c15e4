import {syscall} from './libc.js';
import {nr} from './nr.js';

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;

/** Gives the file behind a descriptor (opened with O_TMPFILE) a name; SysError EEXIST when the name is taken. */
export function linkDescriptor(fd: number, path: string): void {
	const from = Buffer.from(`/proc/self/fd/${fd}\0`);
	syscall('linkat', path, nr.linkat, AT_FDCWD, from, AT_FDCWD, Buffer.from(`${path}\0`), AT_SYMLINK_FOLLOW);
}
