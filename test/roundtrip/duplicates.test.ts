/** Pages that equal others of the same program are stored once. */
import {statSync} from 'node:fs';
import {ready, roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

for (const [freezing, mebibytes, thawing] of [
	['--compress none', '16', ''],
	['--compress none', '128', ''],
	['--compress zstd:1', '16', ''],
	['--compress zstd:1', '128', ''],
	['--compress none', '128', '--lazy'],
	['--compress none --live', '32', ''],
] as const) {
	asUsers(`pages that equal others come back: ${mebibytes} MiB ${freezing} ${thawing}`, async (t, stage) => {
		await roundTrip(t, stage, [stage.target('duplicates'), mebibytes], {
			freezeArgs: freezing.split(' '),
			thawArgs: thawing.split(' ').filter(Boolean),
			generations: freezing.includes('live') ? 1 : 2,
		});
	});
}

asUsers('pages that equal others are not stored', async (t, stage) => {
	for (const mebibytes of [32, 128]) {
		const original = await stage.start([stage.target('duplicates'), String(mebibytes)]);
		await ready(original);
		const {file} = await stage.freeze(original.pid, {halt: true, args: ['--compress', 'none']});
		// Three and a quarter of eight blocks are unlike all others; what belongs to the program itself takes less than 4 MiB.
		const most = ((mebibytes * 3.25) / 8 + 4) * 1048576;
		t.true(statSync(file).size < most, `${statSync(file).size} bytes for ${mebibytes} MiB`);
		await original.end();
	}
});
