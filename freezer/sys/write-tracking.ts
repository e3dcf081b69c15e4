/**
 * A userfaultfd of another process: the kernel keeps account of which pages of the mappings registered with it are written to
 * (UFFD_FEATURE_WP_ASYNC, Linux 6.7), the kernel's own writes included, and lets the writer go on at once. All registrations end with
 * the last descriptor of it.
 */
import {closeSync, openSync} from 'node:fs';
import {rawSyscall} from './libc.js';
import {nativePages} from './native.js';
import {nr} from './nr.js';
import type {PageRange} from './pagemap.js';
import {closeFd} from './pidfd.js';
import type {Fd, Pid} from './types.js';

/** Flags for userfaultfd(2) that need no privilege: UFFD_USER_MODE_ONLY | O_CLOEXEC | O_NONBLOCK. */
export const USERFAULTFD_FLAGS = 0o2004001;

/** include/uapi/linux/userfaultfd.h */
const UFFDIO_API = 0xc018aa3f;
const UFFDIO_REGISTER = 0xc020aa00;
const UFFDIO_UNREGISTER = 0x8010aa01;
const API = 0xaan;
const PAGEFAULT_FLAG_WP = 1n << 0n;
const WP_UNPOPULATED = 1n << 13n;
const WP_ASYNC = 1n << 15n;
const MODE_WP = 2n;

const PRESENT = 8n;
const SWAPPED = 16n;
const PFNZERO = 32n;
const WORDS = 3;
const ROOM = 8192;
/** Bytes that are given up at once: meanwhile the process can map nothing. */
const PIECE = 1n << 25n;

/** Pages that have been written to. */
export interface WrittenRange extends PageRange {
	/** Do they hold anything? */
	readonly held: boolean;
}

export class WriteTracking {
	readonly #registered: PageRange[] = [];
	readonly #found = new BigUint64Array(ROOM * WORDS);
	readonly #at = new BigUint64Array(1);
	#open = true;

	private constructor(
		readonly pid: Pid,
		private readonly fd: Fd,
	) {}

	/** Does this kernel offer it to us, and so to others? */
	static offered(): boolean {
		const fd = rawSyscall(nr.userfaultfd, USERFAULTFD_FLAGS);
		if (fd < 0) {
			return false;
		}

		const tracking = WriteTracking.of(process.pid as Pid, fd as Fd);
		tracking?.end();
		return tracking !== undefined;
	}

	/** Takes over the descriptor; undefined when this kernel cannot keep account of writes. */
	static of(pid: Pid, fd: Fd): WriteTracking | undefined {
		const api = new BigUint64Array([API, PAGEFAULT_FLAG_WP | WP_UNPOPULATED | WP_ASYNC, 0n]);
		if (rawSyscall(nr.ioctl, fd, UFFDIO_API, api) === 0) {
			return new WriteTracking(pid, fd);
		}

		closeFd(fd);
		return undefined;
	}

	/** False when the kernel does not let a mapping be registered. */
	register(range: PageRange): boolean {
		const argument = new BigUint64Array([range.start, range.end - range.start, MODE_WP, 0n]);
		const registered = rawSyscall(nr.ioctl, this.fd, UFFDIO_REGISTER, argument) === 0;
		if (registered) {
			this.#registered.push(range);
		}

		return registered;
	}

	/** Looks at mappings one after the other; see `#written`. Undefined for one that is not registered. */
	look(mappings: readonly PageRange[], protect: boolean): (WrittenRange[] | undefined)[] {
		const pagemap = openSync(`/proc/${this.pid}/pagemap`, 'r');
		try {
			return mappings.map((mapping) => this.#written(pagemap, mapping, protect));
		} finally {
			closeSync(pagemap);
		}
	}

	/** @param protect pages that hold something, which count as not written to from then on; else also those that hold nothing any more */
	#written(pagemap: number, {start, end}: PageRange, protect: boolean): WrittenRange[] | undefined {
		const ranges: WrittenRange[] = [];
		const words = this.#found;
		this.#at[0] = start;
		while (this.#at[0]! < end) {
			const count = Number(nativePages().written(pagemap, this.#at, end, protect ? 1 : 0, words, ROOM));
			if (count < 0) {
				return undefined;
			}

			for (let i = 0; i < count * WORDS; i += WORDS) {
				const categories = words[i + 2]!;
				const held = (categories & (PRESENT | SWAPPED)) !== 0n && (categories & PFNZERO) === 0n;
				ranges.push({start: words[i]!, end: words[i + 1]!, held});
			}
		}

		return ranges;
	}

	/** In pieces: each of them locks the memory of the process against changes of its mappings, and looks at every page. */
	end(): void {
		if (!this.#open) {
			return;
		}

		this.#open = false;
		for (const {start, end} of this.#registered) {
			for (let at = start; at < end; at += PIECE) {
				const length = end - at < PIECE ? end - at : PIECE;
				rawSyscall(nr.ioctl, this.fd, UFFDIO_UNREGISTER, new BigUint64Array([at, length]));
			}
		}

		closeFd(this.fd);
	}
}
