/** Builds dist/frore-probe: the program by which `frore doctor` tries what this machine allows. */
import {mkdirSync} from 'node:fs';
import {compiler, isFresh, recordCommand, run} from './compile.js';

const source = 'freezer/sys/probe/probe.c';
const output = 'dist/frore-probe';
const args = ['-O1', '-std=gnu11', '-Wall', '-Wextra', '-Werror', source, '-o', output, '-s'];

export async function buildProbe(): Promise<void> {
	const command = [compiler, ...args].join(' ');
	if (isFresh(output, command, [source])) return;
	mkdirSync('dist', {recursive: true});
	await run(compiler, args);
	recordCommand(output, command);
	console.error(`  cc ${output}`);
}
