/** Programs that look after others: they know their children again, notice when one ends, and start it anew. */
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {identities, type Stage} from '../../helpers/stage.js';
import {below, commOf} from '../../helpers/terminal.js';
import {toolPath, withTool} from '../../helpers/tools.js';
import {eventually, reborn} from '../reborn.js';

/** A service: counts into a file, starting with its pid. */
function service(stage: Stage, name: string): string {
	const path = join(stage.dir, name);
	writeFileSync(
		path,
		`#!/bin/sh\necho "$$" >${stage.dir}/${name}.pid\nn=0\nwhile :; do n=$((n + 1)); echo $n >${stage.dir}/${name}.count; sleep 0.05; done\n`,
	);
	chmodSync(path, 0o755);
	return path;
}

const number = (stage: Stage, file: string) => Number(readFileSync(join(stage.dir, file), 'latin1'));

/** Waits until the service counts on. */
async function counts(stage: Stage, name: string): Promise<void> {
	const now = number(stage, `${name}.count`);
	await eventually(
		async () => number(stage, `${name}.count`),
		(count) => count > now + 2,
		`counting by ${name}`,
	);
}

withTool('supervisord', 'supervisord looks after its children', async (t, stage) => {
	const {dir} = stage;
	const socket = join(dir, 'socket');
	const programs = ['one', 'two'].map(
		(name) => `[program:${name}]\ncommand=${service(stage, name)}\nautorestart=true\nstartsecs=0\n`,
	);
	const file = join(dir, 'supervisord.conf');
	writeFileSync(
		file,
		`[unix_http_server]\nfile=${socket}\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n` +
			`[supervisorctl]\nserverurl=unix://${socket}\n[supervisord]\nnodaemon=true\nlogfile=${dir}/log\npidfile=${dir}/pid\nchildlogdir=${dir}\n${programs.join('')}`,
	);
	const control = async (...command: string[]) =>
		(await stage.run([toolPath('supervisorctl')!, '-c', file, ...command])).stdout;
	const original = await stage.start([toolPath('supervisord')!, '-c', file]);
	await eventually(
		() => control('status'),
		(text) => (text.match(/RUNNING/g) ?? []).length === 2,
		'two services',
	);
	const pids = ['one.pid', 'two.pid'].map((name) => number(stage, name));

	const copy = await reborn(t, stage, original);
	const status = await eventually(
		() => control('status'),
		(text) => /RUNNING/.test(text),
		'its status',
	);
	t.deepEqual(
		[...status.matchAll(/pid (\d+)/g)].map(([, pid]) => Number(pid)),
		pids,
		'the services with their pids',
	);
	await counts(stage, 'one');
	await counts(stage, 'two');
	await control('signal', 'KILL', 'one');
	await eventually(
		async () => number(stage, 'one.pid'),
		(pid) => pid !== pids[0],
		'a new process for the killed one',
	);
	await counts(stage, 'one');
	t.regex(await control('stop', 'two'), /stopped/);
	t.regex(await control('status'), /two +STOPPED/);
	copy.kill('SIGTERM');
	t.is(await copy.end(), 0, readFileSync(join(dir, 'log'), 'latin1'));
});

withTool('s6-svscan', 's6 looks after its services', async (t, stage) => {
	const scan = join(stage.dir, 'scan');
	mkdirSync(scan);
	for (const name of ['one', 'two']) {
		mkdirSync(join(scan, name));
		writeFileSync(join(scan, name, 'run'), `#!/bin/sh\nexec ${service(stage, name)}\n`);
		chmodSync(join(scan, name, 'run'), 0o755);
	}
	await stage.run(['chmod', '-R', 'a+rwX', scan], {as: identities[0]!});
	const original = await stage.start([toolPath('s6-svscan')!, scan]);
	await eventually(
		async () => number(stage, 'one.count') + number(stage, 'two.count'),
		(sum) => sum > 4,
		'two services',
	);
	const pids = ['one.pid', 'two.pid'].map((name) => number(stage, name));
	t.deepEqual(
		below(original.pid)
			.map(commOf)
			.filter((name) => name === 's6-supervise').length,
		2,
	);

	const copy = await reborn(t, stage, original);
	await counts(stage, 'one');
	await counts(stage, 'two');
	t.deepEqual(
		['one.pid', 'two.pid'].map((name) => number(stage, name)),
		pids,
		'the services with their pids',
	);
	const status = (name: string) => stage.run([toolPath('s6-svstat')!, join(scan, name)]);
	t.regex((await status('one')).stdout, new RegExp(`^up \\(pid ${pids[0]}`));
	await stage.run([toolPath('s6-svc')!, '-k', join(scan, 'one')]);
	await eventually(
		async () => number(stage, 'one.pid'),
		(pid) => pid !== pids[0],
		'a new process for the killed one',
	);
	await counts(stage, 'one');
	await stage.run([toolPath('s6-svc')!, '-d', join(scan, 'two')]);
	await eventually(
		async () => (await status('two')).stdout,
		(text) => /^down/.test(text),
		'the end of a service',
	);
	await stage.run([toolPath('s6-svscanctl')!, '-t', scan]);
	t.is(await copy.end(), 0);
});
