import {ArtefactWriter} from '../../builder/artefact-writer.js';
import {emptySnapshot, type Snapshot} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import type {CodecChoice} from '../sys/codec.js';
import {pinTracer, unpinTracer} from '../sys/inject.js';
import {createNativeHasher} from '../sys/native.js';
import {packageBytes} from '../sys/package.js';
import type {Pid} from '../sys/types.js';
import {collectState} from './collect.js';
import {Collection} from './collection.js';
import type {CaptureOptions} from './context.js';
import {copyContents, copyImages, copyMemory} from './copy.js';
import type {Destination} from './destination.js';
import {nothingEarlier, observeMappings} from './earlier-mappings.js';
import {FroreError, failure} from './errors.js';
import {resetConnectionsWithin} from './fd/socket-tcp.js';
import {hasEnded, statOf} from './leader.js';
import {copyLive, type Live} from './live.js';
import {Outbox} from './outbox.js';
import {checkReader, preflight} from './preflight.js';
import {collectGarbage, compileLittle} from './quiet.js';
import {observeSleepers} from './sleep.js';
import type {Ending} from './stop.js';
import {descendantsOf, StoppedTree} from './stopped-tree.js';
import {type Phase, Stopwatch} from './stopwatch.js';
import {Tracking} from './tracking.js';
import {warmUp} from './warm-up.js';
import {xstateLayout} from './xstate.js';

export interface FreezeRequest {
	readonly pid: Pid;
	readonly destination: Destination;
	readonly ending: Ending;
	/** False: the process alone; living children stay behind. */
	readonly children: boolean;
	/** Memory is copied while the target runs on. */
	readonly live: boolean;
	readonly codec: CodecChoice;
	/** Seconds. */
	readonly stopTimeout: number;
	/** Seconds. */
	readonly maxPause: number;
	readonly capture: CaptureOptions;
	readonly version: string;
	/** For `frore check`: everything is looked at, nothing is copied or written. */
	readonly survey?: boolean;
	/** Set by a signal: the freeze gives up at the next occasion. */
	readonly interrupted: () => boolean;
}

export interface FreezeSummary {
	readonly snapshot: Snapshot;
	/** Of the artefact. */
	readonly bytes: number;
	/** Of memory and contents in it, before compression. */
	readonly pageBytes: number;
	readonly pauseMilliseconds: number;
	/** With `live`; or why the target had to stay stopped. */
	readonly live?: Live | string;
	readonly phases: readonly Phase[];
}

/** Freezes a process and its descendants into an artefact. Whatever goes wrong, the target goes on as it was and no file is left. */
export async function freeze(request: FreezeRequest): Promise<FreezeSummary> {
	try {
		return await capture(request);
	} catch (error) {
		request.destination.abandon();
		throw endedMeanwhile(request.pid, error);
	} finally {
		unpinTracer();
	}
}

async function capture(request: FreezeRequest): Promise<FreezeSummary> {
	const {pid, destination, ending} = request;
	const watch = new Stopwatch();
	compileLittle();
	preflight(pid);
	checkReader(request.children ? descendantsOf(pid) : [pid], destination.channel);
	const writer = new ArtefactWriter(destination, packageBytes('stub'), {
		codec: request.codec.codec,
		hasher: createNativeHasher(),
	});
	using outbox = new Outbox(writer, request.codec, destination.random);
	using collection = new Collection(emptySnapshot(), request.capture);
	const {snapshot} = collection;
	snapshot.xcomp.push(...xstateLayout());
	await warmUp(request);
	pinTracer();
	watch.mark('prepare');
	const targets = () => (request.children ? descendantsOf(pid) : [pid]);
	const tracking = request.live ? Tracking.start(targets(), request.stopTimeout) : undefined;
	if (tracking) {
		collection.defer(() => tracking.end());
		unpinTracer();
		await tracking.copy(
			writer,
			outbox,
			breather(request, clockNow(CLOCK.MONOTONIC), () => false),
		);
		pinTracer();
		watch.mark('ahead');
	}

	const sleepers = observeSleepers(targets());
	tracking?.recall(sleepers);
	collectGarbage();
	const earlier = request.live ? observeMappings(targets(), tracking !== undefined) : nothingEarlier;
	tracking?.heed(earlier);
	watch.mark('look ahead');

	const stopped = StoppedTree.stop(pid, request.stopTimeout, request.children);
	collection.defer(() => stopped.release('continue'));
	const stopTime = clockNow(CLOCK.MONOTONIC);
	watch.mark('stop');
	const state = collectState(request, collection, stopped, sleepers, earlier, stopTime, watch);
	if (request.survey) {
		const pauseMilliseconds = Number(clockNow(CLOCK.MONOTONIC) - stopTime) / 1e6;
		return {snapshot, bytes: 0, pageBytes: 0, pauseMilliseconds, phases: watch.phases};
	}

	let pause = 0n;
	const goOn = () => {
		stopped.release('continue');
		pause = clockNow(CLOCK.MONOTONIC) - stopTime;
		watch.mark('release');
	};
	const breathe = breather(request, stopTime, () => pause === 0n);
	await copyContents(state, outbox, breathe);
	const live = request.live ? await copyLive(state, goOn, outbox, breathe, tracking) : undefined;
	const rest = typeof live === 'object' ? () => {} : await copyMemory(state, outbox, breathe, tracking);

	watch.mark('memory');
	if (ending === 'continue' && pause === 0n) {
		goOn();
	}

	pause ||= clockNow(CLOCK.MONOTONIC) - stopTime;
	rest();
	outbox.flush();
	tracking?.settle(writer);
	tracking?.end();
	await copyImages(state, outbox, breathe);
	outbox.flush();
	const {bytes} = writer.finish(snapshot);
	destination.commit();
	if (ending === 'halt') {
		resetConnectionsWithin(collection);
	}

	stopped.release(ending);
	watch.mark('write');
	return {
		snapshot,
		bytes,
		pageBytes: outbox.rawBytes,
		pauseMilliseconds: Number(pause + (tracking?.pause ?? 0n)) / 1e6,
		...(live !== undefined && {live}),
		phases: watch.phases,
	};
}

/** Whatever could no longer be read or done: when the process has gone, that is the reason. */
function endedMeanwhile(pid: Pid, error: unknown): unknown {
	if (error instanceof FroreError && error.code !== 'cannot-carry') {
		return error;
	}

	const stat = statOf(pid);
	if (stat !== undefined && !hasEnded(stat)) {
		return error;
	}

	return failure('exited', `process ${pid} ended while it was being frozen; nothing was written`, undefined, error);
}

/** Nanoseconds between two occasions for a signal. */
const BREATH = 20_000_000n;

/** Lets a signal in, and gives up when the pause grows too long. */
function breather(request: FreezeRequest, stopTime: bigint, stopped: () => boolean): () => Promise<void> {
	const deadline = stopTime + BigInt(Math.round(request.maxPause * 1e9));
	let last = stopTime;
	return async () => {
		const now = clockNow(CLOCK.MONOTONIC);
		if (now - last < BREATH) {
			return;
		}

		last = now;
		if (stopped() && now > deadline) {
			throw failure(
				'max-pause',
				`process ${request.pid} was stopped for more than ${request.maxPause} s and goes on now; nothing was written`,
				'Give --max-pause SECONDS, or --compress none.',
			);
		}

		await new Promise((resolve) => {
			setImmediate(resolve);
		});
		if (request.interrupted()) {
			throw failure('interrupted', 'interrupted; the process goes on, and nothing was written');
		}
	};
}
