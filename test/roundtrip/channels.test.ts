/** Channels within the target, with what is in them: each kind by a target of its own, frozen once and frozen twice in a row. */
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import {asOrdinaryUser, asRoot, asUsers} from '../helpers/users.js';

const table: Record<string, Record<string, string>> = {
	tcp: {
		four: 'a TCP connection within keeps its addresses and what waits in both directions',
		six: 'a TCP connection of IPv6',
		mapped: 'a TCP connection between IPv4 and IPv6',
		alone: 'a TCP connection whose listener has been closed and whose client had chosen its port',
		options: 'the options of both ends of a TCP connection',
		half: 'a TCP connection of which one direction is shut down',
		widow: 'a TCP connection whose other end has closed keeps what was left in it',
		over: 'a TCP connection that has ended in both directions keeps what was left in it',
		large: 'a TCP connection with more in it than a new one takes at once',
		pending: 'TCP connections that are not accepted yet',
		many: 'a hundred TCP connections at one port',
		tree: 'a TCP connection between a parent and its child',
		udp: 'UDP datagrams that were not read yet, with their senders',
	},
};

for (const [target, cases] of Object.entries(table)) {
	for (const [name, title] of Object.entries(cases)) {
		asUsers(title, async (t, stage) => {
			await roundTrip(t, stage, [stage.target(target), name]);
		});
		asUsers(`${title}: ended, resumed, and frozen again`, async (t, stage) => {
			await roundTrip(t, stage, [stage.target(target), name], {halt: true, generations: 2});
		});
	}
}

asRoot('a TCP connection that is full keeps also what is still with the sender', async (t, stage) => {
	await roundTrip(t, stage, [stage.target('tcp'), 'full']);
});

asOrdinaryUser(
	'a TCP connection that is full is refused by name where its sender cannot be looked at',
	async (t, stage) => {
		const original = await stage.start([stage.target('tcp'), 'full']);
		await ready(original);
		const {stderr} = await stage.freeze(original.pid, {code: 3});
		t.regex(stderr, /^frore: process \d+, fd \d+: a TCP socket .*buffer is full.*--allow socket-queue/m);
		await judged(t, original, 'the original');
	},
);

asUsers('what was sent through a connection that is not accepted is refused by name', async (t, stage) => {
	const original = await stage.start([stage.target('tcp'), 'unseen']);
	await ready(original);
	const {stderr} = await stage.freeze(original.pid, {code: 3});
	t.regex(stderr, /^frore: process \d+, fd \d+: .*not accepted yet.*--allow socket-queue/m);
	await judged(t, original, 'the original');
});

asUsers('connections within a program that goes on refuse a second one, with their port', async (t, stage) => {
	const original = await stage.start([stage.target('tcp'), 'alone']);
	await ready(original);
	const {file} = await stage.freeze(original.pid);
	const refused = await stage.run([file]);
	t.is(refused.code, 125);
	t.regex(refused.stderr, /^frore: cannot have fd \d+ \(TCP port \d+\).*\n$/);
	t.true(refused.stderr.includes(String(original.pid)), `the holder is not named: ${refused.stderr}`);
	await judged(t, original, 'the original');
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');
});
