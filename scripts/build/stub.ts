/** Builds templates/stub-x86_64.elf: the program at the head of every artefact. */
import {existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {compile, compiler, isFresh, recordCommand, run} from './compile.js';
import {injectProvenance, provenanceOf} from './provenance.js';
import {decoderUnits, thirdPartyIncludes} from './third-party.js';

const PAGE = 4096;
const output = 'templates/stub-x86_64.elf';
const linked = '.build/stub/stub.elf';
const script = 'templates/stub.ld';

const flags = [
	'-std=gnu11',
	'-ffreestanding',
	'-fno-stack-protector',
	'-fno-asynchronous-unwind-tables',
	'-fPIE',
	'-fno-jump-tables',
	'-fvisibility=hidden',
	'-fcf-protection=none',
	'-ffunction-sections',
	'-fdata-sections',
];
/** How our own C of the stub is compiled. */
export const stubFlags = ['-Os', '-Wall', '-Wextra', '-Werror', '-Iresumer-stub', ...thirdPartyIncludes, ...flags];
const thirdParty = ['-O2', '-DDYNAMIC_BMI2=0', ...flags];

/** Every C and assembly file of the stub. */
export const stubSources = (): string[] =>
	readdirSync('resumer-stub', {recursive: true, encoding: 'utf8'})
		.filter((name) => /\.[cS]$/.test(name))
		.sort()
		.map((name) => join('resumer-stub', name));

async function link(objects: readonly string[]): Promise<boolean> {
	const args = [
		'-static-pie',
		'-nostdlib',
		`-Wl,-T,${script},--gc-sections,-z,noseparate-code,-z,norelro,-z,noexecstack,--build-id=none,--no-dynamic-linker,-Map=${linked}.map`,
		...objects,
		'-o',
		linked,
	];
	const command = args.join(' ');
	if (existsSync(output) && isFresh(linked, command, [...objects, script])) return false;
	await run(compiler, args);
	const relocations = await run('readelf', ['-rW', linked]);
	if (!relocations.includes('There are no relocations in this file')) {
		throw new Error(`the stub needs relocations; a table of pointers must become a switch or offsets\n${relocations}`);
	}
	recordCommand(linked, command);
	return true;
}

/** Third-party objects and ours, linked, stripped, stamped with the provenance note and padded to whole pages. */
export async function buildStub(): Promise<void> {
	if (!existsSync('resumer-stub/main.c')) throw new Error('there is no resumer-stub/main.c');
	const sources = stubSources();
	const objects = await compile(
		[...[...sources, 'templates/note.S'].map((source) => ({source, flags: stubFlags})), ...decoderUnits(thirdParty)],
		'.build/stub',
	);
	if (!(await link(objects))) return;
	const stamped = `.build/stub/stamped.${process.pid}`;
	mkdirSync('templates', {recursive: true});
	await run('strip', ['--strip-all', linked, '-o', stamped]);
	await injectProvenance(stamped, await provenanceOf(stamped, [...stubFlags, ...thirdParty]));
	const elf = readFileSync(stamped);
	const padded = Buffer.alloc(Math.ceil(elf.length / PAGE) * PAGE);
	elf.copy(padded);
	writeFileSync(stamped, padded);
	renameSync(stamped, output);
	console.error(`  ld ${output} (${padded.length} bytes)`);
}
