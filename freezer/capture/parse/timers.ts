/** One entry of /proc/PID/timers (CONFIG_CHECKPOINT_RESTORE). */
export interface PosixTimer {
	readonly id: number;
	readonly signo: number;
	readonly sigval: bigint;
	/** SIGEV_SIGNAL 0, NONE 1, THREAD 2, | THREAD_ID 4. */
	readonly notify: number;
	/** The thread or process notified, in the numbering of the reader. */
	readonly target: number;
	readonly clockid: number;
}

export function parseTimers(text: string): PosixTimer[] {
	const found: PosixTimer[] = [];
	for (const block of text.split(/^ID: /m).slice(1)) {
		const signal = /^signal: (\d+)\/([0-9a-fx]+)/m.exec(block);
		const notify = /^notify: (\w+)\/(pid|tid)\.(\d+)/m.exec(block);
		const kind = {signal: 0, none: 1, thread: 2}[notify?.[1] ?? ''] ?? 0;
		const sigval = signal?.[2] ?? '0';
		found.push({
			id: Number.parseInt(block, 10),
			signo: Number(signal?.[1] ?? 0),
			sigval: BigInt(sigval.startsWith('0x') ? sigval : `0x${sigval}`),
			notify: kind | (notify?.[2] === 'tid' ? 4 : 0),
			target: Number(notify?.[3] ?? 0),
			clockid: Number(/^ClockID: (-?\d+)/m.exec(block)?.[1] ?? 0),
		});
	}

	return found;
}
