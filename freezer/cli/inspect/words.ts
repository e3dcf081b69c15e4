/** Numbers of the kernel in the words that people know from man pages and tools. */

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 1536 -> "1.5 KiB". @param bytes a size; at most two significant digits behind the unit change */
export function size(bytes: number | bigint): string {
	let value = Number(bytes);
	let unit = 0;
	while (value >= 1024 && unit < UNITS.length - 1) {
		value /= 1024;
		unit++;
	}
	return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** 1500000000n -> "1.5 s". @param ns nanoseconds */
export function duration(ns: bigint | number): string {
	const value = Number(ns);
	if (value < 1e3) return `${value} ns`;
	if (value < 1e6) return `${Number((value / 1e3).toPrecision(3))} µs`;
	if (value < 1e9) return `${Number((value / 1e6).toPrecision(3))} ms`;
	return `${Number((value / 1e9).toPrecision(4))} s`;
}

/** "1 thread", "2 threads". */
export const count = (n: number, noun: string): string =>
	`${n} ${noun}${n === 1 ? '' : /(s|x|sh|ch)$/.test(noun) ? 'es' : 's'}`;

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Address as in /proc/PID/maps. */
export const address = (value: bigint): string => value.toString(16).padStart(12, '0');

const signals =
	'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'.split(
		' ',
	);

/** "SIGTERM", "SIGRTMIN+2". @param signo 1..64 */
export function signalName(signo: number): string {
	const name = signals[signo - 1];
	if (name) return `SIG${name}`;
	return signo < 34 ? `signal ${signo}` : signo === 34 ? 'SIGRTMIN' : `SIGRTMIN+${signo - 34}`;
}

/** Names of the signals in a mask whose bit n-1 stands for signal n. */
export function signalNames(mask: bigint): string[] {
	const names: string[] = [];
	for (let signo = 1; signo <= 64; signo++) {
		if ((mask >> BigInt(signo - 1)) & 1n) names.push(signalName(signo));
	}
	return names;
}

/** Names of the set bits, in the order of `bits`; what is left over comes last in hexadecimal. */
export function flagNames(value: number, bits: Readonly<Record<string, number>>): string[] {
	const names: string[] = [];
	let rest = value;
	for (const [name, bit] of Object.entries(bits)) {
		if (bit !== 0 && (value & bit) === bit) {
			names.push(name.toLowerCase().replaceAll('_', '-'));
			rest &= ~bit;
		}
	}
	if (rest !== 0) names.push(hex(rest >>> 0));
	return names;
}

/** "rwxp" of PROT_* and whether the mapping is shared. */
export const protection = (prot: number, shared: boolean): string =>
	`${prot & 1 ? 'r' : '-'}${prot & 2 ? 'w' : '-'}${prot & 4 ? 'x' : '-'}${shared ? 's' : 'p'}`;

const ACCESS = ['read only', 'write only', 'read and write'] as const;
/** File status flags of F_GETFL, fcntl(2). */
const STATUS = {append: 0o2000, nonblock: 0o4000, async: 0o20000, direct: 0o40000, noatime: 0o1000000};

/** @param status as F_GETFL returns it */
export function openMode(status: number): string[] {
	const names = [ACCESS[status & 3] ?? 'no access'] as string[];
	for (const [name, bit] of Object.entries(STATUS)) if (status & bit) names.push(name);
	return names;
}

const LIMITS =
	'cpu-time file-size data stack core resident processes open-files locked-memory address-space file-locks pending-signals message-queues nice realtime-priority realtime-timeout'.split(
		' ',
	);

/** @param resource RLIMIT_* */
export const limitName = (resource: number): string => LIMITS[resource] ?? `limit ${resource}`;

const POLICIES = ['other', 'fifo', 'round robin', 'batch', '', 'idle', 'deadline'];

/** @param policy SCHED_* */
export const policyName = (policy: number): string => POLICIES[policy] || `policy ${policy}`;

const CLOCKS: Readonly<Record<number, string>> = {
	0: 'realtime',
	1: 'monotonic',
	2: 'process cpu',
	3: 'thread cpu',
	7: 'boottime',
	8: 'realtime alarm',
	9: 'boottime alarm',
	11: 'tai',
};

/** @param clockid CLOCK_*; negative ids are those of a thread's or process' CPU time */
export const clockName = (clockid: number): string =>
	CLOCKS[clockid] ?? (clockid < 0 ? 'cpu time' : `clock ${clockid}`);

/** Text for a terminal: control characters, and bytes that were not UTF-8, as \xNN. */
export const printable = (text: string): string =>
	text.replace(
		/[\x00-\x1f\x7f-\x9f\ud800-\udfff]/gu,
		(character) => `\\x${(character.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`,
	);

/** The arguments of a /proc/PID/cmdline. */
export function splitNul(bytes: Uint8Array): string[] {
	const parts = new TextDecoder().decode(bytes).split('\0');
	if (parts.at(-1) === '') parts.pop();
	return parts;
}

/** An argument list as it would be typed; what cannot be printed in the form of `printable`. */
export const commandLine = (argv: readonly string[]): string =>
	argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : quoted(printable(word)))).join(' ');

const quoted = (word: string): string =>
	word.includes("'") && !/["$`\\!]/.test(word) ? `"${word}"` : `'${word.replaceAll("'", `'\\''`)}'`;
