import {ReadAhead} from '../sys/ahead.js';
import type {Pid} from '../sys/types.js';
import {planBirths} from './births.js';
import {checkChildren} from './children.js';
import type {Collection} from './collection.js';
import {CpuNeeds} from './cpu.js';
import type {EarlierMappings} from './earlier-mappings.js';
import {captureDescriptors} from './fd/index.js';
import type {FreezeRequest} from './freeze.js';
import {Images} from './images.js';
import {faceOf} from './leader.js';
import {machineRow} from './machine.js';
import {checkNamespaces} from './namespaces.js';
import {lateFiles, type ProcFile, ProcFiles, procFiles} from './proc-files.js';
import {ProcessCapture} from './process-capture.js';
import {captureEnded, captureParents, captureSharing} from './relations.js';
import {isResident} from './resident.js';
import type {Asleep} from './sleep.js';
import type {StoppedTree} from './stopped-tree.js';
import type {Stopwatch} from './stopwatch.js';
import {checkSurroundings} from './surroundings.js';
import {captureSysv} from './sysv.js';
import {type CapturedVma, captureVmas} from './vmas.js';

/** One process of the target, with the mappings whose pages are to be copied. */
export interface CapturedProcess {
	readonly process: ProcessCapture;
	readonly vmas: readonly CapturedVma[];
}

/** All of a stopped tree but its pages. */
export interface CapturedState {
	readonly collection: Collection;
	/** Parents before their children. */
	readonly processes: readonly CapturedProcess[];
	readonly images: Images;
	/** Its children stay behind. */
	readonly alone: boolean;
}

/** Fills the snapshot while the tree is stopped. Throws a refusal when something cannot be carried. */
export function collectState(
	request: FreezeRequest,
	collection: Collection,
	tree: StoppedTree,
	sleepers: ReadonlyMap<number, Asleep>,
	earlier: EarlierMappings,
	stopTime: bigint,
	watch: Stopwatch,
): CapturedState {
	const {snapshot} = collection;
	snapshot.machine.push(machineRow(faceOf(request.pid), request.version));
	const alone = tree.processes.length === 1;
	const faces = tree.processes.map(({leader}) => leader.tid as unknown as Pid);
	const {smaps: _, ...others} = procFiles;
	using ahead = new ReadAhead<ProcFile>(faces, alone && earlier.known.size > 0 ? others : procFiles, lateFiles);
	const processes = tree.processes.map((stopped, i) => {
		const files = new ProcFiles(faces[i]!, ahead);
		const process = new ProcessCapture(
			snapshot,
			stopped,
			files,
			sleepers,
			stopTime,
			alone ? earlier : {...earlier, known: new Map()},
		);
		collection.defer(() => process.close());
		collection.defer(() => process.inject.finish());
		collection.tasks.push(process);
		return process;
	});
	captureParents(collection, processes);
	captureEnded(collection, processes, tree.ended);
	planBirths(collection);
	captureSharing(collection, processes);
	checkNamespaces(collection, processes);
	if (!request.children) {
		checkChildren(collection, processes[0]!);
	}

	watch.mark('look');
	for (const process of processes) {
		process.inquire();
		process.settleRegisters();
	}

	watch.mark('ask');
	captureSysv(collection, processes);
	captureDescriptors(collection);
	for (const process of processes) {
		checkSurroundings(collection, process, request.ending === 'continue' && process.row === 0);
	}

	watch.mark('descriptors');
	const images = new Images(snapshot);
	collection.defer(() => images.close());
	const cpu = new CpuNeeds();
	const captured = processes.map((process) => captureMemory(collection, process, images, cpu));
	watch.mark('mappings');
	collection.throwRefusals();
	return {collection, processes: captured, images, alone: !request.children};
}

function captureMemory(
	collection: Collection,
	process: ProcessCapture,
	images: Images,
	cpu: CpuNeeds,
): CapturedProcess {
	const {snapshot} = collection;
	const vmas = captureVmas(collection, process, process.mm, process.mappings, images);
	snapshot.mm[process.mm]!.exe = images.rowOfPath(snapshot.task[process.row]!.exe);
	const xstates = process.threads.map(({row}) => snapshot.thread[row]!.xstate);
	const known = new Set(snapshot.cpu_need.map(({name}) => name));
	const needs = cpu.of(process, xstates, (mapping) => isResident(process, mapping));
	snapshot.cpu_need.push(...needs.filter(({name}) => !known.has(name)));
	return {process, vmas};
}
