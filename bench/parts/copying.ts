import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {medianRatio, rounds} from '../stats.js';
import {froze} from '../tools/frore.js';
import {bareCopy} from '../tools/limits.js';
import type {Context, Part} from './part.js';

const MEBIBYTES = 1024;

/** Both in turns, so that what else the machine does falls on both. */
async function run({scene, report, rounds: most}: Context): Promise<void> {
	const target = await scene.beat({mebibytes: MEBIBYTES, words: ['every=1000', 'random']});
	for (const [row, folder] of [
		['copying.tmpfs', scene.room],
		['copying.disk', scene.stage.dir],
	] as const) {
		const pairs: Array<[number, number]> = [];
		const file = join(folder, 'copying');
		await rounds({most, least: 3, budget: 25_000}, async () => {
			const bare = await bareCopy(scene, target, MEBIBYTES, file);
			const {ms} = await froze(scene, target, file, ['--compress', 'none']);
			rmSync(file);
			pairs.push([ms, bare]);
		});
		report.row(row, medianRatio(pairs), {who: scene.who, rounds: pairs.length});
	}
	await target.end();
}

export const copying: Part = {name: 'copying', about: '1 GiB against a bare copy of it', everybody: true, run};
