/** postgresql: its processes share memory, semaphores and sockets; a client inside the tree keeps its open transaction. */
import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Stage} from '../../helpers/stage.js';
import type {Started} from '../../helpers/started.js';
import {asUsers, notHere, type Play} from '../../helpers/users.js';
import {eventually, reborn, source} from '../reborn.js';

const PLACES = '/usr/lib/postgresql';

function tool(name: string): string | undefined {
	const versions = existsSync(PLACES) ? readdirSync(PLACES).sort((a, b) => Number(b) - Number(a)) : [];
	return versions.map((version) => join(PLACES, version, 'bin', name)).find((path) => existsSync(path));
}

function withPostgres(title: string, play: Play): void {
	if (tool('postgres') && tool('psql')) asUsers(title, play);
	else notHere(title, 'postgresql is not installed and scripts/test-setup.sh could not install it');
}

/** It refuses to run as root: root freezes what the user `postgres` runs. */
const account = (stage: Stage): string[] =>
	stage.who.uid === 0 ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'] : stage.who.prefix;

function database(stage: Stage): string {
	const data = join(stage.dir, 'data');
	if (stage.who.uid === 0) execFileSync('chown', ['postgres:', stage.dir]);
	const [command, ...prefix] = account(stage);
	const options = ['-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--no-locale', '-N'];
	execFileSync(command!, [...prefix, tool('initdb')!, ...options], {cwd: stage.dir, env: stage.env, stdio: 'ignore'});
	return data;
}

const start = (stage: Stage, command: string[]): Promise<Started> =>
	stage.start(command, {prefix: account(stage), env: {...stage.env, PGUSER: 'postgres'}});

async function asked(stage: Stage, data: string, statement: string): Promise<string> {
	const {code, stdout, stderr} = await stage.run([
		tool('psql')!,
		'-qAt',
		'-h',
		data,
		'-U',
		'postgres',
		'-c',
		statement,
		'postgres',
	]);
	if (code !== 0) throw new Error(stderr);
	return stdout.trimEnd();
}

withPostgres('postgresql comes back with what was committed, and takes more', async (t, stage) => {
	const data = database(stage);
	const options = ['-D', data, '-k', data, '-c', 'listen_addresses='];
	const original = await start(stage, [tool('postgres')!, ...options]);
	await eventually(() => asked(stage, data, 'create table t as select generate_series(1, 5000) n'));
	t.is(await asked(stage, data, 'select count(*) from t'), '5000');

	const copy = await reborn(t, stage, original);
	t.is(await eventually(() => asked(stage, data, 'select sum(n) from t')), '12502500');
	await asked(stage, data, 'insert into t select generate_series(1, 1000)');
	await asked(stage, data, 'vacuum full t');
	await asked(stage, data, 'checkpoint');
	t.is(await asked(stage, data, 'select count(*) from t'), '6000');
	copy.kill('SIGTERM');
	t.is(await copy.end(), 0, copy.output);
	t.regex(copy.output, /database system is shut down/);
	t.notRegex(copy.output, /PANIC|was not properly shut down|terminated by signal/);
});

withPostgres(
	'postgresql with an open transaction of a client inside the tree: it is committed after the resume',
	async (t, stage) => {
		const data = database(stage);
		const script = source(stage, 'transaction.sh');
		const original = await start(stage, [script, tool('postgres')!, tool('psql')!, data]);
		await original.line(/^ready$/);
		t.regex(original.output, /^inside 1000, outside 0$/m);

		const copy = await reborn(t, stage, original);
		writeFileSync(join(data, 'go'), '');
		t.is(await copy.end(), 0, copy.output);
		t.regex(copy.output, /^committed 1024\|committed, outside 1024$|^committed 1024\|.*, outside 1024$/m);
		t.regex(copy.output, /^server ended with 0$/m, readFileSync(join(data, 'log'), 'latin1'));
	},
);
