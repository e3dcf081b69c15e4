import {constants} from '../../../builder/format/schema.js';
import {SysError} from '../../sys/errno.js';
import type {CaptureContext} from '../context.js';
import {captureEpoll} from './epoll.js';
import {captureEventfd} from './eventfd.js';
import {chosen, type External, inherited} from './external.js';
import {captureFile, hasPath} from './file.js';
import {captureInotify} from './inotify.js';
import {captureLocks} from './lock.js';
import {captureMemfd, isMemfd} from './memfd.js';
import {ownerOf} from './owner.js';
import {capturePidfd} from './pidfd.js';
import {Pipes} from './pipe.js';
import {Ptys} from './pty.js';
import {captureSignalfd} from './signalfd.js';
import {SocketCapture} from './socket.js';
import {Sockets} from './sockets.js';
import {Survey} from './survey.js';
import {captureTimerfd} from './timerfd.js';
import {Terminals} from './tty.js';
import {append, type Carried, type Description, O_CLOEXEC, where} from './types.js';
import {captureUnsupported, kindFromLink} from './unsupported.js';
import {WatchedPaths} from './watched-paths.js';

const EPOLL = 'anon_inode:[eventpoll]';
/** The root opens everything before it forks: a description that several tasks hold is inherited, and stays one. */
const ROOT = 0;

/**
 * Descriptors of all tasks: tables `description`, `fd`, `lock` and one per kind. Works on duplicates that are closed at once; takes
 * nothing out of any queue, moves no offset.
 */
export function captureDescriptors(context: CaptureContext): void {
	const survey = new Survey(context);
	const capture = new DescriptorCapture(context, survey);
	try {
		capture.run();
	} finally {
		capture.close();
		survey.release();
	}
}

class DescriptorCapture {
	readonly #sockets: Sockets;
	readonly #socketRows: SocketCapture;
	readonly #pipes: Pipes;
	readonly #ptys: Ptys;
	readonly #terminals: Terminals;
	readonly #paths: WatchedPaths;
	#descriptions: Description[] = [];

	constructor(
		readonly context: CaptureContext,
		readonly survey: Survey,
	) {
		this.#sockets = new Sockets(survey);
		this.#socketRows = new SocketCapture(context, this.#sockets);
		this.#pipes = new Pipes(context, survey.descriptions);
		this.#ptys = new Ptys(context, survey.descriptions);
		this.#terminals = new Terminals(context, this.#ptys, survey.descriptions);
		this.#paths = new WatchedPaths(context, survey.descriptions);
	}

	run(): void {
		this.#descriptions = this.survey.descriptions.flatMap((description) => this.#splitStdio(description));
		for (const [row, description] of this.#descriptions.entries()) {
			description.row = row;
		}

		// A registration may be of anything, so epolls come when all else is known.
		const epolls = this.#descriptions.filter(({link}) => link === EPOLL);
		const others = this.#descriptions.filter(({link}) => link !== EPOLL);
		const rows = new Map([...others, ...epolls].map((description) => [description, this.#carry(description)]));
		for (const description of this.#descriptions) {
			const {kind, row} = rows.get(description)!;
			append(this.context, 'description', {
				task: ROOT,
				kind,
				row,
				status: description.info.flags & ~O_CLOEXEC,
				...this.#guarded(description, () => ownerOf(this.context, description), {
					owner: 0,
					owner_type: 0,
					owner_sig: 0,
				}),
				pad0: 0,
			});
			this.#guarded(description, () => captureLocks(this.context, description), undefined);
		}

		this.#numbers();
	}

	close(): void {
		this.#pipes.close();
	}

	#numbers(): void {
		const all = this.#descriptions.flatMap(({holders, row}) => holders.map((holder) => ({...holder, row})));
		all.sort((a, b) => a.task.row - b.task.row || a.fd - b.fd);
		for (const {task, fd, cloexec, row} of all) {
			append(this.context, 'fd', {task: task.row, fd, description: row, cloexec: cloexec ? 1 : 0});
		}
	}

	/** Standard input, output and error that lead outside become those of the artefact, each its own. */
	#splitStdio(description: Description): Description[] {
		const stdio = description.holders.filter(({fd}) => fd <= 2);
		const terminal = stdio.length > 0 && this.#terminals.is(description);
		if (stdio.length === 0 || !(terminal || this.#isOutside(description))) {
			return [description];
		}

		if (terminal) {
			this.#terminals.tell(description);
		}

		const numbers = [...new Set(stdio.map(({fd}) => fd))];
		const parts = numbers.map((fd): Description => {
			return {...description, holders: stdio.filter((holder) => holder.fd === fd), inherit: fd};
		});
		for (const part of parts) {
			this.survey.move(part.holders, part);
		}

		const rest = description.holders.filter((holder) => !stdio.includes(holder));
		if (rest.length === 0) {
			return parts;
		}

		if (terminal) {
			description.holders = rest;
			return [...parts, description];
		}

		parts[0]!.holders.push(...rest);
		this.survey.move(rest, parts[0]!);
		return parts;
	}

	#isOutside(description: Description): boolean {
		return description.link.startsWith('pipe:[')
			? this.#pipes.isOutside(description)
			: this.#sockets.isOutside(description);
	}

	#external(description: Description): External {
		if (this.#sockets.isOutside(description)) {
			return this.#socketRows.external(description);
		}

		const facts = this.#sockets.isSocket(description) ? this.#sockets.facts(description) : undefined;
		return {
			kind: kindFromLink(description.link),
			told: description.link,
			byDefault: 'refuse',
			...(facts ? {domain: facts.domain, type: facts.type} : {}),
		};
	}

	#carry(description: Description): Carried {
		const nothing = {kind: constants.KIND.HANGUP, row: 0};
		return this.#guarded(
			description,
			() => chosen(this.context, description, this.#external(description)) ?? this.#capture(description),
			nothing,
		);
	}

	#capture(description: Description): Carried {
		const {context} = this;
		const {link} = description;
		if (description.inherit !== undefined) {
			return inherited(context, description, description.inherit, this.#terminals.is(description));
		}

		if (this.#sockets.isSocket(description)) {
			return this.#socketRows.capture(description);
		}

		if (link.startsWith('pipe:[')) {
			return this.#pipes.capture(description);
		}

		if (isMemfd(description)) {
			return captureMemfd(context, description);
		}

		if (this.#ptys.has(description)) {
			return this.#ptys.capture(description);
		}

		if (this.#terminals.is(description)) {
			return this.#terminals.capture(description);
		}

		switch (link) {
			case EPOLL:
				return captureEpoll(context, this.survey, description);
			case 'anon_inode:[eventfd]':
				return captureEventfd(context, description);
			case 'anon_inode:[timerfd]':
				return captureTimerfd(context, description);
			case 'anon_inode:[signalfd]':
				return captureSignalfd(context, description);
			case 'anon_inode:inotify':
				return captureInotify(context, this.#paths, description);
			case 'anon_inode:[pidfd]':
				return capturePidfd(context, description);
			default:
				return hasPath(description)
					? captureFile(context, this.#pipes, description)
					: captureUnsupported(context, description);
		}
	}

	/** What the kernel does not let us see is a reason to refuse, told with the descriptor it is about. */
	#guarded<T>(description: Description, look: () => T, otherwise: T): T {
		try {
			return look();
		} catch (error) {
			if (!(error instanceof SysError) && (error as NodeJS.ErrnoException).code === undefined) {
				throw error;
			}

			this.context.refuse({
				...where(description),
				kind: 'descriptor',
				text: `${description.link} cannot be looked at: ${(error as Error).message}`,
				hint: 'Run frore as root.',
			});
			return otherwise;
		}
	}
}
