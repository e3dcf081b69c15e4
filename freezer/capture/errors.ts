import {EXIT, FroreError} from '../../builder/errors.js';

export {EXIT, FroreError};

/** The target cannot be frozen as it is: exit code 3. */
export const refusal = (code: string, lines: string | readonly string[], hint?: string, cause?: unknown): FroreError =>
	new FroreError(code, lines, EXIT.REFUSED, {
		...(hint === undefined ? {} : {hint}),
		...(cause === undefined ? {} : {cause}),
	});

/** The freeze failed for a reason that may pass: exit code 1. */
export const failure = (code: string, line: string, hint?: string, cause?: unknown): FroreError =>
	new FroreError(code, line, EXIT.FAILED, {
		...(hint === undefined ? {} : {hint}),
		...(cause === undefined ? {} : {cause}),
	});
