import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

asUsers('a counter goes on, and its copy goes on where it was', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('counter')]);
});

asUsers('a static musl counter goes on, and its copy goes on where it was', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('counter', 'musl')]);
});
