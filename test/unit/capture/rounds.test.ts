import test from 'ava';
import {constants} from '../../../builder/format/schema.js';
import {reviser} from '../../../freezer/capture/rounds.js';
import {storedRun} from '../../helpers/snapshots.js';

const {STORED, VOID, ZERO} = constants.SOURCE;
const page = (n: number): bigint => BigInt(n) * 4096n;
const pages = (start: number, end: number) => ({start: page(start), end: page(end)});
const run = (start: number, end: number, source = STORED) => storedRun(page(start), (end - start) * 4096, source);
/** Frames 0 and 1 are of the first round, frame 2 of the second. */
const rounds = [
	{frames: 2, looked: [pages(0, 100)]},
	{frames: 3, looked: [pages(10, 12), pages(20, 21)]},
];

test('what a later round has copied again is void in the earlier one', (t) => {
	const revise = reviser(rounds, [pages(0, 100)], []);
	t.deepEqual(revise(run(5, 30), 0), [run(5, 10), run(10, 12, VOID), run(12, 20), run(20, 21, VOID), run(21, 30)]);
	t.deepEqual(revise(run(11, 13), 1), [run(11, 12, VOID), run(12, 13)]);
	t.deepEqual(revise(run(10, 12), 2), [run(10, 12)]);
});

test('what has changed since the last round is void in all', (t) => {
	const revise = reviser(rounds, [pages(0, 100)], [pages(11, 40)]);
	t.deepEqual(revise(run(10, 12), 2), [run(10, 11), run(11, 12, VOID)]);
	t.deepEqual(revise(run(30, 60), 0), [run(30, 40, VOID), run(40, 60)]);
});

test('pieces lie within the mappings that are known; the rest is void', (t) => {
	const revise = reviser(rounds, [pages(30, 35), pages(35, 40), pages(50, 60)], []);
	t.deepEqual(revise(run(28, 55), 1), [run(28, 30, VOID), run(30, 35), run(35, 40), run(40, 50, VOID), run(50, 55)]);
	t.deepEqual(revise(run(70, 80), 1), [run(70, 80, VOID)]);
});

test('pages of zeros need no run', (t) => {
	t.deepEqual(reviser(rounds, [pages(0, 100)], [])(run(1, 2, ZERO), 0), []);
});
