/** The stub's provenance note: what it was built from, and the hash of its code and data, put in by postject after linking. */
import {readFileSync} from 'node:fs';
import {inject} from 'postject';
import {findProvenance, loadedBytesHash, type Provenance} from '../../builder/provenance.js';
import {compiler, run} from './compile.js';
import {lz4Header, zlibHeader, zstdHeader} from './third-party.js';

const FUSE = 'FRORE_PROVENANCE_6f0d1c52a4b94d0e';

const versionOf = (name: string): string =>
	(JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')) as {version: string}).version;

/** The values of the given macros of a C header, joined by dots. */
function macros(header: string, names: readonly string[]): string {
	const text = readFileSync(header, 'utf8');
	return names.map((name) => new RegExp(`#define\\s+${name}\\s+"?([\\d.]+)`).exec(text)?.[1] ?? '?').join('.');
}

const threePart = (prefix: string): string[] =>
	['MAJOR', 'MINOR', 'RELEASE'].map((part) => `${prefix}_VERSION_${part}`);

const thirdParty = (): Record<string, string> => ({
	zstd: `${macros(zstdHeader, threePart('ZSTD'))} from zstd-napi ${versionOf('zstd-napi')}, BSD-3-Clause`,
	lz4: `${macros(lz4Header, threePart('LZ4'))} from lz4 ${versionOf('lz4')}, BSD-2-Clause`,
	zlib: `${macros(zlibHeader, ['ZLIB_VERSION'])} from zlib-sync ${versionOf('zlib-sync')}, Zlib`,
	frore: 'MIT',
});

export async function provenanceOf(file: string, flags: readonly string[]): Promise<Provenance> {
	return {
		sha256: await loadedBytesHash(readFileSync(file)),
		compiler: (await run(compiler, ['--version'])).split('\n')[0]!,
		flags: [...new Set(flags)].filter((flag) => /^-[OfmW]/.test(flag)).join(' '),
		version: (JSON.parse(readFileSync('package.json', 'utf8')) as {version: string}).version,
		sources: thirdParty(),
	};
}

/** postject reports success even when it did nothing, so the note is read back. */
export async function injectProvenance(file: string, provenance: Provenance): Promise<void> {
	await inject(file, 'FRORE_PROVENANCE', Buffer.from(JSON.stringify(provenance)), {sentinelFuse: FUSE});
	const elf = readFileSync(file);
	const found = findProvenance(elf);
	if (found?.sha256 !== provenance.sha256) throw new Error(`postject left no provenance note in ${file}`);
	if ((await loadedBytesHash(elf)) !== provenance.sha256) throw new Error(`postject changed the code of ${file}`);
}
