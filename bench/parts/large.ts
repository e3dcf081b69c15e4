import {median, medianRatio, rounds} from '../stats.js';
import {artefactOf} from '../tools/frore.js';
import {bareRead} from '../tools/limits.js';
import type {Context, Part} from './part.js';

/** All in turns. */
async function run({scene, report, rounds: most}: Context): Promise<void> {
	const target = await scene.beat({mebibytes: 1024, words: ['random', 'once']});
	const file = await artefactOf(scene, target, ['--compress', 'none']);
	const read = async (...how: string[]) => (await scene.timed([scene.program('read'), file, ...how]))[0]!;
	const all: Array<{thaw: number; lazy: number; plain: number; huge: number; limit: number}> = [];
	const round = async () => ({
		thaw: (await scene.launched(target, [file]))[0]!,
		lazy: (await scene.launched(target, [file, '--lazy']))[0]!,
		plain: await read('1'),
		huge: await read('1', 'huge'),
		limit: await bareRead(scene, file),
	});
	// The first brings the file into memory.
	await round();
	const done = await rounds({most, least: 3, budget: 30_000}, async () => {
		all.push(await round());
	});
	const by = {who: scene.who, rounds: done};
	const ratio = (to: 'plain' | 'huge' | 'limit') => medianRatio(all.map((times) => [times.thaw, times[to]]));
	report.row('large.start', median(all.map(({thaw}) => thaw)), by);
	report.row('large.lazy', median(all.map(({lazy}) => lazy)), by);
	report.row('large.read', median(all.map(({plain}) => plain)), by);
	report.row('large.ratio', ratio('plain'), by);
	report.row('large.ratio.huge', ratio('huge'), by);
	report.row('large.ratio.limit', ratio('limit'), by);
}

export const large: Part = {name: 'large', about: 'thaw of 1 GiB against the physical limit', everybody: true, run};
