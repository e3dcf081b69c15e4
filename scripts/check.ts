/** `npm run check`: our C, that of the benchmark included, compiles without a warning by gcc and by clang, whichever is installed. */
import {readdirSync} from 'node:fs';
import {join} from 'node:path';
import {run} from './build/compile.js';
import {nativeFlags, nativeSources} from './build/native.js';
import {stubFlags, stubSources} from './build/stub.js';

const BENCH = join('bench', 'programs');
const benchSources = readdirSync(BENCH)
	.filter((name) => name.endsWith('.c'))
	.map((name) => join(BENCH, name));

const sources: [string, readonly string[]][] = [
	...stubSources().map((source): [string, readonly string[]] => [source, stubFlags]),
	...[...nativeSources(), ...benchSources].map((source): [string, readonly string[]] => [source, nativeFlags]),
];

for (const compiler of ['gcc', 'clang']) {
	try {
		await run(compiler, ['--version']);
	} catch {
		console.error(`check: ${compiler} is not installed; skipped`);
		continue;
	}
	for (const [source, flags] of sources) {
		try {
			await run(compiler, [...flags, '-fsyntax-only', source]);
		} catch (error) {
			console.error((error as Error).message.split('\n').slice(1).join('\n'));
			process.exitCode = 1;
		}
	}
}
