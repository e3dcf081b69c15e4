/** One place of the curves: every tool that works here, in turns, on targets that are alike. */
import type {ChartId} from '../report.js';
import type {Beater} from '../scene.js';
import {median, rounds} from '../stats.js';
import type {Frozen, Tool} from '../tools/tool.js';
import type {Context} from './part.js';

export interface Place {
	readonly chart: ChartId;
	readonly x: number;
	readonly mebibytes?: number;
	/** Words of bench/programs/beat.c. */
	readonly words?: string[];
	/** Rounds that are made even when they take long. */
	readonly least?: number;
}

/** Milliseconds that the rounds of one place may take before the last. */
const BUDGET = 45_000;

interface Times {
	gaps: number[];
	owns: number[];
	ran: number[];
	wholes: number[];
}

/** The pause of a tool is the largest gap between two beats that the target saw while it worked. */
export async function measurePauses(context: Context, tools: readonly Tool[], place: Place): Promise<void> {
	const {scene, report} = context;
	const {chart, x, mebibytes = 0, words = [], least = 3} = place;
	const start = (tool?: Tool) =>
		scene.beat({mebibytes, words: ['every=50', 'touch', ...words], prefix: tool?.prefix?.(scene) ?? []});
	const common = await start();
	const own = new Map<Tool, Beater>();
	const times = new Map<Tool, Times>(tools.map((tool) => [tool, {gaps: [], owns: [], ran: [], wholes: []}]));
	for (const tool of tools) if (tool.prefix) own.set(tool, await start(tool));
	await rounds({most: context.rounds, least, budget: BUDGET}, async () => {
		for (const [tool, {gaps, owns, ran, wholes}] of times) {
			const target = own.get(tool) ?? common;
			try {
				await target.gap();
				const from = process.hrtime.bigint();
				const said = await tool.pause!(scene, target);
				wholes.push(Number(process.hrtime.bigint() - from) / 1e6);
				const felt = await target.gap();
				gaps.push(felt.largest);
				ran.push(felt.ran);
				if (said !== undefined) owns.push(said);
			} catch (error) {
				times.delete(tool);
				report.missing(`${tool.name}, ${chart} ${x}`, (error as Error).message);
			}
		}
	});
	for (const target of [common, ...own.values()]) await target.end();
	for (const [{name: tool}, {gaps, owns, ran, wholes}] of times) {
		const said = owns.length > 0 ? {own: median(owns)} : {};
		const through = {...said, whole: median(wholes), ran: median(ran)};
		report.point({chart, tool, x, ms: median(gaps), rounds: gaps.length, ...through});
	}
}

interface Thawing {
	tool: Tool;
	target: Beater;
	frozen: Frozen;
	times: number[];
}

/** @param also is measured in the same rounds, with an artefact of `--compress none` when there is one */
export async function measureThaws(
	context: Context,
	tools: readonly Tool[],
	place: Place,
	also?: {tool: string; measure(file: string): Promise<number>},
): Promise<void> {
	const {scene, report} = context;
	const {chart, x, mebibytes = 0, words = [], least = 3} = place;
	const thawing: Thawing[] = [];
	const limits: number[] = [];
	const drop = (tool: Tool, error: unknown) => report.missing(`${tool.name}, ${chart} ${x}`, (error as Error).message);
	for (const tool of tools) {
		const prefix = tool.prefix?.(scene) ?? [];
		const target = await scene.beat({mebibytes, words: ['once', ...words], prefix});
		try {
			thawing.push({tool, target, frozen: await tool.freeze!(scene, target), times: []});
		} catch (error) {
			drop(tool, (error as Error).message);
			await target.end();
		}
	}
	const file = thawing.find(({tool}) => tool.name === 'frore none')?.frozen.command[0];
	const failed = new Set<Thawing>();
	await rounds({most: context.rounds, least, budget: BUDGET}, async () => {
		for (const one of thawing.filter((each) => !failed.has(each))) {
			try {
				one.times.push(...(await scene.launched(one.target, one.frozen.command)));
			} catch (error) {
				failed.add(one);
				drop(one.tool, one.frozen.failure?.() ?? (error as Error).message);
			}
		}
		if (also && file) limits.push(await also.measure(file));
	});
	for (const one of thawing) {
		one.frozen.remove();
		const {tool, times} = one;
		if (!failed.has(one)) report.point({chart, tool: tool.name, x, ms: median(times), rounds: times.length});
	}
	if (also && limits.length > 0) report.point({chart, tool: also.tool, x, ms: median(limits), rounds: limits.length});
}
