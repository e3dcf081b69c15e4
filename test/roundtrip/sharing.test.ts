/** What the processes of a tree have in common: stored once, and in common again after the resume. */
import {readFileSync, rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {bytesSource, openArtefact} from '../../builder/artefact-reader.js';
import {createHasher} from '../../builder/portable-codec.js';
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import {asRoot, asUsers} from '../helpers/users.js';

const MIB = 1024 * 1024;

asUsers('private memory that relatives share is stored once and shared again', async (t, stage) => {
	const target = stage.target('cow');
	await roundTrip(t, stage, [target], {
		halt: true,
		generations: 2,
		freezeArgs: ['--compress', 'none'],
		between: () => {
			const {size} = statSync(join(stage.dir, 'job-1.frore'));
			t.log(`${(size / MIB).toFixed(1)} MiB`);
			t.true(size > 64 * MIB && size < 71 * MIB, `the artefact has ${size} bytes`);
		},
	});
});

asUsers('the original of relatives that share memory goes on', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('cow')]);
});

asUsers('relatives share where their files are missing, also when they are frozen again there', async (t, stage) => {
	const target = stage.target('cow');
	await roundTrip(t, stage, [target], {
		halt: true,
		generations: 3,
		between: () => {
			rmSync(target);
			rmSync(join(stage.dir, 'cow-file'));
		},
	});
});

/** The original's are not its own any more once it has been ended. */
async function removeIds(stage: Stage): Promise<void> {
	const ids = readFileSync(join(stage.dir, 'ids'), 'utf8').trim().split(' ');
	await stage.run(['ipcrm', ...ids]);
}

asUsers('System V segments, semaphores and queues come back with their ids and what is in them', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('sysv')], {halt: true, generations: 3, between: () => removeIds(stage)});
});

asUsers('the original goes on with its System V objects, beside its copy', async (t, stage) => {
	const original = await stage.start([stage.target('sysv')]);
	await ready(original);
	const {file, stderr} = await stage.freeze(original.pid);
	t.regex(stderr, /SEM_UNDO/);
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');
	await judged(t, original, 'the original');
});

asUsers('processes with one descriptor table or one working directory go on sharing it', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('shares')], {halt: true, generations: 3});
});

/** As after a reboot, or on another machine: /dev/shm is empty. */
asUsers('POSIX shared memory and semaphores come back with their names', async (t, stage) => {
	const original = await stage.start([stage.target('posix-ipc')]);
	const [, ...names] = await original.line(/^names (\S+) (\S+)$/);
	const forget = () => {
		for (const name of names) rmSync(join('/dev/shm', name), {force: true});
	};
	t.teardown(forget);
	await ready(original);
	const first = await stage.freeze(original.pid, {halt: true});
	forget();
	const copy = await stage.thaw(first.file);
	await alive(copy);
	const second = await stage.freeze(copy.pid, {halt: true});
	forget();
	const again = await stage.thaw(second.file);
	await alive(again);
	await judged(t, again, 'the copy of the copy');
});

asUsers('a process that is frozen alone goes on sharing memory with its children', async (t, stage) => {
	const original = await stage.start([stage.target('cow')]);
	await ready(original);
	await stage.freeze(original.pid, {args: ['--no-children']});
	await judged(t, original, 'the original');
});

asRoot('a segment of an ended process is not taken for that of a later one with the same pid', async (t, stage) => {
	// The earlier process makes a segment and ends; the kernel goes on telling its pid (shmctl(2), shm_cpid).
	const make = `import ctypes, os
libc = ctypes.CDLL(None)
print('made', libc.shmget(0, 4096, 0o1600), 'by', os.getpid(), flush=True)`;
	const script = `
as() { echo $1 >/proc/sys/kernel/ns_last_pid; }
as 299; /usr/bin/python3 -c "$1" & wait $!
sleep 2.2
as 299; "$2" & pid=$!; echo "now $pid"
sleep 0.5; shift 2; "$@" $pid -o job.frore --quiet; echo "code $?"; kill $pid`;
	const command = ['bash', '-c', script, 'bash', make, stage.target('counter'), ...stage.froreCommand('freeze')];
	const run = await stage.start(['unshare', '--ipc', '--pid', '--fork', '--mount-proc', ...command]);
	await run.end();
	t.regex(run.output, /^made \d+ by 300$/m);
	t.regex(run.output, /^now 300$/m, 'it has the same pid');
	t.regex(run.output, /^code 0$/m, run.output);
	const artefact = openArtefact(bytesSource(readFileSync(join(stage.dir, 'job.frore'))), await createHasher());
	t.deepEqual(artefact.snapshot.shm, []);
	t.deepEqual(artefact.snapshot.warning, [], 'nothing is told of it, either');
});
