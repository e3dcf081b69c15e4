import type {ArtefactWriter, Run} from '../../builder/artefact-writer.js';
import {constants} from '../../builder/format/schema.js';
import type {CodecChoice} from '../sys/codec.js';
import {EncoderPool} from '../sys/native.js';

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
	#kept: {runs: readonly Run[]; raw: Uint8Array}[] = [];
	#keptBytes = 0;

	/** Made before the tracer is pinned to one CPU: the threads of the pool inherit its affinity. */
	constructor(
		readonly writer: ArtefactWriter,
		readonly codec: CodecChoice,
	) {
		this.#pool = codec.codec === constants.CODEC.NONE ? undefined : new EncoderPool(codec.codec, codec.level);
	}

	/** `runs` becomes the outbox's own, `raw` may be reused by the caller. */
	put(runs: readonly Run[], raw: Uint8Array): void {
		this.rawBytes += raw.length;
		if (this.#keptBytes + raw.length <= KEPT) {
			this.#kept.push({runs, raw: Buffer.from(raw)});
			this.#keptBytes += raw.length;
			return;
		}

		this.#submitKept();
		this.#keptBytes = KEPT;
		this.#submit(runs, raw);
	}

	/** Writes all that came so far. */
	flush(): void {
		this.#submitKept();
		while (this.#pending.length > 0) {
			this.#collect();
		}

		this.#keptBytes = 0;
	}

	[Symbol.dispose](): void {
		this.#pool?.[Symbol.dispose]();
	}

	#submitKept(): void {
		const kept = this.#kept;
		this.#kept = [];
		for (const {runs, raw} of kept) {
			this.#submit(runs, raw);
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
