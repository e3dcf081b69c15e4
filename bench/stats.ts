/** Numbers of repeated measurements, and how they are told. */

/** The middle one; of an even count the larger of the two. */
export function median(numbers: readonly number[]): number {
	if (numbers.length === 0) throw new Error('nothing was measured');
	return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

/** Of pairs that were measured in one run: what else the machine did falls on both. */
export const medianRatio = (pairs: ReadonlyArray<readonly [number, number]>): number =>
	median(pairs.map(([value, reference]) => value / reference));

/** Three digits that mean something, but never an exponent: 0.38, 5.42, 117, 1,480. */
export function digits(value: number): string {
	const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
	return value.toLocaleString('en-US', {minimumFractionDigits: decimals, maximumFractionDigits: decimals});
}

/** MiB as people say it. */
export const size = (mebibytes: number): string =>
	mebibytes >= 1024 ? `${digits(mebibytes / 1024).replace(/\.?0+$/, '')} GiB` : `${mebibytes} MiB`;

/**
 * Rounds of a measurement until there are `most`, or until `budget` milliseconds have gone and there are at least `least`.
 * @returns how many there were
 */
export async function rounds(
	{most, least, budget}: {most: number; least: number; budget: number},
	round: (index: number) => Promise<void>,
): Promise<number> {
	const start = Date.now();
	let done = 0;
	while (done < most && (done < least || Date.now() - start < budget)) await round(done++);
	return done;
}
