/** gdb's gcore: it writes a core file, which nothing resumes. */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {onPath} from './on-path.js';
import type {Tool} from './tool.js';

export const gcore: Tool = {
	name: 'gcore',
	async version(scene) {
		onPath('gcore');
		return (await scene.run([onPath('gdb'), '--version'])).split('\n')[0]!;
	},
	async pause(scene, target) {
		const core = join(scene.room, 'core');
		try {
			await scene.run([onPath('gcore'), '-o', core, String(target.pid)]);
			return undefined;
		} finally {
			rmSync(`${core}.${target.pid}`, {force: true});
		}
	},
};
