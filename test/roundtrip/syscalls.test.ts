/** Item 1 of the issue: what blocks in the kernel goes on blocking, and ends as it would have. */
import {alive, judged, ready, roundTrip} from '../helpers/roundtrip.js';
import type {Stage} from '../helpers/stage.js';
import type {Started} from '../helpers/started.js';
import {asUsers} from '../helpers/users.js';

const groups: Record<string, string[]> = {
	'sleeps with a timeout take as long as undisturbed': [
		'poll-timed',
		'ppoll-timed',
		'select-timed',
		'pselect-timed',
		'epoll_wait-timed',
		'epoll_pwait-timed',
		'futex-timed',
		'futex-absolute',
		'nanosleep',
		'nanosleep-remaining',
		'clock_nanosleep',
		'clock_nanosleep-absolute',
		'sigtimedwait-timed',
	],
	'a receive with a timeout goes on': ['recv-SO_RCVTIMEO'],
	'read, recvmsg and a write to a full pipe go on blocking': ['read-pipe', 'read-socket', 'write-full-pipe', 'recvmsg'],
	'poll, ppoll, select, pselect and epoll go on blocking': [
		'poll',
		'ppoll',
		'select',
		'pselect',
		'epoll_wait',
		'epoll_pwait',
	],
	'a futex goes on blocking': ['futex'],
	'pause, sigsuspend and sigtimedwait go on blocking': ['pause', 'sigsuspend', 'sigtimedwait'],
	'flock and F_SETLKW go on blocking': ['flock', 'setlkw'],
	'accept goes on blocking': ['accept-unix', 'accept-tcp'],
	'connect goes on blocking': ['connect'],
	'wait4 and waitid go on blocking, and the children come along': ['wait4', 'waitid'],
};

for (const [title, cases] of Object.entries(groups)) {
	asUsers(title, async (t, stage) => {
		await roundTrip(t, stage, [stage.target('syscalls'), ...cases]);
	});
}

asUsers(
	'wait4 and waitid go on blocking; a copy without the children is told that there are none',
	async (t, stage) => {
		await roundTrip(t, stage, [stage.target('syscalls'), 'wait4-alone', 'waitid-alone'], {
			freezeArgs: ['--no-children'],
		});
	},
);

asUsers('msgrcv, semop and semtimedop go on blocking', async (t, stage) => {
	const command = [stage.target('syscalls'), 'msgrcv', 'semop', 'semtimedop-timed'];
	let first: Started | undefined;
	t.teardown(() => removeQueues(stage, first));
	await roundTrip(t, stage, command, {
		before: (original) => {
			first = original;
		},
	});
});

asUsers('a line typed later reaches a read from the terminal, in the original and in the copy', async (t, stage) => {
	const master = await stage.start([
		'/usr/bin/python3',
		stage.helper('ptyrun.py'),
		stage.target('syscalls'),
		'read-tty',
	]);
	await ready(master);
	const [, pid] = await master.line(/^pty pid (\d+)/);
	const {file} = await stage.freeze(Number(pid));
	await judged(t, master, 'the original');
	const copy = await stage.start(['/usr/bin/python3', stage.helper('ptyrun.py'), file]);
	await alive(copy);
	await judged(t, copy, 'the copy');
});

async function removeQueues(stage: Stage, from: Started | undefined): Promise<void> {
	for (const line of from?.lines ?? []) {
		const [, kind, id] = /^ipc (-[qs]) (\d+)$/.exec(line) ?? [];
		if (kind && id) await stage.run(['ipcrm', kind, id]);
	}
}
