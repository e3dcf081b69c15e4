/** `--lazy`: memory is mapped from the file, and read when it is used. */
import {openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {release} from 'node:os';
import type {ExecutionContext} from 'ava';
import {alive, judged, ready} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import type {Started} from '../helpers/started.js';
import {below, commOf} from '../helpers/terminal.js';
import {asUsers, type Play, Skipped} from '../helpers/users.js';

const inItsWay = (title: string, play: Play): void =>
	asUsers(title, play, {lazy: 'it says itself what is resumed how'});

const PLAIN = ['--compress', 'none'];
const MIB = 1 << 20;

async function started(stage: Stage, what: string): Promise<Started> {
	const original = await stage.start([stage.target('lazy'), what]);
	await ready(original);
	return original;
}

async function frozen(stage: Stage, what: string): Promise<string> {
	const original = await started(stage, what);
	const {file} = await stage.freeze(original.pid, {halt: true, args: PLAIN});
	await original.end();
	return file;
}

async function resumed(stage: Stage, file: string, ...args: string[]): Promise<Started> {
	const copy = await stage.thaw(file, args);
	await alive(copy);
	return copy;
}

/** Judges a copy, which says how its memory was there. */
async function expect(t: ExecutionContext, copy: Started, how: 'mapped' | 'whole', who: string): Promise<void> {
	await judged(t, copy, who);
	t.true(copy.lines.includes(how), `${who} is not ${how}`);
}

/** Address, protection, name and flags of each. */
async function mappingsIn(stage: Stage, file: string): Promise<string[]> {
	const {stdout} = await stage.frore('inspect', '--maps', file);
	return [...stdout.matchAll(/^([0-9a-f]+-[0-9a-f]+ +[rwxps-]{4}) .{27}(.*)$/gm)].map(([, where, what]) =>
		`${where} ${what}`.trimEnd(),
	);
}

const programOf = (copy: Started): number => below(copy.pid).at(-1)!;

inItsWay('all kinds of memory are mapped from the file, and are whole again when that is frozen', async (t, stage) => {
	const original = await started(stage, 'memory');
	const {file} = await stage.freeze(original.pid, {args: PLAIN});
	await expect(t, original, 'whole', 'the original');
	await expect(t, await resumed(stage, file, '--lazy'), 'mapped', 'a copy');
	let running = await resumed(stage, file, '--lazy');
	const sizes = [statSync(file).size];
	const mappings = await mappingsIn(stage, file);
	for (let generation = 2; generation <= 4; generation++) {
		const {file: next} = await stage.freeze(running.pid, {halt: true, args: PLAIN});
		await running.end();
		sizes.push(statSync(next).size);
		t.deepEqual(await mappingsIn(stage, next), mappings, `the mappings of generation ${generation}`);
		if (generation === 3)
			await expect(t, await resumed(stage, next, '--lazy'), 'mapped', `generation ${generation}, mapped`);
		running = await resumed(stage, next, ...(generation < 4 ? ['--lazy'] : []));
	}
	await expect(t, running, 'whole', 'generation 4');
	t.true(Math.max(...sizes) - Math.min(...sizes) < 64 * 1024, `bytes of the generations: ${sizes}`);
});

inItsWay('what was mapped from the file is frozen while it runs on', async (t, stage) => {
	const copy = await resumed(stage, await frozen(stage, 'memory'), '--lazy');
	const {file} = await stage.freeze(copy.pid, {args: [...PLAIN, '--live']});
	await expect(t, copy, 'mapped', 'the copy that went on');
	await expect(t, await resumed(stage, file), 'whole', 'a copy of it');
	await expect(t, await resumed(stage, file, '--lazy'), 'mapped', 'the same, mapped');
});

inItsWay('relatives share what was mapped from the file, also when it is frozen again', async (t, stage) => {
	const file = await frozen(stage, 'tree');
	await expect(t, await resumed(stage, file, '--lazy'), 'mapped', 'a copy');
	const copy = await resumed(stage, file, '--lazy');
	process.kill(below(copy.pid).find((pid) => commOf(pid) === 'lazy')!, 'SIGUSR2');
	await copy.line(/^forked$/);
	const {file: next} = await stage.freeze(copy.pid, {halt: true, args: PLAIN});
	const grown = statSync(next).size - statSync(file).size;
	t.true(grown < MIB, `the file has grown by ${grown} bytes`);
	await judged(t, await resumed(stage, next), 'a copy with another child');
	await judged(t, await resumed(stage, next, '--lazy'), 'the same, mapped');
});

inItsWay('ten clones of one file take no memory for what they do not write', async (t, stage) => {
	const file = await frozen(stage, 'memory');
	const clones = await Promise.all(Array.from({length: 10}, () => resumed(stage, file, '--lazy')));
	for (const clone of clones) {
		const own = /^Anonymous: +(\d+) kB/m.exec(readFileSync(`/proc/${programOf(clone)}/smaps_rollup`, 'latin1'))![1]!;
		t.true(Number(own) < 1024, `a clone has ${own} KiB of its own`);
	}
	for (const clone of clones.slice(0, 2)) await expect(t, clone, 'mapped', 'a clone');
});

inItsWay('the file may be replaced and removed, but not written to, while it runs', async (t, stage) => {
	const file = await frozen(stage, 'memory');
	const copy = await resumed(stage, file, '--lazy');
	const [, minor] = /^6\.(1[12])\./.exec(release()) ?? [];
	if (minor) throw new Skipped(`Linux 6.${minor} lets programs be written to while they run`);
	t.throws(() => openSync(file, 'r+'), {code: 'ETXTBSY'});
	writeFileSync(`${file}.new`, 'something else');
	renameSync(`${file}.new`, file);
	rmSync(file);
	await expect(t, copy, 'mapped', 'a copy');
});

inItsWay('compressed pages are refused in words, and not resumed', async (t, stage) => {
	const original = await started(stage, 'memory');
	const {file} = await stage.freeze(original.pid, {args: ['--compress', 'zstd']});
	const refused =
		'frore: cannot resume with --lazy; the pages in this file are compressed: freeze with --compress none, or leave it out\n';
	t.deepEqual(await stage.run([file, '--lazy']), {code: 125, stdout: '', stderr: refused});
	t.deepEqual(await stage.run([file, '--lazy', '--check']), {code: 3, stdout: refused, stderr: ''});
	await judged(t, original, 'the original');
});
