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
	readonly flags: ReadonlySet<string>;
	readonly pkey: number;
	/** Bytes that no other process shares or that are shared: Rss. */
	readonly rss: number;
	readonly swap: number;
}

const line = /^([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])([sp]) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/;

type Draft = {-readonly [K in keyof Mapping]: Mapping[K]};

/** Text of /proc/PID/smaps (or maps: then without flags). `text` must keep every byte (see toText). */
export function parseSmaps(text: string): Mapping[] {
	const found: Draft[] = [];
	let current: Draft | undefined;
	for (const row of text.split('\n')) {
		const match = line.exec(row);
		if (match) {
			current = draft(match);
			found.push(current);
		} else if (current) {
			detail(current, row);
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
		rss: 0,
		swap: 0,
	};
}

function detail(mapping: Draft, row: string): void {
	const colon = row.indexOf(':');
	const value = row.slice(colon + 1).trim();
	switch (row.slice(0, colon)) {
		case 'VmFlags':
			mapping.flags = new Set(value.split(' '));
			break;
		case 'ProtectionKey':
			mapping.pkey = Number(value);
			break;
		case 'Rss':
			mapping.rss = Number.parseInt(value, 10) * 1024;
			break;
		case 'Swap':
			mapping.swap = Number.parseInt(value, 10) * 1024;
			break;
		default:
	}
}
