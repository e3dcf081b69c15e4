/** Orphans, sessions and groups without a leader, subreapers, stopped tasks, and ends that nobody has asked for yet. */
import {readFileSync} from 'node:fs';
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import {below} from '../helpers/terminal.js';
import {asUsers} from '../helpers/users.js';

for (const [relative, what] of [
	['orphan', 'orphans taken in by the root keep the group of their dead parent'],
	['daemon', 'a daemon keeps the session of its dead leader, and a group in it'],
	['leader', 'a session goes on whose leader has ended and was not waited for'],
	['sessions', 'an orphan of a living session, and a child older than the session of its parent'],
	['reaper', 'a subreaper below the root takes in orphans after the resume'],
	['stopped', 'stopped children stay so; their parent hears of it once'],
	['ends', 'ends of every kind wait for their parent'],
	['proc', 'files in /proc and pidfds of relatives lead to them again'],
	['crowd', 'two hundred processes come back, each to its parent'],
] as const) {
	asUsers(what, (t, stage) => roundTrip(t, stage, [stage.target('relatives'), relative], {halt: true, generations: 2}));
}

asUsers('the originals of uncommon relatives go on', (t, stage) =>
	roundTrip(t, stage, [stage.target('relatives'), 'stopped']),
);

asUsers(
	'inspect tells of ended children and of cgroups, and nothing of leaders made for a moment',
	async (t, stage) => {
		const original = await stage.start([stage.target('relatives'), 'daemon']);
		await ready(original);
		const pids = [original.pid, ...below(original.pid)].sort();
		const {file} = await stage.freeze(original.pid, {halt: true});
		const cgroup = readFileSync('/proc/self/cgroup', 'latin1').trim();
		for (const {code, stdout} of [
			await stage.frore('inspect', '--json', file),
			await stage.run([file, '--inspect', '--json']),
		]) {
			t.is(code, 0);
			const {processes} = JSON.parse(stdout) as {processes: Array<{pid: number; state: string; cgroup: string}>};
			t.deepEqual(processes.map(({pid}) => pid).sort(), pids);
			t.deepEqual(processes.map(({state}) => state).sort(), ['ended', 'running', 'running', 'running', 'running']);
			t.true(processes.every((process) => process.state === 'ended' || process.cgroup === cgroup));
		}
		const {stdout} = await stage.frore('inspect', file);
		t.regex(stdout, /\d+ +0 +0 bytes +0 +relatives \(ended\)$/m);
		t.regex(stdout, /^in cgroup .*, not given back/m);
	},
);

asUsers(
	'a session or group that cannot be given back is refused by name, or lost when that is allowed',
	async (t, stage) => {
		const original = await stage.start([stage.target('relatives'), 'distant']);
		await ready(original);
		const {stderr} = await stage.freeze(original.pid, {code: 3});
		t.regex(
			stderr,
			/process \d+: it is in session \d+, which its parent \d+ has no child to fork it in;.*--allow session goes on/,
		);
		t.regex(
			stderr,
			/process \d+: it is in process group \d+, whose leader has gone over to group \d+;.*--allow group goes on/,
		);
		const {file} = await stage.freeze(original.pid, {args: ['--allow', 'session,group', '--halt']});
		await original.end();
		const copy = await stage.thaw(file);
		await alive(copy);
		await judged(t, copy, 'the copy');
	},
);
