/**
 * `code-cache BUNDLE`: writes what V8 has made of the program's bundle after it has done what it is there for, so that it need not be
 * compiled at every start, least of all while a target stands still. Where freezing is not allowed, less of it is in there.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import v8 from 'node:v8';
import {cacheOf, compileBundle, runBundle} from '../freezer/cli/bundle.js';

const bundle = resolve(process.argv[2]!);
const place = mkdtempSync(join(tmpdir(), 'frore-cache-'));
const script = compileBundle(bundle);

/** V8 takes cached code only under the flags it was made with: those of a program that has just started. */
const setFlags = v8.setFlagsFromString;
v8.setFlagsFromString = (flags) => {
	if (flags === '--expose-gc') setFlags(flags);
};

/** Until nothing is left to do. */
async function frore(...args: string[]): Promise<void> {
	const [node = '', program = ''] = process.argv;
	process.argv = [node, program, ...args];
	runBundle(script, bundle);
	await new Promise((ended) => {
		process.once('beforeExit', ended);
		// It comes only when there was something to do.
		setImmediate(() => {});
	});
	process.exitCode = 0;
}

/** No child of ours: Node would take the stops of one for its end. */
function startTarget(): string {
	const program = 'setsid sh -c "sleep 60 | cat; true" </dev/null >/dev/null 2>&1 & echo $!';
	return spawnSync('sh', ['-c', program], {encoding: 'utf8'}).stdout.trim();
}

const target = startTarget();
try {
	const artefact = join(place, 'artefact');
	await frore('freeze', target, '-v', '--allow', 'all', '--compress', 'none', '-o', artefact);
	await frore('freeze', target, '--live', '--allow', 'all', '-o', artefact);
	await frore('freeze', target, '--json', '--allow', 'all', '-o', artefact);
	await frore('inspect', artefact);
	await frore('check', target);
	setFlags('--no-expose-gc');
	const own = `${cacheOf(bundle)}.${process.pid}`;
	writeFileSync(own, script.createCachedData());
	renameSync(own, cacheOf(bundle));
} finally {
	process.kill(-Number(target), 'SIGKILL');
	rmSync(place, {recursive: true, force: true});
}
