import {closeSync, statSync} from 'node:fs';
import {constants} from '../../../builder/format/schema.js';
import {eventsNow, ioctlGet, POLLHUP, POLLIN} from '../../sys/descriptors.js';
import {readProcText} from '../../sys/procfs.js';
import * as pty from '../../sys/pty.js';
import {PtyQueues} from '../../sys/pty-queues.js';
import type {Fd} from '../../sys/types.js';
import type {CaptureContext, CapturedTask} from '../context.js';
import {parseStat} from '../parse/stat.js';
import {externalEnd, outsideHolder, terminalKey} from './external.js';
import {
	append,
	type Carried,
	type Description,
	O_ACCMODE,
	O_PATH,
	S_IFCHR,
	typeOf,
	where,
	withPulled,
} from './types.js';

const {KIND, PTY, PTY_END} = constants;
const DEV_TTY = 0x500n;
const DEV_PTMX = 0x502n;
const PTS_MAJORS = [136n, 143n] as const;
const TIOCGWINSZ = 0x5413;
const PERMISSIONS = 0o7777;

/** A pseudo-terminal whose master is inside, or whose master is closed. */
interface Pair {
	/** N of /dev/pts/N; -1 where that is not known any more. */
	readonly index: number;
	/** st_dev of its devpts. */
	readonly instance: bigint;
	/** Undefined: it has been closed, and the slaves are hung up. */
	readonly master: Description | undefined;
	readonly slaves: Description[];
	/** Session that it controls, in the numbering of the freezer; 0 none. */
	readonly session: number;
	row: number;
}

interface Ids {
	readonly task: CapturedTask;
	readonly session: number;
	readonly group: number;
}

/** Pseudo-terminals of the target: tables `pty` (ends) and `pty_pair`. */
export class Ptys {
	readonly #pairs: Pair[] = [];
	readonly #byDescription = new Map<Description, Pair>();
	#known: readonly Ids[] | undefined;

	constructor(
		readonly context: CaptureContext,
		descriptions: readonly Description[],
	) {
		const terminals = descriptions.filter((one) => typeOf(one) === S_IFCHR && !(one.info.flags & O_PATH));
		const byKey = new Map<string, Pair>();
		for (const description of terminals.filter(({stat}) => stat.rdev === DEV_PTMX)) {
			const pair = this.#pairOf(description);
			if (pair) {
				byKey.set(`${pair.instance}:${pair.index}`, pair);
				this.#add(pair, description);
			}
		}

		for (const description of terminals) {
			const pair = this.#slaveOf(description, byKey);
			if (pair) {
				pair.slaves.push(description);
				this.#add(pair, description);
			}
		}

		this.#pairs.sort((a, b) => (a.index >>> 0) - (b.index >>> 0));
	}

	get #ids(): readonly Ids[] {
		this.#known ??= this.context.tasks.map(idsOf);
		return this.#known;
	}

	has = (description: Description): boolean => this.#byDescription.has(description);

	/** Has the target terminals of its own, like a terminal multiplexer? */
	get any(): boolean {
		return this.#pairs.some(({master}) => master !== undefined);
	}

	/** Is the controlling terminal of this session (numbering of the freezer) one of these? */
	controls = (session: number): boolean => this.#pairs.some((pair) => session !== 0 && pair.session === session);

	capture(description: Description): Carried {
		const pair = this.#byDescription.get(description)!;
		if (pair.row < 0) {
			for (const one of this.#pairs) {
				one.row = append(this.context, 'pty_pair', one.master ? this.#pairRow(one, one.master) : hungUp(one));
			}
		}

		const isMaster = description === pair.master;
		if (isMaster && this.#isHeldOutside(pair)) {
			return this.#withoutOtherEnd(pair, description);
		}

		return this.#end(pair, description, isMaster ? PTY_END.MASTER : PTY_END.SLAVE);
	}

	/** A terminal whose master is outside, after a hangup: a slave without its master. */
	captureHungUp(description: Description): Carried {
		const pair = withoutMaster(-1);
		pair.row = append(this.context, 'pty_pair', hungUp(pair));
		return this.#end(pair, description, PTY_END.SLAVE);
	}

	#add(pair: Pair, description: Description): void {
		this.#byDescription.set(description, pair);
		if (!this.#pairs.includes(pair)) {
			this.#pairs.push(pair);
		}
	}

	#pairOf(master: Description): Pair | undefined {
		return withPulled(master, (fd) => {
			const index = pty.ptyNumber(fd);
			if (index === undefined) {
				return undefined;
			}

			return {index, instance: instanceOf(master), master, slaves: [], session: pty.sessionOf(fd), row: -1};
		});
	}

	/** The pair that a terminal is the slave of; a new one for a terminal that has lost its master. */
	#slaveOf(description: Description, byKey: Map<string, Pair>): Pair | undefined {
		const {dev, rdev} = description.stat;
		const major = rdev >> 8n;
		if (rdev === DEV_TTY) {
			return this.#behindDevTty(description);
		}

		if (major < PTS_MAJORS[0] || major > PTS_MAJORS[1]) {
			return undefined;
		}

		const index = minorOf(Number(rdev));
		const key = `${dev}:${index}`;
		const known = byKey.get(key);
		if (known || withPulled(description, pty.settingsOf)) {
			return known;
		}

		const pair = withoutMaster(index);
		byKey.set(key, pair);
		return pair;
	}

	/** Only the device number can be had: terminals of two instances of devpts are told apart by the session. */
	#behindDevTty(description: Description): Pair | undefined {
		const device = withPulled(description, pty.realDevice);
		if (device === undefined) {
			return withoutMaster(-1);
		}

		const sessions = new Set(description.holders.map(({task}) => this.#ids.find((ids) => ids.task === task)?.session));
		const alike = this.#pairs.filter(({index, master}) => master && index === minorOf(device));
		return (
			alike.find(({session}) => sessions.has(session)) ?? (this.#outerTerminals().has(device) ? undefined : alike[0])
		);
	}

	#outerTerminals(): Set<number> {
		const stats = this.context.tasks.map(({pid}) => parseStat(readProcText(`/proc/${pid}/stat`)));
		return new Set(stats.filter(({session}) => !this.controls(session)).map(({ttyNr}) => ttyNr));
	}

	#isHeldOutside(pair: Pair): boolean {
		return pair.slaves.length === 0 && !hasBeenLeft(pair.master!) && holderOf(this.context, pair) !== '';
	}

	#withoutOtherEnd(pair: Pair, description: Description): Carried {
		const {context} = this;
		const told = `the master of /dev/pts/${pair.index}`;
		if (context.options.external !== 'hangup') {
			const holder = () => holderOf(context, pair);
			return externalEnd(context, description, {kind: 'pty', told, holder, byDefault: 'refuse'});
		}

		context.warn({
			...where(description),
			kind: 'pty',
			text: `${told}${holderOf(context, pair)}: after the resume the program on it has left`,
		});
		const row = context.snapshot.pty_pair[pair.row]!;
		row.flags |= PTY.LEFT;
		return this.#end(pair, description, PTY_END.MASTER);
	}

	#end(pair: Pair, description: Description, end: number): Carried {
		const open_flags = description.info.flags & O_ACCMODE;
		return {kind: KIND.PTY, row: append(this.context, 'pty', {pair: pair.row, end, open_flags, pad0: 0})};
	}

	#pairRow(pair: Pair, description: Description) {
		return withPulled(description, (master) => {
			if (pair.slaves.length === 0) {
				return this.#lookAt(pair, description, master, undefined, new PtyQueues(master, undefined, false));
			}

			const peer = pty.openPeer(master);
			try {
				// A locked or exclusive one cannot be opened anew; the target's own may block.
				return withPulled(pair.slaves[0]!, (slave) =>
					this.#lookAt(pair, description, master, slave, new PtyQueues(master, peer ?? slave, peer !== undefined)),
				);
			} finally {
				if (peer !== undefined) {
					closeSync(peer);
				}
			}
		});
	}

	#lookAt(pair: Pair, description: Description, master: Fd, slave: Fd | undefined, queues: PtyQueues) {
		const flag = (condition: boolean, value: number) => (condition ? value : 0);
		const left = pair.slaves.length === 0 && hasBeenLeft(description);
		const window = ioctlGet(master, TIOCGWINSZ, 8) ?? Buffer.alloc(8);
		const flags =
			flag(pty.isLocked(master), PTY.LOCKED) |
			flag(pty.isPacketMode(master), PTY.PACKET) |
			flag(slave !== undefined && pty.isExclusive(slave), PTY.EXCLUSIVE) |
			flag(pty.isExclusive(master), PTY.MASTER_EXCLUSIVE) |
			flag(left, PTY.LEFT) |
			flag(queues.stopped, PTY.STOPPED);
		if (pty.lineDiscipline(slave ?? master) !== 0) {
			this.#refuse(
				description,
				'line-discipline',
				`/dev/pts/${pair.index} has another line discipline than a terminal`,
			);
		}

		const waiting = queues.peek();
		if (!waiting) {
			this.#refuse(
				description,
				'pty-content',
				`what waits in /dev/pts/${pair.index} cannot be taken out and put back`,
				'Let its output go on if it is held back (ctrl-Q); run frore on another terminal; or wait until its master has read.',
			);
		}

		if (waiting?.unseen) {
			this.context.warn({
				...where(description),
				kind: 'pty-line',
				text: `an unfinished line that may have been typed into /dev/pts/${pair.index} is lost: nobody can look at it in this state (output held back, exclusive, locked or EXTPROC)`,
			});
		}

		const stat = pair.slaves[0]?.stat;
		return {
			index: pair.index,
			session: this.#innerSession(pair, description),
			foreground: this.#innerGroup(pty.foregroundOf(master)),
			flags,
			rows: window.readUInt16LE(0),
			cols: window.readUInt16LE(2),
			xpixel: window.readUInt16LE(4),
			ypixel: window.readUInt16LE(6),
			mode: (stat?.mode ?? 0) & PERMISSIONS,
			uid: stat?.uid ?? 0,
			gid: stat?.gid ?? 0,
			echo: waiting?.echo ?? 0,
			termios: pty.settingsOf(master) ?? new Uint8Array(),
			fill_termios: waiting?.settings ?? new Uint8Array(),
			input: waiting?.input ?? new Uint8Array(),
			backlog: waiting?.backlog ?? new Uint8Array(),
			output: waiting?.output ?? new Uint8Array(),
		};
	}

	#refuse(description: Description, kind: string, text: string, hint?: string): void {
		this.context.refuse({...where(description), kind, text, ...(hint ? {hint} : {})});
	}

	/** As the target knows it. A session is given its terminal by its leader. */
	#innerSession(pair: Pair, description: Description): number {
		if (pair.session === 0) {
			return 0;
		}

		const leader = this.#ids.find(({task}) => (task.pid as number) === pair.session);
		if (!leader && this.#ids.some(({session}) => session === pair.session)) {
			this.context.warn({
				...where(description),
				kind: 'session',
				text: `/dev/pts/${pair.index} controls session ${pair.session}, whose leader is outside the target: after the resume it controls none`,
			});
		}

		return leader?.task.innerPid ?? 0;
	}

	#innerGroup(group: number): number {
		const member = this.#ids.find((ids) => group !== 0 && ids.group === group);
		return member ? this.context.snapshot.task[member.task.row]!.pgid : 0;
	}
}

/** Of /dev/pts/N and of the terminal that /dev/tty stands for: 8 bits low, 12 bits above the major. */
const minorOf = (device: number): number => (device & 0xff) | ((device >>> 12) & 0xf_ff00);

function idsOf(task: CapturedTask): Ids {
	const {session, pgrp} = parseStat(readProcText(`/proc/${task.pid}/stat`));
	return {task, session, group: pgrp};
}

/** st_dev of the devpts that a master belongs to: its own, or that beside the device node it was opened through. */
function instanceOf(master: Description): bigint {
	const [holder] = master.holders;
	const beside = `${master.link.slice(0, master.link.lastIndexOf('/'))}/pts`;
	try {
		const inode = statSync(`/proc/${holder?.task.pid ?? 'self'}/root${beside}`, {bigint: true});
		return master.link.endsWith('/pts/ptmx') ? master.stat.dev : inode.dev;
	} catch {
		return master.stat.dev;
	}
}

/** Have all slaves been closed, after one had been open? */
const hasBeenLeft = (master: Description): boolean =>
	withPulled(master, (fd) => (eventsNow(fd, POLLIN) & POLLHUP) !== 0);

const holderOf = (context: CaptureContext, {index, instance}: Pair): string =>
	outsideHolder(context, terminalKey(`/dev/pts/${index}`, instance));

const withoutMaster = (index: number): Pair => ({
	index,
	instance: 0n,
	master: undefined,
	slaves: [],
	session: 0,
	row: -1,
});

const hungUp = ({index}: Pair) => ({
	index,
	session: 0,
	foreground: 0,
	flags: PTY.HUNG_UP,
	rows: 0,
	cols: 0,
	xpixel: 0,
	ypixel: 0,
	mode: 0,
	uid: 0,
	gid: 0,
	echo: 0,
	termios: new Uint8Array(),
	fill_termios: new Uint8Array(),
	input: new Uint8Array(),
	backlog: new Uint8Array(),
	output: new Uint8Array(),
});
