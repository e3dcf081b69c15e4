/**
 * `npm run bench [-- PART...]`: how long a freeze and a resume take here, beside other tools and what the machine itself takes. Ratios
 * matter, not milliseconds. Without a part: all of them, and docs/bench.json and docs/bench.svg are written anew.
 */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {constants, cpus, release, totalmem} from 'node:os';
import {dirname} from 'node:path';
import {parseArgs} from 'node:util';
import {type Identity, identities, Stage} from '../test/helpers/stage.js';
import {withDerived} from './derived.js';
import {parts} from './parts/index.js';
import type {Context, Part} from './parts/part.js';
import {figureOf} from './plot/figure.js';
import {merged, Report, type Results} from './report.js';
import {Scene} from './scene.js';
import {tables} from './tables.js';
import {workingTools} from './tools/index.js';
import type {Tool} from './tools/tool.js';

const DATA = 'docs/bench.json';
const PLOT = 'docs/bench.svg';
const INTERRUPTIONS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const help = `npm run bench -- [OPTIONS] [PART...]

Without a part: all, and ${DATA} and ${PLOT} are written. Parts:
${parts.map(({name, about}) => `  ${name.padEnd(10)} ${about}`).join('\n')}

  --rounds N   of each measurement (7); fewer where one takes seconds
  --save       put the figures of these parts into ${DATA} and draw ${PLOT} anew
  --show       measure nothing: print and draw what ${DATA} holds
  --help`;

const {values: options, positionals: asked} = parseArgs({
	allowPositionals: true,
	options: {
		rounds: {type: 'string', default: '7'},
		save: {type: 'boolean', default: false},
		show: {type: 'boolean', default: false},
		help: {type: 'boolean', default: false},
	},
});

// Node 20 reads the certificates it names at each start, 40 ms: no part of a freeze.
delete process.env.NODE_EXTRA_CA_CERTS;

const machine = (): Record<string, string> => ({
	CPU: `${cpus().length} × ${cpus()[0]!.model.trim()}`,
	memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
	kernel: `Linux ${release()}`,
	node: process.version,
	user: identities[0]!.name,
	date: new Date().toISOString().slice(0, 10),
});

const stored = (): Results | undefined =>
	existsSync(DATA) ? (JSON.parse(readFileSync(DATA, 'utf8')) as Results) : undefined;

function save(results: Results): void {
	mkdirSync(dirname(DATA), {recursive: true});
	writeFileSync(DATA, `${JSON.stringify(results, undefined, '\t')}\n`);
	draw(results);
}

function draw(results: Results): void {
	const figure = figureOf(results);
	if (figure !== undefined) writeFileSync(PLOT, figure);
}

async function playing(who: Identity, play: (scene: Scene) => Promise<void>): Promise<void> {
	const scene = new Scene(new Stage(who));
	const stop = (signal: NodeJS.Signals) => {
		scene.close();
		process.exit(128 + constants.signals[signal]);
	};
	// Targets and images are large: nothing of them may outlive an interrupted benchmark.
	for (const signal of INTERRUPTIONS) process.once(signal, stop);
	try {
		await play(scene);
	} finally {
		for (const signal of INTERRUPTIONS) process.off(signal, stop);
		scene.close();
	}
}

async function measure(chosen: readonly Part[], report: Report, rounds: number): Promise<void> {
	let working: Promise<readonly Tool[]> | undefined;
	const tools = (scene: Scene) => (working ??= workingTools(scene, report));
	for (const {name, everybody, run} of chosen) {
		report.part = name;
		for (const who of everybody ? identities : identities.slice(0, 1)) {
			const start = Date.now();
			try {
				await playing(who, (scene) => run({scene, report, rounds, tools: () => tools(scene)} satisfies Context));
			} catch (error) {
				report.missing(`part ${name} as ${who.name}`, (error as Error).message);
				process.exitCode = 1;
			}
			console.log(`-- ${name}, ${who.name}: ${Math.round((Date.now() - start) / 1000)} s`);
		}
	}
}

async function main(): Promise<void> {
	const unknown = asked.filter((name) => !parts.some((part) => part.name === name));
	if (options.help) return console.log(help);
	const rounds = Number(options.rounds);
	if (unknown.length > 0 || !(rounds >= 1)) {
		console.error(unknown.length > 0 ? `there is no part ${unknown.join(', ')}` : '--rounds wants a number');
		console.error(help);
		process.exitCode = 2;
		return;
	}
	if (options.show) {
		const results = stored();
		if (!results) throw new Error(`there is no ${DATA}: measure first`);
		draw(results);
		return console.log(tables(results));
	}
	const report = new Report(machine());
	const all = asked.length === 0;
	const chosen = all ? parts : parts.filter(({name}) => asked.includes(name));
	await measure(chosen, report, rounds);
	console.log(`\n${tables(withDerived(report.results))}`);
	const before = stored();
	if (all) save(withDerived(report.results));
	else if (options.save) save(withDerived(before ? merged(before, report.results, asked) : report.results));
}

await main();
