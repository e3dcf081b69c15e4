/** Builds dist/frore-native.so: encoders, decoders, checksums and processor queries for the freezer. */
import {mkdirSync, readdirSync, renameSync} from 'node:fs';
import {compile, compiler, isFresh, recordCommand, run} from './compile.js';
import {codecUnits, thirdPartyIncludes} from './third-party.js';

const output = 'dist/frore-native.so';
/** How the codec libraries are compiled. */
export const codecFlags = [
	'-O2',
	'-std=gnu11',
	'-fPIC',
	'-fvisibility=hidden',
	'-ffunction-sections',
	'-fdata-sections',
];
/** How our own C of the shared object is compiled. */
export const nativeFlags = [...codecFlags, '-Wall', '-Wextra', '-Werror', ...thirdPartyIncludes];
/** The stub's own glue, so that both sides decode with the same code; its heap and mem functions stay out. */
const glue = ['codec', 'hash', 'inflate', 'snappy'].map((name) => `resumer-stub/codec/${name}.c`);

export const nativeSources = (): string[] =>
	readdirSync('freezer/sys/native')
		.filter((name) => name.endsWith('.c'))
		.sort()
		.map((name) => `freezer/sys/native/${name}`);

export async function buildNative(): Promise<void> {
	const objects = await compile(
		[...[...nativeSources(), ...glue].map((source) => ({source, flags: nativeFlags})), ...codecUnits(codecFlags)],
		'.build/native',
	);
	const args = ['-shared', ...objects, '-Wl,--gc-sections,-z,defs,-s', '-o'];
	const command = args.join(' ');
	if (isFresh(output, command, objects)) return;
	mkdirSync('dist', {recursive: true});
	const own = `${output}.${process.pid}`;
	await run(compiler, [...args, own]);
	renameSync(own, output);
	recordCommand(output, command);
	console.error(`  ld ${output}`);
}
