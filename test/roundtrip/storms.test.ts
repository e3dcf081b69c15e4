/** Tasks that fork, execute and end while the freeze starts: none escapes from the cut, and the stop comes to an end. */
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

for (const [storm, what] of [
	['forks', 'children that end at once'],
	['generations', 'children with children of their own'],
	['spawns', 'children of vfork that execute a program'],
	['hops', 'a chain in which each makes the next and ends'],
] as const) {
	asUsers(`a storm of ${what} is frozen and goes on`, async (t, stage) => {
		const command = [stage.target('storm'), storm];
		await roundTrip(t, stage, command, {generations: 2, halt: true});
		// Every moment is another one.
		const original = await stage.start(command);
		await ready(original);
		for (let round = 0; round < 3; round++) {
			const {file} = await stage.freeze(original.pid);
			if (round % 2) {
				const copy = await stage.thaw(file);
				await alive(copy);
				await judged(t, copy, `the copy of round ${round}`);
			}
		}
		await judged(t, original, 'the original');
	});
}
