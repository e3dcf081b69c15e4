/** Which tools work here: each is tried on a small target before it is measured. */

import type {Report} from '../report.js';
import type {Scene} from '../scene.js';
import {criu} from './criu.js';
import {dmtcp} from './dmtcp.js';
import {froreLazy, froreLive, froreNone, froreZstd} from './frore.js';
import {gcore} from './gcore.js';
import type {Tool} from './tool.js';

const all: Tool[] = [froreNone, froreZstd, froreLive, froreLazy, criu, gcore, dmtcp];

async function tryOut(scene: Scene, tool: Tool): Promise<void> {
	const start = () => scene.beat({mebibytes: 1, words: ['once'], prefix: tool.prefix?.(scene) ?? []});
	if (tool.pause) {
		const target = await start();
		try {
			await tool.pause(scene, target);
		} finally {
			await target.end();
		}
	}
	if (tool.freeze) {
		const target = await start();
		try {
			const frozen = await tool.freeze(scene, target);
			await scene.launched(target, frozen.command);
			frozen.remove();
		} finally {
			await target.end();
		}
	}
}

/** Those that work; the others are named in the report, with what they say. */
export async function workingTools(scene: Scene, report: Report): Promise<Tool[]> {
	const working: Tool[] = [];
	for (const tool of all) {
		try {
			report.results.machine[tool.name] = await tool.version(scene);
			await tryOut(scene, tool);
			working.push(tool);
		} catch (error) {
			delete report.results.machine[tool.name];
			report.missing(tool.name, (error as Error).message);
		}
	}
	return working;
}
