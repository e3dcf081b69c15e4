/** What waits in a pseudo-terminal, in both directions. */
import {closeSync} from 'node:fs';
import {bytesWaiting, F_GETFL, F_SETFL, fcntl, POLLHUP, POLLIN, POLLOUT} from './descriptors.js';
import {rawSyscall} from './libc.js';
import {nr} from './nr.js';
import {isPacketMode, openPeer, ownForeground, settingsOf} from './pty.js';
import {ownGroup} from './terminal.js';
import type {Fd} from './types.js';

const TCSETS2 = 0x402c_542b;
const O_NONBLOCK = 0o4000;
const POLLPRI = 2;
const SIG_BLOCK = 0;
const SIGTTIN_SIGTTOU = (1n << 20n) | (1n << 21n);

/** What waits in both directions, as the tables hold it. */
export interface Waiting {
	/** struct termios2 under which `input` is typed to arrive as it was. */
	readonly settings: Buffer;
	readonly input: Buffer;
	/** Bytes of `input` that are echoed under these settings. */
	readonly echo: number;
	/** What the terminal has not looked at yet. */
	readonly backlog: Buffer;
	readonly output: Buffer;
	/** There may be an unfinished line, which could not be looked for. */
	readonly unseen?: boolean;
}

const nothing = {settings: Buffer.alloc(0), input: Buffer.alloc(0), echo: 0, backlog: Buffer.alloc(0)};

/** struct termios2 */
const [IFLAG, OFLAG, LFLAG, CC] = [0, 4, 12, 17];
const CONTROL_CHARACTERS = 19;
const [VEOF, VTIME, VMIN, VSTART, VSTOP, VEOL, VEOL2] = [4, 5, 6, 8, 9, 11, 16];
const IXON = 0o2000;
const [ICANON, ECHO, IEXTEN, EXTPROC] = [2, 8, 0o100000, 0o200000];
/** What N_TTY has room for: more than that waits in front of it (drivers/tty/n_tty.c, 6.18). */
const ROOM = 4095;
const PIECE = 256;
const ARRIVES_MS = 2000;

/** The same settings, under which bytes pass as they are; whether lines are kept apart stays, since a change of that loses them. */
function inert(settings: Buffer, packet: boolean): Buffer {
	const changed = Buffer.from(settings);
	// In packet mode the master is told of changes of flow control.
	changed.writeUInt32LE(packet ? settings.readUInt32LE(IFLAG) & IXON : 0, IFLAG);
	changed.writeUInt32LE(0, OFLAG);
	changed.writeUInt32LE(settings.readUInt32LE(LFLAG) & (ICANON | IEXTEN), LFLAG);
	for (let i = 0; i < CONTROL_CHARACTERS; i++) {
		const kept = i === VEOL || i === VEOL2 || (packet && (i === VSTART || i === VSTOP));
		changed[CC + i] = kept ? settings[CC + i]! : 0;
	}
	changed[CC + VMIN] = isCanonical(settings) ? 0 : 1;
	return changed;
}

const isCanonical = (settings: Buffer): boolean => (settings.readUInt32LE(LFLAG) & ICANON) !== 0;

function withoutLines(settings: Buffer): Buffer {
	const changed = Buffer.from(settings);
	changed.writeUInt32LE(settings.readUInt32LE(LFLAG) & ~ICANON, LFLAG);
	changed[CC + VMIN] = 1;
	changed[CC + VTIME] = 0;
	return changed;
}

function poll(fd: Fd, events: number, milliseconds: number): number {
	const buffer = Buffer.alloc(8);
	buffer.writeInt32LE(fd, 0);
	buffer.writeInt16LE(events, 4);
	return rawSyscall(nr.poll, buffer, 1, milliseconds) < 0 ? 0 : buffer.readInt16LE(6);
}

/**
 * A stopped pair whose queues are looked at: the kernel has no way to read them without taking them out, so they are taken out and
 * put back at once. Nothing is touched where nothing waits, except that the settings of a terminal in line mode are changed for some
 * microseconds, since an unfinished line shows only without it. It is not looked for in a terminal whose output is held back, or
 * that cannot be opened anew.
 */
export class PtyQueues {
	readonly #packet: boolean;
	readonly #settings: Buffer;
	readonly #buffer = Buffer.alloc(16_384);

	/**
	 * @param slave undefined when it is closed
	 * @param readable the slave is a description of our own, which does not block
	 */
	constructor(
		readonly master: Fd,
		readonly slave: Fd | undefined,
		readonly readable: boolean,
	) {
		this.#packet = isPacketMode(master);
		this.#settings = settingsOf(master) ?? Buffer.alloc(44);
		blockTerminalSignals();
	}

	/** Is output held back (ctrl-S)? */
	get stopped(): boolean {
		return this.slave !== undefined && !(poll(this.slave, POLLOUT, 0) & POLLOUT) && this.#outputWaits() < ROOM;
	}

	/** A copy of what waits; undefined when it cannot be taken out and put back. */
	peek(): Waiting | undefined {
		const {stopped} = this;
		const output = this.#outputWaits() > 0;
		if (output && (stopped || this.#statusWaits())) {
			return undefined;
		}

		if (this.slave !== undefined) {
			return this.#both(this.slave, output, stopped);
		}

		if (!output) {
			return {...nothing, output: Buffer.alloc(0)};
		}

		// Where every slave has been closed, one more which comes and goes changes nothing.
		const peer = poll(this.master, POLLIN, 0) & POLLHUP ? openPeer(this.master) : undefined;
		if (peer === undefined) {
			return undefined;
		}

		try {
			return this.#both(peer, output, stopped);
		} finally {
			closeSync(peer);
		}
	}

	#outputWaits(): number {
		poll(this.master, POLLIN, 0); // makes the kernel move what is on its way
		return bytesWaiting(this.master);
	}

	/** Would the next read in packet mode give a control byte? */
	#statusWaits(): boolean {
		return this.#packet && (poll(this.master, POLLPRI, 0) & POLLPRI) !== 0;
	}

	#both(slave: Fd, hasOutput: boolean, stopped: boolean): Waiting | undefined {
		if (this.#inputIsClosed(slave, stopped)) {
			const unseen = isCanonical(this.#settings);
			return this.#inputWaits(slave) || hasOutput ? undefined : {...nothing, output: Buffer.alloc(0), unseen};
		}

		const output = hasOutput ? this.#takeOutput() : Buffer.alloc(0);
		const waiting = this.#takeInput(slave);
		try {
			if (waiting) {
				this.#set(waiting.settings);
				this.#type(waiting);
			}

			if (output.length > 0) {
				this.#set(inert(this.#settings, this.#packet));
				this.#write(slave, output);
			}
		} finally {
			if (waiting || output.length > 0) {
				this.#set(this.#settings);
			}
		}

		if (waiting && waiting.backlog.length > 0) {
			this.#typeBacklog(waiting.backlog);
		}

		return {...(waiting ?? nothing), output};
	}

	/** No echo would tell that it is back, or it is our own terminal, which we may not read from the background. */
	#inputIsClosed(slave: Fd, stopped: boolean): boolean {
		const ours = ownForeground(slave);
		return (
			stopped ||
			(this.slave !== undefined && !this.readable) ||
			(this.#settings.readUInt32LE(LFLAG) & EXTPROC) !== 0 ||
			(ours !== undefined && ours !== ownGroup())
		);
	}

	#set(settings: Buffer): void {
		rawSyscall(nr.ioctl, this.master, TCSETS2, settings);
	}

	#inputWaits(slave: Fd): boolean {
		return (poll(slave, POLLIN, 0) & POLLIN) !== 0 || bytesWaiting(slave) > 0;
	}

	#takeOutput(): Buffer {
		const parts: Buffer[] = [];
		while (poll(this.master, POLLIN, 0) & POLLIN) {
			const part = this.#readMaster();
			if (!part) {
				break;
			}

			parts.push(part);
		}

		return Buffer.concat(parts);
	}

	#readMaster(): Buffer | undefined {
		const got = rawSyscall(nr.read, this.master, this.#buffer, this.#buffer.length);
		return got > 0 ? Buffer.from(this.#buffer.subarray(this.#packet ? 1 : 0, got)) : undefined;
	}

	/** Whole lines are read as such; what remains, without line mode. */
	#takeInput(slave: Fd): Omit<Waiting, 'output'> | undefined {
		const settings = inert(this.#settings, this.#packet);
		const canonical = isCanonical(settings);
		const waits = this.#inputWaits(slave);
		if (!canonical && !waits) {
			return undefined;
		}

		const lines: Buffer[] = [];
		if (waits) {
			this.#set(settings);
		}

		if (canonical && waits) {
			lines.push(...this.#readSlave(slave));
		}

		if (canonical) {
			this.#set(withoutLines(settings));
		}

		const rest = this.#inputWaits(slave) ? Buffer.concat(this.#readSlave(slave)) : Buffer.alloc(0);
		if (!waits && rest.length === 0) {
			this.#set(this.#settings);
			return undefined;
		}

		return this.#asTyped(settings, lines, rest);
	}

	/** One read for each line; an empty one is an end of file that was typed. */
	#readSlave(slave: Fd): Buffer[] {
		const parts: Buffer[] = [];
		while (parts.length <= 3 * ROOM) {
			const got = rawSyscall(nr.read, slave, this.#buffer, this.#buffer.length);
			if (got < 0) {
				break;
			}

			parts.push(Buffer.from(this.#buffer.subarray(0, got)));
		}

		return parts;
	}

	/** A line without an end was ended by the EOF character: any byte will do for it that is not in the text. */
	#asTyped(settings: Buffer, lines: readonly Buffer[], rest: Buffer): Omit<Waiting, 'output'> {
		const text = Buffer.concat([...lines, rest]);
		let eof = 4;
		while (text.includes(eof) && eof < 255) {
			eof++;
		}

		const ends = new Set([10, settings[CC + VEOL]!, settings[CC + VEOL2]!].filter((end) => end !== 0));
		const typed = lines.flatMap((line) => (ends.has(line.at(-1) ?? -1) ? [line] : [line, Buffer.of(eof)]));
		const all = Buffer.concat([...typed, rest]);
		const input = all.subarray(0, ROOM);
		const fill = Buffer.from(settings);
		fill.writeUInt32LE(settings.readUInt32LE(LFLAG) | ECHO, LFLAG);
		if (isCanonical(settings)) {
			fill[CC + VEOF] = eof;
		}

		const echo = isCanonical(settings) ? input.filter((byte) => byte !== eof).length : input.length;
		return {settings: fill, input, echo, backlog: all.subarray(ROOM)};
	}

	/** The terminal takes it up in its own time; its echo, which nobody else is to see, tells that it has. */
	#type({input, echo}: Omit<Waiting, 'output'>): void {
		let left = echo;
		for (let at = 0; at < input.length; at += PIECE) {
			const piece = input.subarray(at, at + PIECE);
			rawSyscall(nr.write, this.master, piece, piece.length);
			const after = Math.max(0, echo - at - PIECE);
			while (left > after && poll(this.master, POLLIN, ARRIVES_MS) & POLLIN) {
				left -= this.#readMaster()?.length ?? left;
			}
		}
	}

	#typeBacklog(backlog: Buffer): void {
		const flags = fcntl(this.master, F_GETFL) ?? 0;
		fcntl(this.master, F_SETFL, flags | O_NONBLOCK);
		this.#write(this.master, backlog);
		fcntl(this.master, F_SETFL, flags);
	}

	/** More fits in by small pieces than by large ones: 20 KiB instead of 13 (6.18). */
	#write(fd: Fd, bytes: Buffer): void {
		for (let at = 0; at < bytes.length; ) {
			const piece = bytes.subarray(at, at + PIECE);
			const done = rawSyscall(nr.write, fd, piece, piece.length);
			if (done <= 0 && !(poll(fd, POLLOUT, ARRIVES_MS) & POLLOUT)) {
				return;
			}

			at += Math.max(done, 0);
		}
	}
}

/** A freezer that runs on the terminal itself, in the background, is not to be stopped by what it does there. */
function blockTerminalSignals(): void {
	const set = Buffer.alloc(8);
	set.writeBigUInt64LE(SIGTTIN_SIGTTOU);
	rawSyscall(nr.rt_sigprocmask, SIG_BLOCK, set, null, 8);
}
