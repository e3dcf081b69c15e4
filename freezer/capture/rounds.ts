import type {Run} from '../../builder/artefact-writer.js';
import {constants} from '../../builder/format/schema.js';
import type {PageRange} from '../sys/pagemap.js';
import {overlapping, Spans} from './spans.js';

const {SOURCE} = constants;

/** One look at what had been written to, and what was copied of it. */
export interface Round {
	/** Of the artefact, so far. */
	readonly frames: number;
	/** What was copied before of these pages is void. */
	readonly looked: readonly PageRange[];
}

/**
 * What has become of the runs of each round. Pages of zeros need no run: memory begins with zeros.
 * @param places mappings at the stop of which it is known what has been written to, ascending
 * @param changed pages that were written to after the last round, or that hold nothing any more
 */
export function reviser(
	rounds: readonly Round[],
	places: readonly PageRange[],
	changed: readonly PageRange[],
): (run: Run, frame: number) => Run[] {
	let later = new Spans(changed);
	const voided: Spans[] = [];
	for (const {looked} of rounds.toReversed()) {
		voided.unshift(later);
		later = new Spans([...later.ranges, ...looked]);
	}

	return (run, frame) => {
		const round = rounds.findIndex(({frames}) => frame < frames);
		return run.source === SOURCE.ZERO ? [] : [...piecesOf(run, places, voided[round]!)];
	};
}

/** A run in pieces, each of which lies within one mapping, or is void. */
function* piecesOf(run: Run, places: readonly PageRange[], changed: Spans): Generator<Run> {
	const end = run.address + run.length;
	let at = run.address;
	const upTo = function* (address: bigint, source: number): Generator<Run> {
		if (at < address) {
			yield {...run, address: at, length: address - at, source};
			at = address;
		}
	};

	for (const place of overlapping(places, at, end)) {
		const start = place.start > at ? place.start : at;
		for (const kept of changed.outside(start, place.end < end ? place.end : end)) {
			yield* upTo(kept.start, SOURCE.VOID);
			yield* upTo(kept.end, run.source);
		}
	}

	yield* upTo(end, SOURCE.VOID);
}
