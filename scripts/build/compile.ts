/** A small make: compiles C and assembly files into objects, again only when something they depend on is newer. */
import {spawn} from 'node:child_process';
import {existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';

export interface Unit {
	readonly source: string;
	readonly flags: readonly string[];
}

const PARALLEL = 2;

/** The compiler: gcc, or what $CC names. */
export const compiler = process.env.CC ?? 'gcc';

/** Runs a program; throws with its output when it fails. */
export function run(program: string, args: readonly string[]): Promise<string> {
	return new Promise((resolve, reject) => {
		const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe']});
		let output = '';
		child.stdout.on('data', (chunk) => (output += chunk));
		child.stderr.on('data', (chunk) => (output += chunk));
		child.on('error', (error) => reject(new Error(`cannot run ${program}: ${error.message}`)));
		child.on('close', (code) =>
			code === 0 ? resolve(output) : reject(new Error(`${program} ended with ${code}\n${output}`)),
		);
	});
}

const modified = (path: string): number => (existsSync(path) ? statSync(path).mtimeMs : Number.POSITIVE_INFINITY);

/** Sources and headers that a depfile of `gcc -MMD` names. */
const dependencies = (depfile: string): string[] =>
	readFileSync(depfile, 'utf8')
		.replaceAll('\\\n', ' ')
		.replace(/^[^:]*:/, '')
		.split(/\s+/)
		.filter(Boolean);

const recordOf = (output: string): string => join('.build/commands', output.replaceAll('/', '~'));

/** Is `output`, made by `command`, as new as everything in `inputs`? */
export function isFresh(output: string, command: string, inputs: readonly string[]): boolean {
	const record = recordOf(output);
	if (!existsSync(output) || !existsSync(record) || readFileSync(record, 'utf8') !== command) return false;
	const made = statSync(output).mtimeMs;
	return inputs.every((input) => modified(input) <= made);
}

export function recordCommand(output: string, command: string): void {
	mkdirSync('.build/commands', {recursive: true});
	writeFileSync(recordOf(output), command);
}

async function compileOne({source, flags}: Unit, object: string): Promise<boolean> {
	const depfile = `${object}.d`;
	const args = [...flags, '-MMD', '-MF', depfile, '-c', source, '-o', object];
	const command = [compiler, ...args].join(' ');
	if (existsSync(depfile) && isFresh(object, command, dependencies(depfile))) return false;
	mkdirSync(dirname(object), {recursive: true});
	/* Under another name first: a second build may be running. */
	const [own, ownDepfile] = [`${object}.${process.pid}`, `${depfile}.${process.pid}`];
	const ownArgs = [...flags, '-MMD', '-MF', ownDepfile, '-c', source, '-o', own];
	const warnings = await run(compiler, ownArgs);
	if (warnings) console.error(warnings);
	renameSync(ownDepfile, depfile);
	renameSync(own, object);
	recordCommand(object, command);
	return true;
}

/** Objects below `directory`, in the order of the units. Reports every file that does not compile. */
export async function compile(units: readonly Unit[], directory: string): Promise<string[]> {
	const objects = units.map(({source}) => join(directory, `${source.replaceAll('/', '~')}.o`));
	const failures: string[] = [];
	let next = 0;
	const worker = async (): Promise<void> => {
		while (next < units.length) {
			const at = next++;
			try {
				if (await compileOne(units[at]!, objects[at]!)) console.error(`  cc ${units[at]!.source}`);
			} catch (error) {
				failures.push((error as Error).message);
			}
		}
	};
	await Promise.all(Array.from({length: PARALLEL}, worker));
	if (failures.length > 0) throw new Error(failures.join('\n'));
	return objects;
}
