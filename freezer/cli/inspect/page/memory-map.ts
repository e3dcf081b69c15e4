/** The picture of an address space: every mapping a box, as wide as the logarithm of its size, gaps narrowed. */
import type {MapReport} from '../maps.js';
import {size} from '../words.js';
import {Html, html} from './html.js';

const WIDTH = 1000;
const BOX = 34;
const LABEL = 14;
const GAP = 10;
const PAGE = 4096;

interface Box {
	readonly map: MapReport;
	readonly line: number;
	readonly x: number;
	readonly width: number;
	/** Address space before it is not mapped. */
	readonly gap: boolean;
}

/** 4 KiB is 6 wide, each doubling adds 4. */
const widthOf = (bytes: number): number => 6 + 4 * Math.max(0, Math.log2(bytes / PAGE));

/** Class for the colour: what the memory is for. */
export function purpose(map: MapReport): string {
	if (map.protection.startsWith('---')) return 'guard';
	if (map.name === '[stack]') return 'stack';
	if (map.name === '[heap]') return 'heap';
	if (map.protection.endsWith('s')) return 'shared';
	if (map.protection[2] === 'x') return 'code';
	if (map.kind !== 'anonymous') return map.protection[1] === 'w' ? 'data' : 'constant';
	return 'anonymous';
}

export function place(maps: readonly MapReport[]): Box[] {
	const boxes: Box[] = [];
	let x = 0;
	let line = 0;
	let end = '';
	for (const map of maps) {
		const gap = end !== '' && map.start !== end;
		const width = widthOf(map.size);
		if (x + width + (gap ? GAP : 0) > WIDTH && x > 0) {
			x = 0;
			line++;
		} else if (gap) x += GAP;
		boxes.push({map, line, x, width, gap});
		x += width;
		end = map.end;
	}
	return boxes;
}

const shortName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

function draw({map, line, x, width, gap}: Box, label: string): Html {
	const y = line * (BOX + LABEL + 6);
	const own = Math.min(1, map.stored / map.size);
	const inFile = Math.min(1, (map.stored + map.fromFile) / map.size);
	const title = `${map.start}-${map.end} ${map.protection} ${size(map.size)} ${map.name || map.kind}\n${size(map.stored)} of its own in the artefact, ${size(map.fromFile)} equal to a file`;
	const part = (share: number, kind: string): Html =>
		new Html(
			`<rect class="${kind}" x="${x.toFixed(1)}" y="${(y + BOX * (1 - share)).toFixed(1)}" width="${width.toFixed(1)}" height="${(BOX * share).toFixed(1)}"/>`,
		);
	return html`<g><title>${title}</title>${gap && x > 0 ? gapMark(x, y) : new Html('')}${part(1, `box ${purpose(map)}`)}${part(
		inFile,
		`fill file ${purpose(map)}`,
	)}${part(own, `fill ${purpose(map)}`)}${label ? html`<text x="${x.toFixed(1)}" y="${y + BOX + LABEL - 3}">${label}</text>` : ''}</g>`;
}

const gapMark = (x: number, y: number): Html =>
	new Html(`<path class="gap" d="M${(x - GAP / 2).toFixed(1)} ${y} v${BOX}"/>`);

/** A label stands under the first box of a name, when it fits before the next label. */
function labels(boxes: readonly Box[]): string[] {
	let line = -1;
	let free = 0;
	let last = '';
	return boxes.map((box) => {
		if (box.line !== line) [line, free, last] = [box.line, 0, ''];
		const name = shortName(box.map.name);
		if (!name || name === last || box.x < free) return '';
		last = name;
		const text = name.length > 28 ? `${name.slice(0, 27)}…` : name;
		if (box.x + text.length * 6.2 > WIDTH) return '';
		free = box.x + text.length * 6.2 + 8;
		return text;
	});
}

export const purposes = ['code', 'constant', 'data', 'heap', 'anonymous', 'stack', 'shared', 'guard'] as const;

export function memoryMap(maps: readonly MapReport[]): Html {
	const boxes = place(maps);
	const lines = (boxes.at(-1)?.line ?? 0) + 1;
	const height = lines * (BOX + LABEL + 6);
	const names = labels(boxes);
	return html`<svg class="map" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="memory map">${boxes.map((box, i) => draw(box, names[i]!))}</svg>
<p class="legend">${purposes.map((name) => html`<span><i class="${name}"></i>${name}</span>`)}<span>a box is as wide as the logarithm of its size; filled: in the artefact, pale: equal to a file on disk</span></p>`;
}
