/** The figure of the README: pause above, thaw below, against memory, threads and processes. */
import {type ChartId, charts, type Results} from '../report.js';
import {xText} from '../tables.js';
import type {Look, Panel} from './panel.js';
import {drawFigure} from './svg.js';

const GREY = ['#59636e', '#9198a1'] as const;

/** Shapes tell them apart where colours do not; what nothing can beat is grey and dashed. */
const looks: Readonly<Record<string, Look>> = {
	'frore --live': {color: ['#0969da', '#4493f8'], marker: 'circle'},
	'frore --lazy': {color: ['#0969da', '#4493f8'], marker: 'diamond'},
	'frore none': {color: ['#1a7f37', '#3fb950'], marker: 'square'},
	'frore zstd:1': {color: ['#bf8700', '#d29922'], marker: 'triangle'},
	criu: {color: ['#cf222e', '#f85149'], marker: 'square'},
	gcore: {color: ['#8250df', '#ab7df8'], marker: 'triangle'},
	dmtcp: {color: ['#bf3989', '#db61a2'], marker: 'diamond'},
	'bare copy': {color: GREY, marker: 'none', dashed: true},
	'bare read': {color: GREY, marker: 'none', dashed: true},
	cp: {color: GREY, marker: 'circle', dashed: true},
	memcpy: {color: GREY, marker: 'diamond', dashed: true},
};

function panelOf(chart: ChartId, {points}: Results): Panel | undefined {
	const mine = points.filter((point) => point.chart === chart && point.ms > 0).sort((a, b) => a.x - b.x);
	const xs = [...new Set(mine.map(({x}) => x))];
	if (xs.length < 2) return undefined;
	const lines = Object.keys(looks).map((name) => ({
		name,
		points: mine.filter(({tool}) => tool === name).map(({x, ms}) => [x, ms] as const),
	}));
	const ticks = xs.map((x) => [x, xText(chart, x)] as const);
	return {title: charts[chart].title, lines: lines.filter((line) => line.points.length > 0), ticks};
}

const milliseconds = (value: number): string => (value >= 1000 ? `${value / 1000} s` : `${value} ms`);

/** Undefined when too little has been measured. */
export function figureOf(results: Results): string | undefined {
	const panels = Object.keys(charts).flatMap((chart) => panelOf(chart as ChartId, results) ?? []);
	if (panels.length === 0) return undefined;
	const {CPU, kernel, criu} = results.machine;
	const against = criu ? `; criu ${criu.replace(/^Version: /, '')}` : '';
	return drawFigure({
		title: 'How long a program stands still, and how soon it goes on',
		subtitle: `Images on tmpfs; medians; a pause is the largest gap between two beats of the program itself. ${CPU}, ${kernel}${against}`,
		panels,
		columns: Math.min(3, panels.length),
		looks,
		label: milliseconds,
	});
}
