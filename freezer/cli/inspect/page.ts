/** `frore inspect --html`: one page that needs no network; its data is inflated by pako in the browser. */
import {gzipSync} from 'node:zlib';
import {EXIT, FroreError} from '../../../builder/errors.js';
import {packageBytes} from '../../sys/package.js';
import {escapeHtml} from './page/html.js';
import type {Report} from './report.js';
import {STYLE} from './style.js';
import {printable} from './words.js';

/** Bundled by scripts/build/page.ts. */
function script(): string {
	try {
		return new TextDecoder().decode(packageBytes('inspectPage'));
	} catch (error) {
		throw new FroreError('build', `cannot read the program of the page: ${(error as Error).message}`, EXIT.FAILED, {
			hint: 'Build it with `npm run build`.',
			cause: error,
		});
	}
}

export function makePage(report: Report): string {
	const data = gzipSync(JSON.stringify(report), {level: 9}).toString('base64');
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeHtml(printable(report.file))}</title>
<style>${STYLE}</style></head>
<body><main id="page"><noscript>This page needs JavaScript to unpack its data.</noscript></main>
<script type="text/plain" id="data">${data}</script>
<script>${script()}</script></body></html>
`;
}
