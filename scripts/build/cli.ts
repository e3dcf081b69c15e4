/** Bundles the command line program: dist/frore.js, and in dist/lib what only some commands need, loaded when they do. */
import {chmodSync, existsSync, readdirSync, rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {build} from 'esbuild';

const entry = 'freezer/cli/main.ts';

export async function buildCli(): Promise<void> {
	if (!existsSync(entry)) {
		console.error(`  skipped dist/frore.js: no ${entry}`);
		return;
	}
	const {metafile} = await build({
		entryPoints: {frore: entry},
		outdir: 'dist',
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node20',
		packages: 'external',
		splitting: true,
		chunkNames: 'lib/[name]-[hash]',
		metafile: true,
		sourcemap: true,
		banner: {js: '#!/usr/bin/env node'},
		logLevel: 'warning',
	});
	chmodSync('dist/frore.js', 0o755);
	const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
	for (const name of readdirSync('dist/lib')) if (!made.has(name)) rmSync(join('dist/lib', name), {force: true});
}
