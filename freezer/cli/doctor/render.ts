/** Findings as text. */
import {colors, columns} from '../inspect/table.js';
import type {Finding} from './examine.js';

const mark = ({ok, need}: Finding): string =>
	ok ? colors.green('yes') : need === 'required' ? colors.red('no') : colors.yellow('no');

export function renderFindings(findings: readonly Finding[], able: boolean): string {
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
