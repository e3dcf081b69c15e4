/** Job control: whose turn it is on the controlling terminal (tcgetpgrp(3), tcsetpgrp(3)). */
import {closeSync, openSync} from 'node:fs';
import {rawSyscall} from './libc.js';
import {nr} from './nr.js';

const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const GETPGID = 121;
const SIG_BLOCK = 0;
const SIGTTOU = 22;

export const ownGroup = (): number => rawSyscall(GETPGID, 0);

/** The controlling terminal, as long as it is there. */
export class Terminal {
	private constructor(readonly fd: number) {}

	/** Undefined when there is none. The calling thread gets no SIGTTOU any more: it hands the terminal over and back. */
	static open(): Terminal | undefined {
		try {
			const terminal = new Terminal(openSync('/dev/tty', 'r+'));
			const set = Buffer.alloc(8);
			set.writeBigUInt64LE(1n << BigInt(SIGTTOU - 1));
			rawSyscall(nr.rt_sigprocmask, SIG_BLOCK, set, null, 8);
			return terminal;
		} catch {
			return undefined;
		}
	}

	/** Process group in the foreground; negative when the terminal has gone. */
	foreground(): number {
		const group = new Int32Array(1);
		const result = rawSyscall(nr.ioctl, this.fd, TIOCGPGRP, new Uint8Array(group.buffer));
		return result < 0 ? result : group[0]!;
	}

	/** Hands it from one group to another; false when it was not the first one's. */
	pass(from: number, to: number): boolean {
		if (this.foreground() !== from) return false;
		return rawSyscall(nr.ioctl, this.fd, TIOCSPGRP, new Uint8Array(Int32Array.of(to).buffer)) === 0;
	}

	close(): void {
		closeSync(this.fd);
	}
}
