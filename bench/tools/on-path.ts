import {accessSync, constants} from 'node:fs';
import {join} from 'node:path';
import {Absent} from './tool.js';

/** The program of that name, or the one that a variable of the environment names. Throws Absent. */
export function onPath(name: string, variable?: string): string {
	const named = variable && process.env[variable];
	const places = named ? [named] : (process.env.PATH ?? '').split(':').map((folder) => join(folder, name));
	for (const path of places) {
		try {
			accessSync(path, constants.X_OK);
			return path;
		} catch {}
	}
	throw new Absent(named ? `${named} (${variable}) cannot be run` : `there is no ${name} on the PATH`);
}
