/** A program that is never at rest is frozen again and again, at whatever moment. */
import {alive, judged, ready} from '../helpers/roundtrip.js';
import {asUsers, dropsMemory} from '../helpers/users.js';

const TIMES = 4;

asUsers(
	`a busy program is frozen ${TIMES} times without harm, and each file resumes`,
	async (t, stage) => {
		const original = await stage.start([stage.target('busy')]);
		await ready(original);
		const files: string[] = [];
		for (let i = 0; i < TIMES; i++) {
			files.push((await stage.freeze(original.pid)).file);
			const seen = original.lines.length;
			await original.line(/^beat /, undefined, seen);
		}
		await judged(t, original, 'the original');
		for (const [i, file] of files.entries()) {
			const copy = await stage.thaw(file);
			await alive(copy);
			await judged(t, copy, `the copy of freeze ${i + 1}`);
		}
	},
	dropsMemory,
);

asUsers(
	'a busy program goes through five generations',
	async (t, stage) => {
		let running = await stage.start([stage.target('busy')]);
		await ready(running);
		for (let generation = 1; generation <= 5; generation++) {
			const {file} = await stage.freeze(running.pid, {halt: true});
			await running.end();
			running = await stage.thaw(file);
			await alive(running);
		}
		await judged(t, running, 'the last copy');
	},
	dropsMemory,
);
