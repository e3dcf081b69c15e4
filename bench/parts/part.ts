/** What a part of the benchmark is given, and what parts have in common. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Report} from '../report.js';
import type {Beater, Scene} from '../scene.js';
import {median, rounds} from '../stats.js';
import {froze} from '../tools/frore.js';
import type {Tool} from '../tools/tool.js';

export interface Context {
	readonly scene: Scene;
	readonly report: Report;
	/** Rounds of each measurement: medians are taken of so many. */
	readonly rounds: number;
	/** Those that work here. */
	tools(): Promise<readonly Tool[]>;
}

export interface Part {
	readonly name: string;
	/** One line for the list of parts. */
	readonly about: string;
	/** As root and as an ordinary user; else only as the one who runs it. */
	readonly everybody?: boolean;
	run(context: Context): Promise<void>;
}

/** Medians of milliseconds: for how long it was stopped, and what the whole command took. */
export async function freezeOften({scene, rounds: most}: Context, target: Beater, codec: string) {
	const pauses: number[] = [];
	const wholes: number[] = [];
	const file = join(scene.room, 'often.frore');
	await rounds({most, least: 3, budget: 20_000}, async () => {
		const start = process.hrtime.bigint();
		const {ms} = await froze(scene, target, file, ['--compress', codec]);
		wholes.push(Number(process.hrtime.bigint() - start) / 1e6);
		pauses.push(ms);
		rmSync(file);
	});
	await target.end();
	return {pause: median(pauses), whole: median(wholes), rounds: pauses.length};
}
