/** Files that a program has open or mapped, and that may be gone when it is resumed. */
import {rmSync} from 'node:fs';
import {basename, join} from 'node:path';
import {roundTrip} from '../helpers/roundtrip.js';
import {toolPath, withTool} from '../helpers/tools.js';
import {source} from './reborn.js';

for (const gone of [true, false]) {
	const then = gone ? 'come back when they are gone' : 'are used as they are when they are still there';
	withTool('python3', `files on tmpfs, open and mapped, ${then}`, async (t, stage) => {
		const directory = join('/dev/shm', basename(stage.dir));
		t.teardown(() => rmSync(directory, {recursive: true, force: true}));
		await roundTrip(t, stage, [toolPath('python3')!, source(stage, 'volatile.py'), directory], {
			halt: true,
			between: () => (gone ? rmSync(directory, {recursive: true}) : undefined),
		});
	});

	withTool('python3', `files frozen with --files embed, open and mapped, ${then}`, async (t, stage) => {
		const directory = join(stage.dir, 'files');
		await roundTrip(t, stage, [toolPath('python3')!, source(stage, 'volatile.py'), directory], {
			halt: true,
			freezeArgs: ['--files', 'embed'],
			between: () => (gone ? rmSync(directory, {recursive: true}) : undefined),
		});
	});
}
