/** /proc/PID/limits -> RLIMIT_* numbers. Read there because prlimit(2) on another uid needs CAP_SYS_RESOURCE. */
export interface Limit {
	readonly resource: number;
	/** 2^64-1: unlimited. */
	readonly cur: bigint;
	readonly max: bigint;
}

export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

const names: Record<string, number> = {
	'Max cpu time': 0,
	'Max file size': 1,
	'Max data size': 2,
	'Max stack size': 3,
	'Max core file size': 4,
	'Max resident set': 5,
	'Max processes': 6,
	'Max open files': 7,
	'Max locked memory': 8,
	'Max address space': 9,
	'Max file locks': 10,
	'Max pending signals': 11,
	'Max msgqueue size': 12,
	'Max nice priority': 13,
	'Max realtime priority': 14,
	'Max realtime timeout': 15,
};

const amount = (text: string): bigint => (text === 'unlimited' ? RLIM_INFINITY : BigInt(text));

export function parseLimits(text: string): Limit[] {
	const found: Limit[] = [];
	for (const row of text.split('\n')) {
		const match = /^(Max [a-z ]+?) {2,}(\S+) +(\S+)/.exec(row);
		const resource = names[match?.[1] ?? ''];
		if (match?.[2] && match[3] && resource !== undefined) {
			found.push({resource, cur: amount(match[2]), max: amount(match[3])});
		}
	}

	return found;
}
