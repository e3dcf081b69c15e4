/** Which fields are rows of which table: checked when a snapshot is written and when it is read. */
import type {RowOf, TableName} from './schema.js';

/** "task" is a row of `task`; "task?" may also be NONE. */
export type Reference = TableName | `${TableName}?`;

type NumberField<N extends TableName> = {[F in keyof RowOf<N>]: RowOf<N>[F] extends number ? F : never}[keyof RowOf<N>];

export const references: {readonly [N in TableName]?: {readonly [F in NumberField<N>]?: Reference}} = {
	machine: {root_task: 'task'},
	task: {parent: 'task?', maker: 'task?', mm: 'mm', first_thread: 'thread'},
	thread: {task: 'task'},
	rlimit: {task: 'task'},
	sigaction: {task: 'task'},
	pending: {task: 'task', thread: 'thread?'},
	itimer: {task: 'task'},
	posix_timer: {task: 'task'},
	lock: {task: 'task?', description: 'description?'},
	mm: {exe: 'image?'},
	vma: {mm: 'mm', window: 'window?'},
	same: {mm: 'mm', from: 'mm', by: 'mm', window: 'window'},
	guard: {mm: 'mm'},
	image: {content: 'content?', pages: 'content?'},
	description: {task: 'task'},
	fd: {task: 'task', description: 'description'},
	file: {content: 'content?', pipe: 'pipe_object?'},
	pipe: {pipe: 'pipe_object'},
	epoll_entry: {description: 'description'},
	memfd: {content: 'content'},
	socket: {peer: 'description?', listener: 'description?', base: 'task'},
	socket_message: {sender: 'description?'},
	pty: {pair: 'pty_pair'},
	shm: {content: 'content'},
};

export interface Stretch {
	/** Field with the first row, and field with their number. */
	readonly first: string;
	readonly count: string;
	readonly of: TableName;
}

/** Fields that together name consecutive rows of another table. */
export const stretches: {readonly [N in TableName]?: readonly Stretch[]} = {
	task: [{first: 'first_thread', count: 'nthreads', of: 'thread'}],
	epoll: [{first: 'first', count: 'count', of: 'epoll_entry'}],
	inotify: [{first: 'first', count: 'count', of: 'inotify_watch'}],
	msg: [{first: 'first', count: 'count', of: 'msg_message'}],
	socket: [
		{first: 'first_option', count: 'option_count', of: 'socket_option'},
		{first: 'first_message', count: 'message_count', of: 'socket_message'},
	],
};
