import {rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {compile} from '../../scripts/build/compile.js';
import {codecFlags} from '../../scripts/build/native.js';
import {codecUnits, thirdPartyIncludes} from '../../scripts/build/third-party.js';
import {zstdFrames} from '../frames.js';
import {cpus, type Scene} from '../scene.js';
import {digits, median, medianRatio, rounds} from '../stats.js';
import {artefactOf, froze} from '../tools/frore.js';
import type {Context, Part} from './part.js';

const MEBIBYTES = 1024;

/** The very library that frore is built of, linked to a program of ours. */
async function codecProgram(scene: Scene, name: string): Promise<string> {
	const objects = await compile(codecUnits(codecFlags), '.build/native');
	return scene.program(name, [...thirdPartyIncludes, ...objects]);
}

/** A freeze against as many threads of the library that compress the same memory. */
async function throughput({scene, report, rounds: most}: Context): Promise<void> {
	const encode = await codecProgram(scene, 'encode');
	const target = await scene.beat({mebibytes: MEBIBYTES, words: ['every=1000']});
	const file = join(scene.room, 'packing.frore');
	const pairs: Array<[number, number]> = [];
	await rounds({most, least: 3, budget: 30_000}, async () => {
		const [library] = await scene.timed([encode, String(target.pid), String(MEBIBYTES), '1', String(cpus)]);
		const {ms} = await froze(scene, target, file, ['--compress', 'zstd:1']);
		rmSync(file);
		pairs.push([library!, ms]);
	});
	await target.end();
	const detail = `the library: ${digits((MEBIBYTES * 1.048576) / median(pairs.map(([ms]) => ms)))} GB/s`;
	report.row('packing.throughput', medianRatio(pairs), {who: scene.who, rounds: pairs.length, detail});
}

/** A resume against the decoder alone with the same frames. */
async function thaw({scene, report, rounds: most}: Context): Promise<void> {
	const decode = await codecProgram(scene, 'decode');
	const target = await scene.beat({mebibytes: MEBIBYTES, words: ['once']});
	const file = await artefactOf(scene, target, ['--compress', 'zstd:1']);
	const list = join(scene.stage.dir, 'frames');
	writeFileSync(list, await zstdFrames(file));
	const all: Array<{thawed: number; bare: number; fresh: number}> = [];
	await rounds({most, least: 3, budget: 30_000}, async () => {
		const [thawed] = await scene.launched(target, [file]);
		const [alone] = await scene.timed([decode, file, list, '1']);
		const [fresh] = await scene.timed([decode, file, list, String(cpus), 'fresh']);
		all.push({thawed: thawed!, bare: alone! / cpus, fresh: fresh!});
	});
	rmSync(file);
	const by = {who: scene.who, rounds: all.length};
	const detail = `thaw: ${digits(median(all.map(({thawed}) => thawed)))} ms`;
	report.row('packing.thaw', medianRatio(all.map(({thawed, bare}) => [thawed, bare])), {...by, detail});
	report.row('packing.thaw.fresh', medianRatio(all.map(({thawed, fresh}) => [thawed, fresh])), by);
}

export const packing: Part = {
	name: 'packing',
	about: 'zstd: speed of freeze and thaw against the library alone',
	async run(context) {
		await throughput(context);
		await thaw(context);
	},
};
