/** Item 3 of the issue: one test for each kind of descriptor. */
import {alive, judged, type RoundTripOptions, ready, roundTrip} from '../helpers/roundtrip.js';
import {asUsers} from '../helpers/users.js';

const table: Record<string, Record<string, string>> = {
	files: {
		regular: 'regular files keep offset, access mode and flags',
		grown: 'a log at whose end the offset stood is at its end, although it has grown',
		append: 'a file opened for appending goes on appending',
		o_path: 'O_PATH descriptors',
		deleted: 'deleted files and O_TMPFILE files keep their content',
		'deleted-big': 'a deleted file of 6 GiB with holes keeps content and holes',
		directory: 'a directory that is being read goes on with the next entry',
		devices: '/dev/null, /dev/zero and /dev/urandom',
		proc: 'open files and directories of /proc and /sys tell of the resumed process',
		dup: 'duplicated descriptors share one offset',
		numbers: 'descriptor numbers, holes between them, and close-on-exec',
		fifo: 'a FIFO with content',
		renamed: 'a file that has been renamed since it was opened',
		'closed-mode': 'a file that its user could not open again',
	},
	pipes: {
		pipe: 'a pipe keeps what waits in it',
		'pipe-capacity': 'a pipe keeps its capacity, its content and the flags of each end',
		'pipe-packets': 'a pipe in packet mode keeps its packets apart',
		'pipe-one-end': 'pipes whose other end is closed',
		'pipe-owner': 'the owner and the signal of a descriptor',
		'pair-stream': 'a stream socketpair keeps what waits in both directions',
		'pair-datagram': 'a datagram socketpair keeps its messages apart',
		'pair-seqpacket': 'a seqpacket socketpair keeps its messages apart',
		'pair-shutdown': 'a socketpair that is shut down in one direction',
		'pair-widow': 'a socketpair whose other end is closed',
		'pair-options': 'the options of a socketpair',
		'pair-rights': 'a descriptor on its way through a socketpair',
		eventfd: 'eventfds keep count and mode',
	},
	events: {
		epoll: 'an epoll keeps all entries with their modes and data',
		'epoll-odd': 'an epoll inside an epoll, and entries by a number that means something else now',
		timerfd: 'timerfds keep what remains, their interval and the ticks nobody has read',
		signalfd: 'a signalfd',
		inotify: 'an inotify keeps its watches and their numbers',
		memfd: 'memfds keep content, name, seals and mappings',
		pidfd: 'a pidfd of the process itself',
		'pidfd-child': 'a pidfd of a child that lives',
		'pidfd-ended': 'a pidfd of a child that has ended',
	},
	sockets: {
		tcp: 'a listening TCP socket with its options',
		tcp6: 'a listening TCP socket of IPv6',
		reuseport: 'two sockets that share a port',
		udp: 'bound and connected UDP sockets',
		unix: 'listening and bound UNIX sockets, with and without a path',
		unbound: 'sockets that are not bound or not connected yet',
		netlink: 'a netlink socket',
	},
	locks: {
		posix: 'POSIX locks on ranges of a file',
		description: 'locks of an open file description',
		flock: 'flock',
	},
};

asUsers('events of an inotify that nobody has read are named as lost', async (t, stage) => {
	const original = await stage.start([stage.target('events'), 'inotify-unread']);
	await ready(original);
	const {file, stderr} = await stage.freeze(original.pid, {halt: true});
	t.regex(stderr, /inotify/, 'the freeze says nothing of it');
	const copy = await stage.thaw(file);
	await alive(copy);
	await judged(t, copy, 'the copy');
});

const options: Record<string, RoundTripOptions> = {'deleted-big': {patience: 60_000}};

for (const [target, cases] of Object.entries(table)) {
	for (const [name, title] of Object.entries(cases)) {
		asUsers(title, async (t, stage) => {
			await roundTrip(t, stage, [stage.target(target), name], options[name]);
		});
	}
}
