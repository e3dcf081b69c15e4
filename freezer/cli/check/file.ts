/** Is this artefact whole, and would it run here? */
import {spawnSync} from 'node:child_process';
import {resolve} from 'node:path';
import {type Artefact, verify} from '../../../builder/artefact-reader.js';
import {damaged, EXIT, FroreError} from '../../../builder/errors.js';
import {findProvenance, loadedBytesHash, type Provenance} from '../../../builder/provenance.js';
import {fileError, openFile} from '../inspect/open.js';
import {count, size} from '../inspect/words.js';
import {tell} from '../messages.js';
import {createProgress} from '../progress.js';

const PATIENCE = 30_000;

/** Prints what was found; returns the exit code. Throws FroreError with exit code 4 for damage. */
export async function checkFile(path: string, json: boolean): Promise<number> {
	using opened = await openFile(path);
	const {artefact} = opened;
	{
		using progress = createProgress('verify');
		verify(artefact, (done, total) => progress.show(done, total));
	}
	const provenance = await checkStub(artefact);
	if (path === '-') {
		report(artefact, provenance, json, undefined);
		return 0;
	}
	const own = runOwnCheck(path, json);
	report(artefact, provenance, json, own);
	return own.code;
}

/** The program at the head of the file must be the one that was built and stamped. */
async function checkStub({source, stubLength}: Artefact): Promise<Provenance> {
	const elf = Buffer.from(source.read(0, stubLength));
	let provenance: Provenance | undefined;
	let hash: string;
	try {
		provenance = findProvenance(elf);
		hash = await loadedBytesHash(elf);
	} catch (error) {
		throw damaged(`${source.name} is damaged: the program at its head cannot be read (${(error as Error).message})`);
	}
	if (!provenance) throw damaged(`${source.name} is damaged: the program at its head has no provenance note`);
	if (provenance.sha256 !== hash) {
		throw damaged(`${source.name} is damaged: the program at its head is not the one that its note tells of`);
	}
	return provenance;
}

interface OwnCheck {
	/** 0 it would run, 3 it would not. */
	readonly code: number;
	readonly text: string;
}

/** What the artefact says itself: only it knows what its resume needs. */
function runOwnCheck(path: string, json: boolean): OwnCheck {
	const result = spawnSync(resolve(path), ['--check', ...(json ? ['--json'] : [])], {
		encoding: 'utf8',
		timeout: PATIENCE,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	if (result.error) {
		const {code} = result.error as NodeJS.ErrnoException;
		if (code === 'EACCES') {
			return {
				code: EXIT.REFUSED,
				text: `${path} cannot be executed here; \`chmod u+x\` it, or copy it to a file system that is not mounted noexec`,
			};
		}
		throw fileError('run', path, result.error);
	}
	const text = `${result.stdout}${result.stderr}`.trim();
	if (result.status === EXIT.DAMAGED) throw new FroreError('damaged', text || `${path} is damaged`, EXIT.DAMAGED);
	return {code: result.status === 0 ? 0 : EXIT.REFUSED, text};
}

function report(
	{frames, source}: Artefact,
	{sha256, version}: Provenance,
	json: boolean,
	own: OwnCheck | undefined,
): void {
	if (json) {
		process.stdout.write(
			`${JSON.stringify({
				file: source.name,
				whole: true,
				stub: {version, sha256},
				runnable: own ? own.code === 0 : null,
				check: own?.text ?? null,
			})}\n`,
		);
		return;
	}
	process.stdout.write(
		`${source.name} is whole: ${size(source.size)} with ${count(frames.length, 'page frame')}, and the program of frore ${version} at its head\n`,
	);
	if (!own) process.stdout.write('whether it would run here only a file can tell\n');
	else if (own.code === 0) process.stdout.write(`${own.text || 'it would run on this machine'}\n`);
	else for (const line of own.text.split('\n')) tell(line.startsWith('frore: ') ? line : `frore: ${line}`);
}
