/** Trees of several users: root carries them, and nobody else gets more than is theirs. */
import {ready, roundTrip} from '../helpers/roundtrip.js';
import {identities} from '../helpers/stage.js';
import {asRoot} from '../helpers/users.js';

const ordinary = identities.at(-1)!;

asRoot('children keep their users, groups, capabilities and securebits', (t, stage) =>
	roundTrip(t, stage, [stage.target('identities')], {generations: 2}),
);

asRoot('a tree of several users is not resumed by one of them', async (t, stage) => {
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
