/** Panels as one SVG, with a legend for all: it has a ground of its own, so that it is legible on light and on dark pages. */
import {escapeText, marker, straight, text} from './marks.js';
import {drawPanel, type Look, PANEL, type Panel} from './panel.js';
import {decades} from './scale.js';

export interface Figure {
	readonly title: string;
	readonly subtitle: string;
	readonly panels: readonly Panel[];
	readonly columns: number;
	/** By name of a line, in the order of the legend. */
	readonly looks: Readonly<Record<string, Look>>;
	/** Text of a value of y. */
	readonly label: (value: number) => string;
}

const HEADER = 62;
const MARGIN = 14;
const LEGEND = {row: 22, column: 150};

function style(looks: readonly Look[]): string {
	const colors = (dark: 0 | 1) =>
		looks.map(({color}, i) => `.c${i}{stroke:${color[dark]}}.m.c${i}{fill:${color[dark]}}`).join('');
	const dashes = looks.map(({dashed}, i) => (dashed ? `.l.c${i}{stroke-dasharray:5 4}` : '')).join('');
	return `<style>
text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.b{fill:#fff;stroke:#d1d9e0}.a{font-size:11px;fill:#59636e}.h{font-weight:600;font-size:13px}.T{font-weight:600;font-size:16px}
.g{stroke:#e4e8ec}.t{stroke:#818b98}.l{fill:none;stroke-width:2;stroke-linejoin:round}.m{stroke-width:0}
${colors(0)}${dashes}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.b{fill:#0d1117;stroke:#3d444d}.a{fill:#9198a1}.g{stroke:#262c36}.t{stroke:#656c76}
${colors(1)}}
</style>`;
}

/** Lowest and highest value of all, to whole decades. */
function limits(values: readonly number[]): [number, number] {
	if (values.length === 0) throw new Error('there is nothing to draw');
	const all = decades(Math.min(...values), Math.max(...values));
	return [all[0]!, all.length > 1 ? all.at(-1)! : all[0]! * 10];
}

/** All panels share the axis of y, so that they can be compared. Throws when a line has no look, or when there is nothing to draw. */
export function drawFigure({title, subtitle, panels, columns, looks, label}: Figure): string {
	const lines = panels.flatMap((panel) => panel.lines);
	const unknown = lines.find(({name}) => !(name in looks));
	if (unknown) throw new Error(`nothing says how "${unknown.name}" looks`);
	const y = limits(lines.flatMap(({points}) => points.map(([, value]) => value)));
	const names = Object.keys(looks).filter((name) => lines.some((line) => line.name === name));
	const look = (name: string) => ({marker: looks[name]!.marker, className: `c${names.indexOf(name)}`});

	const width = columns * PANEL.width + 2 * MARGIN;
	const body = HEADER + Math.ceil(panels.length / columns) * PANEL.height;
	const perRow = Math.floor((width - 2 * MARGIN) / LEGEND.column);
	const height = body + Math.ceil(names.length / perRow) * LEGEND.row + 2 * MARGIN;

	const drawn = panels.map((panel, i) => {
		const [x, top] = [MARGIN + (i % columns) * PANEL.width, HEADER + Math.floor(i / columns) * PANEL.height];
		return `<g transform="translate(${x} ${top})">\n${drawPanel(panel, y, label, look)}\n</g>`;
	});
	const legend = names.map((name, i) => {
		const [x, top] = [MARGIN + 12 + (i % perRow) * LEGEND.column, body + MARGIN + Math.floor(i / perRow) * LEGEND.row];
		const {marker: kind, className} = look(name);
		const mark = marker(kind, x + 14, top, `m ${className}`);
		return `${straight(x, top, x + 28, top, `l ${className}`)}${mark}${text(x + 36, top + 4, name)}`;
	});
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escapeText(title)}">
${style(names.map((name) => looks[name]!))}
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" class="b"/>
${text(MARGIN + 8, 30, title, 'T')}
${text(MARGIN + 8, 50, subtitle, 'a')}
${drawn.join('\n')}
${legend.join('\n')}
</svg>
`;
}
