/** The results as tables: every curve's points, every row beside its goal, and what is missing. */
import Table from 'cli-table3';
import {goalText, judge, rows} from './goals.js';
import {asText, type ChartId, charts, type Point, type Results} from './report.js';
import {digits, size} from './stats.js';

type Cells = string[];

const table = (head: Cells, lines: Cells[], right: number): string => {
	const colAligns = head.map((_, i) => (i >= right ? 'right' : 'left') as 'left' | 'right');
	const made = new Table({head, colAligns, style: {head: [], border: [], compact: true}});
	made.push(...lines);
	return made.toString();
};

export const xText = (chart: ChartId, x: number): string =>
	charts[chart].x === 'size' ? size(x) : x.toLocaleString('en-US');

/** The pause that the target saw, and behind it what the tool itself says. */
const cell = (point: Point | undefined): string =>
	point === undefined ? '' : `${digits(point.ms)}${point.own === undefined ? '' : ` (${digits(point.own)})`}`;

function chartTable(chart: ChartId, points: readonly Point[]): string {
	const tools = [...new Set(points.map(({tool}) => tool))];
	const xs = [...new Set(points.map(({x}) => x))].sort((a, b) => a - b);
	const lines = xs.map((x) => [
		xText(chart, x),
		...tools.map((tool) => cell(points.find((point) => point.x === x && point.tool === tool))),
	]);
	return `${charts[chart].title}, milliseconds\n${table(['', ...tools], lines, 1)}`;
}

function goalTable({rows: measured}: Results): string {
	const lines = measured.map(({row, who, value, detail}) => {
		const asUser = who !== 'root';
		const [goal, verdict] = [goalText(rows[row], asUser), judge(rows[row], value, asUser)];
		const what = detail === undefined ? rows[row].what : `${rows[row].what}\n  ${detail}`;
		return [what, who, asText(rows[row], value), goal, verdict];
	});
	return table(['what', 'as', 'measured', 'goal', ''], lines, 2);
}

/** Pauses are the largest gaps that the target saw; in brackets what the tool itself says. */
export function tables(results: Results): string {
	const all = Object.keys(charts).map((id) => {
		const chart = id as ChartId;
		const points = results.points.filter((point) => point.chart === chart);
		return points.length > 0 ? [chartTable(chart, points)] : [];
	});
	const absent = results.absent.map(({name, why}) => `left out: ${name}: ${why}`);
	const goals = results.rows.length > 0 ? [goalTable(results)] : [];
	return [...all.flat(), ...goals, ...absent].join('\n\n');
}
