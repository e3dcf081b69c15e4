import {copyFileSync, mkdirSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {writePages} from '../frames.js';
import {digits} from '../stats.js';
import {onPath} from '../tools/on-path.js';
import type {Context, Part} from './part.js';

const WARM = join('bench', 'programs', 'warm');
const PATIENCE = 120_000;

const programs = [
	{name: 'node', source: 'warm.js', command: (file: string) => [process.execPath, file]},
	{name: 'python3', source: 'warm.py', command: (file: string) => [onPath('python3'), file]},
	{
		name: 'java',
		source: 'Warm.java',
		command: (file: string) => [onPath('java'), '-XX:-UsePerfData', '-Xmx512m', file],
	},
] as const;

/** Stopped, so that all of its artefacts hold the same. */
async function ratiosOf({scene, report}: Context, {name, source, command}: (typeof programs)[number]): Promise<void> {
	const {stage, room, who} = scene;
	mkdirSync(join(stage.dir, name), {recursive: true});
	const file = join(stage.dir, name, source);
	copyFileSync(join(WARM, source), file);
	const started = await stage.start(command(file));
	await started.line(/^warm/, PATIENCE);
	started.kill('SIGSTOP');
	const artefact = join(room, `${name}.frore`);
	const pages = join(room, `${name}.pages`);
	const frozen = async (codec: string) => {
		await stage.freeze(started.pid, {file: artefact, args: ['--quiet', '--allow', 'all', '--compress', codec]});
		return statSync(artefact).size;
	};
	try {
		await frozen('none');
		const plain = await writePages(artefact, pages);
		await scene.run([onPath('zstd'), '-q', '-3', pages, '-o', `${pages}.zst`]);
		const one = statSync(`${pages}.zst`).size;
		const detail = `${digits(plain / 1e6)} MB of pages, zstd -3: ${digits(one / 1e6)} MB`;
		for (const codec of ['zstd:3', 'zstd:1'] as const)
			report.row(`ratios.${name}.${codec}`, (await frozen(codec)) / one, {who, rounds: 1, detail});
	} finally {
		for (const path of [artefact, pages, `${pages}.zst`]) rmSync(path, {force: true});
		started.kill('SIGKILL');
	}
}

export const ratios: Part = {
	name: 'ratios',
	about: 'size of artefacts of warm runtimes against one zstd -3 file',
	async run(context) {
		for (const program of programs) {
			try {
				await ratiosOf(context, program);
			} catch (error) {
				context.report.missing(`the artefact of ${program.name}`, (error as Error).message);
			}
		}
	},
};
