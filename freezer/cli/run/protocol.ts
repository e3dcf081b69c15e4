/** What `frore freeze` and `frore run` say to each other: one JSON object per line. */
import type {FreezeFlags} from '../freeze-options.js';

export interface FreezeAsked {
	readonly version: string;
	/** As on the command line. */
	readonly pid: string;
	readonly flags: FreezeFlags;
	/** Where relative paths begin. */
	readonly cwd: string;
}

/** Any number of stdout and stderr, then exit. */
export type Answer =
	| {readonly kind: 'stdout' | 'stderr'; readonly text: string}
	| {readonly kind: 'exit'; readonly code: number};

/** Calls `take` for each whole line of what comes in pieces. */
export function lineSplitter(take: (line: string) => void): (chunk: string) => void {
	let rest = '';
	return (chunk) => {
		const lines = (rest + chunk).split('\n');
		rest = lines.pop()!;
		for (const line of lines) take(line);
	};
}
