/** Bundles the command line program: dist/frore.js. */
import {chmodSync, existsSync} from 'node:fs';
import {build} from 'esbuild';

const entry = 'freezer/cli/main.ts';

export async function buildCli(): Promise<void> {
	if (!existsSync(entry)) {
		console.error(`  skipped dist/frore.js: no ${entry}`);
		return;
	}
	await build({
		entryPoints: {frore: entry},
		outdir: 'dist',
		bundle: true,
		platform: 'node',
		format: 'esm',
		target: 'node20',
		packages: 'external',
		sourcemap: true,
		banner: {js: '#!/usr/bin/env node'},
		logLevel: 'warning',
	});
	chmodSync('dist/frore.js', 0o755);
}
