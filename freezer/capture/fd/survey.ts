import {closeSync, readFileSync, readlinkSync} from 'node:fs';
import {decodeText} from '../../../builder/text.js';
import type {FoundDescriptor} from '../../sys/ahead.js';
import {F_GETFD, F_GETFL, fcntl} from '../../sys/descriptors.js';
import {nr} from '../../sys/nr.js';
import {kcmp, kcmpType, tryPidfdGetFd} from '../../sys/pidfd.js';
import type {Fd} from '../../sys/types.js';
import type {CaptureContext, CapturedTask} from '../context.js';
import {type FdInfo, parseFdInfo} from './fdinfo.js';
import {type Description, type Holder, O_CLOEXEC, statOf} from './types.js';

interface Identity {
	readonly pid: number;
	readonly fd: number;
}

/** Every description the target holds, each once: descriptors that share one are found by kcmp(2). */
export class Survey {
	readonly descriptions: Description[] = [];
	readonly #byNumber = new Map<string, Description>();
	/** Descriptions that look alike, in the order kcmp gives them. */
	readonly #alike = new Map<string, {identity: Identity; description: Description}[]>();

	constructor(readonly context: CaptureContext) {
		for (const task of context.tasks) {
			if (task.filesOwner === task.row) {
				for (const found of task.descriptors()) {
					this.#add(task, found);
				}
			}
		}
	}

	/** What descriptor `fd` of the task leads to. */
	at(task: CapturedTask, fd: number): Description | undefined {
		return this.#byNumber.get(`${task.filesOwner}:${fd}`);
	}

	/** Makes another description stand behind these descriptors. */
	move(holders: readonly Holder[], to: Description): void {
		for (const {task, fd} of holders) {
			this.#byNumber.set(`${task.row}:${fd}`, to);
		}
	}

	/** Row of the description behind a descriptor of ours that came in a message; a new one is kept open until release(). */
	adopt(fd: Fd): Description {
		const identity = {pid: process.pid, fd: fd as number};
		const info = parseFdInfo(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
		const link = decodeText(readlinkSync(`/proc/self/fd/${fd}`, 'buffer'));
		const {bucket, index, found} = this.#find(identity, link, info);
		if (found) {
			closeSync(fd);
			return found;
		}

		const description: Description = {row: -1, holders: [], link, stat: statOf(fd), info, inFlight: fd};
		bucket.splice(index, 0, {identity, description});
		description.row = this.descriptions.push(description) - 1;
		return description;
	}

	release(): void {
		for (const {inFlight} of this.descriptions) {
			if (inFlight !== undefined) {
				closeSync(inFlight);
			}
		}
	}

	#add(task: CapturedTask, found: FoundDescriptor): void {
		const {fd} = found;
		const link = decodeText(found.link);
		const info = parseFdInfo(found.info.toString('utf8'));
		const identity = {pid: task.pid as number, fd};
		const {bucket, index, found: known} = this.#find(identity, link, info);
		let description = known;
		if (!description) {
			const pulled = tryPidfdGetFd(task.pidfd, fd);
			if (pulled === undefined) {
				this.context.refuse({
					pid: task.innerPid,
					fd,
					kind: 'descriptor',
					text: `${link} cannot be looked at: pidfd_getfd refused it`,
					hint: 'Run frore as root.',
				});
				return;
			}

			try {
				const hidesCloexec = ((fcntl(pulled, F_GETFL) ?? 0) & O_CLOEXEC) !== 0;
				description = {row: -1, holders: [], link, stat: statOf(pulled), info, hidesCloexec};
			} finally {
				closeSync(pulled);
			}

			this.descriptions.push(description);
			bucket.splice(index, 0, {identity, description});
		}

		const cloexec = description.hidesCloexec
			? (task.inject.syscall(nr.fcntl, fd, F_GETFD) & 1n) !== 0n
			: (info.flags & O_CLOEXEC) !== 0;
		description.holders.push({task, fd, cloexec});
		this.#byNumber.set(`${task.row}:${fd}`, description);
	}

	/**
	 * Where the description is, or would be, among those that look alike. Without kcmp (CONFIG_KCMP), files, pipes and sockets that
	 * look alike are taken for one, and what has no name of its own (eventfd, epoll, …) for different.
	 */
	#find(identity: Identity, link: string, info: FdInfo) {
		const key = `${info.flags & ~O_CLOEXEC}|${info.position}|${link}`;
		let bucket = this.#alike.get(key);
		if (!bucket) {
			bucket = [];
			this.#alike.set(key, bucket);
		}

		let low = 0;
		let high = bucket.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			const {identity: other, description} = bucket[middle]!;
			const order =
				kcmp(identity.pid, other.pid, kcmpType.FILE, identity.fd, other.fd) ?? (link.startsWith('anon_inode:') ? 2 : 0);
			if (order === 0) {
				return {bucket, index: middle, found: description};
			}

			if (order === 1) {
				high = middle;
			} else {
				low = middle + 1;
			}
		}

		return {bucket, index: low, found: undefined};
	}
}
