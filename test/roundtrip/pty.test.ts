/** Pseudo-terminals with both ends inside: the original goes on with them, and so do the copy and the copy of the copy. */
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
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

asUsers('where an unfinished line cannot be looked for, that is said', async (t, stage) => {
	const original = await stage.start([stage.target('pty'), 'settings']);
	await ready(original);
	const {stderr} = await stage.freeze(original.pid);
	t.regex(stderr, /fd \d+: an unfinished line that may have been typed into \/dev\/pts\/\d+ is lost: /);
	await judged(t, original, 'the original');
});

asUsers('a program on the terminal that stays behind is named; after a hangup it has left', async (t, stage) => {
	const original = await stage.start([stage.target('pty'), 'deserted']);
	await ready(original);
	const args = ['--no-children'];
	const {stderr} = await stage.freeze(original.pid, {args, code: 3});
	t.regex(stderr, /fd \d+: the master of \/dev\/pts\/\d+ \(held by pty, process \d+\): the other end would be missing/);
	const {file} = await stage.freeze(original.pid, {args: [...args, '--external', 'hangup'], halt: true});
	t.regex((await stage.frore('inspect', '--fds', file)).stdout, /master of \/dev\/pts\/\d+/);
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');
});
