import {median} from '../stats.js';
import {artefactOf} from '../tools/frore.js';
import {type Context, freezeOften, type Part} from './part.js';

const words = (processes: number, threads: number) => [`processes=${processes}`, `threads=${threads}`, 'every=1000'];

async function stopped(context: Context, processes: number, threads: number) {
	const target = await context.scene.beat({words: words(processes, threads)});
	const {pause, rounds} = await freezeOften(context, target, 'none');
	return {pause, rounds};
}

async function started({scene, rounds}: Context, processes: number): Promise<number[]> {
	const target = await scene.beat({words: [...words(processes, 1), 'once']});
	const file = await artefactOf(scene, target, ['--compress', 'none']);
	return scene.launched(target, [file], rounds);
}

async function run(context: Context): Promise<void> {
	const {report} = context;
	const {who} = context.scene;
	for (const [row, processes, threads] of [
		['many.100', 1, 100],
		['many.1000', 1, 1000],
		['many.10x100', 10, 100],
	] as const) {
		const {pause, rounds} = await stopped(context, processes, threads);
		report.row(row, pause, {who, rounds});
	}
	const each: Array<{pause: number; start: number}> = [];
	for (const count of [50, 200, 1000] as const) {
		const {pause, rounds} = await stopped(context, count, 1);
		const starts = await started(context, count);
		report.row(`many.processes.${count}`, pause, {who, rounds});
		report.row(`many.start.${count}`, median(starts), {who, rounds: starts.length});
		each.push({pause: pause / count, start: median(starts) / count});
	}
	const [few, , most] = each;
	report.row('many.pause.growth', most!.pause / few!.pause, {who, rounds: context.rounds});
	report.row('many.start.growth', most!.start / few!.start, {who, rounds: context.rounds});
}

export const many: Part = {name: 'many', about: 'up to 1,000 threads and 1,000 processes', everybody: true, run};
