/** The artefact's own process around a tree: signals, ends, daemons, and its own death. */
import {existsSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Stage} from '../helpers/stage.js';
import {PATIENCE, type Started} from '../helpers/started.js';
import {asRoot, asUsers} from '../helpers/users.js';

/** A root with a child, a grandchild, and a daemon in a session of its own; every one writes a file. */
const tree = `
beat() { while sleep 0.05; do date +%s%N >"$1.new" && mv "$1.new" "$1"; done; }
trap 'echo "told once"; told=$((told + 1)); [ "$told" = 2 ] && exit 9' USR1
(beat grandchild & beat child) & setsid sh -c 'while sleep 0.05; do date +%s%N >daemon.new && mv daemon.new daemon; done' &
sleep 0.5; echo ready
while :; do n=$((n + 1)); echo $n; read -rt 0.1 <> <(:); done`;

const beats = ['child', 'grandchild', 'daemon'];

async function frozenTree(stage: Stage): Promise<string> {
	const original = await stage.start(['bash', '-c', tree]);
	await original.line(/^ready$/);
	const {file} = await stage.freeze(original.pid, {halt: true});
	await original.end();
	return file;
}

async function until(condition: () => boolean, what: string): Promise<void> {
	for (const end = Date.now() + PATIENCE; !condition(); ) {
		if (Date.now() > end) throw new Error(`${what}: not in ${PATIENCE} ms`);
		await new Promise((resolve) => setTimeout(resolve, 30));
	}
}

/** Resolves when all of these write again. */
async function beating(stage: Stage, names = beats): Promise<void> {
	const since = Date.now();
	const late = (name: string) => !existsSync(join(stage.dir, name)) || statSync(join(stage.dir, name)).mtimeMs <= since;
	await until(() => !names.some(late), `${names.join(', ')} go on`);
}

async function resumed(stage: Stage, file: string, args: string[] = [], prefix?: string[]): Promise<Started> {
	const copy = await stage.thaw(file, args, prefix ? {prefix} : {});
	await copy.line(/^\d+$/);
	await beating(stage);
	return copy;
}

asUsers('a killed launcher takes the whole tree along', async (t, stage) => {
	const copy = await resumed(stage, await frozenTree(stage), ['--pid', 'private']);
	copy.kill('SIGKILL');
	t.is(await copy.end(), 137);
	await until(() => stage.processes().length === 0, 'the end of everything');
	t.pass();
});

/** A pid namespace in which all ids are free, and whose first process waits for all that end. */
const quiet = [
	'unshare',
	'--pid',
	'--fork',
	'--mount-proc',
	'bash',
	'-c',
	'"$@"; code=$?; echo "launcher $code"; while read -rt 0.1 <> <(:); do :; done; sleep 2; ls -d /proc/[0-9]* | wc -l; exit $code',
	'quiet',
];

asRoot('a killed launcher takes the whole tree along where it has no namespace, too', async (t, stage) => {
	const copy = await resumed(stage, await frozenTree(stage), ['--pid', 'host'], quiet);
	const launcher = stage
		.processes()
		.find(
			(pid) =>
				readFileSync(`/proc/${pid}/cmdline`, 'latin1').endsWith('--pid\0host\0') &&
				/^NSpid:\s+\d+\s+\d+$/m.test(readFileSync(`/proc/${pid}/status`, 'latin1')) &&
				readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(stage.dir),
		)!;
	process.kill(launcher, 'SIGKILL');
	await copy.line(/^launcher 137$/);
	// The shell itself, and the two of the pipe that counts.
	await copy.line(/^[1-3]$/, undefined, copy.lines.indexOf('launcher 137'));
	t.pass();
});

asUsers('a daemon of the tree lives on when the root has ended, and the code is the root’s', async (t, stage) => {
	const copy = await resumed(stage, await frozenTree(stage));
	copy.kill('SIGUSR1');
	await copy.line(/^told once$/);
	copy.kill('SIGUSR1');
	t.is(await copy.end(), 9);
	t.is(copy.lines.filter((line) => line === 'told once').length, 2, 'each signal arrives once');
	await beating(stage);
});

asUsers('a tree in the background is resumed whole, and ended whole', async (t, stage) => {
	const file = await frozenTree(stage);
	// What was a pipe to the outside would be the artefact's own output, and stay open as long as the tree lives.
	const started = await stage.run([file, '--detach', '--fd', '1=null', '--fd', '2=null']);
	t.is(started.code, 0, started.stderr);
	t.regex(started.stdout, /^\d+\n$/, 'the supervisor’s pid alone');
	await beating(stage);
	process.kill(Number(started.stdout), 'SIGKILL');
	await until(() => stage.processes().length === 0, 'the end of everything');
});
