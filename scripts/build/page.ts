/** Bundles what runs in the browser on the page of `frore inspect --html`, pako included: dist/inspect-page.js. */
import {readFileSync} from 'node:fs';
import {build} from 'esbuild';

const outfile = 'dist/inspect-page.js';

export async function buildPage(): Promise<void> {
	await build({
		entryPoints: ['freezer/cli/inspect/page/main.ts'],
		outfile,
		bundle: true,
		minify: true,
		platform: 'browser',
		format: 'iife',
		target: 'es2020',
		legalComments: 'inline',
		logLevel: 'warning',
	});
	if (readFileSync(outfile, 'utf8').includes('</script')) throw new Error(`${outfile} cannot stand inside a page`);
}
