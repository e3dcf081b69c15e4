/** `frore check PID|FILE`: would it freeze, or would it run here? */
import type {Command} from 'commander';
import type {FreezeFlags} from './freeze-options.js';

type Options = Pick<FreezeFlags, 'external' | 'fd' | 'allow' | 'files' | 'children'> & {json?: boolean};

const help = `
PID: stops the process for some milliseconds, looks at everything, and tells what a freeze
with the same options would refuse and what would not survive. Nothing is written.
FILE: compares all checksums, and the program at its head with its provenance note; then
runs FILE --check, which tells whether it would run on this machine.
Exit codes: 0 it would, 3 it would not as it is (each reason a line), 4 FILE is damaged or
no artefact, 1 it cannot be looked at.`;

export function registerCheck(program: Command): void {
	program
		.command('check')
		.summary('tell whether a process would freeze, or an artefact would run here')
		.description('tell whether a process would freeze, or an artefact would run here')
		.argument('<PID|FILE>', 'process, or artefact (a file named like a number: ./123)')
		.option('--no-children', 'this process alone')
		.option('--external <POLICY>', 'as for freeze')
		.option('--fd <N=WHAT>', 'as for freeze', collect, [])
		.option('--allow <KIND,...>', 'as for freeze', collect, [])
		.option('--files <HOW>', 'as for freeze', 'reference')
		.option('--json', 'for programs')
		.addHelpText('after', help)
		.action(check);
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

async function check(subject: string, options: Options): Promise<void> {
	if (/^\d+$/.test(subject)) {
		const {checkProcess} = await import('./check/process.js');
		process.exitCode = await checkProcess(subject, options);
	} else {
		const {checkFile} = await import('./check/file.js');
		process.exitCode = await checkFile(subject, options.json === true);
	}
}
