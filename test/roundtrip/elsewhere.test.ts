/** Item 5 of the issue: the file alone is enough, where neither the program nor its libraries exist. */
import {chmodSync, chownSync, copyFileSync, mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {alive, judged, ready} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import {toolPath} from '../helpers/tools.js';
import {asRoot, asUsers, notHere} from '../helpers/users.js';

const bashProgram = `
declare -A table=([a]=alpha [b]=beta); f() { printf '%s' "\${table[$1]^^}"; }
exec 3<> <(:)
trap 'echo "PASS bash $(f b) $i"; exit 0' USR1
echo ready
while :; do i=$((i + 1)); echo $i; read -rt 0.05 -u 3 || true; done`;

/** A child that maps the same files: their bytes stand in the artefact once. */
const familyProgram = `
coproc double { while read -r n; do echo $((n * 2)); done; }
trap '[ "$doubled" = $((i * 2)) ] && echo "PASS $doubled" || echo "FAIL $i $doubled"; exit 0' USR1
echo ready
while :; do
	i=$((i + 1)); echo $i >&"\${double[1]}"; read -r doubled <&"\${double[0]}"; echo $i
	read -rt 0.05 -u "\${double[0]}" || true
done`;

/** Uses code of its libraries for the first time only after the resume. */
const pythonProgram = `
import hashlib, json, signal, sys, time, zlib
def told(*_):
    data = json.dumps({str(i): [i] * 50 for i in range(300)}).encode()
    good = zlib.decompress(zlib.compress(data)) == data and len(hashlib.sha256(data).hexdigest()) == 64
    print('PASS python' if good else 'FAIL python', flush=True)
    sys.exit(0)
signal.signal(signal.SIGUSR1, told)
print('ready', flush=True)
n = 0
while True:
    n += 1
    print(n, flush=True)
    time.sleep(0.05)`;

/** A directory with the file and an empty proc, and how to run it there; standard input is /dev/null, which must come along. */
function emptyRoot(stage: Stage, file: string): string[] {
	const root = join(stage.dir, 'root');
	mkdirSync(join(root, 'proc'), {recursive: true});
	copyFileSync(file, join(root, 'job'));
	chmodSync(join(root, 'job'), 0o700);
	if (process.getuid!() === 0) chownSync(join(root, 'job'), stage.who.uid, stage.who.uid);
	const script = `mount --rbind /proc ${root}/proc && exec chroot ${root} /job --fd 0=inherit`;
	const namespaces = stage.who.uid === 0 ? ['--mount'] : ['--map-current-user', '--keep-caps', '--mount'];
	return ['unshare', ...namespaces, 'sh', '-c', script];
}

/** `tree`: several old ids are only to be had with namespaces, which a chroot does not let an ordinary user have. */
const programs: Array<{name: string; tree?: boolean; command: (stage: Stage) => string[] | undefined}> = [
	{name: 'a counter', command: (stage) => [stage.target('counter')]},
	{name: 'a static musl counter', command: (stage) => [stage.target('counter', 'musl')]},
	{name: 'bash', command: () => tool('bash', '-c', bashProgram)},
	{name: 'a shell with a child', tree: true, command: () => tool('bash', '-c', familyProgram)},
	{name: 'python3', command: () => tool('python3', '-c', pythonProgram)},
];

function tool(name: string, ...args: string[]): string[] | undefined {
	const path = toolPath(name);
	return path === undefined ? undefined : [path, ...args];
}

for (const {name, tree, command} of programs) {
	const title = `${name} resumes in an empty root directory with nothing but /proc`;
	if (name === 'python3' && !toolPath('python3')) {
		notHere(title, 'python3 is not installed');
		continue;
	}
	(tree ? asRoot : asUsers)(title, async (t, stage) => {
		const original = await stage.start(command(stage)!, {cwd: '/'});
		await ready(original);
		await original.line(/^3$/);
		const {file} = await stage.freeze(original.pid, {halt: true});
		const copy = await stage.start(emptyRoot(stage, file), {cwd: '/'});
		await alive(copy);
		await judged(t, copy, 'the copy');
	});
}
