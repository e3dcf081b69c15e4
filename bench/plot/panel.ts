/** Lines on two logarithmic axes. */
import {type Marker, marker, round, straight, text} from './marks.js';
import {decades, logScale, type Scale} from './scale.js';

export interface Line {
	/** Its name in the legend; lines of one name look alike in all panels. */
	readonly name: string;
	readonly points: ReadonlyArray<readonly [number, number]>;
}

export interface Panel {
	readonly title: string;
	readonly lines: readonly Line[];
	/** Values of x that are told below the axis. */
	readonly ticks: ReadonlyArray<readonly [number, string]>;
}

export interface Look {
	/** On a light and on a dark ground. */
	readonly color: readonly [string, string];
	readonly marker: Marker;
	readonly dashed?: boolean;
}

/** Pixels that a letter of a label takes, about. */
const LETTER = 7;

export const PANEL = {width: 330, height: 270, left: 52, right: 14, top: 34, bottom: 30};

/** @param y lowest and highest value of the axis */
export function drawPanel(
	{title, lines, ticks}: Panel,
	y: readonly [number, number],
	label: (value: number) => string,
	look: (name: string) => {marker: Marker; className: string},
): string {
	const {left, right, top, bottom, width, height} = PANEL;
	const xs = ticks.map(([value]) => value);
	const xScale = logScale(Math.min(...xs), Math.max(...xs), left + 8, width - right - 8);
	const yScale = logScale(...y, height - bottom, top);
	const parts = [text(left, top - 12, title, 'h')];
	for (const value of decades(...y)) {
		const at = yScale.at(value);
		parts.push(straight(left, at, width - right, at, 'g'), text(left - 6, at + 4, label(value), 'a', 'end'));
	}
	let free = 0;
	for (const [value, words] of ticks) {
		const at = xScale.at(value);
		parts.push(straight(at, height - bottom, at, height - bottom + 4, 't'));
		const half = (words.length * LETTER) / 2;
		// One that would run into the one before is left out.
		if (at - half < free) continue;
		free = at + half;
		parts.push(text(at, height - bottom + 17, words, 'a', 'middle'));
	}
	parts.push(straight(left, height - bottom, width - right, height - bottom, 't'));
	return [...parts, ...lines.map((line) => drawLine(line, look(line.name), xScale, yScale))].join('\n');
}

function drawLine({points}: Line, look: {marker: Marker; className: string}, x: Scale, y: Scale): string {
	const places = points.map(([at, value]) => [x.at(at), y.at(value)] as const);
	const path = places.map(([px, py]) => `${round(px)},${round(py)}`).join(' ');
	const marks = places.map(([px, py]) => marker(look.marker, px, py, `m ${look.className}`));
	return [`<polyline points="${path}" class="l ${look.className}"/>`, ...marks].join('');
}
