/** `npm run build [native|stub|cli]...`: everything that is not up to date, or only the named parts. */
import {buildCli} from './build/cli.js';
import {buildNative} from './build/native.js';
import {buildPage} from './build/page.js';
import {buildProbe} from './build/probe.js';
import {buildStub} from './build/stub.js';
import {staleFiles} from './generated.js';

const parts: Record<string, () => Promise<void>> = {
	native: buildNative,
	stub: buildStub,
	probe: buildProbe,
	page: buildPage,
	cli: buildCli,
};
const wanted = process.argv.slice(2);

const stale = staleFiles();
if (stale.length > 0) {
	console.error(`build: ${stale.join(', ')} do not match builder/format/schema.ts; run npm run gen and commit them`);
	process.exit(1);
}
for (const [name, build] of Object.entries(parts)) {
	if (wanted.length > 0 && !wanted.includes(name)) continue;
	try {
		await build();
	} catch (error) {
		console.error(`build: ${name}: ${(error as Error).message}`);
		process.exitCode = 1;
	}
}
