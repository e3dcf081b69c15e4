/** What one open file description is, in words. One function per kind, as in freezer/capture/fd. */
import {constants, NONE, type RowOf, type Snapshot} from '../../../builder/format/schema.js';
import {socketAddress, socketName} from './address.js';
import {clockName, count, duration, openMode, printable, signalNames, size} from './words.js';

const {KIND} = constants;
/** S_IF* of st_mode, shifted right by 12 bits. */
const FILE_TYPES = new Map([
	[1, 'FIFO'],
	[2, 'character device'],
	[4, 'directory'],
	[6, 'block device'],
	[8, 'file'],
	[12, 'socket file'],
]);

export interface DescriptorReport {
	readonly fd: number;
	/** Name of the kind: file, inherit, tty, pipe, … */
	readonly kind: string;
	/** One line for people. */
	readonly what: string;
	/** Access mode and status flags. */
	readonly mode: string[];
	readonly closeOnExec: boolean;
	/** Descriptors, as "fd" or "pid:fd" of another process, that share this description and its offset. */
	readonly sharedWith: string[];
}

const kindNames = Object.fromEntries(Object.entries(KIND).map(([name, value]) => [value, name.toLowerCase()]));

/** Descriptors of one task by number. @param task row of `task` */
export function describeDescriptors(snapshot: Snapshot, task: number): DescriptorReport[] {
	return snapshot.fd
		.filter((entry) => entry.task === task)
		.sort((a, b) => a.fd - b.fd)
		.map((entry) => {
			const description = snapshot.description[entry.description];
			return {
				fd: entry.fd,
				kind: kindNames[description?.kind ?? -1] ?? `kind ${description?.kind}`,
				what: description ? describe(snapshot, description, entry.description, task) : 'unknown',
				mode: description ? openMode(description.status) : [],
				closeOnExec: entry.cloexec !== 0,
				sharedWith: holders(snapshot, entry.description, task).filter((name) => name !== String(entry.fd)),
			};
		});
}

function holders(snapshot: Snapshot, description: number, task: number): string[] {
	return snapshot.fd
		.filter((entry) => entry.description === description)
		.map((entry) => (entry.task === task ? String(entry.fd) : `${snapshot.task[entry.task]?.pid}:${entry.fd}`));
}

const holderNames = (snapshot: Snapshot, description: number, task: number): string =>
	holders(snapshot, description, task)
		.map((name) => `fd ${name}`)
		.join(', ') || 'one on its way in a message';

function describe(snapshot: Snapshot, description: RowOf<'description'>, index: number, task: number): string {
	const row = description.row;
	switch (description.kind) {
		case KIND.FILE:
			return file(snapshot, snapshot.file[row]!);
		case KIND.INHERIT:
			return inherit(snapshot.inherit[row]!);
		case KIND.TTY:
			return tty(snapshot.tty[row]!);
		case KIND.PIPE:
			return pipe(snapshot, description, index, task);
		case KIND.EVENTFD: {
			const {count: value, flags} = snapshot.eventfd[row]!;
			return `eventfd, counter ${value}${flags & 1 ? ', semaphore' : ''}`;
		}
		case KIND.EPOLL:
			return epoll(snapshot, snapshot.epoll[row]!);
		case KIND.TIMERFD:
			return timerfd(snapshot.timerfd[row]!);
		case KIND.SIGNALFD:
			return `signalfd for ${signalNames(snapshot.signalfd[row]!.mask).join(' ') || 'no signal'}`;
		case KIND.INOTIFY:
			return inotify(snapshot, snapshot.inotify[row]!);
		case KIND.MEMFD:
			return memfd(snapshot, snapshot.memfd[row]!);
		case KIND.PIDFD: {
			const {pid} = snapshot.pidfd[row]!;
			return pid < 0 ? 'pidfd of a process that has ended' : `pidfd of process ${pid}`;
		}
		case KIND.SOCKET:
			return socket(snapshot, snapshot.socket[row]!, task);
		case KIND.HANGUP:
			return `${printable(snapshot.hangup[row]!.told)}; after resuming its peer has closed`;
		case KIND.PTY:
			return pty(snapshot, snapshot.pty[row]!);
		default:
			return `kind ${description.kind}, unknown to this frore`;
	}
}

function file(snapshot: Snapshot, row: RowOf<'file'>): string {
	const {FILE} = constants;
	const type = FILE_TYPES.get(row.mode >> 12) ?? 'file';
	const notes: string[] = [];
	if (row.flags & FILE.DELETED) notes.push('deleted');
	if (row.flags & FILE.PATH_ONLY) notes.push('path only');
	if (type === 'file' && !(row.flags & FILE.PROC) && row.position >= 0n) {
		notes.push(row.flags & FILE.AT_END ? `at its end, ${size(row.size)}` : `at ${row.position} of ${row.size}`);
	}
	const content = snapshot.content[row.content];
	if (row.content !== NONE && content) notes.push(`content inside, ${size(content.size)}`);
	return [`${type} ${printable(row.path)}`, ...notes].join(', ');
}

function inherit({launcher_fd, flags}: RowOf<'inherit'>): string {
	const {INHERIT} = constants;
	const name = ['input', 'output', 'error'][launcher_fd] ?? `descriptor ${launcher_fd}`;
	const was = flags & INHERIT.WAS_TTY ? 'the terminal' : 'a pipe or socket to the outside';
	return `standard ${name} of whoever runs the artefact (was ${was})`;
}

function tty(row: RowOf<'tty'>): string {
	const {TTY} = constants;
	const what = row.flags & TTY.CONTROLLING ? 'the controlling terminal' : `terminal ${printable(row.path)}`;
	return `${what}, ${row.cols}x${row.rows}`;
}

function pty(snapshot: Snapshot, {pair, end}: RowOf<'pty'>): string {
	const {PTY, PTY_END} = constants;
	const row = snapshot.pty_pair[pair]!;
	const name = row.index < 0 ? 'a terminal' : `/dev/pts/${row.index}`;
	const parts = [`${end === PTY_END.MASTER ? 'master of ' : ''}${name}, ${row.cols}x${row.rows}`];
	if (row.flags & PTY.HUNG_UP) return `${name}, hung up`;
	if (row.session) parts.push(`of session ${row.session}`);
	if (row.output.length) parts.push(`${size(row.output.length)} of output waiting`);
	if (row.input.length) parts.push(`${size(row.input.length + row.backlog.length)} of input waiting`);
	return parts.join(', ');
}

function pipe(snapshot: Snapshot, description: RowOf<'description'>, index: number, task: number): string {
	const object = snapshot.pipe[description.row]?.pipe;
	const others = snapshot.description
		.map((other, i) => ({other, i}))
		.filter(({other, i}) => i !== index && other.kind === KIND.PIPE && snapshot.pipe[other.row]?.pipe === object)
		.map(({i}) => holderNames(snapshot, i, task));
	const waiting = snapshot.pipe_object[object ?? -1]?.data.length ?? 0;
	const end = (description.status & 3) === 1 ? 'write' : (description.status & 3) === 0 ? 'read' : 'both';
	return `pipe, ${end} end; other end ${others.join(', ') || 'closed'}${waiting ? `; ${size(waiting)} waiting` : ''}`;
}

function epoll(snapshot: Snapshot, {first, count: n}: RowOf<'epoll'>): string {
	const fds = snapshot.epoll_entry.slice(first, first + n).map((entry) => entry.fd);
	return fds.length === 0 ? 'epoll, watching nothing' : `epoll, watching fd ${fds.join(', ')}`;
}

function timerfd(row: RowOf<'timerfd'>): string {
	const parts = [`timerfd on ${clockName(row.clockid)}`];
	parts.push(row.value_ns === 0n ? 'not armed' : `fires in ${duration(row.value_ns)}`);
	if (row.interval_ns !== 0n) parts.push(`every ${duration(row.interval_ns)}`);
	if (row.ticks !== 0n) parts.push(`${count(Number(row.ticks), 'expiration')} not read yet`);
	return parts.join(', ');
}

function inotify(snapshot: Snapshot, {first, count: n, pending}: RowOf<'inotify'>): string {
	const paths = snapshot.inotify_watch.slice(first, first + n).map((watch) => printable(watch.path));
	const waiting = pending.length ? `, ${size(pending.length)} of events waiting` : '';
	return `inotify, ${count(n, 'watch')}${n ? `: ${paths.join(', ')}` : ''}${waiting}`;
}

function memfd(snapshot: Snapshot, {position, content}: RowOf<'memfd'>): string {
	const row = snapshot.content[content];
	return row ? `memfd ${printable(row.name)}, ${size(row.size)}, at ${position}` : 'memfd';
}

function socket(snapshot: Snapshot, row: RowOf<'socket'>, task: number): string {
	const {SOCKET, SOCKET_FLAG} = constants;
	const name = `${socketName(row.domain, row.type & 0xff)} socket`;
	const local = socketAddress(row.local);
	const remote = socketAddress(row.remote);
	const waiting = snapshot.socket_message.slice(row.first_message, row.first_message + row.message_count);
	const bytes = waiting.reduce((sum, message) => sum + message.data.length, 0);
	const tail = bytes ? `; ${size(bytes)} waiting` : '';
	switch (row.state) {
		case SOCKET.LISTENING: {
			const pending = row.pending.length / 4;
			const clients = pending ? `; ${count(pending, 'connection')} not accepted yet` : '';
			return `${name}, listening${local ? ` at ${local}` : ''}${clients}`;
		}

		case SOCKET.PENDING:
			return `${name}, connected to ${remote || 'a listener'}, not accepted yet`;
		case SOCKET.PAIR:
		case SOCKET.CONNECTED: {
			const other = row.peer === NONE ? '' : ` to ${holderNames(snapshot, row.peer, task)}`;
			const again = row.flags & SOCKET_FLAG.RECONNECT ? ', connects again' : '';
			return `${name}, connected${other || (remote ? ` to ${remote}` : '')}${again}${tail}`;
		}
		default:
			return `${name}, ${local ? `bound to ${local}` : 'not bound'}${tail}`;
	}
}
