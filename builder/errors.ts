/** How frore fails in words: one line "what could not be done, to which thing, why, what to do", and the CLI's exit code. */

export const EXIT = {FAILED: 1, USAGE: 2, REFUSED: 3, DAMAGED: 4} as const;

export interface FroreErrorOptions extends ErrorOptions {
	/** What to do about it; printed on a line of its own. */
	readonly hint?: string;
}

/** `code` names the cause for programs and tests; `lines` hold one reason each (exit code 3 may have several). */
export class FroreError extends Error {
	override readonly name = 'FroreError';
	readonly lines: readonly string[];
	readonly hint?: string;

	constructor(
		readonly code: string,
		lines: string | readonly string[],
		readonly exitCode: number = EXIT.FAILED,
		options: FroreErrorOptions = {},
	) {
		const list = typeof lines === 'string' ? [lines] : lines;
		super(list.join('\n'), options);
		this.lines = list;
		if (options.hint !== undefined) this.hint = options.hint;
	}
}

/** The artefact's bytes are not what was written: exit code 4. */
export const damaged = (text: string): FroreError =>
	new FroreError('damaged', text, EXIT.DAMAGED, {hint: 'Copy it again from where it was written.'});

/** Not an artefact, or one that this version cannot read: exit code 4. */
export const unknownFormat = (text: string, hint?: string): FroreError =>
	new FroreError('unknown-format', text, EXIT.DAMAGED, hint === undefined ? {} : {hint});
