/** What /proc/TID/sched tells about a sleep. */
export interface SleepFacts {
	/** se.exec_start, nanoseconds of the clock of the CPU's run queue: when the thread last ran. */
	readonly execStart: bigint;
	/** nr_voluntary_switches: tells one sleep from the next. */
	readonly voluntarySwitches: number;
}

export function parseSched(text: string): SleepFacts | undefined {
	const start = /^se\.exec_start\s*:\s*(\d+)\.(\d+)/m.exec(text);
	const switches = /^nr_voluntary_switches\s*:\s*(\d+)/m.exec(text);
	return start?.[1] && start[2] && switches
		? {
				execStart: BigInt(start[1]) * 1_000_000n + BigInt(start[2].padEnd(6, '0').slice(0, 6)),
				voluntarySwitches: Number(switches[1]),
			}
		: undefined;
}
