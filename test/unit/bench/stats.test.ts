import test from 'ava';
import {digits, median, medianRatio, rounds, size} from '../../../bench/stats.js';

test('the median is the middle one, whatever the order', (t) => {
	t.is(median([9, 1, 100, 2, 3]), 3);
	t.is(median([1, 2, 10, 20]), 10);
	t.throws(() => median([]), {message: 'nothing was measured'});
});

test('a ratio is the median of the ratios, not the ratio of the medians', (t) => {
	t.is(
		medianRatio([
			[10, 1],
			[20, 10],
			[30, 100],
		]),
		2,
	);
});

test('figures have three digits that mean something', (t) => {
	t.deepEqual([0.378, 5.416, 30.04, 117.4, 1480.2].map(digits), ['0.38', '5.42', '30.0', '117', '1,480']);
	t.deepEqual([1, 256, 1024, 1536, 8192].map(size), ['1 MiB', '256 MiB', '1 GiB', '1.5 GiB', '8 GiB']);
});

test('rounds end with their number, or with the time, but not before the least number', async (t) => {
	const made: number[] = [];
	t.is(await rounds({most: 4, least: 1, budget: 60_000}, async (index) => void made.push(index)), 4);
	t.deepEqual(made, [0, 1, 2, 3]);
	t.is(await rounds({most: 9, least: 2, budget: 0}, async () => undefined), 2);
});
