/** Bundles one TypeScript script and runs it: `node scripts/run.mjs scripts/gen.ts [ARGUMENTS]`. */
import {mkdirSync} from 'node:fs';
import {basename, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {build} from 'esbuild';

const [script, ...args] = process.argv.slice(2);
const outfile = join('.build', 'scripts', basename(script).replace(/\.ts$/, '.mjs'));

mkdirSync('.build/scripts', {recursive: true});
await build({
	entryPoints: [script],
	outfile,
	bundle: true,
	platform: 'node',
	format: 'esm',
	target: 'node20',
	packages: 'external',
	sourcemap: 'inline',
	logLevel: 'warning',
});
process.argv = [process.argv[0], script, ...args];
await import(pathToFileURL(outfile).href);
