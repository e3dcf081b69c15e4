/** Processes that cannot be frozen as they are: refused in one line, and nothing has happened to them. */
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {saysOneLine, subject, unharmed} from '../helpers/oracle.js';
import {identities, type Stage} from '../helpers/stage.js';
import {asOrdinaryUser, asRoot, asUsers, notHere, Skipped} from '../helpers/users.js';

const REFUSED = 3;
const ordinary = identities.at(-1)!;

/** Reason of test/targets/refused.c -> what must be said, and the way out that must be named. */
const kinds: Record<string, {title: string; says: RegExp; hint: RegExp}> = {
	io_uring: {title: 'an io_uring', says: /fd \d+.*io_uring/, hint: /without io_uring/},
	perf: {title: 'a perf event', says: /fd \d+: a perf event/, hint: /profiler/},
	aio: {title: 'an AIO ring', says: /AIO ring/, hint: /without native AIO/},
	userfault: {title: 'a userfaultfd', says: /fd \d+: a userfaultfd/, hint: /registration/},
	unknown: {title: 'a descriptor of an unknown kind', says: /fd 77: .*(fscontext|landlock)/, hint: /--allow \S+/},
	'thread-files': {
		title: 'a thread with descriptors of its own',
		says: /its thread \d+ has descriptors/,
		hint: /--allow thread-own/,
	},
	'thread-directory': {
		title: 'a thread with a working directory of its own',
		says: /its thread \d+ has a working directory/,
		hint: /--allow thread-own/,
	},
	'thread-credentials': {
		title: 'a thread with credentials of its own',
		says: /its thread \d+ has credentials/,
		hint: /--allow thread-own/,
	},
	namespace: {title: 'a descriptor of a namespace', says: /fd 78: a namespace \(net:/, hint: /[Cc]lose it/},
};

for (const [reason, {title, says, hint}] of Object.entries(kinds)) {
	asUsers(`${title} is refused by name`, async (t, stage) => {
		const target = await subject(stage, reason);
		const {stderr} = await stage.freeze(target.running.pid, {code: REFUSED});
		t.regex(stderr, new RegExp(`^frore: process ${target.running.pid}.*(${says.source})`, 'm'));
		t.regex(stderr, hint);
		for (const line of stderr.trimEnd().split('\n')) t.regex(line, /^frore: \S/);
		await unharmed(t, stage, target);
	});
}

asUsers('the other end of a pipe outside is refused with its descriptor', async (t, stage) => {
	const target = await subject(stage, 'pipe-outside');
	const {stderr} = await stage.freeze(target.running.pid, {code: REFUSED, args: ['--no-children']});
	t.regex(stderr, /^frore: process \d+, fd 79: .*pipe/m);
	t.regex(stderr, /--(fd|external|allow)/);
	await unharmed(t, stage, target);
});

asRoot('memory of a pool of huge pages is refused by name', async (t, stage) => {
	const pool = '/proc/sys/vm/nr_hugepages';
	const before = readFileSync(pool, 'utf8');
	try {
		writeFileSync(pool, '4');
	} catch {
		throw new Skipped('the pool of huge pages cannot be set here');
	}
	try {
		const target = await subject(stage, 'hugetlb');
		const {stderr} = await stage.freeze(target.running.pid, {code: REFUSED});
		saysOneLine(t, stderr, /hugetlb memory at .*pool of huge pages.*without MAP_HUGETLB/);
		await unharmed(t, stage, target);
	} finally {
		writeFileSync(pool, before);
	}
});

asOrdinaryUser('a process that is not dumpable is refused to its own user', async (t, stage) => {
	const target = await observedAsRoot(stage, 'undumpable');
	const {stderr} = await stage.freeze(target.running.pid, {code: REFUSED});
	saysOneLine(t, stderr, /process \d+ \(refused\) cannot be frozen: .*not dumpable.*run frore as root/);
	await unharmed(t, stage, target);
});

/** What of another's process is not for everybody: only a test that runs as root can look. */
async function observedAsRoot(stage: Stage, reason: string) {
	if (process.getuid!() !== 0) throw new Skipped('only root sees whether nothing has changed');
	return subject(stage, reason);
}

asOrdinaryUser('a process with more seccomp filters than frore is refused to an ordinary user', async (t, stage) => {
	const target = await subject(stage, 'filtered');
	const {stderr} = await stage.freeze(target.running.pid, {code: REFUSED});
	saysOneLine(
		t,
		stderr,
		/process \d+ \(refused\) cannot be frozen: it runs under \d+ seccomp filters.*run frore as root/,
	);
	await unharmed(t, stage, target);
});

asRoot("another user's process is refused to an ordinary user", async (t, stage) => {
	const target = await subject(stage);
	const file = '/tmp/frore-test-never.frore';
	const {code, stderr} = await asOrdinary(stage, ['freeze', String(target.running.pid), '-o', file]);
	t.is(code, REFUSED);
	saysOneLine(
		t,
		stderr,
		/process \d+ \(refused\) cannot be frozen: it belongs to user 0, and frore runs as user \d+; run frore as/,
	);
	t.throws(() => readFileSync(file));
	await unharmed(t, stage, target);
});

async function asOrdinary(stage: Stage, args: string[]) {
	const {commandLine} = await import('../helpers/product.js');
	return stage.run([...commandLine(), ...args], {as: ordinary});
}

asUsers('a process that is traced already is refused, naming the tracer', async (t, stage) => {
	const target = await subject(stage);
	// A tracer that stays attached and lets everything happen.
	const tracer = await stage.start([stage.target('tracer'), String(target.running.pid)]);
	await tracer.line(/^attached$/);
	const {stderr} = await stage.freeze(target.running.pid, {code: REFUSED});
	saysOneLine(t, stderr, new RegExp(`cannot be frozen: process ${tracer.pid} \\(tracer\\) traces it already; end the`));
	tracer.kill('SIGTERM');
	t.is(await tracer.end(), 0);
	await unharmed(t, stage, target);
});

asUsers('a zombie is refused', async (t, stage) => {
	const parent = await stage.start(['bash', '-c', 'sleep 0.01 & echo "zombie $!"; exec sleep 100']);
	const pid = Number((await parent.line(/^zombie (\d+)$/))[1]);
	await until(() => / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1')));
	const {stderr} = await stage.freeze(pid, {code: REFUSED});
	saysOneLine(
		t,
		stderr,
		new RegExp(`process ${pid} \\(sleep\\) cannot be frozen: it has ended and waits for its parent ${parent.pid}`),
	);
});

async function until(condition: () => boolean): Promise<void> {
	for (let tries = 0; !condition(); tries++) {
		if (tries > 400) throw new Error('this did not happen within 10 s');
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
}

asUsers('a pid that nobody has is told as such', async (t, stage) => {
	const ended = await stage.start(['true']);
	await ended.end();
	const {stderr} = await stage.freeze(ended.pid, {code: 1});
	saysOneLine(t, stderr, new RegExp(`there is no process ${ended.pid}; list processes with`));
});

asUsers('frore does not freeze itself', async (t, stage) => {
	const {commandLine} = await import('../helpers/product.js');
	const frore = commandLine()
		.map((part) => `'${part}'`)
		.join(' ');
	const {code, stderr} = await stage.run(['sh', '-c', `exec ${frore} freeze $$ -o self.frore`]);
	t.is(code, REFUSED);
	saysOneLine(t, stderr, /process \d+ is frore itself, which cannot freeze itself; freeze it from another process/);
});

asUsers('pid 1 is refused', async (t, stage) => {
	const {stderr} = await stage.freeze(1, {code: REFUSED});
	saysOneLine(t, stderr, /process 1 \(.+\) cannot be frozen: .*init.*; freeze one of its descendants/);
});

const kernelThread = ((): boolean => {
	try {
		return readFileSync('/proc/2/comm', 'utf8') === 'kthreadd\n';
	} catch {
		return false;
	}
})();

if (kernelThread) {
	asUsers('a kernel thread is refused', async (t, stage) => {
		const {stderr} = await stage.freeze(2, {code: REFUSED});
		saysOneLine(t, stderr, /process 2 \(kthreadd\) cannot be frozen: it is a kernel thread/);
	});
} else notHere('a kernel thread is refused', 'none is visible in this pid namespace');

asUsers('a thread is refused, naming its process', async (t, stage) => {
	const target = await subject(stage);
	const {stderr} = await stage.freeze(target.idle, {code: REFUSED});
	saysOneLine(
		t,
		stderr,
		new RegExp(`${target.idle} is a thread of process ${target.running.pid}; freeze ${target.running.pid}`),
	);
	await unharmed(t, stage, target);
});

asUsers('a 32-bit program is refused', async (t, stage) => {
	let program: string;
	try {
		program = stage.target('small32', 'm32');
	} catch {
		throw new Skipped('gcc -m32 does not work here');
	}
	const running = await stage.start([program]);
	try {
		await running.line(/^ready$/);
	} catch (error) {
		throw new Skipped(`this kernel runs no 32-bit programs: ${(error as Error).message.split('\n')[1]}`);
	}
	const maps = () => execFileSync('cat', [`/proc/${running.pid}/maps`], {encoding: 'utf8'});
	const before = maps();
	const {stderr} = await stage.freeze(running.pid, {code: REFUSED});
	saysOneLine(
		t,
		stderr,
		/process \d+ \(small32.*\) cannot be frozen: it is a 32-bit program, and frore carries 64-bit ones only/,
	);
	t.is(maps(), before);
	t.regex(readFileSync(`/proc/${running.pid}/status`, 'utf8'), /^TracerPid:\t0$/m);
	const seen = running.lines.length;
	await running.line(/^beat$/, 5000, seen);
});

asUsers('what is not a pid is a wrong use', async (t, stage) => {
	for (const wrong of ['0', '-5', 'x', '12x', '1e3', '']) {
		const {code, stderr} = await stage.frore('freeze', '--', wrong);
		t.is(code, 2, wrong);
		t.regex(stderr, /^frore: "[^\n]*" is not a process id/);
	}
});
