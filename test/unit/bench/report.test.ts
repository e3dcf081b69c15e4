import test from 'ava';
import {withDerived} from '../../../bench/derived.js';
import {figureOf} from '../../../bench/plot/figure.js';
import {merged, Report, type Results} from '../../../bench/report.js';
import {tables} from '../../../bench/tables.js';

function report(): {report: Report; said: string[]} {
	const said: string[] = [];
	return {report: new Report({CPU: '2 × a CPU', kernel: 'Linux 6'}, (line) => said.push(line)), said};
}

test('a point says the pause that the target saw beside what the tool says of itself', (t) => {
	const {report: made, said} = report();
	made.point({chart: 'pause-size', tool: 'frore none', x: 1024, ms: 320, rounds: 7, own: 312, whole: 640, ran: 0.5});
	t.regex(said[0]!, /320 ms {2}of 7 {2}\(itself: 312 ms\) {2}whole: 640 ms, 50 % of it running/);
	t.true(tables(made.results).includes('320 (312)'));
});

test('a row stands beside its goal, as the one whom it was measured as', (t) => {
	const {report: made} = report();
	made.row('small.start.none', 3.5, {who: 'root', rounds: 7});
	made.row('small.start.none', 3.5, {who: 'ordinary user', rounds: 7});
	const lines = tables(made.results).split('\n');
	t.regex(lines.find((line) => line.includes('root'))!, /3\.50 ms .* <= 1\.5 ms .* missed/);
	t.regex(lines.find((line) => line.includes('ordinary user'))!, /3\.50 ms .* <= 4 ms .* met/);
});

test('what is not there is named with its reason', (t) => {
	const {report: made} = report();
	made.missing('dmtcp', 'there is no dmtcp_launch on the PATH');
	t.true(tables(made.results).includes('left out: dmtcp: there is no dmtcp_launch on the PATH'));
});

const results = (points: Results['points'], absent: Results['absent'] = []): Results => ({
	machine: {CPU: '2 × a CPU', kernel: 'Linux 6'},
	points,
	rows: [],
	absent,
});

test('new figures take the place of old ones, and a tool that is there now is no longer missing', (t) => {
	const point = (tool: string, x: number, ms: number) => ({chart: 'thaw-size', tool, x, ms, rounds: 7}) as const;
	const old = results(
		[point('criu', 1, 50), point('criu', 8, 60)],
		[
			{name: 'frore --lazy', why: 'not yet', part: 'pause'},
			{name: 'gcore', why: 'no', part: 'pause'},
			{name: 'thaw-size 8 GiB', why: 'no room', part: 'thaw-8g'},
		],
	);
	const all = merged(old, results([point('criu', 8, 40), point('frore --lazy', 8, 1)]), ['thaw-8g']);
	t.deepEqual(
		all.points.map(({tool, x, ms}) => [tool, x, ms]),
		[
			['criu', 1, 50],
			['criu', 8, 40],
			['frore --lazy', 8, 1],
		],
	);
	t.deepEqual(
		all.absent.map(({name}) => name),
		['gcore'],
	);
});

test('rows that compare points follow them, from whatever run they are', (t) => {
	const at = (tool: string, x: number, ms: number) => ({chart: 'thaw-size', tool, x, ms, rounds: 7}) as const;
	const old = withDerived(results([at('frore --lazy', 8, 1), at('frore --lazy', 1024, 1.5), at('criu', 1024, 400)]));
	const value = ({rows}: Results, wanted: string) => rows.filter(({row}) => row === wanted).map((row) => row.value);
	t.deepEqual(value(old, 'thaw.lazy.largest'), [1.5]);
	t.deepEqual(value(old, 'thaw.none.criu'), []);

	const now = withDerived(merged(old, results([at('frore --lazy', 8192, 3), at('frore none', 1024, 160)]), []));
	t.deepEqual(value(now, 'thaw.lazy.largest'), [3]);
	t.deepEqual(value(now, 'thaw.lazy.growth'), [3]);
	t.deepEqual(value(now, 'thaw.none.criu'), [0.4]);
});

test('a curve needs two places to be drawn', (t) => {
	const point = (x: number) => ({chart: 'pause-threads', tool: 'criu', x, ms: x, rounds: 7}) as const;
	t.is(figureOf(results([point(1)])), undefined);
	const figure = figureOf(results([point(1), point(1000)]))!;
	t.true(figure.includes('Pause, by threads') && figure.includes('>1,000</text>'));
});
