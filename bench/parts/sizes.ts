/** Pause and thaw against resident memory, every tool side by side. */

import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {ChartId} from '../report.js';
import {freeMemory} from '../scene.js';
import {median, rounds, size} from '../stats.js';
import {bareCopy, bareRead, cp, fileOf, memcpy} from '../tools/limits.js';
import type {Tool} from '../tools/tool.js';
import {measurePauses, measureThaws} from './measure.js';
import type {Context, Part} from './part.js';

const SIZES = [1, 8, 64, 256, 1024];
const LARGEST = 8192;

/** Is there room for the target, its image and something to spare? */
function fits({report}: Context, chart: ChartId, mebibytes: number, times: number): boolean {
	const needed = times * mebibytes + 1024;
	if (freeMemory() >= needed) return true;
	report.missing(
		`${chart} ${size(mebibytes)}`,
		`it needs ${size(needed)} of memory, ${size(Math.round(freeMemory()))} are free`,
	);
	return false;
}

/** What the machine itself takes: a bare copy of a stopped target, cp of a file, memory to memory. */
async function limitsOfPause({scene, report, rounds: most}: Context, mebibytes: number, least: number): Promise<void> {
	const chart = 'pause-size';
	const often = async (tool: string, once: () => Promise<number>) => {
		const times: number[] = [];
		await rounds({most, least, budget: 3000}, async () => {
			times.push(await once());
		});
		report.point({chart, tool, x: mebibytes, ms: median(times), rounds: times.length});
	};
	const target = await scene.beat({mebibytes, words: ['every=1000']});
	await often('bare copy', () => bareCopy(scene, target, mebibytes, join(scene.room, 'bare')));
	await target.end();
	const file = fileOf(scene, mebibytes);
	await often('cp', () => cp(scene, file));
	rmSync(file);
	await often('memcpy', () => memcpy(scene, mebibytes));
}

async function pausesAt(context: Context, mebibytes: number, least: number): Promise<void> {
	if (!fits(context, 'pause-size', mebibytes, 2)) return;
	const tools = (await context.tools()).filter(({pause}) => pause);
	await measurePauses(context, tools, {chart: 'pause-size', x: mebibytes, mebibytes, least});
	await limitsOfPause(context, mebibytes, least);
}

const reading = ({scene}: Context) => ({tool: 'bare read', measure: (file: string) => bareRead(scene, file)});

async function thawsAt(context: Context, mebibytes: number, groups: Tool[][], least: number): Promise<void> {
	const place = {chart: 'thaw-size', x: mebibytes, mebibytes, least} as const;
	for (const group of groups) await measureThaws(context, group, place, reading(context));
}

const thawing = async (context: Context) => (await context.tools()).filter(({freeze}) => freeze);

/** A target of huge pages has few page tables to copy. */
async function hugePages({scene, report, tools, rounds: most}: Context): Promise<void> {
	const working = await tools();
	const target = await scene.beat({mebibytes: 1024, words: ['every=50', 'touch', 'huge']});
	for (const [row, name] of [
		['pause.none.huge', 'frore none'],
		['pause.live.huge', 'frore --live'],
	] as const) {
		const tool = working.find((one) => one.name === name);
		if (!tool) continue;
		const gaps: number[] = [];
		await rounds({most, least: 3, budget: 10_000}, async () => {
			await target.gap();
			await tool.pause!(scene, target);
			gaps.push((await target.gap()).largest);
		});
		report.row(row, median(gaps), {who: scene.who, rounds: gaps.length});
	}
	await target.end();
}

export const sizes: Part[] = [
	{
		name: 'pause',
		about: 'pause of every tool, 1 MiB to 1 GiB',
		async run(context) {
			for (const mebibytes of SIZES) await pausesAt(context, mebibytes, 3);
			await hugePages(context);
		},
	},
	{
		name: 'thaw',
		about: 'thaw of every tool, 1 MiB to 1 GiB',
		async run(context) {
			for (const mebibytes of SIZES) await thawsAt(context, mebibytes, [await thawing(context)], 3);
		},
	},
	{
		name: 'pause-8g',
		about: 'pause of every tool, 8 GiB',
		run: (context) => pausesAt(context, LARGEST, 1),
	},
	{
		name: 'thaw-8g',
		about: 'thaw of every tool, 8 GiB',
		// One after the other: there is no room for all of their images at once.
		async run(context) {
			const groups = (await thawing(context)).map((tool) => [tool]);
			if (fits(context, 'thaw-size', LARGEST, 2)) await thawsAt(context, LARGEST, groups, 1);
		},
	},
];
