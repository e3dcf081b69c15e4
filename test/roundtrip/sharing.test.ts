/** What the processes of a tree have in common: stored once, and in common again after the resume. */
import {rmSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

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
			t.true(size > 64 * MIB && size < 74 * MIB, `the artefact has ${size} bytes`);
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
