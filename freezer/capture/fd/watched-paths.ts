import {closeSync, readdirSync, readlinkSync, statSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {decodeText, encodeText} from '../../../builder/text.js';
import {openByHandle} from '../../sys/descriptors.js';
import {tryReadLink} from '../../sys/procfs.js';
import type {CaptureContext} from '../context.js';
import type {InotifyInfo} from './fdinfo.js';
import type {Description} from './types.js';

const toBytes = (path: string): Buffer => Buffer.from(encodeText(path));
/** Directory entries looked at for one freeze, so that the pause stays short. */
const ENTRY_LIMIT = 20_000;

/**
 * Finds paths to inodes: by file handle where that is allowed, else among the directories the target has to do with: its working
 * directory and executable, its open files, what lies around and below them.
 */
export class WatchedPaths {
	readonly #known = new Map<string, string>();
	readonly #roots: string[] = [];
	#walk: Generator<void> | undefined;

	constructor(context: CaptureContext, descriptions: readonly Description[]) {
		for (const task of context.tasks) {
			for (const name of ['cwd', 'exe']) {
				const link = tryReadLink(`/proc/${task.pid}/${name}`);
				if (link) {
					this.#roots.push(decodeText(link));
				}
			}
		}

		for (const {link} of descriptions) {
			if (link.startsWith('/') && !link.startsWith('/proc/') && !link.endsWith(' (deleted)')) {
				this.#roots.push(link);
			}
		}

		this.#roots.push('/etc', '/tmp', '/run', '/etc/resolv.conf', '/etc/localtime');
	}

	find(watch: InotifyInfo): string | undefined {
		const key = `${watch.dev}:${watch.ino}`;
		const found = this.#known.get(key) ?? this.#byHandle(watch);
		if (found !== undefined) {
			return found;
		}

		this.#walk ??= this.#candidates();
		while (!this.#known.has(key) && !this.#walk.next().done);
		return this.#known.get(key);
	}

	#byHandle({dev, handleType, handle}: InotifyInfo): string | undefined {
		if (handle.length === 0) {
			return undefined;
		}

		const mounted = ['/', ...this.#roots].find((path) => this.#look(path)?.dev === dev);
		const fd = mounted === undefined ? undefined : openByHandle(toBytes(mounted), handleType, handle);
		if (fd === undefined) {
			return undefined;
		}

		try {
			const path = decodeText(readlinkSync(`/proc/self/fd/${fd}`, 'buffer'));
			return path.endsWith(' (deleted)') ? undefined : path;
		} catch {
			return undefined;
		} finally {
			closeSync(fd);
		}
	}

	/** The roots, what is above them, then breadth first what is below. */
	*#candidates(): Generator<void> {
		const queue: string[] = [];
		for (const root of this.#roots) {
			for (let path = root; ; path = dirname(path)) {
				if (this.#look(path)?.isDirectory && path === root) {
					queue.push(path);
				}

				yield;
				if (path === dirname(path)) {
					break;
				}
			}
		}

		queue.push(...this.#roots.map((root) => dirname(root)).filter((path) => path !== '/'));
		const seen = new Set<string>();
		let entries = 0;
		for (let path = queue.shift(); path !== undefined && entries < ENTRY_LIMIT; path = queue.shift()) {
			if (seen.has(path)) {
				continue;
			}

			seen.add(path);
			for (const name of list(path)) {
				const below = join(path, name);
				entries++;
				if (this.#look(below)?.isDirectory) {
					queue.push(below);
				}

				yield;
			}
		}
	}

	#look(path: string): {dev: bigint; isDirectory: boolean} | undefined {
		try {
			const stat = statSync(toBytes(path), {bigint: true});
			this.#known.set(`${stat.dev}:${stat.ino}`, this.#known.get(`${stat.dev}:${stat.ino}`) ?? path);
			return {dev: stat.dev, isDirectory: stat.isDirectory()};
		} catch {
			return undefined;
		}
	}
}

function list(path: string): string[] {
	try {
		return readdirSync(toBytes(path), 'buffer').map((name) => decodeText(name));
	} catch {
		return [];
	}
}
