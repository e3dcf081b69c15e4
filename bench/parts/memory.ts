import {readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {freeMemory} from '../scene.js';
import {size} from '../stats.js';
import type {Context, Part} from './part.js';

const LARGEST = 8192;

/** The largest target for which there is room, with an artefact of it. */
function possible(): number {
	let mebibytes = LARGEST;
	while (mebibytes > 256 && freeMemory() < 2 * mebibytes + 1024) mebibytes /= 2;
	return mebibytes;
}

async function run({scene, report, tools}: Context): Promise<void> {
	const {stage, room, who} = scene;
	const names = (await tools()).map(({name}) => name);
	const mebibytes = possible();
	const target = await scene.beat({mebibytes, words: ['every=1000']});
	const file = join(room, 'memory.frore');
	const peak = join(stage.dir, 'peak.txt');
	for (const [row, args, tool] of [
		['memory.none', ['--compress', 'none'], 'frore none'],
		['memory.zstd:1', ['--compress', 'zstd:1'], 'frore zstd:1'],
		['memory.live', ['--compress', 'none', '--live'], 'frore --live'],
	] as const) {
		if (!names.includes(tool)) continue;
		const freeze = stage.froreCommand('freeze', target.pid, '-o', file, '--quiet', '--max-pause', '120', ...args);
		await scene.run([scene.program('peak'), peak, ...freeze]);
		rmSync(file);
		const detail = `a target of ${size(mebibytes)}`;
		report.row(row, Number(readFileSync(peak, 'utf8')) / 1024, {who, rounds: 1, detail});
	}
	await target.end();
}

export const memory: Part = {name: 'memory', about: 'memory of the freezer for a target of 8 GiB', run};
