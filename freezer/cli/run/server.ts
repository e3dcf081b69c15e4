/** The side of `frore run`: freezes its descendants when another frore of the same user asks for it. */
import {unlinkSync} from 'node:fs';
import {createServer, type Server, type Socket} from 'node:net';
import {join} from 'node:path';
import {EXIT, FroreError} from '../../../builder/errors.js';
import {errorLines} from '../messages.js';
import {version} from '../version.js';
import {type Answer, type FreezeAsked, lineSplitter} from './protocol.js';
import {makeRuntimeDirectory} from './runtime-directory.js';

export interface FreezeServer {
	/** A freeze is going on: waitpid must leave the children alone. */
	readonly busy: boolean;
	close(): void;
}

/** Does the freeze and returns what would stand on its standard output and standard error. */
export type Freezer = (
	asked: FreezeAsked,
	interrupted: () => boolean,
) => Promise<{readonly stdout: string; readonly stderr: readonly string[]}>;

/** Listens until closed; requests are served one after the other. `idle` is called after each. */
export function serveFreezes(freeze: Freezer, idle: () => void): FreezeServer {
	const path = join(makeRuntimeDirectory(), `run-${process.pid}.sock`);
	let busy = false;
	let queue = Promise.resolve();
	const server: Server = createServer((socket) => {
		let interrupted = false;
		socket.setEncoding('utf8');
		socket.on('error', () => undefined);
		socket.on('close', () => {
			interrupted = true;
		});
		socket.on(
			'data',
			lineSplitter((line) => {
				queue = queue.then(async () => {
					busy = true;
					try {
						await answer(socket, line, freeze, () => interrupted);
					} finally {
						busy = false;
						idle();
					}
				});
			}),
		);
	});
	try {
		// Left by a process that had our pid before.
		unlinkSync(path);
	} catch {}
	server.on('error', () => undefined);
	server.listen(path);
	return {
		get busy() {
			return busy;
		},
		close() {
			server.close();
			try {
				unlinkSync(path);
			} catch {}
		},
	};
}

async function answer(socket: Socket, line: string, freeze: Freezer, interrupted: () => boolean): Promise<void> {
	const say = (message: Answer): void => void socket.write(`${JSON.stringify(message)}\n`);
	try {
		const asked = JSON.parse(line) as FreezeAsked;
		if (asked.version !== version) {
			throw new FroreError(
				'version',
				`the \`frore run\` that must freeze it is version ${version}, this is ${asked.version}`,
				EXIT.FAILED,
				{hint: 'Use the same version for both.'},
			);
		}
		const {stdout, stderr} = await freeze(asked, interrupted);
		for (const text of stderr) say({kind: 'stderr', text: `${text}\n`});
		say({kind: 'stdout', text: stdout});
		say({kind: 'exit', code: 0});
	} catch (error) {
		for (const text of errorLines(error)) say({kind: 'stderr', text: `${text}\n`});
		say({kind: 'exit', code: error instanceof FroreError ? error.exitCode : EXIT.FAILED});
	}
	socket.end();
}
