import {constants as osConstants} from 'node:os';
import {isAbsolute, join} from 'node:path';
import type {Command} from 'commander';
import {EXIT, FroreError} from '../../builder/errors.js';
import {type FreezeFlags, parseFreezeFlags} from './freeze-options.js';
import {formatBytes, tell} from './messages.js';
import {version} from './version.js';

const help = `
Writes PID's state into one executable file; running that file resumes the program.
Without --halt or --stop the program goes on running.
Exit codes: 0 done, 1 failed, 2 usage, 3 the process cannot be frozen as it is;
130, 143, 129 when interrupted. Except with 0 no file is left, and the program always
goes on as it was.`;

export function registerFreeze(program: Command): void {
	program
		.command('freeze')
		.summary('freeze a running process into one executable file')
		.description('freeze a running process into one executable file')
		.argument('<PID>', 'process')
		.option(
			'-o, --dest <DEST>',
			'FILE, - for standard output, tcp:HOST:PORT, udp:HOST:PORT or unix:PATH (default: ./COMM-PID.frore)',
		)
		.option('--output <DEST>', 'the same')
		.option('--halt', 'end the process once the artefact is safely written')
		.option('--stop', 'leave it stopped')
		.option('--no-children', 'this process alone')
		.option('--live', 'stop it for milliseconds only, and copy its memory while it runs on')
		.option('--compress <CODEC>', 'none, zstd[:N], gzip, flate, snappy or lz4', 'zstd:1')
		.option('--encrypt <CIPHER:KEYFILE>', 'encrypt the artefact')
		.option('--passphrase', 'encrypt it with a passphrase')
		.option('--passphrase-fd <N>', 'read the passphrase from descriptor N')
		.option(
			'--external <POLICY>',
			'what becomes of descriptors whose other end is outside: hangup, refuse, null or inherit',
		)
		.option('--fd <N=WHAT>', 'the same for one descriptor: null, hangup, inherit or a path', collect, [])
		.option('--allow <KIND,...>', 'go on although this is lost ("all": whatever it is)', collect, [])
		.option('--files <HOW>', 'content of open regular files: reference or embed', 'reference')
		.option('--stop-timeout <S>', 'seconds to wait until every thread has stopped', '5')
		.option('--max-pause <S>', 'give up when the process has been stopped for so long', '30')
		.option('--dial-timeout <S>', 'seconds to wait for a connection to DEST')
		.option('--write-timeout <S>', 'seconds to wait for DEST to take data')
		.option('--json', 'say what was done as JSON')
		.option('--quiet', 'say nothing but errors')
		.option('-v, --verbose', 'say more')
		.option('--debug', 'registers, maps and descriptors too')
		.addHelpText('after', help)
		.action(run);
}

function collect(value: string, before: string[]): string[] {
	return [...before, value];
}

async function run(pidText: string, flags: FreezeFlags): Promise<void> {
	const signals = catchSignals();
	try {
		const runner = await runnerFor(pidText, flags);
		if (runner !== undefined) {
			const {askRunner} = await import('./run/client.js');
			process.exitCode = await askRunner(runner, pidText, flags);
			return;
		}

		const said = await freezeFor({pid: pidText, flags, cwd: '.'}, () => signals.caught !== undefined);
		for (const line of said.stderr) {
			tell(line);
		}

		process.stdout.write(said.stdout);
	} catch (error) {
		if (signals.caught === undefined) {
			throw error;
		}

		throw new FroreError(
			'interrupted',
			'interrupted; the process goes on, and nothing was written',
			128 + signals.caught,
		);
	} finally {
		signals.restore();
	}
}

/** Socket of the `frore run` that has to do it, when the kernel does not let us and there is one. */
async function runnerFor(pidText: string, flags: FreezeFlags): Promise<string | undefined> {
	const {pid} = parseFreezeFlags(pidText, flags);
	const [{mayAttach}, {resolveTarget}] = await Promise.all([
		import('../sys/memory.js'),
		import('../capture/resolve.js'),
	]);
	const target = resolveTarget(pid);
	if (mayAttach(target)) {
		return undefined;
	}

	const {findRunner} = await import('./run/client.js');
	return findRunner(target);
}

/**
 * Does what the command line asks, and returns what is to stand on standard output (but for the artefact itself) and standard error.
 * @param asked.cwd where a relative destination begins
 */
export async function freezeFor(
	asked: {readonly pid: string; readonly flags: FreezeFlags; readonly cwd: string},
	interrupted: () => boolean,
): Promise<Said> {
	const options = parseFreezeFlags(asked.pid, asked.flags);
	// Loaded here: other commands need no native code.
	const [{freeze}, {openFile, openStdout}, {resolveTarget}, {readComm}] = await Promise.all([
		import('../capture/freeze.js'),
		import('../capture/destination.js'),
		import('../capture/resolve.js'),
		import('../capture/process.js'),
	]);
	const {preflight} = await import('../capture/preflight.js');
	const pid = resolveTarget(options.pid);
	preflight(pid);
	const name = options.destination ?? `./${safeName(readComm(pid))}-${options.pid}.frore`;
	const toStdout = name === '-' || name === 'stdout';
	const path = isAbsolute(name) || asked.cwd === '.' ? name : join(asked.cwd, name);
	const destination = toStdout ? openStdout() : openFile(path, options.destination !== undefined);
	const summary = await freeze({...options, pid, destination, version, interrupted});
	return report(summary, toStdout ? undefined : name, options);
}

interface Said {
	stdout: string;
	stderr: string[];
}

type Options = ReturnType<typeof parseFreezeFlags>;
type Summary = Awaited<ReturnType<typeof import('../capture/freeze.js')['freeze']>>;

function report(summary: Summary, path: string | undefined, options: Options): Said {
	const {quiet, json, verbose} = options;
	const said: Said = {stdout: '', stderr: []};
	const {snapshot, bytes, pauseMilliseconds, pageBytes, live} = summary;
	if (typeof live === 'string' && !quiet) {
		said.stderr.push(`not --live: ${live}; it was stopped while its memory was copied`);
	}

	const task = snapshot.task[0];
	const command = snapshot.thread[task?.first_thread ?? 0]?.comm ?? '';
	const threads = snapshot.thread.length;
	const processes = snapshot.task.filter(({nthreads}) => nthreads > 0).length;
	if (json) {
		const text = JSON.stringify({
			path: path ?? null,
			bytes,
			page_bytes: pageBytes,
			pause_ms: Math.round(pauseMilliseconds * 1000) / 1000,
			...(options.live && {
				live: typeof live === 'object' && live.way,
				live_extra_bytes: typeof live === 'object' ? live.extra : 0,
			}),
			pid: task?.pid,
			command,
			processes,
			threads,
			warnings: snapshot.warning.map(({pid, fd, kind, text}) => ({
				pid,
				fd: fd === 0xffff_ffff ? null : fd,
				kind,
				text,
			})),
		});
		return path === undefined ? {stdout: '', stderr: [text]} : {stdout: `${text}\n`, stderr: []};
	}

	if (!quiet) {
		said.stderr.push(
			`frozen: ${command} (${task?.pid}), ${processes === 1 ? '' : `${processes} processes, `}${threads} thread${threads === 1 ? '' : 's'}, ${formatBytes(pageBytes)} of memory in ${formatBytes(bytes)}; it was stopped for ${pauseMilliseconds.toFixed(1)} ms`,
		);
		if (verbose) {
			if (typeof live === 'object' && live.way === 'cloned') {
				said.stderr.push(`  held twice  ${formatBytes(live.extra)}, written to while it was copied`);
			}

			for (const {name, milliseconds} of summary.phases) {
				said.stderr.push(`  ${name.padEnd(12)}${milliseconds.toFixed(1).padStart(8)} ms`);
			}
		}

		for (const {pid, fd, text} of snapshot.warning) {
			// Of a single process everybody knows which one.
			const where = [...(processes > 1 ? [`process ${pid}`] : []), ...(fd === 0xffff_ffff ? [] : [`fd ${fd}`])];
			said.stderr.push(`  warning: ${where.length > 0 ? `${where.join(', ')}: ` : ''}${text}`);
		}

		if (path !== undefined && verbose) {
			said.stderr.push(`resume with: ${path.includes('/') ? path : `./${path}`}`);
		}
	}

	if (path !== undefined) {
		said.stdout = `${path}\n`;
	}

	return said;
}

/** "/" and what cannot be printed become "_". */
const safeName = (comm: string): string => comm.replaceAll(/[^\x21-\x7e]|\//g, '_');

function catchSignals() {
	const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	const state: {caught: number | undefined; restore: () => void} = {caught: undefined, restore: () => {}};
	const handler = (name: (typeof names)[number]) => {
		state.caught ??= osConstants.signals[name];
	};

	for (const name of names) {
		process.on(name, handler);
	}

	state.restore = () => {
		for (const name of names) {
			process.off(name, handler);
		}
	};

	return state;
}

export {EXIT};
