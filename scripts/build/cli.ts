/**
 * Bundles the command line program: in dist/lib all of it, with the code that V8 makes of it and the licences of the packages in it;
 * dist/frore.js starts it.
 */
import {chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {type BuildOptions, build, type Metafile} from 'esbuild';
import {run} from './compile.js';

const place = 'dist/lib';
const options: BuildOptions = {bundle: true, platform: 'node', format: 'cjs', target: 'node20', logLevel: 'warning'};

export async function buildCli(): Promise<void> {
	const {metafile} = await build({
		...options,
		entryPoints: ['freezer/cli/main.ts'],
		outdir: place,
		entryNames: 'frore-[hash]',
		outExtension: {'.js': '.cjs'},
		external: ['koffi'],
		define: {'import.meta.url': 'importMetaUrl'},
		banner: {js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;'},
		supported: {'dynamic-import': false},
		metafile: true,
		sourcemap: true,
	});
	const bundle = Object.keys(metafile.outputs).find((path) => path.endsWith('.cjs'))!;
	writeFileSync(join(place, 'LICENCES'), licencesOf(metafile));
	const cache = `${bundle}.cache`;
	if (!existsSync(cache)) {
		await run(process.execPath, ['scripts/run.mjs', 'scripts/code-cache.ts', bundle]);
	}
	await build({
		...options,
		entryPoints: {frore: 'freezer/cli/start.ts'},
		outdir: 'dist',
		define: {BUNDLE: JSON.stringify(basename(bundle))},
		banner: {js: '#!/usr/bin/env node'},
	});
	writeFileSync('dist/package.json', '{"type": "commonjs"}\n');
	chmodSync('dist/frore.js', 0o755);
	const made = new Set([...Object.keys(metafile.outputs), cache, 'LICENCES'].map((path) => basename(path)));
	for (const name of readdirSync(place)) if (!made.has(name)) rmSync(join(place, name), {force: true});
}

/** Those of the packages that are in the bundle. */
function licencesOf({inputs}: Metafile): string {
	const directories = Object.keys(inputs).flatMap(
		(path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
	);
	const parts = [...new Set(directories)].sort().map((directory) => {
		const {name, version, license} = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Record<
			string,
			string
		>;
		const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
		return `${name} ${version} (${license})\n\n${file ? readFileSync(join(directory, file), 'utf8') : ''}`;
	});
	return parts.join(`\n${'-'.repeat(100)}\n\n`);
}
