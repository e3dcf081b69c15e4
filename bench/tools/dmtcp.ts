/** DMTCP: its targets have to be started under it, each with a coordinator of its own. */
import {readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Scene} from '../scene.js';
import {onPath} from './on-path.js';
import type {Tool} from './tool.js';

const PORT = 7000 + (process.pid % 20_000);

const command = (...args: string[]): string[] => [onPath('dmtcp_command'), '-p', String(PORT), ...args];

/** The images that it leaves in the room. */
const images = (scene: Scene): string[] =>
	readdirSync(scene.room)
		.filter((name) => name.startsWith('ckpt_'))
		.map((name) => join(scene.room, name));

const remove = (scene: Scene): void => {
	for (const image of images(scene)) rmSync(image, {recursive: true, force: true});
};

export const dmtcp: Tool = {
	name: 'dmtcp',
	async version(scene) {
		// It ends with an error code.
		const {stdout, stderr} = await scene.stage.run([onPath('dmtcp_launch'), '--version']);
		return /^.*DMTCP.*\d.*$/m.exec(stdout + stderr)?.[0] ?? 'unknown';
	},
	prefix: (scene) => [
		onPath('dmtcp_launch'),
		'--new-coordinator',
		'-p',
		String(PORT),
		'--no-gzip',
		'--ckptdir',
		scene.room,
	],
	async pause(scene) {
		await scene.run(command('--bcheckpoint'));
		remove(scene);
		return undefined;
	},
	async freeze(scene, target) {
		await scene.run(command('--bcheckpoint'));
		await scene.run(command('--kill'));
		await target.end(false);
		return {
			command: [onPath('dmtcp_restart'), '--new-coordinator', '-p', String(PORT), ...images(scene)],
			remove: () => remove(scene),
		};
	},
};
