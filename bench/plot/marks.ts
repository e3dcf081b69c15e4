/** The pieces that a drawing in SVG is made of. */

export type Marker = 'circle' | 'square' | 'diamond' | 'triangle' | 'none';

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'};

export const escapeText = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);

export const round = (pixels: number): string => String(Math.round(pixels * 10) / 10);

/** @param anchor which end of the text stands at x */
export function text(x: number, y: number, content: string, classes = '', anchor = 'start'): string {
	const shape = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${classes && ` class="${classes}"`}`;
	return `<text ${shape}>${escapeText(content)}</text>`;
}

export const straight = (x1: number, y1: number, x2: number, y2: number, classes: string): string =>
	`<line x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}" class="${classes}"/>`;

const corners: Readonly<Record<'square' | 'diamond' | 'triangle', ReadonlyArray<readonly [number, number]>>> = {
	square: [
		[-3.1, -3.1],
		[3.1, -3.1],
		[3.1, 3.1],
		[-3.1, 3.1],
	],
	diamond: [
		[0, -4.4],
		[4.4, 0],
		[0, 4.4],
		[-4.4, 0],
	],
	triangle: [
		[0, -4.2],
		[4, 3.2],
		[-4, 3.2],
	],
};

export function marker(kind: Marker, x: number, y: number, classes: string): string {
	if (kind === 'none') return '';
	if (kind === 'circle') return `<circle cx="${round(x)}" cy="${round(y)}" r="3.4" class="${classes}"/>`;
	const places = corners[kind].map(([dx, dy]) => `${round(x + dx)},${round(y + dy)}`);
	return `<polygon points="${places.join(' ')}" class="${classes}"/>`;
}
