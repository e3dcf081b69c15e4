/** One mapping as /proc/PID/smaps tells it. */
export interface Mapping {
	readonly start: bigint;
	readonly end: bigint;
	readonly read: boolean;
	readonly write: boolean;
	readonly execute: boolean;
	readonly shared: boolean;
	readonly offset: bigint;
	/** "major:minor", hexadecimal. */
	readonly dev: string;
	readonly ino: bigint;
	/** As the kernel prints it, "\n" unescaped, " (deleted)" cut off; "" for nameless memory. */
	readonly path: string;
	readonly deleted: boolean;
	/** Two-letter codes of VmFlags. */
	flags: ReadonlySet<string>;
	readonly pkey: number;
	/** Where pages that are not there yet hold something all the same: see lazy.ts. */
	readonly unread?: readonly {readonly start: bigint; readonly end: bigint}[];
}

const line = /^([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])([sp]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/;

type Draft = {-readonly [K in keyof Mapping]: Mapping[K]};

/** Text of /proc/PID/smaps (or maps: then without flags). `text` must keep every byte (see toText). */
export function parseSmaps(text: string): Mapping[] {
	const found: Draft[] = [];
	let current: Draft | undefined;
	for (let start = 0, end: number; start < text.length; start = end + 1) {
		const next = text.indexOf('\n', start);
		end = next < 0 ? text.length : next;
		const first = text.charCodeAt(start);
		if (first < UPPER_A || first > UPPER_Z) {
			const match = line.exec(text.slice(start, end));
			if (match) {
				current = draft(match);
				found.push(current);
			}
		} else if (current) {
			detail(current, text, start, end);
		}
	}

	return found;
}

function draft(match: RegExpExecArray): Draft {
	const printed = (match[10] ?? '').replaceAll('\\012', '\n');
	const deleted = printed.endsWith(' (deleted)');
	return {
		start: BigInt(`0x${match[1]}`),
		end: BigInt(`0x${match[2]}`),
		read: match[3] === 'r',
		write: match[4] === 'w',
		execute: match[5] === 'x',
		shared: match[6] === 's',
		offset: BigInt(`0x${match[7]}`),
		dev: match[8] ?? '',
		ino: BigInt(match[9] ?? '0'),
		path: deleted ? printed.slice(0, -10) : printed,
		deleted,
		flags: new Set(),
		pkey: 0,
	};
}

/** Two in twenty-four of the lines are of use: thousands of mappings are read while the target stands still. */
function detail(mapping: Draft, text: string, start: number, end: number): void {
	const value = () => text.slice(text.indexOf(':', start) + 1, end).trim();
	if (text.startsWith('VmFlags:', start)) {
		mapping.flags = flagsOf(value());
	} else if (text.startsWith('ProtectionKey:', start)) {
		mapping.pkey = Number(value());
	}
}

const known = new Map<string, ReadonlySet<string>>();

/** Most mappings have one of few combinations. */
function flagsOf(text: string): ReadonlySet<string> {
	let flags = known.get(text);
	if (!flags) {
		flags = new Set(text.split(' '));
		known.set(text, flags);
	}

	return flags;
}

const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
