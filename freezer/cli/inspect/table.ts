/** Columns of text, two spaces apart, without lines. */
import {isatty} from 'node:tty';
import Table from 'cli-table3';
import pico from 'picocolors';

const NO_LINES = Object.fromEntries(
	'top top-mid top-left top-right bottom bottom-mid bottom-left bottom-right left left-mid mid mid-mid right right-mid'
		.split(' ')
		.map((name) => [name, '']),
);

/** Colours when standard output is a terminal and NO_COLOR is not set. */
export const colors = pico.createColors(isatty(1) && process.env.NO_COLOR === undefined);

/** @param right numbers of the columns that are aligned to the right */
export function columns(
	head: readonly string[],
	rows: readonly (readonly string[])[],
	right: readonly number[] = [],
): string {
	const table = new Table({
		head: head.map((word) => colors.dim(word)),
		chars: {...NO_LINES, middle: '  '},
		style: {'padding-left': 0, 'padding-right': 0, head: [], border: []},
		colAligns: head.map((_, column) => (right.includes(column) ? 'right' : 'left')),
	});
	for (const row of rows) table.push([...row]);
	return table
		.toString()
		.split('\n')
		.map((line) => line.trimEnd())
		.join('\n');
}
