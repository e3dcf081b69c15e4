import {FroreError} from '../../builder/errors.js';

/** Prose goes to stderr, one line a reason. Never called while a target is stopped: the terminal may be its own. */
export const tell = (line: string): void => void process.stderr.write(`${line}\n`);

/** What stands on stderr for an error: one line a reason. */
export function errorLines(error: unknown): string[] {
	if (error instanceof FroreError) {
		const {lines, hint} = error;
		if (hint === undefined) {
			return lines.map((line) => `frore: ${line}`);
		}

		return lines.length === 1
			? [`frore: ${lines[0]}; ${lowerFirst(hint)}`]
			: [...lines.map((line) => `frore: ${line}`), `frore: ${hint}`];
	}

	const stack = process.env.FRORE_DEBUG && error instanceof Error ? [error.stack ?? ''] : [];
	return [`frore: ${error instanceof Error ? error.message : String(error)}`, ...stack];
}

export function reportError(error: unknown): void {
	for (const line of errorLines(error)) {
		tell(line);
	}
}

/** A hint continues the line, unless it begins with a name. */
const lowerFirst = (text: string): string =>
	/^[A-Z][a-z]/.test(text) ? (text[0] ?? '').toLowerCase() + text.slice(1) : text;

export function formatBytes(bytes: number): string {
	const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
	let value = bytes;
	let unit = 0;
	while (value >= 1024 && unit < units.length - 1) {
		value /= 1024;
		unit++;
	}

	return unit === 0 ? `${value} bytes` : `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
