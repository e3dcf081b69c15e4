/** Small C programs written by a test, compiled and run. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

/** Compiles `source` with the stub's headers in reach; returns the path of the program. */
export function compileProbe(name: string, source: string, extra: readonly string[] = []): string {
	const directory = join('.build', 'probes');
	mkdirSync(directory, {recursive: true});
	const file = join(directory, `${name}.c`);
	const program = join(directory, name);
	writeFileSync(file, source);
	execFileSync(process.env.CC ?? 'gcc', [
		'-std=gnu11',
		'-Wall',
		'-Wextra',
		'-Werror',
		'-Iresumer-stub',
		...extra,
		'-o',
		program,
		file,
	]);
	return program;
}

/** What the program prints. */
export const runProbe = (program: string, args: readonly string[] = []): string =>
	execFileSync(program, args, {encoding: 'utf8', maxBuffer: 64 * 1024 * 1024});
