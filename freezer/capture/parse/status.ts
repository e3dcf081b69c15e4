/** /proc/PID/status: `Key:\tvalue` lines (Documentation/filesystems/proc.rst). */
export interface Status {
	readonly fields: ReadonlyMap<string, string>;
	/** First number of a field, 0 when absent. */
	number(key: string): number;
	/** A hexadecimal mask, 0n when absent. */
	mask(key: string): bigint;
	/** All numbers of a field. */
	numbers(key: string): number[];
	/** Last column of a NSpid-like field: the id as the task itself sees it. */
	inner(key: string): number;
	text(key: string): string;
}

export function parseStatus(text: string): Status {
	const fields = new Map<string, string>();
	for (const line of text.split('\n')) {
		const colon = line.indexOf(':');
		if (colon > 0) {
			fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
		}
	}

	const numbers = (key: string) => (fields.get(key)?.match(/-?\d+/g) ?? []).map(Number);
	return {
		fields,
		numbers,
		number: (key) => numbers(key)[0] ?? 0,
		mask: (key) => BigInt(`0x${fields.get(key) || '0'}`),
		inner: (key) => numbers(key).at(-1) ?? 0,
		text: (key) => fields.get(key) ?? '',
	};
}
