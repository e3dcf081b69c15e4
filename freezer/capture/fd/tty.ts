import {constants} from '../../../builder/format/schema.js';
import {ioctlGet} from '../../sys/descriptors.js';
import {readProcText} from '../../sys/procfs.js';
import type {CaptureContext} from '../context.js';
import {parseStat} from '../parse/stat.js';
import {externalEnd} from './external.js';
import type {Ptys} from './pty.js';
import {
	append,
	type Carried,
	type Description,
	O_ACCMODE,
	O_CLOEXEC,
	S_IFCHR,
	typeOf,
	where,
	withPulled,
} from './types.js';

const {KIND, TTY} = constants;
const TCGETS2 = 0x802c_542a;
const TERMIOS2_SIZE = 44;
const TIOCGWINSZ = 0x5413;
const TIOCGEXCL = 0x8004_5440;
const DEV_TTY = 0x500n;
const PTS_MAJORS = [136n, 143n] as const;

/** Terminals whose master is outside: which is the controlling one, and how each is set. */
export class Terminals {
	readonly #controlling = new Set<bigint>();
	readonly #stdio = new Set<bigint>();
	readonly #answers = new Map<Description, boolean>();

	constructor(
		readonly context: CaptureContext,
		readonly ptys: Ptys,
		descriptions: readonly Description[],
	) {
		for (const {pid} of context.tasks) {
			const {ttyNr, session} = parseStat(readProcText(`/proc/${pid}/stat`));
			if (ttyNr !== 0 && !ptys.controls(session)) {
				this.#controlling.add(BigInt(ttyNr));
			}
		}

		for (const description of descriptions) {
			if (description.holders.some(({fd}) => fd <= 2) && this.is(description)) {
				this.#stdio.add(description.stat.rdev);
			}
		}
	}

	is(description: Description): boolean {
		if (typeOf(description) !== S_IFCHR || this.ptys.has(description)) {
			return false;
		}

		let answer = this.#answers.get(description);
		if (answer === undefined) {
			answer = withPulled(description, (fd) => ioctlGet(fd, TCGETS2, TERMIOS2_SIZE) !== undefined);
			this.#answers.set(description, answer);
		}

		return answer;
	}

	isControlling = ({stat}: Description): boolean => stat.rdev === DEV_TTY || this.#controlling.has(stat.rdev);

	/** Settings of the controlling terminal, once, for the launcher to set again, also when only stdio led to it. */
	tell(description: Description): void {
		const known = this.context.snapshot.tty.some(({flags}) => flags & TTY.CONTROLLING);
		if (!known && this.isControlling(description)) {
			append(this.context, 'tty', this.#row(description, TTY.CONTROLLING));
		}
	}

	capture(description: Description): Carried {
		const {rdev} = description.stat;
		const major = rdev >> 8n;
		if (this.isControlling(description) || this.#stdio.has(rdev)) {
			return {kind: KIND.TTY, row: append(this.context, 'tty', this.#row(description, TTY.CONTROLLING))};
		}

		if (major >= PTS_MAJORS[0] && major <= PTS_MAJORS[1]) {
			return this.#external(description);
		}

		return {kind: KIND.TTY, row: append(this.context, 'tty', this.#row(description, 0))};
	}

	/** A terminal multiplexer has those of its clients, who come back by themselves: it may see them hung up. */
	#external(description: Description): Carried {
		const told = `the terminal ${description.link}, which is not the controlling one`;
		const policy = this.context.options.external ?? (this.ptys.any ? 'hangup' : 'refuse');
		if (policy !== 'hangup') {
			return externalEnd(this.context, description, {kind: 'terminal', told, byDefault: 'refuse'});
		}

		this.context.warn({...where(description), kind: 'terminal', text: `${told}: after the resume it has hung up`});
		return this.ptys.captureHungUp(description);
	}

	#row(description: Description, flags: number) {
		return withPulled(description, (fd) => {
			const window = ioctlGet(fd, TIOCGWINSZ, 8) ?? Buffer.alloc(8);
			const exclusive = ioctlGet(fd, TIOCGEXCL, 4)?.readInt32LE() ?? 0;
			return {
				flags: flags | (exclusive ? TTY.EXCLUSIVE : 0),
				rows: window.readUInt16LE(0),
				cols: window.readUInt16LE(2),
				open_flags: description.info.flags & ~O_CLOEXEC & (O_ACCMODE | 0o4000),
				termios: ioctlGet(fd, TCGETS2, TERMIOS2_SIZE) ?? new Uint8Array(),
				path: description.link,
			};
		});
	}
}
