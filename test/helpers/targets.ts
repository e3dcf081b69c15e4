/** Compiles the C programs of test/targets, each once, into .build/targets. */
import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, renameSync, statSync} from 'node:fs';
import {join} from 'node:path';

export type Flavour = 'glibc' | 'musl' | 'm32' | 'avx512';

const compilers: Record<Flavour, string[]> = {
	glibc: ['gcc', '-pthread'],
	avx512: ['gcc', '-pthread', '-mavx512f'],
	musl: ['musl-gcc', '-static', '-pthread'],
	m32: ['gcc', '-m32', '-nostdlib', '-static', '-ffreestanding', '-fno-pie', '-no-pie', '-fno-stack-protector'],
};

/** Path of the compiled target; throws with the compiler's words. */
export function compileTarget(name: string, flavour: Flavour = 'glibc'): string {
	const folder = join(process.cwd(), '.build', 'targets');
	const out = join(folder, flavour === 'glibc' ? name : `${name}-${flavour}`);
	const sources = [join('test', 'targets', `${name}.c`), join('test', 'targets', 'judge.h')];
	if (existsSync(out) && sources.every((source) => statSync(source).mtimeMs < statSync(out).mtimeMs)) return out;
	mkdirSync(folder, {recursive: true});
	const [compiler, ...flags] = compilers[flavour];
	const fresh = `${out}.${process.pid}`;
	const all = ['-std=gnu11', '-O1', '-g', '-Wall', '-Wextra', '-Werror', ...flags, '-o', fresh, sources[0]!];
	execFileSync(compiler!, all, {stdio: ['ignore', 'inherit', 'inherit']});
	renameSync(fresh, out);
	return out;
}
