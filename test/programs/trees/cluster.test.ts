/** A node cluster: the first process and its workers go on telling each other what happens. */
import {get} from 'node:http';
import {toolPath, withTool} from '../../helpers/tools.js';
import {eventually, freePort, outerPid, reborn, source} from '../reborn.js';

interface Answer {
	pid: number;
	ppid: number;
	requests: number;
	/** How many requests to both the first process has told the worker of. */
	heard: number;
}

function asked(port: number): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const request = get({host: '127.0.0.1', port, agent: false, timeout: 5000}, (response) => {
			let text = '';
			response.on('data', (chunk) => {
				text += chunk;
			});
			response.on('error', reject).on('end', () => resolve(JSON.parse(text)));
		});
		request.on('timeout', () => request.destroy(new Error('no answer in 5 s'))).on('error', reject);
	});
}

/** What each worker has answered last, once both have. */
async function both(port: number): Promise<Map<number, Answer>> {
	const answers = new Map<number, Answer>();
	await eventually(
		async () => {
			const answer = await asked(port);
			answers.set(answer.pid, answer);
		},
		() => answers.size === 2,
		'answers of two workers',
	);
	return answers;
}

withTool('node', 'a node cluster answers with the same workers, and replaces one that is killed', async (t, stage) => {
	const port = await freePort();
	const original = await stage.start([toolPath('node')!, source(stage, 'cluster.mjs'), String(port)]);
	await original.line(/^ready$/);
	const before = await both(port);

	const copy = await reborn(t, stage, original);
	await eventually(() => asked(port));
	const after = await both(port);
	t.deepEqual([...after.keys()].sort(), [...before.keys()].sort(), 'the pids of the workers');
	for (const [pid, {ppid, requests}] of after) {
		t.is(ppid, original.pid, 'their parent');
		t.true(requests > before.get(pid)!.requests, 'they have counted on');
	}
	const total = [...after.values()].reduce((sum, {requests}) => sum + requests, 0);
	await eventually(
		() => asked(port),
		({heard}) => heard >= total,
		'word from the first process',
	);
	const [first] = after.keys();
	process.kill(outerPid(copy, first!), 'SIGKILL');
	await copy.line(new RegExp(`^worker ${first} ended by SIGKILL$`));
	await eventually(
		() => asked(port),
		({pid}) => !before.has(pid),
		'a new worker',
	);
	copy.kill('SIGTERM');
	t.is(await copy.end(), 3);
	t.true(Number(/^told (\d+)$/m.exec(copy.output)![1]) > total, 'the first process has counted on');
});
