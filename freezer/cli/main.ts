import {Command, CommanderError} from 'commander';
import {EXIT, FroreError} from '../../builder/errors.js';
import {registerDoctor} from './doctor.js';
import {registerFreeze} from './freeze.js';
import {registerInspect} from './inspect.js';
import {reportError} from './messages.js';
import {registerRun} from './run.js';
import {version} from './version.js';

const program = new Command('frore')
	.description('Freezes a running Linux process into one executable file, and running that file resumes it.')
	.version(version)
	.showHelpAfterError('Try `frore --help`.')
	.exitOverride();

registerFreeze(program);
registerInspect(program);
registerDoctor(program);
registerRun(program);
for (const command of program.commands) {
	command.exitOverride();
}

try {
	await program.parseAsync();
} catch (error) {
	process.exitCode = exitCodeOf(error);
}

function exitCodeOf(error: unknown): number {
	if (error instanceof CommanderError) {
		// Commander has said it already.
		return error.exitCode === 0 ? 0 : EXIT.USAGE;
	}

	reportError(error);
	return error instanceof FroreError ? error.exitCode : EXIT.FAILED;
}
