import {constants} from '../../builder/format/schema.js';
import {Clones} from './clones.js';
import type {CapturedProcess, CapturedState} from './collect.js';
import {type Breathe, copyPages, endInjection, type MemoryOutbox, survey, surveyAll} from './copy.js';

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
	const inherited = processes.map((captured) => part(captured, true));
	// Once there are clones, no page is a process's own any more: who shares what with whom must be known before.
	const relatives = processes.length > 1 ? surveyAll(inherited) : undefined;
	const made = Clones.make(processes, collection.snapshot);
	if (typeof made === 'string') {
		return made;
	}

	using clones = made;
	endInjection(state);
	const apart = processes.map((captured) => part(captured, false)).filter(({vmas}) => vmas.length > 0);
	await copyPages(state, surveyAll(apart), outbox, breathe);
	release();
	clones.volunteer();
	const surveyed = relatives
		? relatives.map((one) => ({...one, from: clones.of(one.process)}))
		: inherited.map((one) => survey(one, clones.of(one.process), false));
	try {
		await copyPages(state, surveyed, outbox, breathe);
		const extra = clones.extraBytes();
		clones.check();
		return extra;
	} catch (error) {
		clones.check();
		throw error;
	}
}

/** The mappings that a clone has, or those that it has not: they were excepted by MADV_DONTFORK. */
const part = ({process, vmas}: CapturedProcess, inherited: boolean): CapturedProcess => ({
	process,
	vmas: vmas.filter(({row}) => ((row.flags & constants.VMA_FLAG.DONTFORK) === 0) === inherited),
});
