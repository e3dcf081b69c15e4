/** Servers: they answer as before on their old port, and their clients connect again. */
import {Agent, get} from 'node:http';
import type {Stage} from '../helpers/stage.js';
import {toolPath, withTool} from '../helpers/tools.js';
import {eventually, freePort, Lines, reborn, source} from './reborn.js';

interface Answer {
	pid: number;
	requests: number;
	ticks: number;
	connections: number;
	names: Record<string, number>;
	/** The client's end. */
	reused: boolean;
}

function fetched(agent: Agent, port: number, path: string): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const request = get({agent, host: '127.0.0.1', port, path, timeout: 5000}, (response) => {
			let text = '';
			response.setEncoding('utf8').on('data', (chunk: string) => {
				text += chunk;
			});
			response.on('error', reject);
			response.on('end', () => resolve({...JSON.parse(text), reused: request.reusedSocket}));
		});
		request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
		request.on('error', reject);
	});
}

withTool(
	'node',
	'an HTTP server of node answers after the resume; a keep-alive client reconnects',
	async (t, stage) => {
		const port = await freePort();
		const original = await stage.start([toolPath('node')!, source(stage, 'server.mjs'), String(port)]);
		await original.line(/^ready$/);
		const agent = new Agent({keepAlive: true, maxSockets: 1});
		t.teardown(() => agent.destroy());
		t.false((await fetched(agent, port, '/?name=before')).reused);
		const before = await fetched(agent, port, '/?name=before');
		t.true(before.reused, 'the client keeps its connection');
		t.is(before.requests, 2);

		const copy = await reborn(t, stage, original);
		const after = await eventually(() => fetched(agent, port, '/?name=after'));
		if (!process.env.FRORE_UNDISTURBED) t.false(after.reused, 'the client has connected again');
		t.deepEqual(after.names, {before: 2, after: 1});
		t.is(after.requests, 3);
		t.is(after.pid, before.pid, 'its pid');
		t.is(after.connections, 1, 'the old connection is closed at the server, too');
		t.true(after.ticks >= before.ticks);
		const later = await eventually(
			() => fetched(agent, port, '/'),
			({ticks}) => ticks > after.ticks + 5,
			'more ticks',
		);
		t.true(later.reused);
		copy.kill('SIGTERM');
		t.is(await copy.end(), 3, 'its exit code');
		t.regex(copy.output, /^answered \d+$/m);
	},
);

withTool('python3', 'an asyncio server with threads answers after the resume', async (t, stage) => {
	const port = await freePort();
	const original = await stage.start([toolPath('python3')!, source(stage, 'server.py'), String(port)]);
	await original.line(/^ready$/);
	const client = new Lines(port);
	t.is(await client.ask('add 40'), '40');
	t.is(await client.ask('square 12'), '144');
	const tids = await client.ask('tids');
	const pid = await client.ask('pid');
	const beats = Number(await client.ask('beats'));

	const copy = await reborn(t, stage, original);
	if (!process.env.FRORE_UNDISTURBED) {
		await eventually(
			async () => client.closed,
			(closed) => closed,
			'end of the old connection',
		);
	}
	client.end();
	const next = await eventually(async () => {
		const fresh = new Lines(port);
		await fresh.ask('add 0');
		return fresh;
	});
	t.is(await next.ask('add 2'), '42');
	t.is(await next.ask('square 13'), '169', 'its thread pool works');
	t.is(await next.ask('tids'), tids, 'its thread ids');
	t.is(await next.ask('pid'), pid);
	t.is(await next.ask('wait 0.05'), 'waited');
	await eventually(
		async () => Number(await next.ask('beats')),
		(now) => now > beats + 3,
		'beats of every thread',
	);
	next.end();

	const second = await reborn(t, stage, copy);
	const last = await eventually(async () => {
		const fresh = new Lines(port);
		await fresh.ask('add 0');
		return fresh;
	});
	t.is(await last.ask('add 1'), '43', 'a copy of the copy');
	t.is(await last.ask('tids'), tids);
	last.end();
	second.kill('SIGTERM');
	t.is(await second.end(), 4, 'its exit code');
	t.regex(second.output, /^total 43$/m);
});

async function redis(stage: Stage, port: number, ...command: string[]): Promise<string> {
	const {code, stdout, stderr} = await stage.run([toolPath('redis-cli')!, '-p', String(port), ...command]);
	if (code !== 0 || /^Could not connect|^\(?error/i.test(stdout)) throw new Error(`${command[0]}: ${stdout}${stderr}`);
	return stdout.trimEnd();
}

withTool('redis-server', 'redis comes back with its data, saves it, and takes more', async (t, stage) => {
	const port = await freePort();
	const options = ['--save', '', '--dir', stage.dir, '--bind', '127.0.0.1', '--enable-debug-command', 'yes'];
	const original = await stage.start([toolPath('redis-server')!, '--port', String(port), ...options]);
	await original.line(/Ready to accept connections/);
	await redis(stage, port, 'debug', 'populate', '20000', 'key', '100');
	await redis(stage, port, 'set', 'kept', 'from before');
	await redis(stage, port, 'set', 'short', 'lived', 'ex', '1000');
	await redis(stage, port, 'rpush', 'list', ...Array.from({length: 500}, (_, i) => `entry ${i}`));
	const digest = await redis(stage, port, 'debug', 'digest');

	const copy = await reborn(t, stage, original);
	t.is(await eventually(() => redis(stage, port, 'get', 'kept')), 'from before');
	t.is(await redis(stage, port, 'debug', 'digest'), digest, 'every key has its value');
	t.is(await redis(stage, port, 'dbsize'), '20003');
	t.regex(await redis(stage, port, 'ttl', 'short'), /^\d+$/);
	t.is(await redis(stage, port, 'lindex', 'list', '-1'), 'entry 499');
	t.is(await redis(stage, port, 'incr', 'new'), '1');
	// A child of its own, made after the resume.
	await redis(stage, port, 'bgsave');
	await eventually(
		() => redis(stage, port, 'info', 'persistence'),
		(info) => /rdb_bgsave_in_progress:0/.test(info) && /rdb_last_bgsave_status:ok/.test(info),
		'end of the background save',
	);
	t.regex((await stage.run(['head', '-c', '5', `${stage.dir}/dump.rdb`])).stdout, /^REDIS$/);

	const second = await reborn(t, stage, copy);
	t.is(await eventually(() => redis(stage, port, 'incr', 'new')), '2', 'a copy of the copy');
	await redis(stage, port, 'shutdown', 'nosave');
	t.is(await second.end(), 0, 'its exit code');
});
