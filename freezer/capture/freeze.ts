import {readFileSync} from 'node:fs';
import {ArtefactWriter} from '../../builder/artefact-writer.js';
import {constants, emptySnapshot, type Snapshot} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import {type CodecChoice, createEncoder} from '../sys/codec.js';
import {pinTracer, unpinTracer} from '../sys/inject.js';
import {createNativeHasher} from '../sys/native.js';
import {templatePath} from '../sys/package.js';
import {PageMap, type PageRange} from '../sys/pagemap.js';
import type {Pid} from '../sys/types.js';
import {checkChildren} from './children.js';
import {Collection} from './collection.js';
import type {CaptureOptions} from './context.js';
import {cpuNeeds} from './cpu.js';
import type {Destination} from './destination.js';
import {failure} from './errors.js';
import {captureDescriptors} from './fd/index.js';
import {FramePacker} from './frames.js';
import {Images} from './images.js';
import {machineRow} from './machine.js';
import {Outbox} from './outbox.js';
import {copyContent, imagePages, ownPages} from './pages.js';
import {checkReader, preflight} from './preflight.js';
import {ProcessCapture} from './process-capture.js';
import {observeSleepers} from './sleep.js';
import {type Ending, StoppedProcess} from './stop.js';
import {type CapturedVma, captureVmas, isResident} from './vmas.js';
import {xstateLayout} from './xstate.js';

export interface FreezeRequest {
	readonly pid: Pid;
	readonly destination: Destination;
	readonly ending: Ending;
	readonly children: boolean;
	readonly codec: CodecChoice;
	readonly stopTimeout: number;
	readonly maxPause: number;
	readonly capture: CaptureOptions;
	readonly version: string;
	/** Set by a signal: the freeze gives up at the next occasion. */
	readonly interrupted: () => boolean;
}

export interface FreezeSummary {
	readonly snapshot: Snapshot;
	readonly bytes: number;
	readonly pageBytes: number;
	readonly pauseMilliseconds: number;
}

/** Freezes one process into an artefact. Whatever goes wrong, the target goes on as it was and no file is left. */
export async function freeze(request: FreezeRequest): Promise<FreezeSummary> {
	const {destination} = request;
	try {
		return await capture(request);
	} catch (error) {
		destination.abandon();
		throw error;
	} finally {
		unpinTracer();
	}
}

async function capture(request: FreezeRequest): Promise<FreezeSummary> {
	const {pid, destination} = request;
	preflight(pid);
	checkReader(pid, destination.channel);
	const encoder = createEncoder(request.codec);
	const writer = new ArtefactWriter(destination, readFileSync(templatePath()), {
		codec: encoder.codec,
		hasher: createNativeHasher(),
	});
	const outbox = new Outbox(writer, encoder);
	const snapshot = emptySnapshot();
	snapshot.xcomp.push(...xstateLayout());
	const images = new Images(pid, snapshot);
	using collection = new Collection(snapshot, request.capture);
	collection.defer(() => images.close());
	const sleepers = observeSleepers(pid);
	pinTracer();

	const stopped = StoppedProcess.stop(pid, request.stopTimeout);
	collection.defer(() => stopped.release('continue'));
	const stopTime = clockNow(CLOCK.MONOTONIC);
	const deadline = stopTime + BigInt(Math.round(request.maxPause * 1e9));
	snapshot.machine.push(machineRow(pid, request.version));
	const process = new ProcessCapture(snapshot, stopped, sleepers, stopTime);
	collection.defer(() => process.close());
	collection.defer(() => process.inject.finish());
	collection.tasks.push(process);
	checkChildren(collection, process, request.children);
	process.inquire();
	process.settleRegisters();
	captureDescriptors(collection);
	const vmas = captureVmas(collection, process, process.mm, process.mappings, images);
	snapshot.mm[process.mm]!.exe = images.rowOfPath(snapshot.task[process.row]!.exe);
	snapshot.cpu_need.push(
		...cpuNeeds(
			process.mappings,
			process.memory,
			snapshot.thread.map((thread) => thread.xstate),
			(mapping) => isResident(process, mapping),
		),
	);
	collection.throwRefusals();

	const packer = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const [index, source] of collection.contents.sources) {
		copyContent(index, source, packer);
	}

	process.inject.finish();
	const own = await copyOwnPages(request, process, vmas, packer, deadline);
	packer.flush();
	stopped.pendingStopSignal = process.inject.stopSignal;
	if (request.ending === 'continue') {
		stopped.release('continue');
	}

	const pause = clockNow(CLOCK.MONOTONIC) - stopTime;
	outbox.flush();
	const imagePacker = new FramePacker((runs, raw) => outbox.put(runs, raw));
	for (const [i, vma] of vmas.entries()) {
		for (const stretch of imagePages(vma, process.mm, own[i] ?? [])) {
			imagePacker.add(stretch);
		}
	}

	imagePacker.flush();
	outbox.flush();
	const {bytes} = writer.finish(snapshot);
	destination.commit();
	stopped.release(request.ending);

	return {snapshot, bytes, pageBytes: outbox.rawBytes, pauseMilliseconds: Number(pause) / 1e6};
}

/** Copies modified pages while the target is stopped; returns their ranges per mapping. */
async function copyOwnPages(
	request: FreezeRequest,
	process: ProcessCapture,
	vmas: readonly CapturedVma[],
	packer: FramePacker,
	deadline: bigint,
): Promise<PageRange[][]> {
	const pageMap = new PageMap(process.pid);
	const own: PageRange[][] = [];
	try {
		for (const vma of vmas) {
			const ranges: PageRange[] = [];
			for (const stretch of ownPages(vma, process.mm, process.memory, pageMap)) {
				packer.add(stretch);
				if (stretch.source === constants.SOURCE.STORED) {
					ranges.push({start: stretch.address, end: stretch.address + BigInt(stretch.length)});
				}
			}

			own.push(ranges);
			await breathe(request, deadline);
		}
	} finally {
		pageMap.close();
	}

	return own;
}

/** Lets a signal in, and gives up when the pause grows too long. */
async function breathe(request: FreezeRequest, deadline: bigint): Promise<void> {
	if (clockNow(CLOCK.MONOTONIC) > deadline) {
		throw failure(
			'max-pause',
			`process ${request.pid} was stopped for more than ${request.maxPause} s and has been released; nothing was written`,
			'Give --max-pause SECONDS, or --compress none.',
		);
	}

	await new Promise((resolve) => {
		setImmediate(resolve);
	});
	if (request.interrupted()) {
		throw failure('interrupted', 'interrupted; the target goes on and nothing was written');
	}
}
