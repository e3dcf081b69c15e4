/** CRIU: `criu` of the PATH, or what the variable CRIU names. */
import {chmodSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import type {Beater, Scene} from '../scene.js';
import {onPath} from './on-path.js';
import type {Tool} from './tool.js';

const program = () => onPath('criu', 'CRIU');
let folders = 0;

function folder(scene: Scene): string {
	const path = join(scene.room, `criu-${++folders}`);
	mkdirSync(path);
	chmodSync(path, 0o777);
	return path;
}

async function dump(scene: Scene, target: Beater, images: string, args: string[]): Promise<void> {
	const command = [program(), 'dump', '-t', String(target.pid), '-D', images, '-o', 'dump.log', ...args];
	const {code, stderr} = await scene.stage.run(command);
	if (code !== 0) throw new Error(firstError(join(images, 'dump.log')) ?? stderr.trim());
}

function firstError(log: string): string | undefined {
	try {
		return readFileSync(log, 'utf8')
			.split('\n')
			.find((line) => line.includes('Error'))
			?.replace(/^\([\d.]+\) */, '');
	} catch {
		return undefined;
	}
}

export const criu: Tool = {
	name: 'criu',
	version: async (scene) => (await scene.run([program(), '--version'])).split('\n')[0]!,
	async pause(scene, target) {
		const images = folder(scene);
		try {
			await dump(scene, target, images, ['--leave-running']);
			return undefined;
		} finally {
			rmSync(images, {recursive: true, force: true});
		}
	},
	async freeze(scene, target) {
		const images = folder(scene);
		await dump(scene, target, images, []);
		await target.end(false);
		return {
			command: [program(), 'restore', '-D', images, '-o', 'restore.log'],
			failure: () => firstError(join(images, 'restore.log')),
			remove: () => rmSync(images, {recursive: true, force: true}),
		};
	},
};
