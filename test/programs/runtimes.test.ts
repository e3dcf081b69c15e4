/** Programs of other runtimes: a JVM, Go, a static musl program, and numpy with much memory. */
import {chmodSync, copyFileSync, existsSync, readdirSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {judged, ready, roundTrip} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import {toolPath, withTool} from '../helpers/tools.js';
import {Skipped} from '../helpers/users.js';
import {buildGo, buildJava, needs, reborn, source} from './reborn.js';

/** Copies a built file to where the stage's user may run it. */
function staged(stage: Stage, built: string, name: string): string {
	const here = join(stage.dir, name);
	copyFileSync(built, here);
	chmodSync(here, 0o755);
	return here;
}

/** The file that a JVM maps below /tmp: gone after a reboot. */
function counters(pid: number): string[] {
	const folders = readdirSync('/tmp').filter((name) => name.startsWith('hsperfdata_'));
	return folders.map((name) => join('/tmp', name, String(pid))).filter((file) => existsSync(file));
}

withTool('javac', 'a JVM with warm workers comes to the same checksum as an undisturbed one', async (t, stage) => {
	staged(stage, buildJava('Warm'), 'Warm.jar');
	const command = [toolPath('java')!, '-XX:+UseG1GC', '-Xms64m', '-Xmx256m', '-cp', 'Warm.jar', 'Warm'];
	const undisturbed = await stage.start(command);
	t.is(await undisturbed.end(60_000), 5);
	const [, checksum] = await undisturbed.line(/^checksum (\w+)$/);

	const original = await stage.start(command);
	await original.line(/^round 20$/);
	const first = await reborn(t, stage, original);
	await first.line(/^round \d+$/);
	const copy = await reborn(t, stage, first, ['--files', 'embed'], () => {
		for (const file of counters(original.pid)) rmSync(file);
	});
	t.is(await copy.end(60_000), 5, 'its exit code');
	t.is((await copy.line(/^checksum (\w+)$/))[1], checksum);
	if (!process.env.FRORE_UNDISTURBED) {
		const rounds = [...original.lines, ...first.lines, ...copy.lines].filter((line) => line.startsWith('round '));
		t.is(rounds.length, new Set(rounds).size, 'no round is done twice');
		t.is(rounds.length, 150, 'no round is left out');
	}
});

withTool('go', 'a Go program comes back with its goroutines and timers', async (t, stage) => {
	await roundTrip(t, stage, [staged(stage, buildGo('timers'), 'timers')], {generations: 2});
});

withTool('musl-gcc', 'a static musl program comes back with its threads', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('threads', 'musl'), '8'], {generations: 2});
});

withTool('python3', 'a large numpy array comes back whole', async (t, stage) => {
	const python = toolPath('python3')!;
	if ((await stage.run([python, '-c', 'import numpy'])).code !== 0) throw new Skipped(`${python} has no numpy`);
	// Once is enough for what takes long: fresh memory costs much in virtual machines.
	const size = stage.who.uid === 0 ? 1 : 4;
	needs(stage, size + 2, size + 2);
	t.timeout(400_000);
	const original = await stage.start([python, source(stage, 'array.py'), String(size)]);
	await ready(original, 90_000);
	t.log(`${size} GiB`);
	const copy = await reborn(t, stage, original, ['--max-pause', '120']);
	await copy.line(/^beat/, 150_000);
	await judged(t, copy, 'the copy', 60_000);
});
