/** Trees of several users: root carries them, and nobody else gets more than is theirs. */
import {ready, roundTrip} from '../helpers/roundtrip.js';
import {identities} from '../helpers/stage.js';
import {asRoot, asUsers} from '../helpers/users.js';

const ordinary = identities.at(-1)!;

asRoot('children keep their users, groups, capabilities and securebits', (t, stage) =>
	roundTrip(t, stage, [stage.target('identities')], {generations: 2}),
);

asRoot('a tree of several users is neither frozen nor resumed by one of them', async (t, stage) => {
	const original = await stage.start([stage.target('identities')]);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	await stage.run(['chmod', '755', file]);
	const done = await stage.run([file, '--force'], {as: ordinary});
	t.is(done.code, 125);
	t.regex(done.stderr, /^frore: cannot resume process \d+ as user \d+; .*run it as root$/m);
	t.deepEqual(
		done.stderr
			.trimEnd()
			.split('\n')
			.filter((line) => !line.startsWith('frore: warning:')).length,
		1,
		done.stderr,
	);
	original.kill();
});

asRoot('an ordinary user is told which child belongs to somebody else', async (t, stage) => {
	const own = ordinary.uid;
	// The parent is that user's, its child is not.
	const child = 'setpriv --reuid=33 --regid=33 --clear-groups sleep 1000 &';
	const parent = `exec ${ordinary.prefix.join(' ')} bash -c 'echo ready; while sleep 0.05; do echo 1; done'`;
	const original = await stage.start(['bash', '-c', `${child} sleep 0.3; ${parent}`]);
	await original.line(/^ready$/);
	const done = await stage.run(stage.froreCommand('freeze', original.pid, '-o', '/tmp/no.frore'), {as: ordinary});
	t.is(done.code, 3);
	t.regex(
		done.stderr,
		new RegExp(
			`^frore: process \\d+ \\(sleep\\) cannot be frozen: it belongs to user 33, and frore runs as user ${own}; run frore as .*root`,
		),
	);
	const seen = original.lines.length;
	await original.line(/^1$/, undefined, seen);
});

asUsers('a child in namespaces of its own is named', async (t, stage) => {
	const script = 'unshare -Ur --net sleep 1000 & sleep 0.5; echo ready; while sleep 0.05; do echo 1; done';
	const original = await stage.start(['bash', '-c', script]);
	await original.line(/^ready$/);
	const {stderr} = await stage.freeze(original.pid, {code: 3});
	t.regex(
		stderr,
		/process \d+: it \(sleep\) is in network, user namespaces other than that of process \d+;.*--allow namespace/,
	);
	const seen = original.lines.length;
	await original.line(/^1$/, undefined, seen);
});
