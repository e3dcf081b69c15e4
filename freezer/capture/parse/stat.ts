/** /proc/PID/stat, the fields we use (Documentation/filesystems/proc.rst, numbered from 1). */
export interface Stat {
	readonly comm: string;
	readonly state: string;
	readonly ppid: number;
	readonly pgrp: number;
	readonly session: number;
	readonly ttyNr: number;
	readonly tpgid: number;
	readonly flags: number;
	/** Of the process; a first thread that has ended counts as long as others live. */
	readonly threads: number;
	readonly startTime: bigint;
	readonly startCode: bigint;
	readonly endCode: bigint;
	readonly startStack: bigint;
	readonly exitSignal: number;
	readonly startData: bigint;
	readonly endData: bigint;
	readonly startBrk: bigint;
	readonly argStart: bigint;
	readonly argEnd: bigint;
	readonly envStart: bigint;
	readonly envEnd: bigint;
	/** As wait4(2) tells it; 0 while the process lives, but for a stop that it has not told yet (since 6.8, fs/proc/array.c). */
	readonly exitCode: number;
}

/** The name may hold spaces and parentheses: the fields are counted from the last ")". */
export function parseStat(text: string): Stat {
	const open = text.indexOf('(');
	const close = text.lastIndexOf(')');
	const rest = text
		.slice(close + 2)
		.trim()
		.split(' ');
	const at = (n: number): string => rest[n - 3] ?? '0';
	return {
		comm: text.slice(open + 1, close),
		state: at(3),
		ppid: Number(at(4)),
		pgrp: Number(at(5)),
		session: Number(at(6)),
		ttyNr: Number(at(7)),
		tpgid: Number(at(8)),
		flags: Number(at(9)),
		threads: Number(at(20)),
		startTime: BigInt(at(22)),
		startCode: BigInt(at(26)),
		endCode: BigInt(at(27)),
		startStack: BigInt(at(28)),
		exitSignal: Number(at(38)),
		startData: BigInt(at(45)),
		endData: BigInt(at(46)),
		startBrk: BigInt(at(47)),
		argStart: BigInt(at(48)),
		argEnd: BigInt(at(49)),
		envStart: BigInt(at(50)),
		envEnd: BigInt(at(51)),
		exitCode: Number(at(52)),
	};
}
