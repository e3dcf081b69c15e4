/** The artefact cannot be written: one line, the target goes on, and nothing is left behind. */
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {nothingLeft, saysOneLine, subject, unharmed} from '../helpers/oracle.js';
import {commandLine} from '../helpers/product.js';
import {identities, type Stage} from '../helpers/stage.js';
import {asOrdinaryUser, asUsers, Skipped} from '../helpers/users.js';

const FAILED = 1;
const root = identities.find(({uid}) => uid === 0);

/** Quoted, for a shell. */
const frore = () =>
	commandLine()
		.map((part) => `'${part}'`)
		.join(' ');

asUsers('a directory that does not exist', async (t, stage) => {
	const target = await subject(stage);
	const file = join(stage.dir, 'nowhere', 'job.frore');
	const {stderr} = await stage.freeze(target.running.pid, {file, code: FAILED});
	saysOneLine(
		t,
		stderr,
		new RegExp(`cannot write ${file}: no such directory; nothing was written; choose another place with -o`),
	);
	await unharmed(t, stage, target);
});

asUsers('a directory, a device and a FIFO in place of the file', async (t, stage) => {
	const target = await subject(stage);
	await stage.run(['mkfifo', 'fifo']);
	mkdirSync(join(stage.dir, 'folder'));
	for (const file of ['/dev/full', join(stage.dir, 'folder'), join(stage.dir, 'fifo')]) {
		const {stderr} = await stage.freeze(target.running.pid, {file, code: FAILED});
		saysOneLine(t, stderr, new RegExp(`cannot write ${file}: it is not a regular file; `));
	}
	await unharmed(t, stage, target);
});

asOrdinaryUser('a directory that may not be written', async (t, stage) => {
	const target = await subject(stage);
	mkdirSync(join(stage.dir, 'closed'), {mode: 0o555});
	const file = join(stage.dir, 'closed', 'job.frore');
	const {stderr} = await stage.freeze(target.running.pid, {file, code: FAILED});
	saysOneLine(t, stderr, /cannot write .*: permission denied; nothing was written/);
	await unharmed(t, stage, target);
	t.deepEqual(readdirSync(join(stage.dir, 'closed')), []);
});

/** A small file system of its own below the stage's directory. */
async function mounted<T>(stage: Stage, options: string, play: (place: string) => Promise<T>): Promise<T> {
	if (!root) throw new Skipped('only root can mount a file system');
	const place = join(stage.dir, 'small');
	mkdirSync(place);
	const owner = `uid=${stage.who.uid},mode=755`;
	const done = await stage.run(['mount', '-t', 'tmpfs', '-o', `${owner},${options}`, 'small', place], {as: root});
	if (done.code !== 0) throw new Skipped(`nothing can be mounted here: ${done.stderr.trim()}`);
	try {
		return await play(place);
	} finally {
		await stage.run(['umount', '-l', place], {as: root});
	}
}

asUsers('a read-only file system', async (t, stage) => {
	const target = await subject(stage);
	await mounted(stage, 'ro', async (place) => {
		const {stderr} = await stage.freeze(target.running.pid, {file: join(place, 'job.frore'), code: FAILED});
		saysOneLine(t, stderr, /cannot write .*: the file system is read-only; nothing was written/);
	});
	await unharmed(t, stage, target);
});

asUsers('a full disk', async (t, stage) => {
	const target = await subject(stage);
	await mounted(stage, 'size=300k', async (place) => {
		const file = join(place, 'job.frore');
		writeFileSync(file, 'an earlier artefact');
		for (const codec of ['none', 'zstd:1']) {
			const {stderr} = await stage.freeze(target.running.pid, {file, code: FAILED, args: ['--compress', codec]});
			saysOneLine(t, stderr, /cannot write .*: no space left on the device; nothing was written/);
			t.is(readFileSync(file, 'utf8'), 'an earlier artefact', 'what was there is still there');
			t.deepEqual(readdirSync(place), ['job.frore'], 'and nothing else');
		}
		const shell = `exec ${frore()} freeze ${target.running.pid} -o - >small/out.frore`;
		const {code, stderr} = await stage.run(['sh', '-c', shell]);
		t.is(code, FAILED);
		saysOneLine(t, stderr, /cannot write standard output: no space left on the device/);
	});
	await unharmed(t, stage, target);
});

asUsers('a limit on the size of files', async (t, stage) => {
	const target = await subject(stage);
	const shell = `ulimit -f 100; exec ${frore()} freeze ${target.running.pid} -o job.frore --compress none`;
	const {code, stderr} = await stage.run(['bash', '-c', shell]);
	t.is(code, FAILED, stderr);
	saysOneLine(t, stderr, /cannot write job\.frore: the file would be larger than allowed; nothing was written/);
	await unharmed(t, stage, target);
});

asUsers('a default name never overwrites', async (t, stage) => {
	const target = await subject(stage);
	const name = `refused-${target.running.pid}.frore`;
	writeFileSync(join(stage.dir, name), 'mine');
	const {code, stderr} = await stage.frore('freeze', String(target.running.pid));
	t.is(code, FAILED);
	saysOneLine(t, stderr, new RegExp(`cannot write \\./${name}: it exists,.* choose a name with -o`));
	t.is(readFileSync(join(stage.dir, name), 'utf8'), 'mine');
	await unharmed(t, stage, target, {alsoThere: [name]});
});

asUsers('the reader of standard output goes away', async (t, stage) => {
	const target = await subject(stage);
	const shell = `{ ${frore()} freeze ${target.running.pid} -o - --compress none; echo "code $?" >&2; } | head -c 1000 >/dev/null`;
	const {stderr} = await stage.run(['bash', '-c', shell]);
	t.regex(stderr, /^frore: cannot write standard output: the reader has gone; [^\n]*\ncode 1\n$/);
	await unharmed(t, stage, target);
});

asUsers('standard output that only the target reads is refused', async (t, stage) => {
	// A shell that reads what comes, and is to be frozen itself.
	await stage.run(['mkfifo', 'loop']);
	const reader = await stage.start(['bash', '-c', 'exec 3<>loop; echo open; sleep 100']);
	await reader.line(/^open$/);
	const {code, stderr} = await stage.run(['sh', '-c', `exec ${frore()} freeze ${reader.pid} -o - >loop`]);
	t.is(code, 3, stderr);
	saysOneLine(t, stderr, new RegExp(`cannot write to standard output: its reader is process ${reader.pid}`));
	nothingLeft(t, stage);
});

asUsers('a terminal does not get the artefact', async (t, stage) => {
	const target = await subject(stage);
	const inner = `${frore()} freeze ${target.running.pid} -o -; echo "code $?"`;
	const {stdout} = await stage.run(['script', '-qec', inner, '/dev/null']);
	t.regex(stdout, /^frore: the artefact is not written to a terminal; [^\n]*\r?\ncode 2/);
	await unharmed(t, stage, target);
});
