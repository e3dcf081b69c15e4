/** The command line under test, where every user of the tests may read it. */
import {execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdtempSync, readFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

let place: string | undefined;

/** `node …/dist/frore.js`, from a copy when the checkout is closed to ordinary users (as below /root). */
export function commandLine(): string[] {
	place ??= readableByAll(process.cwd()) ? process.cwd() : copied();
	return [process.execPath, join(place, 'dist', 'frore.js')];
}

function readableByAll(root: string): boolean {
	if (process.getuid!() !== 0) return true;
	try {
		execFileSync('setpriv', [
			'--reuid=65534',
			'--clear-groups',
			'--bounding-set=-all',
			'test',
			'-r',
			join(root, 'package.json'),
		]);
		return true;
	} catch {
		return false;
	}
}

function copied(): string {
	const to = mkdtempSync(join(tmpdir(), 'frore-product-'));
	execFileSync('chmod', ['755', to]);
	for (const name of ['package.json', 'dist', 'templates']) {
		// The program of one file is large, and complete by itself.
		const filter = (source: string) => source !== join('dist', 'frore');
		if (existsSync(name)) cpSync(name, join(to, name), {recursive: true, filter});
	}
	for (const name of needed()) cpSync(join('node_modules', name), join(to, 'node_modules', name), {recursive: true});
	execFileSync('chmod', ['-R', 'a+rX', to]);
	process.on('exit', () => execFileSync('rm', ['-rf', to]));
	return to;
}

/** Names of the packages that the program needs when it runs. */
export function needed(): Set<string> {
	const all = new Set<string>();
	const visit = (file: string) => {
		if (!existsSync(file)) return;
		const {dependencies, optionalDependencies} = JSON.parse(readFileSync(file, 'utf8')) as Record<
			string,
			object | undefined
		>;
		for (const name of Object.keys({...dependencies, ...optionalDependencies})) {
			if (all.has(name) || !existsSync(join('node_modules', name))) continue;
			all.add(name);
			visit(join('node_modules', name, 'package.json'));
		}
	};
	visit('package.json');
	return all;
}
