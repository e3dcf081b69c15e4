import {checkChildren} from './children.js';
import type {Collection} from './collection.js';
import {cpuNeeds} from './cpu.js';
import {captureDescriptors} from './fd/index.js';
import type {FreezeRequest} from './freeze.js';
import {Images} from './images.js';
import {machineRow} from './machine.js';
import {ProcessCapture} from './process-capture.js';
import type {Asleep} from './sleep.js';
import type {StoppedProcess} from './stop.js';
import type {Stopwatch} from './stopwatch.js';
import {checkSurroundings} from './surroundings.js';
import {type CapturedVma, captureVmas, isResident} from './vmas.js';

/** All of a stopped process but its pages. */
export interface CapturedState {
	readonly collection: Collection;
	readonly process: ProcessCapture;
	readonly vmas: readonly CapturedVma[];
}

/** Fills the snapshot while the process is stopped. Throws a refusal when something cannot be carried. */
export function collectState(
	request: FreezeRequest,
	collection: Collection,
	stopped: StoppedProcess,
	sleepers: ReadonlyMap<number, Asleep>,
	stopTime: bigint,
	watch: Stopwatch,
): CapturedState {
	const {snapshot} = collection;
	snapshot.machine.push(machineRow(request.pid, request.version));
	const process = new ProcessCapture(snapshot, stopped, sleepers, stopTime);
	collection.defer(() => process.close());
	collection.defer(() => process.inject.finish());
	collection.tasks.push(process);
	checkChildren(collection, process, request.children);
	watch.mark('look');
	process.inquire();
	process.settleRegisters();
	watch.mark('ask');
	captureDescriptors(collection);
	checkSurroundings(collection, process, request.ending === 'continue');
	watch.mark('descriptors');
	const images = new Images(request.pid, snapshot);
	collection.defer(() => images.close());
	const vmas = captureVmas(collection, process, process.mm, process.mappings, images);
	snapshot.mm[process.mm]!.exe = images.rowOfPath(snapshot.task[process.row]!.exe);
	const xstates = snapshot.thread.map((thread) => thread.xstate);
	snapshot.cpu_need.push(
		...cpuNeeds(process.mappings, process.memory, xstates, (mapping) => isResident(process, mapping)),
	);
	watch.mark('mappings');
	collection.throwRefusals();
	return {collection, process, vmas};
}
