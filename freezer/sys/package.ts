/** Finds the files that frore brings along, from the bundle in dist/ as well as from compiled tests. */
import {existsSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** Root of the installed package or the checkout: the nearest directory above that has templates/ or dist/frore-native.so. */
export function packageRoot(): string {
	let directory = dirname(fileURLToPath(import.meta.url));
	while (!existsSync(join(directory, 'package.json'))) {
		const parent = dirname(directory);
		if (parent === directory) throw new Error('cannot find the files of frore: no package.json above the program');
		directory = parent;
	}
	return directory;
}

export const nativePath = (): string => join(packageRoot(), 'dist', 'frore-native.so');

/** The prelinked stub for the machine of this process. */
export const templatePath = (): string => join(packageRoot(), 'templates', 'stub-x86_64.elf');
