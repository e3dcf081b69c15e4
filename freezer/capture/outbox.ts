import type {ArtefactWriter, Run} from '../../builder/artefact-writer.js';
import {constants} from '../../builder/format/schema.js';
import type {CodecChoice} from '../sys/codec.js';
import {SysError} from '../sys/errno.js';
import {EncoderPool} from '../sys/native.js';
import type {DirectFrames, DirectPlace} from '../sys/pack.js';
import type {Destination} from './destination.js';

/** What is kept in memory so that compressing and writing happen after the release. Beyond this, frames are written at once. */
const KEPT = 64 << 20;

interface Pending {
	readonly runs: readonly Run[];
	readonly raw: {readonly length: number};
}

/** Frames on their way into the artefact, in their order. */
export class Outbox implements Disposable {
	rawBytes = 0;
	readonly #pool: EncoderPool | undefined;
	readonly #pending: Pending[] = [];
	/** Taken before the stop: so much at once would have garbage collected. Only what is used of it takes memory. */
	#room: Buffer | undefined = Buffer.allocUnsafeSlow(KEPT);
	#kept: {runs: readonly Run[]; raw: Uint8Array}[] = [];
	#keptBytes = 0;
	#writesAtOnce = false;

	/** Made before the tracer is pinned to one CPU: the threads of the pool inherit its affinity. */
	constructor(
		readonly writer: ArtefactWriter,
		readonly codec: CodecChoice,
		readonly random: Destination['random'],
	) {
		this.#pool = codec.codec === constants.CODEC.NONE ? undefined : new EncoderPool(codec.codec, codec.level);
	}

	/** `runs` becomes the outbox's own, `raw` may be reused by the caller. */
	put(runs: readonly Run[], raw: Uint8Array): void {
		this.rawBytes += raw.length;
		if (this.#keptBytes + raw.length > KEPT) {
			this.#submitKept();
			this.#writesAtOnce = this.#pool !== undefined;
			this.#room = this.#writesAtOnce ? undefined : this.#room;
		}

		if (this.#writesAtOnce) {
			this.#submit(runs, raw);
			return;
		}

		this.#room ??= Buffer.allocUnsafeSlow(KEPT);
		const copy = this.#room.subarray(this.#keptBytes, this.#keptBytes + raw.length);
		copy.set(raw);
		this.#kept.push({runs, raw: copy});
		this.#keptBytes += raw.length;
	}

	/** True when so many bytes are better written at once, on all processors, than kept. */
	mayWriteDirectly(bytes: number): boolean {
		return this.random !== undefined && bytes > KEPT;
	}

	/** Lets `write` put frames into the file by itself. */
	async directly(write: (place: DirectPlace) => Promise<DirectFrames>): Promise<void> {
		const {writer, random} = this;
		const offset = writer.bytes;
		let written: DirectFrames;
		try {
			written = await write({...this.codec, fd: random!.fd, offset, firstFrame: writer.frames, firstRun: writer.runs});
		} catch (error) {
			throw error instanceof SysError && error.syscall === 'pwrite' ? random!.failed(error) : error;
		}

		const {groups, frames, runs, end, rawBytes} = written;
		writer.adopt(groups, frames, runs, end);
		random!.resume(end);
		this.rawBytes += rawBytes;
	}

	/** Writes all that came so far. */
	flush(): void {
		this.#submitKept();
		while (this.#pending.length > 0) {
			this.#collect();
		}

		this.#writesAtOnce = false;
	}

	[Symbol.dispose](): void {
		this.#pool?.[Symbol.dispose]();
	}

	#submitKept(): void {
		const kept = this.#kept;
		this.#kept = [];
		this.#keptBytes = 0;
		if (this.#pool) {
			for (const {runs, raw} of kept) {
				this.#submit(runs, raw);
			}
		} else if (kept.length > 0) {
			this.writer.group(kept.map(({runs, raw}) => ({runs, raw, stored: raw, codec: constants.CODEC.NONE})));
		}
	}

	#submit(runs: readonly Run[], raw: Uint8Array): void {
		if (!this.#pool || raw.length === 0) {
			while (this.#pending.length > 0) {
				this.#collect();
			}

			this.writer.frame(runs, raw, raw, constants.CODEC.NONE);
			return;
		}

		if (this.#pool.full) {
			this.#collect();
		}

		this.#pool.put(raw);
		this.#pending.push({runs, raw: {length: raw.length}});
	}

	#collect(): void {
		const next = this.#pending.shift();
		if (next && this.#pool) {
			this.writer.frame(next.runs, next.raw, this.#pool.collect(), this.codec.codec);
		}
	}
}
