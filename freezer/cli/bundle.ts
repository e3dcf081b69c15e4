import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname} from 'node:path';
import {Script} from 'node:vm';

/** The bundled command line program, and what V8 made of it when it was built (scripts/code-cache.ts): compiling anew takes 60 ms. */
export const cacheOf = (bundle: string): string => `${bundle}.cache`;

/** Code made by another V8, or for other flags, is not taken: then it is compiled again. */
export function compileBundle(bundle: string): Script {
	const source = readFileSync(bundle, 'utf8');
	const cache = cacheOf(bundle);
	const options = existsSync(cache) ? {filename: bundle, cachedData: readFileSync(cache)} : {filename: bundle};
	return new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, options);
}

type Program = (
	exports: object,
	require: NodeRequire,
	module: {exports: object},
	filename: string,
	directory: string,
) => void;

export function runBundle(script: Script, bundle: string): void {
	const module = {exports: {}};
	const program = script.runInThisContext() as Program;
	program(module.exports, createRequire(bundle), module, bundle, dirname(bundle));
}
