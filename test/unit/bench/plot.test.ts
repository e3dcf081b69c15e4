import test from 'ava';
import {decades, logScale} from '../../../bench/plot/scale.js';
import {drawFigure, type Figure} from '../../../bench/plot/svg.js';

test('a logarithmic axis gives every decade the same room', (t) => {
	const {at} = logScale(1, 1000, 0, 300);
	t.deepEqual([1, 10, 100, 1000].map(at).map(Math.round), [0, 100, 200, 300]);
	const down = logScale(0.1, 10, 200, 0);
	t.deepEqual([0.1, 1, 10].map(down.at).map(Math.round), [200, 100, 0]);
	t.throws(() => logScale(0, 10, 0, 1), {instanceOf: RangeError});
	t.throws(() => logScale(5, 5, 0, 1), {instanceOf: RangeError});
});

test('decades go to the next ones outside', (t) => {
	t.deepEqual(decades(0.4, 450), [0.1, 1, 10, 100, 1000]);
	t.deepEqual(decades(1, 100), [1, 10, 100]);
});

const figure: Figure = {
	title: 'A <figure> & more',
	subtitle: 'under it',
	columns: 2,
	looks: {
		slow: {color: ['#111111', '#eeeeee'], marker: 'square'},
		fast: {color: ['#222222', '#dddddd'], marker: 'circle', dashed: true},
		unused: {color: ['#333333', '#cccccc'], marker: 'none'},
	},
	label: (value) => `${value} ms`,
	panels: [
		{
			title: 'Left',
			ticks: [
				[1, 'one'],
				[100, 'a hundred'],
			],
			lines: [
				{
					name: 'slow',
					points: [
						[1, 10],
						[100, 1000],
					],
				},
				{name: 'fast', points: [[1, 1]]},
			],
		},
	],
};

test('a figure is well-formed, has every line where it belongs, and a legend of what is there alone', (t) => {
	const svg = drawFigure(figure);
	t.true(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'));
	t.true(svg.includes('A &lt;figure&gt; &amp; more'));
	const open = [...svg.matchAll(/<([a-z]+)\b[^>]*(?<!\/)>/g)].map(([, name]) => name).sort();
	const close = [...svg.matchAll(/<\/([a-z]+)>/g)].map(([, name]) => name).sort();
	t.deepEqual(open, close);

	const [, line] = /<polyline points="([^"]+)" class="l c0"/.exec(svg)!;
	const [[x1, y1], [x2, y2]] = line!.split(' ').map((place) => place.split(',').map(Number)) as [number[], number[]];
	t.true(x2! > x1! && y2! < y1!, 'more lies further right, longer lies higher');
	t.is(svg.split('<circle').length - 1, 2, 'one point and its legend');
	t.false(svg.includes('unused'));
});

test('a label that would run into the one before is left out, its tick is not', (t) => {
	const [panel] = figure.panels;
	const ticks = [
		[1, 'one'],
		[1.1, 'close by'],
		[100, 'a hundred'],
	] as const;
	const [few, more] = [figure, {...figure, panels: [{...panel!, ticks}]}].map(drawFigure);
	t.false(more!.includes('close by'));
	const count = (svg: string) => svg.split('class="t"').length;
	t.is(count(more!), count(few!) + 1);
});

test('it has a ground of its own and colours for a dark one', (t) => {
	const svg = drawFigure(figure);
	t.regex(svg, /<rect [^>]*class="b"/);
	const [light, dark] = svg.split('@media (prefers-color-scheme:dark)');
	t.true(light!.includes('.c0{stroke:#111111}') && dark!.includes('.c0{stroke:#eeeeee}'));
});

test('a line that nobody has given a look, and nothing at all, are refused', (t) => {
	const [panel] = figure.panels;
	const stranger = {...panel!, lines: [{name: 'stranger', points: [[1, 1]] as const}]};
	t.throws(() => drawFigure({...figure, panels: [stranger]}), {message: 'nothing says how "stranger" looks'});
	t.throws(() => drawFigure({...figure, panels: []}), {message: 'there is nothing to draw'});
});
