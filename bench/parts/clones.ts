import {spawn} from 'node:child_process';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {type Beater, freeMemory, meminfo, type Scene} from '../scene.js';
import {digits, median, size} from '../stats.js';
import {artefactOf} from '../tools/frore.js';
import type {Context, Part} from './part.js';

const CLONES = 10;
const MEBIBYTES = 1024;
/** MiB that each clone writes; it reads the rest. */
const WRITTEN = 64;
const PATIENCE = 120_000;

interface Clone {
	/** Milliseconds to its first instruction. */
	start: number;
	/** MiB that belong to its processes alone. */
	own: number;
	/** MiB that the machine has less than before it. */
	all: number;
}

/** MiB of a process that it shares with nobody. */
function privateOf(pid: number): number {
	try {
		const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
		return [...rollup.matchAll(/^Private_\w+: *(\d+) kB/gm)].reduce((sum, [, kib]) => sum + Number(kib) / 1024, 0);
	} catch {
		return 0;
	}
}

async function clone(scene: Scene, log: string, command: string[]): Promise<Clone> {
	const {stage} = scene;
	const before = {processes: new Set(stage.processes()), free: meminfo('MemAvailable')};
	writeFileSync(log, '');
	const start = performance.timeOrigin + performance.now();
	const child = spawn(command[0]!, command.slice(1), {cwd: stage.dir, env: stage.env, stdio: 'ignore', detached: true});
	const said = await new Promise<string>((resolve, reject) => {
		child.once('exit', () => reject(new Error(`${command.join(' ')} ended with ${child.exitCode}`)));
		child.once('error', reject);
		const end = Date.now() + PATIENCE;
		const look = () => {
			const text = readFileSync(log, 'utf8');
			if (text.includes('wrote\n')) resolve(text);
			else if (Date.now() > end) reject(new Error(`${command.join(' ')} did nothing for ${PATIENCE / 1000} s`));
			else setTimeout(look, 5);
		};
		look();
	});
	await sleep(100);
	const own = stage
		.processes()
		.filter((pid) => !before.processes.has(pid))
		.reduce((sum, pid) => sum + privateOf(pid), 0);
	const all = (before.free - meminfo('MemAvailable')) / 1024;
	return {start: Number(/resumed (\d+)/.exec(said)![1]) / 1e6 - start, own, all};
}

async function clonesOf(scene: Scene, target: Beater, command: string[]): Promise<Clone[]> {
	const before = new Set(scene.stage.processes());
	const clones: Clone[] = [];
	try {
		while (clones.length < CLONES) clones.push(await clone(scene, target.log, command));
		return clones;
	} finally {
		for (const pid of scene.stage.processes()) {
			try {
				if (!before.has(pid)) process.kill(pid, 'SIGKILL');
			} catch {}
		}
		// Their memory comes back.
		await sleep(1000);
	}
}

async function run({scene, report, tools}: Context): Promise<void> {
	const names = (await tools()).map(({name}) => name);
	const {who} = scene;
	const words = ['random', `write=${WRITTEN}`];
	const target = await scene.beat({mebibytes: MEBIBYTES, words});
	const file = await artefactOf(scene, target, ['--compress', 'none']);
	target.expectResume();
	const detail = `each writes ${size(WRITTEN)} and reads the rest`;
	const by = {who, rounds: CLONES};
	// The first may bring in what all of them use.
	const middle = (clones: Clone[], of: 'own' | 'all') => median(clones.slice(1).map((one) => one[of]));
	if (names.includes('frore --lazy')) {
		const clones = await clonesOf(scene, target, [file, '--lazy']);
		report.row('clones.lazy', middle(clones, 'own') / WRITTEN, {...by, detail});
		report.row('clones.lazy.all', middle(clones, 'all') / WRITTEN, by);
		report.row('clones.lazy.start', clones.at(-1)!.start, {who, rounds: 1});
	}
	const needed = (CLONES + 1) * MEBIBYTES;
	if (freeMemory() < needed) {
		report.missing(
			'ten clones in default mode',
			`they need ${size(needed)}, ${digits(freeMemory() / 1024)} GiB are free`,
		);
	} else {
		const clones = await clonesOf(scene, target, [file]);
		report.row('clones.none', middle(clones, 'own'), {...by, detail});
		report.row('clones.none.start', clones.at(-1)!.start, {who, rounds: 1});
	}
	rmSync(file);
}

export const clones: Part = {name: 'clones', about: 'memory of ten clones of one artefact of 1 GiB', run};
