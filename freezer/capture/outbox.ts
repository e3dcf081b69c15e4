import type {ArtefactWriter, Run} from '../../builder/artefact-writer.js';
import type {Encoder} from '../../builder/codec.js';

/** What is kept in memory so that compressing and writing happen after the release. Beyond this, frames are written at once. */
const KEPT = 64 << 20;

/** Frames on their way into the artefact. */
export class Outbox {
	rawBytes = 0;
	#kept: {runs: readonly Run[]; raw: Uint8Array}[] = [];
	#keptBytes = 0;

	constructor(
		readonly writer: ArtefactWriter,
		readonly encoder: Encoder,
	) {}

	put(runs: readonly Run[], raw: Uint8Array): void {
		this.rawBytes += raw.length;
		if (this.#keptBytes + raw.length > KEPT) {
			this.flush();
			this.#write(runs, raw);
			return;
		}

		this.#kept.push({runs, raw: Buffer.from(raw)});
		this.#keptBytes += raw.length;
	}

	/** Writes what was kept. */
	flush(): void {
		for (const {runs, raw} of this.#kept) {
			this.#write(runs, raw);
		}

		this.#kept = [];
		this.#keptBytes = 0;
	}

	#write(runs: readonly Run[], raw: Uint8Array): void {
		this.writer.frame(runs, raw, this.encoder.compress(raw), this.encoder.codec);
	}
}
