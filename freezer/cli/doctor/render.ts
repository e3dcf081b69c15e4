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
	const grouped = new Map<string, string[]>();
	for (const {ok, what, remedies} of findings) {
		if (ok || remedies.length === 0) continue;
		const list = remedies.map((remedy) => `  - ${remedy}\n`).join('');
		grouped.set(list, [...(grouped.get(list) ?? []), what]);
	}
	const remedies = [...grouped].map(([list, what]) => `\n${what.join(', ')}:\n${list}`);
	return `${table}\n${remedies.join('')}\n${verdict(findings, able)}\n`;
}

function verdict(findings: readonly Finding[], able: boolean): string {
	if (able) return 'Programs of this user can be frozen and resumed here.';
	const missing = findings.filter((finding) => !finding.ok && finding.need === 'required').map(({id}) => id);
	const viaRun = findings.some(({id, ok}) => id === 'ptrace-child' && ok);
	return viaRun && missing.every((id) => ['ptrace', 'process-vm-readv', 'pidfd-getfd'].includes(id))
		? 'Only programs that were started with `frore run` can be frozen here.'
		: 'Programs of this user cannot be frozen and resumed here without one of the remedies above.';
}
