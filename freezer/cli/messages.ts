import {FroreError} from '../../builder/errors.js';

/** Prose goes to stderr, one line a reason. Never called while a target is stopped: the terminal may be its own. */
export const tell = (line: string): void => void process.stderr.write(`${line}\n`);

export function reportError(error: unknown): void {
	if (error instanceof FroreError) {
		for (const line of error.lines) {
			tell(
				`frore: ${line}${error.hint !== undefined && error.lines.length === 1 ? `; ${lowerFirst(error.hint)}` : ''}`,
			);
		}

		if (error.hint !== undefined && error.lines.length > 1) {
			tell(`frore: ${error.hint}`);
		}

		return;
	}

	tell(`frore: ${error instanceof Error ? error.message : String(error)}`);
	if (process.env.FRORE_DEBUG && error instanceof Error) {
		tell(error.stack ?? '');
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
