/** HTML as text: everything that comes out of an artefact is escaped. */

const ESCAPES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;'};

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);

/** Markup that is to be taken as it is. */
export class Html {
	constructor(readonly text: string) {}
}

type Part = string | number | Html | readonly Html[];

const render = (part: Part): string =>
	part instanceof Html
		? part.text
		: Array.isArray(part)
			? part.map((one) => (one as Html).text).join('')
			: escapeHtml(String(part));

/** Template tag: values are escaped unless they are Html. */
export const html = (strings: TemplateStringsArray, ...parts: Part[]): Html =>
	new Html(strings.reduce((text, string, i) => text + render(parts[i - 1]!) + string));

/** Rows under a head; cells may be Html. */
export const htmlTable = (
	head: readonly string[],
	rows: readonly (readonly Part[])[],
): Html => html`<div class="scroll"><table>
<thead><tr>${head.map((word) => html`<th>${word}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
