import {constants} from '../../builder/format/schema.js';
import type {Pid} from '../sys/types.js';
import {Clones} from './clones.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import {type Breathe, copyPages, endInjection, type MemoryOutbox, survey, surveyAll} from './copy.js';
import {confirm, isInherited, readSmaps, settle} from './earlier-mappings.js';
import type {Surveyed} from './own-ranges.js';
import {hasOwnPages} from './pages.js';
import type {Tracking} from './tracking.js';
import type {CapturedVma} from './vmas.js';

export interface Live {
	/** Little was left to copy in the pause; or it was copied from clones. */
	readonly way: 'tracked' | 'cloned';
	/** Bytes of memory that were held twice in the end. */
	readonly extra: number;
}

/**
 * `--live`: one copy-on-write clone of each process is made while the whole tree is stopped, and memory is copied from the clones after the
 * release. No clone is needed where most has been copied before the stop. Or why it cannot be done: then nothing has happened.
 */
export async function copyLive(
	state: CapturedState,
	release: () => void,
	outbox: MemoryOutbox,
	breathe: Breathe,
	tracking: Tracking | undefined,
): Promise<Live | string> {
	const {processes, collection} = state;
	if (tracking && mayFollow(state)) {
		tracking.judge(processes.flatMap(({vmas}) => vmas.filter(hasOwnPages)));
		const surveyed = surveyAll(processes, state.alone, tracking);
		if (tracking.isLittle(surveyed.flatMap(({ranges}) => ranges.array))) {
			await copyLittle(state, surveyed, release, outbox, breathe);
			return {way: 'tracked', extra: 0};
		}
	} else {
		tracking?.giveUp();
	}

	// Once there are clones, no page is a process's own any more: who shares what with whom must be known before.
	const relatives = processes.length > 1 ? surveyAll(inheritedBy(processes), state.alone) : undefined;
	const made = Clones.make(processes, collection.snapshot);
	if (typeof made === 'string') {
		settleFlags(processes, tracking !== undefined);
		return made;
	}

	using clones = made;
	endInjection(state);
	settleFlags(
		processes.filter(({process, vmas}) => !isInherited(vmas, clones.of(process).pid)),
		tracking !== undefined,
	);
	const rest = await copyPages(state, surveyAll(apart(processes), state.alone, tracking), outbox, breathe);
	release();
	rest();
	clones.volunteer();
	try {
		settleFlags(processes, false, ({process}) => clones.of(process).pid);
		const surveyed =
			relatives?.map((one) => ({...one, from: clones.of(one.process)})) ??
			inheritedBy(processes).map((one) => survey(one, clones.of(one.process), false, tracking));
		const ofClones = await copyPages(state, surveyed, outbox, breathe);
		ofClones();
		const extra = clones.extraBytes();
		clones.check();
		return {way: 'cloned', extra};
	} catch (error) {
		clones.check();
		throw error;
	}
}

/** Was it one process all the time, to which nothing writes but through its page tables? */
const mayFollow = ({processes, collection}: CapturedState): boolean =>
	processes.length === 1 && !collection.snapshot.description.some(({status}) => status & O_DIRECT);

const O_DIRECT = 0o40000;

async function copyLittle(
	state: CapturedState,
	surveyed: readonly Surveyed[],
	release: () => void,
	outbox: MemoryOutbox,
	breathe: Breathe,
): Promise<void> {
	endInjection(state);
	const rest = await copyPages(state, surveyed, outbox, breathe);
	release();
	rest();
	for (const {process, vmas} of state.processes) {
		if (process.assumed) {
			confirm(vmas, readSmaps(process.pid, true));
		}
	}
}

const settleFlags = (
	processes: readonly CapturedProcess[],
	tracked: boolean,
	pidOf = ({process}: CapturedProcess): Pid => process.pid,
): void => {
	for (const captured of processes.filter(({process}) => process.assumed)) {
		settle(captured.vmas, readSmaps(pidOf(captured), tracked));
	}
};

const isApart = ({row}: CapturedVma): boolean => (row.flags & constants.VMA_FLAG.DONTFORK) !== 0;

/** With the mappings that a clone has. */
const inheritedBy = (processes: readonly CapturedProcess[]): CapturedProcess[] =>
	processes.map(({process, vmas}) => ({process, vmas: vmas.filter((vma) => !isApart(vma))}));

/** With those that it has not, if any: they were excepted by MADV_DONTFORK. */
const apart = (processes: readonly CapturedProcess[]): CapturedProcess[] =>
	processes.map(({process, vmas}) => ({process, vmas: vmas.filter(isApart)})).filter(({vmas}) => vmas.length > 0);
