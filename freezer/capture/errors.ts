/** How a capture is refused. The error itself is shared by all parts: builder/errors.ts. */
import {EXIT, FroreError} from '../../builder/errors.js';

export {EXIT, FroreError};

/** The target cannot be frozen as it is. */
export const refusal = (code: string, lines: string | readonly string[], cause?: unknown): FroreError =>
	new FroreError(code, lines, EXIT.REFUSED, cause === undefined ? undefined : {cause});
