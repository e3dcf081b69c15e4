import {constants} from '../../builder/format/schema.js';
import type {Pid} from '../sys/types.js';
import {Clones} from './clones.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import {type Breathe, copyPages, endInjection, type MemoryOutbox, survey, surveyAll} from './copy.js';
import {isInherited, readSmaps, settle} from './earlier-mappings.js';
import type {CapturedVma} from './vmas.js';

/**
 * `--live`: one copy-on-write clone of each process is made while the whole tree is stopped, and memory is copied from the clones after the
 * release. Returns the bytes that were held twice in the end; or why it cannot be done: then nothing has happened.
 */
export async function copyLive(
	state: CapturedState,
	release: () => void,
	outbox: MemoryOutbox,
	breathe: Breathe,
): Promise<number | string> {
	const {processes, collection} = state;
	// Once there are clones, no page is a process's own any more: who shares what with whom must be known before.
	const relatives = processes.length > 1 ? surveyAll(inheritedBy(processes), state.alone) : undefined;
	const made = Clones.make(processes, collection.snapshot);
	if (typeof made === 'string') {
		settleFlags(processes);
		return made;
	}

	using clones = made;
	endInjection(state);
	settleFlags(processes.filter(({process, vmas}) => !isInherited(vmas, clones.of(process).pid)));
	const rest = await copyPages(state, surveyAll(apart(processes), state.alone), outbox, breathe);
	release();
	rest();
	clones.volunteer();
	try {
		settleFlags(processes, ({process}) => clones.of(process).pid);
		const surveyed =
			relatives?.map((one) => ({...one, from: clones.of(one.process)})) ??
			inheritedBy(processes).map((one) => survey(one, clones.of(one.process), false));
		const ofClones = await copyPages(state, surveyed, outbox, breathe);
		ofClones();
		const extra = clones.extraBytes();
		clones.check();
		return extra;
	} catch (error) {
		clones.check();
		throw error;
	}
}

const settleFlags = (
	processes: readonly CapturedProcess[],
	pidOf = ({process}: CapturedProcess): Pid => process.pid,
): void => {
	for (const captured of processes.filter(({process}) => process.assumed)) {
		settle(captured.vmas, readSmaps(pidOf(captured)));
	}
};

const isApart = ({row}: CapturedVma): boolean => (row.flags & constants.VMA_FLAG.DONTFORK) !== 0;

/** With the mappings that a clone has. */
const inheritedBy = (processes: readonly CapturedProcess[]): CapturedProcess[] =>
	processes.map(({process, vmas}) => ({process, vmas: vmas.filter((vma) => !isApart(vma))}));

/** With those that it has not, if any: they were excepted by MADV_DONTFORK. */
const apart = (processes: readonly CapturedProcess[]): CapturedProcess[] =>
	processes.map(({process, vmas}) => ({process, vmas: vmas.filter(isApart)})).filter(({vmas}) => vmas.length > 0);
