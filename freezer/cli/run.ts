/** `frore run -- CMD ARG...`: starts a program that can be frozen later where only an ancestor may trace it. */
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Command} from 'commander';
import {FroreError} from '../../builder/errors.js';

const OWN_FAILURE = 125;
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;
const ENOENT = 2;

const help = `
Runs CMD and ends exactly as it ends. Meanwhile \`frore freeze PID\` of the same user, from
any shell, freezes CMD or one of its descendants, even where kernel.yama.ptrace_scope is 1:
the freezing is done by this process, which is their ancestor.
Exit codes: those of CMD; 125 frore itself failed, 126 CMD cannot be executed, 127 not found.`;

export function registerRun(program: Command): void {
	program
		.command('run')
		.summary('start a program so that it can be frozen later without privileges')
		.description('start a program so that it can be frozen later without privileges')
		.usage('-- CMD [ARG...]')
		.argument('<CMD...>', 'program and its arguments')
		.addHelpText('after', help)
		.action(run);
}

async function run(command: string[]): Promise<void> {
	try {
		refuseUseless(command[0]!);
		await start(command);
	} catch (error) {
		if (!(error instanceof FroreError)) {
			throw new FroreError('run', `cannot run ${command[0]}: ${(error as Error).message}`, OWN_FAILURE, {cause: error});
		}
		throw error;
	}
}

/** Where not even an ancestor may trace, the promise could not be kept. */
function refuseUseless(command: string): void {
	const scope = readScope();
	if (scope < 2 || (scope === 2 && maySeeAll())) return;
	const hint =
		scope === 2
			? 'Run it as root, or set kernel.yama.ptrace_scope to 1.'
			: 'Nothing can be frozen here before the next boot.';
	throw new FroreError(
		'ptrace-scope',
		`cannot run ${command} so that it could be frozen: kernel.yama.ptrace_scope is ${scope}, so not even its parent may attach to it`,
		OWN_FAILURE,
		{hint},
	);
}

function readScope(): number {
	try {
		return Number(readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1'));
	} catch {
		return 0;
	}
}

function maySeeAll(): boolean {
	const CAP_SYS_PTRACE = 19n;
	const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
	return ((BigInt(`0x${mask}`) >> CAP_SYS_PTRACE) & 1n) === 1n;
}

async function start(command: readonly string[]): Promise<void> {
	const {inheritedDescriptors} = await import('../sys/inherited.js');
	const descriptors = inheritedDescriptors();
	const [{blockedSignals, rawArguments, spawnInOwnGroup}, {Supervisor}, {serveFreezes}, {freezeFor}] =
		await Promise.all([
			import('../sys/spawn.js'),
			import('./run/supervisor.js'),
			import('./run/server.js'),
			import('./freeze.js'),
		]);
	const mask = blockedSignals();
	const server = serveFreezes(freezeFor, () => supervisor.look());
	const supervisor = new Supervisor(() => server.busy);
	try {
		const ended = await supervisor.watch(spawnInOwnGroup(rawArguments(command.length), mask, descriptors));
		server.close();
		await endAs(ended);
	} catch (error) {
		server.close();
		throw await asExecError(command[0]!, error);
	}
}

async function endAs(ended: import('./run/supervisor.js').Ended): Promise<void> {
	if (ended.kind === 'killed') {
		const {dieOf} = await import('../sys/ending.js');
		dieOf(ended.signal);
		process.exit(128 + ended.signal);
	}
	process.exit(ended.kind === 'exited' ? ended.code : OWN_FAILURE);
}

async function asExecError(command: string, error: unknown): Promise<unknown> {
	const {SysError, errnoWords} = await import('../sys/errno.js');
	if (!(error instanceof SysError) || error.syscall !== 'execve') return error;
	const errno = exists(command) ? error.errno : ENOENT;
	const code = errno === ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
	return new FroreError('exec', `cannot run ${command}: ${errnoWords(errno)}`, code, {cause: error});
}

/** execvp(3) says "permission denied" too when some directory of PATH is closed and the program is in none. */
const exists = (command: string): boolean =>
	command.includes('/') ||
	(process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, command)));
