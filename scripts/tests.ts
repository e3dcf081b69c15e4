/** Compiles every *.test.ts below test/ to .build/test, each with the project files it imports; ava runs the result. */
import {existsSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {build} from 'esbuild';

if (!existsSync('test')) process.exit(0);
const entryPoints = readdirSync('test', {recursive: true, encoding: 'utf8'})
	.filter((name) => name.endsWith('.test.ts'))
	.map((name) => join('test', name));

rmSync('.build/test', {recursive: true, force: true});
await build({
	entryPoints,
	outbase: '.',
	outdir: '.build',
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node20',
	packages: 'external',
	sourcemap: 'inline',
	logLevel: 'warning',
});
