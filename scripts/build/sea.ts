/** Builds dist/frore: Node, the bundled command line program and its files in one executable (a "single executable application"). */
import {createHash} from 'node:crypto';
import {copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {build} from 'esbuild';
import {inject} from 'postject';
import {packageFiles} from '../../freezer/sys/package.js';
import {isFresh, recordCommand, run} from './compile.js';

const output = 'dist/frore';
const place = '.build/sea';
/** Of Node: found in every node that can become such a program, turned on by postject. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
const SECTION = 'NODE_SEA_BLOB';

const configuration = {
	main: `${place}/frore.cjs`,
	output: `${place}/frore.blob`,
	disableExperimentalSEAWarning: true,
	// No useCodeCache: it saves a few ms, and Node warns on stderr where its V8 flags are others.
	assets: Object.fromEntries(Object.values(packageFiles).map((path) => [path, path])),
};

/** As such a program needs it: CommonJS in one file. */
const bundle = () =>
	build({
		entryPoints: ['freezer/cli/main.ts'],
		outfile: configuration.main,
		bundle: true,
		platform: 'node',
		format: 'cjs',
		target: 'node20',
		alias: {koffi: './freezer/sys/koffi-addon.ts'},
		legalComments: 'inline',
		// import.meta.url is for the installed package.
		logOverride: {'empty-import-meta': 'silent'},
		logLevel: 'warning',
	});

/** postject reports success even when it did nothing, so the result is read back, and run where there is nothing else. */
async function verify(file: string, blob: Buffer): Promise<void> {
	const program = readFileSync(file);
	if (!program.includes(`${FUSE}:1`) || !program.includes(blob))
		throw new Error(`postject left no ${SECTION} in ${file}`);
	const {version} = JSON.parse(readFileSync('package.json', 'utf8')) as {version: string};
	const said = (await run('env', ['-i', `./${file}`, '--version'])).trim();
	if (said !== version) throw new Error(`${file} --version says ${said} instead of ${version}`);
}

export async function buildSea(): Promise<void> {
	mkdirSync(place, {recursive: true});
	const assets = Object.values(configuration.assets);
	const missing = assets.filter((path) => !existsSync(path));
	if (missing.length > 0) throw new Error(`there is no ${missing.join(' and no ')}`);
	await bundle();
	const contents = createHash('sha256');
	for (const path of [configuration.main, ...assets]) contents.update(readFileSync(path));
	const command = `${process.version} ${JSON.stringify(configuration)} ${contents.digest('hex')}`;
	if (isFresh(output, command, [process.execPath])) return;
	if (!readFileSync(process.execPath).includes(`${FUSE}:0`)) {
		throw new Error(`${process.execPath} cannot become a program of one file; take a node from nodejs.org`);
	}
	writeFileSync(`${place}/configuration.json`, JSON.stringify(configuration));
	await run(process.execPath, ['--experimental-sea-config', `${place}/configuration.json`]);
	const own = `${output}.${process.pid}`;
	try {
		copyFileSync(process.execPath, own);
		const blob = readFileSync(configuration.output);
		await inject(own, SECTION, blob, {sentinelFuse: FUSE});
		await verify(own, blob);
		renameSync(own, output);
	} finally {
		rmSync(own, {force: true});
	}
	recordCommand(output, command);
	console.error(`  postject ${output}`);
}
