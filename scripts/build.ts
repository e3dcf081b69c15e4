/** `npm run build [native|stub|cli]...`: what is not up to date of everything but the one-file program, or of the named parts. */
import {buildCli} from './build/cli.js';
import {buildNative} from './build/native.js';
import {buildPage} from './build/page.js';
import {buildProbe} from './build/probe.js';
import {buildSea} from './build/sea.js';
import {buildStub} from './build/stub.js';
import {staleFiles} from './generated.js';

const parts: Record<string, () => Promise<void>> = {
	native: buildNative,
	stub: buildStub,
	probe: buildProbe,
	page: buildPage,
	cli: buildCli,
	sea: buildSea,
};
const named = process.argv.slice(2);
const wanted = named.length > 0 ? named : Object.keys(parts).filter((name) => name !== 'sea');

const stale = staleFiles();
if (stale.length > 0) {
	console.error(`build: ${stale.join(', ')} do not match builder/format/schema.ts; run npm run gen and commit them`);
	process.exit(1);
}
for (const [name, build] of Object.entries(parts)) {
	if (!wanted.includes(name)) continue;
	try {
		await build();
	} catch (error) {
		console.error(`build: ${name}: ${(error as Error).message}`);
		process.exitCode = 1;
	}
}
