/** Files that cannot be resumed here: one line, exit code 125, and nothing of the program has run. */
import {chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {readStructure} from '../../builder/structures.js';
import {createNativeHasher} from '../../freezer/sys/native.js';
import {field, Patient} from '../helpers/damage.js';
import {saysOneLine} from '../helpers/oracle.js';
import {alive, judged, ready} from '../helpers/roundtrip.js';
import {identities, type Stage} from '../helpers/stage.js';
import {asOrdinaryUser, asRoot, asUsers, Skipped} from '../helpers/users.js';

const NOT_RESUMED = 125;

async function frozen(stage: Stage, command: string[], args: string[] = []): Promise<string> {
	const original = await stage.start(command, {cwd: stage.dir});
	await ready(original);
	const {file} = await stage.freeze(original.pid, {halt: true, args});
	await original.end();
	return file;
}

const counter = (stage: Stage, args: string[] = []) => frozen(stage, [stage.target('counter')], args);

async function refused(t: ExecutionContext, stage: Stage, file: string, pattern: RegExp, args: string[] = []) {
	const {code, stdout, stderr} = await stage.run(['timeout', '20', file, ...args]);
	t.is(code, NOT_RESUMED, stderr);
	t.is(stdout, '', 'nothing of it has run');
	saysOneLine(t, stderr, pattern);
	t.deepEqual(stage.processes(), [], 'no process is left');
}

/** A changed copy beside the file. */
function changed(file: string, name: string, bytes: Uint8Array): string {
	const copy = join(file, '..', name);
	writeFileSync(copy, bytes, {mode: 0o755});
	return copy;
}

asUsers(
	'a truncated file, and one with a flipped bit, are refused by themselves and by check and inspect',
	async (t, stage) => {
		const file = await counter(stage);
		const bytes = readFileSync(file);
		const {trailerAt, headAt} = new Patient(new Uint8Array(bytes), createNativeHasher());
		const stubEnd = Number(readStructure('trailer', bytes, trailerAt).preamble_offset);
		const flipped = (at: number) => {
			const copy = Buffer.from(bytes);
			copy[at]! ^= 4;
			return copy;
		};
		const copies: Record<string, Uint8Array> = {
			'half.frore': bytes.subarray(0, bytes.length >> 1),
			'without-last-byte.frore': bytes.subarray(0, bytes.length - 1),
			'pages.frore': flipped(stubEnd + 4096 + 1000),
			'head.frore': flipped(headAt + 300),
			'trailer.frore': flipped(bytes.length - 20),
		};
		for (const [name, content] of Object.entries(copies)) {
			const copy = changed(file, name, content);
			await refused(t, stage, copy, /damaged|truncated|incomplete|checksum|not an? .*artefact/);
			const check = await stage.frore('check', copy);
			t.is(check.code, 4, `${name}: ${check.stdout}${check.stderr}`);
			t.regex(check.stderr, /^frore: [^\n]+\n$/);
		}
		// The program at its head is compared with its note by check.
		const {code, stderr} = await stage.frore('check', changed(file, 'stub.frore', flipped(stubEnd >> 1)));
		t.is(code, 4, stderr);
		saysOneLine(t, stderr, /damaged: the program at its head/);
	},
);

asUsers('another format version, and another machine, are refused in words', async (t, stage) => {
	const file = await counter(stage);
	const patient = new Patient(new Uint8Array(readFileSync(file)), createNativeHasher());
	const other = patient.resealed((_, view) => {
		const at = field(patient.preambleAt, 'preamble', 'version');
		view.setUint32(at, view.getUint32(at, true) + 6, true);
	});
	await refused(t, stage, changed(file, 'newer.frore', other), /another format version|format \d/);
	t.is((await stage.frore('inspect', 'newer.frore')).code, 4);
	const arch = patient.resealed((_, view) => {
		const at = field(patient.preambleAt, 'preamble', 'arch');
		view.setUint32(at, 183, true);
	});
	await refused(t, stage, changed(file, 'arm.frore', arch), /architecture|machine|x86_64|aarch64/);
});

asUsers('what is not a frore file is refused by check and inspect', async (t, stage) => {
	writeFileSync(join(stage.dir, 'text'), 'no artefact\n'.repeat(1000));
	for (const [command, name, code] of [
		['inspect', 'text', 4],
		['check', 'text', 4],
		['inspect', 'nowhere', 1],
		['check', 'nowhere', 1],
		['inspect', '.', 1],
	] as const) {
		const done = await stage.frore(command, name);
		t.is(done.code, code, `${command} ${name}: ${done.stderr}`);
		saysOneLine(t, done.stderr, new RegExp(name === '.' ? 'directory|regular' : name));
	}
});

asOrdinaryUser('a file that may be executed but not read is refused in words', async (t, stage) => {
	const file = await counter(stage);
	chmodSync(file, 0o111);
	await refused(t, stage, file, /cannot (open|read) .*: .*(permission|EACCES|readable).*/i);
});

asRoot('a file on a file system that is mounted noexec cannot run; check says so', async (t, stage) => {
	const file = await counter(stage);
	const place = join(stage.dir, 'noexec');
	mkdirSync(place);
	const mounted = await stage.run(['mount', '-t', 'tmpfs', '-o', 'noexec', 'noexec', place]);
	if (mounted.code !== 0) throw new Skipped('nothing can be mounted here');
	try {
		copyFileSync(file, join(place, 'job.frore'));
		chmodSync(join(place, 'job.frore'), 0o755);
		const {code, stderr, stdout} = await stage.frore('check', join(place, 'job.frore'));
		t.is(code, 3, stdout);
		t.regex(stderr, /^frore: .*cannot be executed here; .*noexec/m);
	} finally {
		await stage.run(['umount', '-l', place]);
	}
});

asUsers('a file that the program had open and that is missing is named', async (t, stage) => {
	const data = join(stage.dir, 'data.txt');
	writeFileSync(data, 'x'.repeat(100));
	const reader = await stage.start(['bash', '-c', `exec 5<"${data}" 6<><(:); echo ready; exec sleep 1000`]);
	await reader.line(/^ready$/);
	for (let tries = 0; readFileSync(`/proc/${reader.pid}/comm`, 'utf8') !== 'sleep\n' && tries < 200; tries++) {
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
	const {file} = await stage.freeze(reader.pid, {halt: true, args: ['--allow', 'all']});
	renameSync(data, `${data}.away`);
	await refused(t, stage, file, new RegExp(`${data}.*(No such file|ENOENT).*;.*`));
	const {code, stdout, stderr} = await stage.run([file, '--check']);
	t.is(code, 3, stdout + stderr);
	renameSync(`${data}.away`, data);
	const copy = await stage.thaw(file);
	await new Promise((resolve) => setTimeout(resolve, 300));
	t.is(copy.code, undefined, 'with the file in its place it runs');
});

asUsers('a working directory that is missing is named in a warning', async (t, stage) => {
	const folder = join(stage.dir, 'work');
	mkdirSync(folder);
	chmodSync(folder, 0o777);
	const original = await stage.start([stage.target('counter')], {cwd: folder});
	await ready(original);
	const {file} = await stage.freeze(original.pid, {halt: true});
	renameSync(folder, `${folder}.away`);
	const copy = await stage.thaw(file);
	await copy.line(new RegExp(`^frore: .*${folder}.*; the program runs in /`));
	await alive(copy);
	await judged(t, copy, 'the copy');
});

asUsers('a listening address in use is named, with the port and who has it', async (t, stage) => {
	const original = await stage.start([stage.target('sockets'), 'tcp']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const before = stage.processes().length;
	const {code, stdout, stderr} = await stage.run(['timeout', '20', file]);
	t.is(code, NOT_RESUMED, stderr);
	t.is(stdout, '');
	saysOneLine(t, stderr, /cannot listen .*port \d+/);
	t.regex(stderr, /in use/);
	t.regex(stderr, new RegExp(`\\b${original.pid}\\b`), 'the holder');
	t.regex(stderr, /is the original.*still running\?/);
	t.is(stage.processes().length, before, 'no process is left');
	await judged(t, original, 'the original');
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy, once the address is free');
});

asUsers('too little address space is told as such', async (t, stage) => {
	const file = await counter(stage);
	const {code, stdout, stderr} = await stage.run(['bash', '-c', `ulimit -v 4000; exec timeout 20 ${file}`]);
	t.is(code, NOT_RESUMED, stderr);
	t.is(stdout, '');
	saysOneLine(t, stderr, /memory|ulimit -v/);
});

asUsers('options that are not understood are told as such', async (t, stage) => {
	const file = await counter(stage);
	for (const args of [['--nonsense'], ['--pid', 'other'], ['--fd', 'x'], ['argument'], ['--pid']]) {
		await refused(t, stage, file, /--help|not|missing|no arguments/, args);
	}
});

const other = identities.find(({uid}) => uid !== 0 && uid !== process.getuid!());
if (other) {
	asRoot('a file is closed to other users', async (t, stage) => {
		const file = await counter(stage);
		const {code, stderr} = await stage.run(['sh', '-c', file], {as: other});
		t.is(code, 126, stderr);
		t.true(existsSync(file));
	});
}
