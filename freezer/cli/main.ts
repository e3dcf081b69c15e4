import {Command, CommanderError} from 'commander';
import {EXIT, FroreError} from '../../builder/errors.js';
import {reportError} from './messages.js';
import {version} from './version.js';

const program = new Command('frore')
	.description('Freezes a running Linux process into one executable file, and running that file resumes it.')
	.version(version)
	.showHelpAfterError('Try `frore --help`.')
	.exitOverride();

/** In the order of the help. Only the command that is meant gets loaded: a freeze should not wait for the inspect page. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
	freeze: async () => (await import('./freeze.js')).registerFreeze,
	inspect: async () => (await import('./inspect.js')).registerInspect,
	check: async () => (await import('./check.js')).registerCheck,
	doctor: async () => (await import('./doctor.js')).registerDoctor,
	run: async () => (await import('./run.js')).registerRun,
};

/** Called, not awaited: the one-file program is CommonJS, which cannot await at its top. */
async function main(): Promise<void> {
	try {
		const named = commands[process.argv[2] ?? ''];
		for (const load of named ? [named] : Object.values(commands)) {
			(await load())(program);
		}

		for (const command of program.commands) {
			command.exitOverride();
		}

		await program.parseAsync();
	} catch (error) {
		process.exitCode = exitCodeOf(error);
	}
}

function exitCodeOf(error: unknown): number {
	if (error instanceof CommanderError) {
		// Commander has said it already.
		return error.exitCode === 0 ? 0 : EXIT.USAGE;
	}

	reportError(error);
	return error instanceof FroreError ? error.exitCode : EXIT.FAILED;
}

void main();
