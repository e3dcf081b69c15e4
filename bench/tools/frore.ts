/** frore itself, in each of its modes. */
import {rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Beater, Scene} from '../scene.js';
import type {Tool} from './tool.js';

/** Seconds: 8 GiB take a while. */
const PATIENCE = ['--max-pause', '120'];
let files = 0;

const version = async (scene: Scene) => (await scene.run(scene.stage.froreCommand('--version'))).trim();

/** @returns milliseconds for which it was stopped, and the artefact's bytes */
export async function froze(
	scene: Scene,
	target: Beater,
	file: string,
	args: string[],
): Promise<{ms: number; bytes: number}> {
	const command = scene.stage.froreCommand('freeze', target.pid, '-o', file, '--json', ...PATIENCE, ...args);
	const {pause_ms: ms} = JSON.parse(await scene.run(command)) as {pause_ms: number};
	return {ms, bytes: statSync(file).size};
}

async function pauseWith(scene: Scene, target: Beater, args: string[]): Promise<number> {
	const file = join(scene.room, `pause-${++files}.frore`);
	try {
		return (await froze(scene, target, file, args)).ms;
	} finally {
		rmSync(file, {force: true});
	}
}

export async function artefactOf(scene: Scene, target: Beater, args: string[]): Promise<string> {
	const file = join(scene.room, `job-${++files}.frore`);
	await froze(scene, target, file, ['--halt', ...args]);
	await target.end(false);
	return file;
}

async function freezeWith(scene: Scene, target: Beater, args: string[], options: string[] = []) {
	const file = await artefactOf(scene, target, args);
	return {command: [file, ...options], remove: () => rmSync(file, {force: true})};
}

const mode = (name: string, args: string[]): Tool => ({
	name,
	version,
	pause: (scene, target) => pauseWith(scene, target, args),
	freeze: (scene, target) => freezeWith(scene, target, args),
});

const NONE = ['--compress', 'none'];

export const froreNone = mode('frore none', NONE);
export const froreZstd = mode('frore zstd:1', ['--compress', 'zstd:1']);
export const froreLive: Tool = {
	name: 'frore --live',
	version,
	pause: (scene, target) => pauseWith(scene, target, ['--live', ...NONE]),
};
export const froreLazy: Tool = {
	name: 'frore --lazy',
	version,
	freeze: (scene, target) => freezeWith(scene, target, NONE, ['--lazy']),
};
