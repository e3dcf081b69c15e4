/** The side of `frore freeze`: finds the `frore run` above a process and lets it do the freezing. */
import {createReadStream, existsSync, lstatSync, readFileSync, unlinkSync} from 'node:fs';
import {createConnection} from 'node:net';
import {dirname, join} from 'node:path';
import {EXIT, FroreError} from '../../../builder/errors.js';
import type {FreezeFlags} from '../freeze-options.js';
import {version} from '../version.js';
import {type Answer, type FreezeAsked, lineSplitter} from './protocol.js';
import {socketCandidates} from './runtime-directory.js';

const statusField = (pid: number, name: string): number => {
	const text = readFileSync(`/proc/${pid}/status`, 'latin1');
	return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
};

/** Socket of the nearest `frore run` among the ancestors of `pid`. */
export function findRunner(pid: number): string | undefined {
	try {
		for (let at = statusField(pid, 'PPid'); at > 1; at = statusField(at, 'PPid')) {
			const found = socketCandidates(at, statusField(at, 'Uid')).find((path) => existsSync(path));
			if (found && lstatSync(found).isSocket()) return found;
		}
	} catch {
		// The process or one of its ancestors has ended.
	}
	return undefined;
}

/** Has the freeze done at the other end of `socket`; prints what it says and returns its exit code. */
export async function askRunner(socket: string, pid: string, flags: FreezeFlags): Promise<number> {
	const destination = flags.dest ?? flags.output;
	if (destination !== '-' && destination !== 'stdout') return converse(socket, pid, flags);
	// A descriptor cannot be handed over: it writes into its private directory, and the bytes are copied from there.
	const {output: _output, ...rest} = flags;
	const file = join(dirname(socket), `stdout-${process.pid}.frore`);
	const {openStdout} = await import('../../capture/destination.js');
	const stdout = openStdout();
	try {
		const code = await converse(socket, pid, {...rest, dest: file}, true);
		if (code === 0) for await (const chunk of createReadStream(file)) stdout.write(chunk as Buffer);
		return code;
	} finally {
		if (existsSync(file)) unlinkSync(file);
	}
}

function converse(socket: string, pid: string, flags: FreezeFlags, withoutStdout = false): Promise<number> {
	return new Promise((resolve, reject) => {
		const lost = (cause?: Error): void =>
			reject(
				new FroreError('runner', 'the `frore run` above the process does not answer', EXIT.FAILED, {
					hint: 'Try again as root.',
					cause,
				}),
			);
		const connection = createConnection(socket);
		const asked: FreezeAsked = {version, pid, flags, cwd: process.cwd()};
		connection.setEncoding('utf8');
		connection.on('connect', () => connection.write(`${JSON.stringify(asked)}\n`));
		connection.on('error', lost);
		connection.on('close', () => lost());
		connection.on(
			'data',
			lineSplitter((line) => {
				const answer = JSON.parse(line) as Answer;
				if (answer.kind === 'exit') resolve(answer.code);
				else if (answer.kind === 'stderr') process.stderr.write(answer.text);
				else if (!withoutStdout) process.stdout.write(answer.text);
			}),
		);
	});
}
