import {constants} from '../../../builder/format/schema.js';
import {eventsNow, F_GETPIPE_SZ, fcntl, PipeReader, POLLERR, POLLHUP, POLLIN} from '../../sys/descriptors.js';
import type {CaptureContext} from '../context.js';
import {type External, externalEnd, outsideHolder} from './external.js';
import {
	append,
	type Carried,
	type Description,
	isReadable,
	isWritable,
	O_DIRECT,
	S_IFIFO,
	typeOf,
	where,
	withPulled,
} from './types.js';

/** Pipes and FIFOs: which ends are inside, and what waits in them (duplicated by tee(2), nothing is read). */
export class Pipes {
	readonly #ends = new Map<string, Description[]>();
	readonly #objects = new Map<string, number>();
	#reader: PipeReader | undefined;

	constructor(
		readonly context: CaptureContext,
		descriptions: readonly Description[],
	) {
		for (const description of descriptions) {
			if (typeOf(description) === S_IFIFO) {
				const key = keyOf(description);
				this.#ends.set(key, [...(this.#ends.get(key) ?? []), description]);
			}
		}
	}

	/** Is an end missing that lives elsewhere? An end that nobody holds any more is not outside. */
	isOutside(description: Description): boolean {
		const ends = this.#ends.get(keyOf(description)) ?? [];
		if (ends.some(isReadable) && ends.some(isWritable)) {
			return false;
		}

		const events = withPulled(description, (fd) => eventsNow(fd, POLLIN));
		return (events & (isReadable(description) ? POLLHUP : POLLERR)) === 0;
	}

	external(description: Description): External {
		const end = isReadable(description) ? 'the read end' : 'the write end';
		return {
			kind: 'pipe',
			told: `${end} of a pipe to the outside`,
			holder: () => outsideHolder(this.context, description.link),
			byDefault: 'refuse',
		};
	}

	capture(description: Description): Carried {
		if (this.isOutside(description)) {
			return externalEnd(this.context, description, this.external(description));
		}

		return {
			kind: constants.KIND.PIPE,
			row: append(this.context, 'pipe', {pipe: this.object(description), pad0: 0}),
		};
	}

	/** Row of the pipe behind any of its ends. */
	object(description: Description): number {
		const key = keyOf(description);
		let row = this.#objects.get(key);
		if (row === undefined) {
			row = this.#capture(description, this.#ends.get(key) ?? [description]);
			this.#objects.set(key, row);
		}

		return row;
	}

	close(): void {
		this.#reader?.close();
	}

	#capture(description: Description, ends: readonly Description[]): number {
		const packet = ends.some((end) => isWritable(end) && (end.info.flags & O_DIRECT) !== 0);
		const readEnd = ends.find(isReadable);
		let parts: Buffer[] | undefined = [];
		if (readEnd) {
			this.#reader ??= new PipeReader();
			parts = withPulled(readEnd, (fd) => this.#reader!.peek(fd, packet));
		}

		if (!parts) {
			this.context.refuse({
				...where(description),
				kind: 'pipe-content',
				text: 'what waits in a pipe cannot be duplicated: it is larger than this user may make one',
				hint: 'Run frore as root, or raise /proc/sys/fs/pipe-max-size.',
			});
		}

		const messages = Buffer.alloc(packet ? (parts?.length ?? 0) * 4 : 0);
		for (const [i, part] of (packet ? (parts ?? []) : []).entries()) {
			messages.writeUInt32LE(part.length, i * 4);
		}

		return append(this.context, 'pipe_object', {
			capacity: withPulled(description, (fd) => fcntl(fd, F_GETPIPE_SZ)) ?? 65_536,
			packet: packet ? 1 : 0,
			messages,
			data: Buffer.concat(parts ?? []),
		});
	}
}

const keyOf = ({stat}: Description): string => `${stat.dev}:${stat.ino}`;
