import {median} from '../stats.js';
import {artefactOf} from '../tools/frore.js';
import {type Context, freezeOften, type Part} from './part.js';

async function run(context: Context): Promise<void> {
	const {scene, report} = context;
	const {who} = scene;
	for (const codec of ['zstd:1', 'none'] as const) {
		const {pause, whole, rounds} = await freezeOften(context, await scene.beat(), codec);
		report.row(`small.pause.${codec}`, pause, {who, rounds});
		report.row(`small.whole.${codec}`, whole, {who, rounds});
	}
	for (const codec of ['none', 'zstd:1'] as const) {
		const target = await scene.beat({words: ['once']});
		const file = await artefactOf(scene, target, ['--compress', codec]);
		const times = await scene.launched(target, [file], context.rounds);
		report.row(`small.start.${codec}`, median(times), {who, rounds: times.length});
	}
}

export const small: Part = {name: 'small', about: 'a process without memory of its own', everybody: true, run};
