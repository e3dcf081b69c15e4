/** `frore doctor`: what this machine allows, found out by trying, with the remedy for each refusal. */
import type {Command} from 'commander';
import {EXIT} from '../../builder/errors.js';

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
	const [{examine}, {renderFindings}] = await Promise.all([
		import('./doctor/examine.js'),
		import('./doctor/render.js'),
	]);
	const findings = examine();
	const able = findings.every((finding) => finding.ok || finding.need !== 'required');
	if (json) process.stdout.write(`${JSON.stringify({able, findings}, undefined, '\t')}\n`);
	else process.stdout.write(renderFindings(findings, able));
	if (!able) process.exitCode = EXIT.REFUSED;
}
