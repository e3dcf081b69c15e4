/**
 * Who forks whom at the resume. A process is given its session by being forked in it, so what was an orphan, or older than the session
 * that its parent leads now, is forked by somebody other than its parent, or earlier than the others.
 */
import {constants, NONE, type RowOf} from '../../builder/format/schema.js';
import type {Collection} from './collection.js';

type Task = RowOf<'task'>;

const {TASK} = constants;

/** Sets `maker` and EARLY of every task but the root, and adds leaders of sessions and groups that have none any more. */
export function planBirths(collection: Collection): void {
	new Births(collection).plan();
}

class Births {
	readonly #tasks: Task[];

	constructor(private readonly collection: Collection) {
		this.#tasks = collection.snapshot.task;
	}

	plan(): void {
		const found = [...this.#tasks.keys()].slice(1);
		for (const row of found) {
			this.#giveMaker(row);
		}

		for (const row of found) {
			this.#giveGroup(row);
		}
	}

	#task(row: number): Task {
		return this.#tasks[row]!;
	}

	#giveMaker(row: number): void {
		const task = this.#task(row);
		const parent = this.#task(task.parent);
		task.maker = task.parent;
		if (task.sid === task.pid || task.sid === parent.sid) {
			return;
		}

		if (parent.sid === parent.pid && task.sid === this.#birthSession(task.parent)) {
			task.flags |= TASK.EARLY;
			return;
		}

		const leader = this.#tasks.findIndex(({pid, sid}) => pid === task.sid && sid === pid);
		if (leader < 0 && task.sid > 0 && task.sid !== this.#task(0).sid) {
			task.maker = this.#addLeader(task.parent, task.sid, task.sid, task);
		} else if (leader > 0 && this.#task(leader).parent === task.parent) {
			task.maker = leader;
		} else {
			this.collection.refuse({
				pid: task.pid,
				kind: 'session',
				text: `it is in session ${task.sid}, which its parent ${parent.pid} has no child to fork it in; after the resume it would be in session ${parent.sid}`,
			});
		}
	}

	/** The session that a task was forked in; undefined for the root. */
	#birthSession(row: number): number | undefined {
		const {maker, flags} = this.#task(row);
		if (maker === NONE) {
			return undefined;
		}

		return flags & TASK.EARLY ? this.#birthSession(maker) : this.#task(maker).sid;
	}

	/** A group exists as long as it has members, but can only be made by the process whose id it has. */
	#giveGroup(row: number): void {
		const {pid, pgid, sid, parent} = this.#task(row);
		if (pgid <= 0 || pgid === pid || pgid === this.#task(0).pgid) {
			return;
		}

		const leader = this.#tasks.find((task) => task.pid === pgid);
		if (leader?.pgid === pgid) {
			return;
		}

		if (leader) {
			this.collection.refuse({
				pid,
				kind: 'group',
				text: `it is in process group ${pgid}, whose leader has gone over to group ${leader.pgid}; after the resume it would be in its parent's`,
			});
			return;
		}

		const members = this.#tasks.map((task, at) => ({...task, at})).filter((task) => task.pgid === pgid);
		const living = members.find(({flags}) => !(flags & TASK.ZOMBIE));
		// Of a group of ended ones alone nobody can tell that it is there.
		const maker = living?.at ?? (this.#task(parent).sid === sid ? parent : undefined);
		if (maker !== undefined) {
			this.#addLeader(maker, pgid, sid, this.#task(row));
		}
	}

	#addLeader(parent: number, pid: number, sid: number, like: Task): number {
		return (
			this.#tasks.push({
				...like,
				pid,
				ppid: this.#task(parent).pid,
				pgid: pid,
				sid,
				parent,
				maker: parent,
				first_thread: 0,
				nthreads: 0,
				mm: 0,
				exit_signal: SIGCHLD,
				wait_status: 0,
				flags: TASK.ZOMBIE | TASK.TEMPORARY,
				cmdline: new Uint8Array(),
				exe: '',
			}) - 1
		);
	}
}

const SIGCHLD = 17;
