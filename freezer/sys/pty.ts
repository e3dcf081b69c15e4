/** Pseudo-terminals: what their ends tell. */
import {ioctlGet} from './descriptors.js';
import {rawSyscall} from './libc.js';
import {nr} from './nr.js';
import type {Fd} from './types.js';

const TIOCGPTN = 0x8004_5430;
const TIOCGPTLCK = 0x8004_5439;
const TIOCGPKT = 0x8004_5438;
const TIOCGEXCL = 0x8004_5440;
const TIOCGDEV = 0x8004_5432;
const TIOCGPTPEER = 0x5441;
const TIOCGSID = 0x5429;
const TIOCGPGRP = 0x540f;
const TIOCGETD = 0x5424;
const TCGETS2 = 0x802c_542a;
const O_RDWR_NOCTTY_NONBLOCK_CLOEXEC = 0o2004402;

const number = (fd: Fd, request: number): number | undefined => ioctlGet(fd, request, 4)?.readInt32LE(0);

/** N of /dev/pts/N; undefined when it is no master. */
export const ptyNumber = (master: Fd): number | undefined => number(master, TIOCGPTN);
export const isLocked = (master: Fd): boolean => (number(master, TIOCGPTLCK) ?? 0) !== 0;
export const isPacketMode = (master: Fd): boolean => (number(master, TIOCGPKT) ?? 0) !== 0;
export const isExclusive = (terminal: Fd): boolean => (number(terminal, TIOCGEXCL) ?? 0) !== 0;
/** Device number of the terminal behind /dev/tty. */
export const realDevice = (terminal: Fd): number | undefined => number(terminal, TIOCGDEV);
/** 0: N_TTY, the usual one. */
export const lineDiscipline = (terminal: Fd): number => number(terminal, TIOCGETD) ?? 0;
/** Session and foreground group of the terminal behind a master, in the numbering of the freezer; 0 none. */
export const sessionOf = (master: Fd): number => Math.max(number(master, TIOCGSID) ?? 0, 0);
export const foregroundOf = (master: Fd): number => Math.max(number(master, TIOCGPGRP) ?? 0, 0);
/** Foreground group of a slave that is our own controlling terminal; undefined when it is not. */
export const ownForeground = (slave: Fd): number | undefined => number(slave, TIOCGPGRP);
/** struct termios2 of the terminal; through the master just as well. */
export const settingsOf = (terminal: Fd): Buffer | undefined => ioctlGet(terminal, TCGETS2, 44);

/** The other end, as a description of our own; undefined when it may not be opened (locked, exclusive). */
export function openPeer(master: Fd): Fd | undefined {
	const fd = rawSyscall(nr.ioctl, master, TIOCGPTPEER, O_RDWR_NOCTTY_NONBLOCK_CLOEXEC);
	return fd < 0 ? undefined : (fd as Fd);
}
