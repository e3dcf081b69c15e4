/** Pseudo-terminals with both ends inside: the original goes on with them, and so do the copy and the copy of the copy. */
import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

const table = {
	session: 'a session keeps its terminal, its foreground job, and its number; a resize and ctrl-C reach the job',
	lines: 'lines, ends of file and an unfinished line that wait in a terminal, and output nobody has read',
	bare: 'bytes that wait in both directions of a terminal without line mode',
	typed: 'more is typed than the terminal has looked at',
	settings: 'packet mode, exclusive use, a lock, held back output and odd settings',
	ends: 'terminals whose master is gone, whose slave was left, and whose slave was never opened',
	own: 'a process on a terminal whose master it holds itself',
};

for (const [name, title] of Object.entries(table)) {
	asUsers(title, async (t, stage) => {
		await roundTrip(t, stage, [stage.target('pty'), name], {generations: 2});
	});
}
