/** nginx: a master and its workers, which share the listening socket, under load before and after. */
import {readFileSync, writeFileSync} from 'node:fs';
import {get} from 'node:http';
import {join} from 'node:path';
import type {Stage} from '../../helpers/stage.js';
import {below, commOf} from '../../helpers/terminal.js';
import {toolPath, withTool} from '../../helpers/tools.js';
import {eventually, freePort, reborn} from '../reborn.js';

const PAGE = 'hello from nginx\n'.repeat(2000);

function configuration(stage: Stage, port: number): string {
	const {dir} = stage;
	const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
		(name) => `${name}_temp_path ${dir}/${name};`,
	);
	writeFileSync(join(dir, 'page'), PAGE);
	const text = `daemon off; worker_processes 2; pid ${dir}/nginx.pid; error_log ${dir}/error.log notice;
${stage.who.uid === 0 ? 'user www-data;' : ''}
events { worker_connections 64; }
http { access_log ${dir}/access.log; ${places.join(' ')}
server { listen 127.0.0.1:${port}; root ${dir}; location = /pid { return 200 $pid; } } }
`;
	writeFileSync(join(dir, 'nginx.conf'), text);
	return join(dir, 'nginx.conf');
}

function fetched(port: number, path: string): Promise<string> {
	return new Promise((resolve, reject) => {
		const request = get({host: '127.0.0.1', port, path, agent: false, timeout: 5000}, (response) => {
			let text = '';
			response.on('data', (chunk) => {
				text += chunk;
			});
			response.on('error', reject).on('end', () => resolve(text));
		});
		request.on('timeout', () => request.destroy(new Error('no answer in 5 s'))).on('error', reject);
	});
}

/** Clients that ask again and again; a failure is what a client sees while there is no server. */
class Load {
	answered = 0;
	wrong = 0;
	private running = true;
	private readonly clients: Promise<void>[];

	constructor(port: number, clients: number) {
		this.clients = Array.from({length: clients}, async () => {
			while (this.running) {
				const text = await fetched(port, '/page').catch(() => undefined);
				if (text === PAGE) this.answered++;
				else if (text !== undefined) this.wrong++;
				else await new Promise((resolve) => setTimeout(resolve, 10));
			}
		});
	}

	async more(count: number): Promise<void> {
		const goal = this.answered + count;
		await eventually(
			async () => this.answered,
			(answered) => answered >= goal,
			`${count} more pages`,
		);
	}

	async end(): Promise<void> {
		this.running = false;
		await Promise.all(this.clients);
	}
}

withTool('nginx', 'nginx serves with the same workers, takes a new configuration, and ends', async (t, stage) => {
	const port = await freePort();
	const original = await stage.start([toolPath('nginx')!, '-p', stage.dir, '-c', configuration(stage, port)]);
	const asked = () =>
		eventually(
			() => fetched(port, '/pid').then(Number),
			(pid) => pid > 0,
			'a worker',
		);
	await asked();
	const workers = below(original.pid);
	t.is(workers.length, 2);
	const users = () => workers.map((pid) => /^[UG]id:.*$/gm[Symbol.match](readFileSync(`/proc/${pid}/status`, 'utf8')));
	const before = users();
	const load = new Load(port, 3);
	t.teardown(() => load.end());
	await load.more(50);

	const copy = await reborn(t, stage, original);
	await load.more(100);
	const [master, ...others] = [copy.pid, ...below(copy.pid)].filter((pid) => commOf(pid) === 'nginx');
	t.is(others.length, 2);
	t.true(workers.includes(await asked()), 'a worker with its old pid answers');
	if (stage.who.uid === 0) t.deepEqual(users(), before, 'the users of its workers');
	copy.kill('SIGHUP');
	await eventually(asked, (pid) => !workers.includes(pid), 'new workers');
	await load.more(50);
	await load.end();
	t.is(load.wrong, 0, 'pages that were not right');
	// Not through the launcher: the shell that starts it has taught it to ignore SIGQUIT.
	process.kill(master!, 'SIGQUIT');
	t.is(await copy.end(), 0, readFileSync(join(stage.dir, 'error.log'), 'latin1'));
});
