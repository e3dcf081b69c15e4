/** More memory than the freezer keeps to itself: it is written while the program stands still. */
import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

for (const codec of ['none', 'zstd:1']) {
	asUsers(`192 MiB of all kinds of pages come back as they were (${codec})`, async (t, stage) => {
		await roundTrip(t, stage, [stage.target('large'), '192'], {freezeArgs: ['--compress', codec], generations: 2});
	});
}
