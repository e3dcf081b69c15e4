import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

for (const count of [1, 2, 64, 1000]) {
	asUsers(`a program with ${count} threads keeps their ids, storage, names, masks and locks`, async (t, stage) => {
		await roundTrip(t, stage, [stage.target('threads'), String(count)], {patience: 60_000});
	});
}

asUsers('a static musl program with 8 threads keeps their ids, storage, names, masks and locks', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('threads', 'musl'), '8']);
});

asUsers('a process whose first thread has ended', (t, stage) =>
	roundTrip(t, stage, [stage.target('headless')], {generations: 2}),
);
