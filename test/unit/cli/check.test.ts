import {chownSync, copyFileSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {asUsers} from '../../helpers/users.js';

/** A copy of the artefact with one byte changed. */
function damage(file: string, offset: number): string {
	const copy = `${file}.damaged`;
	const {uid, gid} = statSync(file);
	const bytes = readFileSync(file);
	bytes[offset]! ^= 1;
	copyFileSync(file, copy);
	writeFileSync(copy, bytes);
	chownSync(copy, uid, gid);
	return copy;
}

asUsers('check FILE believes a whole artefact and finds a changed byte, the stub included', async (t, stage) => {
	const target = await stage.start([stage.target('counter')]);
	await target.line(/^ready$/);
	const {file} = await stage.freeze(target.pid, {halt: true});
	await target.end();
	const whole = await stage.frore('check', file);
	t.is(whole.code, 0, whole.stderr);
	t.regex(whole.stdout, /is whole: .*\n.*it would run on this machine/);
	const {bytes, stubBytes} = JSON.parse((await stage.frore('inspect', '--json', file)).stdout) as Record<
		string,
		number
	>;
	const offsets = [8192, stubBytes! + 8, stubBytes! + 20_000, bytes! - 100];
	for (const offset of offsets) {
		const found = await stage.frore('check', damage(file, offset));
		t.is(found.code, 4, `byte ${offset}: ${found.stdout}${found.stderr}`);
		t.is(found.stderr.split('\n').length, 2);
		t.regex(found.stderr, /^frore: .*(is damaged|are damaged|format)/);
	}
	const json = JSON.parse((await stage.frore('check', '--json', file)).stdout) as {whole: boolean; runnable: boolean};
	t.true(json.whole);
	t.true(json.runnable);
});

asUsers('check PID promises what freeze does, and leaves the process alone', async (t, stage) => {
	const target = await stage.start([stage.target('counter')]);
	await target.line(/^ready$/);
	const found = await stage.frore('check', String(target.pid));
	t.is(found.code, 0, found.stderr);
	t.regex(found.stdout, /^process \d+ \(counter\) can be frozen, and nothing of it would be lost\n$/);
	t.regex(readFileSync(`/proc/${target.pid}/status`, 'latin1'), /^TracerPid:\s*0$/m);
	target.kill('SIGUSR1');
	t.is(await target.end(), 0);
});

asUsers('check PID names what a freeze would refuse', async (t, stage) => {
	const target = await stage.start([
		'/usr/bin/python3',
		'-c',
		'import os,time; r,w=os.pipe(); os.fork() or (os.close(r), time.sleep(9)); os.close(w); print("ready",flush=True); time.sleep(9)',
	]);
	await target.line(/^ready$/);
	const found = await stage.frore('check', '--no-children', String(target.pid));
	t.is(found.code, 3);
	t.regex(found.stderr, /fd \d+: .*pipe/);
	t.is((await stage.frore('check', String(target.pid))).code, 0);
	t.is((await stage.frore('check', '99999999')).code, 1);
	t.is((await stage.frore('check', join(stage.dir, 'nothing'))).code, 1);
});
