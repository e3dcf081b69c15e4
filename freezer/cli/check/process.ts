/** Would this process freeze? A freeze that copies and writes nothing. */

import {EXIT, FroreError} from '../../../builder/errors.js';
import type {Destination} from '../../capture/destination.js';
import {freeze} from '../../capture/freeze.js';
import {preflight} from '../../capture/preflight.js';
import {resolveTarget} from '../../capture/resolve.js';
import {mayAttach} from '../../sys/memory.js';
import {type FreezeFlags, parseFreezeFlags} from '../freeze-options.js';
import {tell} from '../messages.js';
import {findRunner} from '../run/client.js';
import {version} from '../version.js';

type Options = Pick<FreezeFlags, 'external' | 'fd' | 'allow' | 'files' | 'children'> & {readonly json?: boolean};

const nowhere: Destination = {name: 'nowhere', write() {}, commit() {}, abandon() {}};

interface Verdict {
	readonly pid: number;
	/** Command name, when it could be looked at. */
	readonly command: string | null;
	readonly freezable: boolean;
	readonly reasons: readonly string[];
	readonly hint: string | null;
	/** What would be different after a resume. */
	readonly warnings: ReadonlyArray<{pid: number; fd: number | null; kind: string; text: string}>;
}

/** Prints the verdict; returns the exit code. */
export async function checkProcess(pidText: string, options: Options): Promise<number> {
	const verdict = await judge(pidText, options);
	if (options.json) process.stdout.write(`${JSON.stringify(verdict)}\n`);
	else print(verdict);
	return verdict.freezable ? 0 : EXIT.REFUSED;
}

async function judge(pidText: string, options: Options): Promise<Verdict> {
	const flags = {compress: 'none', stopTimeout: '5', maxPause: '30', ...options};
	const parsed = parseFreezeFlags(pidText, flags);
	const base = {pid: parsed.pid as number, command: null, hint: null, warnings: []};
	try {
		const pid = resolveTarget(parsed.pid);
		preflight(pid);
		const runner = mayAttach(pid) ? undefined : findRunner(pid);
		if (runner) {
			const hint = 'The `frore run` above it would freeze it; its descriptors cannot be looked at from here.';
			return {...base, freezable: true, reasons: [], hint};
		}
		const {snapshot} = await freeze({
			...parsed,
			pid,
			destination: nowhere,
			version,
			survey: true,
			interrupted: () => false,
		});
		const task = snapshot.task[0]!;
		return {
			...base,
			pid: task.pid,
			command: snapshot.thread[task.first_thread]?.comm ?? '',
			freezable: true,
			reasons: [],
			warnings: snapshot.warning.map((row) => ({...row, fd: row.fd === 0xffff_ffff ? null : row.fd})),
		};
	} catch (error) {
		if (!(error instanceof FroreError) || error.exitCode !== EXIT.REFUSED) throw error;
		return {...base, freezable: false, reasons: error.lines, hint: error.hint ?? null};
	}
}

function print({pid, command, freezable, reasons, hint, warnings}: Verdict): void {
	const name = command === null ? `process ${pid}` : `process ${pid} (${command})`;
	if (!freezable) {
		for (const reason of reasons) tell(`frore: ${reason}`);
		if (hint) tell(`frore: ${hint}`);
		return;
	}
	process.stdout.write(
		`${name} can be frozen${warnings.length === 0 && !hint ? ', and nothing of it would be lost' : ''}\n`,
	);
	for (const {fd, text} of warnings) process.stdout.write(`  warning: ${fd === null ? '' : `fd ${fd}: `}${text}\n`);
	if (hint) process.stdout.write(`  ${hint}\n`);
}
