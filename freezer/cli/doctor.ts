/** `frore doctor`: what this machine allows, found out by trying, with the remedy for each refusal. */
import type {Command} from 'commander';
import {EXIT} from '../../builder/errors.js';
import {examine, type Finding} from './doctor/examine.js';
import {colors, columns} from './inspect/table.js';

const help = `
Tries, as the user who runs it, what freezing and resuming need of this machine.
Nothing is changed. Remedies are listed with the least privilege first.
Exit codes: 0 programs of this user can be frozen and resumed here, 3 not without a remedy.`;

export function registerDoctor(program: Command): void {
	program
		.command('doctor')
		.summary('tell what this machine allows')
		.description('tell what this machine allows, by trying it')
		.option('--json', 'for programs')
		.addHelpText('after', help)
		.action(doctor);
}

async function doctor({json}: {json?: boolean}): Promise<void> {
	const findings = examine();
	const able = findings.every((finding) => finding.ok || finding.need !== 'required');
	if (json) process.stdout.write(`${JSON.stringify({able, findings}, undefined, '\t')}\n`);
	else process.stdout.write(render(findings, able));
	if (!able) process.exitCode = EXIT.REFUSED;
}

const mark = ({ok, need}: Finding): string =>
	ok ? colors.green('yes') : need === 'required' ? colors.red('no') : colors.yellow('no');

function render(findings: readonly Finding[], able: boolean): string {
	const table = columns(
		['', 'WHAT', 'FOR', ''],
		findings.map((finding) => [mark(finding), finding.what, finding.purpose, finding.detail]),
	);
	const remedies = findings
		.filter((finding) => !finding.ok && finding.remedies.length > 0)
		.map((finding) => `\n${finding.what}:\n${finding.remedies.map((remedy) => `  - ${remedy}`).join('\n')}\n`);
	const verdict = able
		? 'Programs of this user can be frozen and resumed here.'
		: 'Programs of this user cannot be frozen and resumed here without one of the remedies above.';
	return `${table}\n${remedies.join('')}\n${verdict}\n`;
}
