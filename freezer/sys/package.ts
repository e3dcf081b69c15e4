/** The files that frore brings along: in the installed package, in the checkout, or inside the one-file program. */
import {existsSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {getRawAsset, isSea} from 'node:sea';
import {fileURLToPath} from 'node:url';
import {unpack} from './unpack.js';

/** By their paths below the root of the package; scripts/build/sea.ts puts them into the one-file program under the same names. */
export const packageFiles = {
	native: 'dist/frore-native.so',
	probe: 'dist/frore-probe',
	inspectPage: 'dist/inspect-page.js',
	/** The prelinked stub for the machine of this process. */
	stub: 'templates/stub-x86_64.elf',
	koffi: 'node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node',
} as const;

export type PackageFile = keyof typeof packageFiles;

/** Of the installed package or the checkout: the nearest directory above that has the templates. */
function packageRoot(): string {
	let directory = dirname(fileURLToPath(import.meta.url));
	while (!existsSync(join(directory, 'templates'))) {
		const parent = dirname(directory);
		if (parent === directory) throw new Error('cannot find the files of frore: no templates above the program');
		directory = parent;
	}
	return directory;
}

const inside = (file: PackageFile): Uint8Array => new Uint8Array(getRawAsset(packageFiles[file]) as ArrayBuffer);

const unpacked = new Map<PackageFile, string>();

/** For what the kernel or the dynamic loader must open. The path is valid in this process and its children until they exec. */
export function packagePath(file: PackageFile): string {
	if (!isSea()) return join(packageRoot(), packageFiles[file]);
	const path = unpacked.get(file) ?? unpack(inside(file));
	unpacked.set(file, path);
	return path;
}

/** Not to be written to: in the one-file program they are its own read-only pages. */
export const packageBytes = (file: PackageFile): Uint8Array =>
	isSea() ? inside(file) : readFileSync(join(packageRoot(), packageFiles[file]));
