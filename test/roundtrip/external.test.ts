/** Descriptors whose other end is outside the frozen program: the policies of the command line. */
import {createServer} from 'node:net';
import {join} from 'node:path';
import {alive, judged, ready} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import type {Started} from '../helpers/started.js';
import {asUsers} from '../helpers/users.js';

async function copyPasses(
	t: Parameters<typeof judged>[0],
	stage: Stage,
	file: string,
	args: string[] = [],
): Promise<void> {
	const copy = await stage.thaw(file, args);
	await alive(copy);
	await judged(t, copy, 'the copy');
}

/** A pipe between two programs, made by a shell. */
async function pipedTarget(
	stage: Stage,
	mode: 'reader' | 'writer' | 'null',
	end: 'reader' | 'writer',
): Promise<Started> {
	const script =
		end === 'reader'
			? 'sleep 1000 | { exec 5<&0 </dev/null; exec "$@"; }'
			: 'exec 4>&1; { exec 5>&1 >&4 4>&-; exec "$@"; } | sleep 1000 4>&-';
	const started = await stage.start(['bash', '-c', script, 'bash', stage.target('external'), mode]);
	await ready(started);
	return started;
}

async function pidOfTarget(stage: Stage): Promise<number> {
	const {stdout} = await stage.run([
		'sh',
		'-c',
		'for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" = "$1" ] && basename $p; done',
		'sh',
		join(stage.dir, 'external'),
	]);
	return Number(stdout.trim());
}

for (const end of ['reader', 'writer'] as const) {
	asUsers(
		`a pipe to the outside (its ${end}) is refused by name, with its descriptor and what to do`,
		async (t, stage) => {
			await pipedTarget(stage, end, end);
			const pid = await pidOfTarget(stage);
			const {stderr} = await stage.freeze(pid, {code: 3});
			t.regex(stderr, new RegExp(`^frore: process ${pid}, fd 5: .*pipe`));
			t.regex(stderr, /--fd 5=/);
		},
	);

	asUsers(`--external hangup gives a pipe (its ${end}) whose other side has closed`, async (t, stage) => {
		await pipedTarget(stage, end, end);
		const {file, stderr} = await stage.freeze(await pidOfTarget(stage), {halt: true, args: ['--external', 'hangup']});
		t.regex(stderr, /fd 5/, 'the loss is named');
		await copyPasses(t, stage, file);
	});
}

asUsers('--fd N=null gives /dev/null for one descriptor', async (t, stage) => {
	await pipedTarget(stage, 'null', 'writer');
	const {file} = await stage.freeze(await pidOfTarget(stage), {halt: true, args: ['--fd', '5=null']});
	await copyPasses(t, stage, file);
});

asUsers('--fd N=PATH gives a file for one descriptor', async (t, stage) => {
	await pipedTarget(stage, 'null', 'writer');
	const {file} = await stage.freeze(await pidOfTarget(stage), {halt: true, args: ['--fd', '5=/dev/null']});
	await copyPasses(t, stage, file);
});

asUsers(
	'a TCP connection comes back as one whose peer has closed, so that the program connects again',
	async (t, stage) => {
		const heard: string[] = [];
		const server = createServer((socket) => {
			socket.on('data', (chunk) => heard.push(String(chunk))).on('error', () => undefined);
		});
		t.teardown(() => server.close());
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const {port} = server.address() as {port: number};
		const original = await stage.start([stage.target('external'), 'tcp', String(port)]);
		await ready(original);
		const {file, stderr} = await stage.freeze(original.pid, {halt: true});
		t.regex(stderr, new RegExp(`fd \\d+.*(127\\.0\\.0\\.1:)?${port}`), 'the connection is named in a warning');
		await copyPasses(t, stage, file);
		t.deepEqual(heard, ['again\n']);
	},
);

asUsers('a listening address that is in use is named with its port', async (t, stage) => {
	const original = await stage.start([stage.target('sockets'), 'tcp']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const refused = await stage.run([file]);
	t.is(refused.code, 125);
	t.regex(refused.stderr, /^frore: .*TCP port \d+.*still running.*\n$/);
	t.true(refused.stderr.includes(String(original.pid)), 'the holder is visible and its pid is named');
	await judged(t, original, 'the original, which still listens');
	await copyPasses(t, stage, file);
});

asUsers('a file that is missing at the resume is named', async (t, stage) => {
	const original = await stage.start([stage.target('files'), 'append']);
	await ready(original);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await stage.run(['rm', 'append']);
	const refused = await stage.run([file]);
	if (refused.code === 125) t.regex(refused.stderr, /^frore: .*append.*\n$/);
	else t.fail(`resumed without its file: ${refused.code}`);
});
