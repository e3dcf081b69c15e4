/** How a freeze fails in words: one line "what, to which thing, why, what to do", and the exit code of design §2. */

export const EXIT = {FAILED: 1, USAGE: 2, REFUSED: 3, DAMAGED: 4} as const;

/** `code` names the cause for programs and tests; `lines` hold one reason each (exit code 3 may have several). */
export class FroreError extends Error {
	override readonly name = 'FroreError';
	readonly lines: readonly string[];
	constructor(
		readonly code: string,
		lines: string | readonly string[],
		readonly exitCode: number = EXIT.FAILED,
		options?: ErrorOptions,
	) {
		const list = typeof lines === 'string' ? [lines] : lines;
		super(list.join('\n'), options);
		this.lines = list;
	}
}

/** The target cannot be frozen as it is. */
export const refusal = (code: string, lines: string | readonly string[], cause?: unknown): FroreError =>
	new FroreError(code, lines, EXIT.REFUSED, cause === undefined ? undefined : {cause});
