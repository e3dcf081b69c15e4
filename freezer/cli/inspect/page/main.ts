/** What runs in the browser: inflates the report that stands in the page, and shows it. */
import {ungzip} from 'pako';
import type {Report} from '../report.js';
import {renderBody} from './render.js';

interface Element {
	textContent: string;
	innerHTML: string;
}
declare const document: {getElementById(id: string): Element};

const packed = Uint8Array.from(atob(document.getElementById('data').textContent.trim()), (character) =>
	character.charCodeAt(0),
);
const report = JSON.parse(new TextDecoder().decode(ungzip(packed))) as Report;
document.getElementById('page').innerHTML = renderBody(report);
