import test from 'ava';
import {goalText, judge, type Row, rows} from '../../../bench/goals.js';

const limited: Row = {what: 'a pause', unit: 'ms', most: 3, mostAsUser: 4};
const fast: Row = {what: 'a throughput', unit: 'ratio', least: 0.9};

test('a goal is met up to its limit, and an ordinary user may have one of his own', (t) => {
	t.is(judge(limited, 3, false), 'met');
	t.is(judge(limited, 3.01, false), 'missed');
	t.is(judge(limited, 3.01, true), 'met');
	t.is(judge(fast, 0.9, false), 'met');
	t.is(judge(fast, 0.89, true), 'missed');
	t.is(judge({what: 'a figure', unit: 'ms'}, 1e9, false), '');
});

test('a goal is told with its unit', (t) => {
	t.is(goalText(limited, false), '<= 3 ms');
	t.is(goalText(limited, true), '<= 4 ms');
	t.is(goalText(fast, false), '>= 0.9');
	t.is(goalText({what: 'a figure', unit: 'ms'}, false), '');
});

test('no row has two goals, and no two rows have the same name', (t) => {
	for (const [id, row] of Object.entries(rows)) t.false(row.most !== undefined && row.least !== undefined, id);
	const all = Object.values(rows).map(({what}) => what);
	t.deepEqual(
		all.filter((what, i) => all.indexOf(what) !== i),
		[],
	);
});

// The table of the issue "Speed".
const asked: Array<[keyof typeof rows, number]> = [
	['pause.live.1024', 30],
	['copying.tmpfs', 1.15],
	['copying.disk', 1.15],
	['small.pause.none', 3],
	['many.100', 12],
	['many.1000', 60],
	['small.whole.none', 150],
	['large.ratio.limit', 1.15],
	['thaw.none.criu', 0.45],
	['thaw.lazy.largest', 2],
	['packing.thaw', 1.1],
	['ratios.node.zstd:3', 1.05],
	['ratios.python3.zstd:3', 1.05],
	['ratios.java.zstd:3', 1.05],
	['ratios.node.zstd:1', 1.15],
	['memory.none', 200],
	['clones.lazy', 1.05],
];

test('what was asked for is held as asked', (t) => {
	for (const [id, most] of asked) t.is(rows[id].most, most, id);
	t.is(rows['packing.throughput'].least, 0.9);
});
