/** Rows that are made of points of the curves, also of points that were measured in other runs. */
import type {RowId} from './goals.js';
import type {ChartId, Measured, Point, Results} from './report.js';
import {size} from './stats.js';

const GIB = 1024;
/** MiB: a smaller target has nothing that could be mapped lazily. */
const SMALLEST = 8;

export function derivedRows({points, machine}: Pick<Results, 'points' | 'machine'>): Measured[] {
	const rows: Measured[] = [];
	const at = (chart: ChartId, tool: string) =>
		points.find((point) => point.chart === chart && point.tool === tool && point.x === GIB);
	const add = (row: RowId, value: number | undefined, of: Point | undefined, detail?: string) => {
		if (value === undefined || of === undefined || Number.isNaN(value)) return;
		const more = detail === undefined ? {} : {detail};
		rows.push({row, who: machine.user ?? 'root', value, rounds: of.rounds, ...more});
	};
	const ratio = (a: Point | undefined, b: Point | undefined) => (a && b ? a.ms / b.ms : undefined);

	const [live, none, criu] = ['frore --live', 'frore none', 'criu'].map((tool) => at('pause-size', tool));
	add('pause.live.1024', live?.ms, live);
	add('pause.live.own', live?.own, live);
	add('pause.none.criu', ratio(none, criu), none);
	add('pause.live.criu', ratio(live, criu), live);

	const thawed = at('thaw-size', 'frore none');
	add('thaw.none.criu', ratio(thawed, at('thaw-size', 'criu')), thawed);
	const lazy = points
		.filter(({chart, tool, x}) => chart === 'thaw-size' && tool === 'frore --lazy' && x >= SMALLEST)
		.sort((a, b) => a.x - b.x);
	const [first, last] = [lazy[0], lazy.at(-1)];
	if (first === undefined || last === undefined || first === last) return rows;
	const slowest = lazy.reduce((a, b) => (b.ms > a.ms ? b : a));
	add('thaw.lazy.largest', slowest.ms, slowest, `at ${size(slowest.x)}`);
	add('thaw.lazy.growth', ratio(last, first), last, `${size(last.x)} / ${size(first.x)}`);
	return rows;
}

/** The same results, with those rows as the points now say. */
export function withDerived(results: Results): Results {
	const rows = derivedRows(results);
	const others = results.rows.filter(({row}) => !rows.some((derived) => derived.row === row));
	return {...results, rows: [...others, ...rows]};
}
