/** The program of one file, where there is neither Node nor a package: alone in a directory, with an empty environment. */
import {execFileSync} from 'node:child_process';
import {chmodSync, copyFileSync, mkdirSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {alive, judged, ready} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

test.before('the program of one file is built', (t) => {
	t.timeout(180_000);
	execFileSync(process.execPath, ['scripts/run.mjs', 'scripts/build.ts', 'sea'], {
		stdio: ['ignore', 'inherit', 'inherit'],
	});
});

asUsers('the program of one file freezes where there is no Node', async (t, stage) => {
	const program = join(stage.dir, 'frore');
	copyFileSync('dist/frore', program);
	chmodSync(program, 0o755);
	const temporary = join(stage.dir, 'temporary');
	mkdirSync(temporary);
	chmodSync(temporary, 0o777);
	const environment = ['PATH=/nonexistent', `TMPDIR=${temporary}`, `FRORE_STAGE=${stage.dir}`];
	const frore = async (...args: string[]): Promise<string> => {
		const {code, stdout, stderr} = await stage.run(['env', '-i', ...environment, program, ...args]);
		t.is(code, 0, `frore ${args[0]}: ${stderr}`);
		t.notRegex(stderr, /warning/i);
		return stdout;
	};

	const original = await stage.start([stage.target('counter')]);
	await ready(original);
	const file = join(stage.dir, 'job.frore');
	t.is(await frore('freeze', String(original.pid), '-o', file), `${file}\n`);
	await judged(t, original, 'the original');
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');

	t.regex(await frore('inspect', file), /counter/);
	t.regex(await frore('inspect', '--html', file), /<script>\S/);
	t.regex(await frore('doctor'), /trace a process/);
	t.deepEqual(readdirSync(temporary), [], 'what it has unpacked is gone');
});
