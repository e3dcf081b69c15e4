/** Orphans, sessions and groups without a leader, subreapers, stopped tasks, and ends that nobody has asked for yet. */
import {roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

for (const [relative, what] of [
	['orphan', 'orphans taken in by the root keep the group of their dead parent'],
	['daemon', 'a daemon keeps the session of its dead leader, and a group in it'],
	['leader', 'a session goes on whose leader has ended and was not waited for'],
	['sessions', 'an orphan of a living session, and a child older than the session of its parent'],
	['reaper', 'a subreaper below the root takes in orphans after the resume'],
	['stopped', 'stopped children stay so; their parent hears of it once'],
	['ends', 'ends of every kind wait for their parent'],
] as const) {
	asUsers(what, (t, stage) => roundTrip(t, stage, [stage.target('relatives'), relative], {halt: true, generations: 2}));
}

asUsers('the originals of uncommon relatives go on', (t, stage) =>
	roundTrip(t, stage, [stage.target('relatives'), 'stopped']),
);
