import type {RowOf, Snapshot} from '../../builder/format/schema.js';
import {Contents} from './contents.js';
import type {CaptureContext, CapturedTask, CaptureOptions, ContentSource} from './context.js';
import {refusal} from './errors.js';
import {isHelper} from './resolve.js';

/** The context of one freeze: snapshot under construction, refusals, and what has to be undone. */
export class Collection implements CaptureContext, Disposable {
	readonly tasks: CapturedTask[] = [];
	readonly contents: Contents;
	readonly #deferred: (() => void)[] = [];
	readonly #refusals: string[] = [];
	#hints = new Set<string>();

	constructor(
		readonly snapshot: Snapshot,
		readonly options: CaptureOptions,
	) {
		this.contents = new Contents(snapshot);
		this.defer(() => this.contents.close());
	}

	/** Asked lazily: it walks /proc. */
	readonly helpers: ReadonlySet<number> = new (class extends Set<number> {
		override has(pid: number): boolean {
			return pid === process.pid || isHelper(pid);
		}
	})();

	content(key: string, make: () => {row: RowOf<'content'>; source: ContentSource}): number {
		return this.contents.get(key, make);
	}

	knownContent(key: string): number | undefined {
		return this.contents.known(key);
	}

	taskByInnerPid(pid: number): CapturedTask | undefined {
		return this.tasks.find((task) => task.innerPid === pid);
	}

	warn(warning: {pid: number; fd?: number; kind: string; text: string}): void {
		const {pid, fd, kind, text} = warning;
		this.snapshot.warning.push({pid, fd: fd ?? 0xffff_ffff, kind, text});
	}

	refuse(refusal: {pid: number; fd?: number; kind: string; text: string; hint?: string}): void {
		const {allow} = this.options;
		if (allow.has(refusal.kind) || allow.has('all')) {
			this.warn(refusal);
			return;
		}

		const where = refusal.fd === undefined ? `process ${refusal.pid}` : `process ${refusal.pid}, fd ${refusal.fd}`;
		this.#refusals.push(`${where}: ${refusal.text}; --allow ${refusal.kind} goes on without it`);
		if (refusal.hint) {
			this.#hints.add(refusal.hint);
		}
	}

	throwRefusals(): void {
		if (this.#refusals.length > 0) {
			throw refusal('cannot-carry', this.#refusals, this.#hints.size > 0 ? [...this.#hints].join(' ') : undefined);
		}
	}

	defer(action: () => void): void {
		this.#deferred.push(action);
	}

	/** Undoes everything, last first; one failure does not keep the others from happening. */
	[Symbol.dispose](): void {
		for (let action = this.#deferred.pop(); action; action = this.#deferred.pop()) {
			try {
				action();
			} catch {
				// The target is gone, or the descriptor is closed already.
			}
		}
	}
}
