/** `frore inspect FILE|-`: what is inside an artefact, in words. */
import type {Command} from 'commander';
import type {View} from './inspect/text.js';

type Options = Partial<Record<View | 'json' | 'html', boolean>>;

const help = `
Shows the processes in FILE; with - the artefact is read from standard input.
One flag looks closer at one thing; several may be given. Checksums of the tables
are verified, those of the pages are not: \`frore check FILE\` does that.
Exit codes: 0 done, 1 FILE cannot be read, 4 it is damaged or no artefact.`;

export function registerInspect(program: Command): void {
	program
		.command('inspect')
		.summary('show what is inside an artefact')
		.description('show what is inside an artefact, without resuming anything')
		.argument('<FILE>', 'artefact, or - for standard input')
		.option('--maps', 'mappings, and how much of each is in the file')
		.option('--fds', 'open files, sockets and other descriptors')
		.option('--threads', 'threads and where each stands')
		.option('--signals', 'signal handlers, pending signals, timers')
		.option('--env', 'environment variables')
		.option('--json', 'everything, for programs')
		.option('--html', 'everything, as one self-contained page')
		.addHelpText('after', help)
		.action(inspect);
}

async function inspect(file: string, options: Options): Promise<void> {
	const [{openFile}, {makeReport}, {makePage}, {renderText, views}] = await Promise.all([
		import('./inspect/open.js'),
		import('./inspect/report.js'),
		import('./inspect/page.js'),
		import('./inspect/text.js'),
	]);
	using opened = await openFile(file);
	const report = makeReport(opened.artefact, opened.decoder);
	if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, '\t')}\n`);
	else if (options.html) process.stdout.write(makePage(report));
	else
		process.stdout.write(
			renderText(
				report,
				views.filter((view) => options[view]),
			),
		);
}
