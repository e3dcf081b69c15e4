/** Chromium, headless: a browser, zygotes, renderers and services, with a page that counts. */
import {execFileSync} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {request} from 'node:http';
import {join} from 'node:path';
import type {Stage} from '../../helpers/stage.js';
import type {Started} from '../../helpers/started.js';
import {toolPath, withTool} from '../../helpers/tools.js';
import {asOrdinaryUser, notHere} from '../../helpers/users.js';
import {eventually, freePort, needs, reborn} from '../reborn.js';

const PAGE = "<title>0</title><script>let n = 0; setInterval(() => { document.title = 'NAME ' + ++n; }, 50);</script>";

interface Tab {
	id: string;
	title: string;
}

function asked<T>(port: number, path: string, method = 'GET'): Promise<T> {
	return new Promise((resolve, reject) => {
		const question = request({host: '127.0.0.1', port, path, method, agent: false, timeout: 5000}, (response) => {
			let text = '';
			response.on('data', (chunk) => {
				text += chunk;
			});
			response.on('error', reject).on('end', () => resolve(JSON.parse(text)));
		});
		question.on('timeout', () => question.destroy(new Error('no answer in 5 s'))).on('error', reject);
		question.end();
	});
}

/** What the page has counted to. */
async function count(port: number, name: string): Promise<number> {
	const tabs = await asked<Tab[]>(port, '/json/list');
	return Math.max(
		-1,
		...tabs.filter(({title}) => title.startsWith(`${name} `)).map(({title}) => Number(title.split(' ')[1])),
	);
}

const countsBeyond = (port: number, name: string, limit: number) =>
	eventually(
		() => count(port, name),
		(number) => number > limit,
		`a page ${name} that counts beyond ${limit}`,
		40_000,
	);

async function browser(stage: Stage, port: number, ...options: string[]): Promise<Started> {
	for (const name of ['first', 'second']) writeFileSync(join(stage.dir, `${name}.html`), PAGE.replace('NAME', name));
	execFileSync('chmod', ['a+r', join(stage.dir, 'first.html'), join(stage.dir, 'second.html')]);
	const own = [
		'--headless=new',
		'--disable-gpu',
		`--user-data-dir=${stage.dir}/profile`,
		`--remote-debugging-port=${port}`,
	];
	const started = await stage.start([toolPath('chromium')!, ...own, ...options, `file://${stage.dir}/first.html`]);
	await countsBeyond(port, 'first', 3);
	return started;
}

withTool('chromium', 'chromium without its sandbox: its page counts on, and it opens another', async (t, stage) => {
	needs(stage, 1.5, 2);
	const port = await freePort();
	const original = await browser(stage, port, '--no-sandbox');
	const before = await count(port, 'first');

	const copy = await reborn(t, stage, original);
	const first = await countsBeyond(port, 'first', before);
	t.true(first < before + 400, 'it counts on from where it was');
	await asked(port, `/json/new?file://${stage.dir}/second.html`, 'PUT');
	await countsBeyond(port, 'second', 3);
	await countsBeyond(port, 'first', first);
	copy.kill('SIGTERM');
	t.true([0, 143].includes(await copy.end(30_000)), copy.output);
});

const SANDBOXED = 'chromium in its sandbox is refused, with the process that is the reason, and goes on';

if (toolPath('chromium')) {
	asOrdinaryUser(SANDBOXED, async (t, stage) => {
		needs(stage, 1.5, 1);
		const port = await freePort();
		const original = await browser(stage, port);
		const {stderr} = await stage.freeze(original.pid, {code: 3});
		t.regex(stderr, /^frore: process \d+.*(namespace|seccomp|protects it|cannot be frozen)/m);
		await countsBeyond(port, 'first', await count(port, 'first'));
	});
} else {
	notHere(SANDBOXED, 'chromium is not installed and scripts/test-setup.sh could not install it');
}
