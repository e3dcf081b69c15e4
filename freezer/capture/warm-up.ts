import {emptySnapshot} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import {pinTracer} from '../sys/inject.js';
import * as ptrace from '../sys/ptrace.js';
import {spawnInOwnGroup} from '../sys/spawn.js';
import type {Pid, Tid} from '../sys/types.js';
import {collectState} from './collect.js';
import {Collection} from './collection.js';
import {copyContents, copyMemory, type MemoryOutbox} from './copy.js';
import {nothingEarlier} from './earlier-mappings.js';
import {warmDescriptors} from './fd/warm.js';
import type {FreezeRequest} from './freeze.js';
import {copyLive} from './live.js';
import {observeSleepers} from './sleep.js';
import {StoppedTree} from './stopped-tree.js';
import {Stopwatch} from './stopwatch.js';

const SIGKILL = 9;
const ROUNDS = 1;

/**
 * Takes the whole way through a capture with a child of our own, so that the code is compiled before the target is stopped: cold, it
 * would stand still several times longer. Whatever goes wrong here does not matter.
 */
export async function warmUp(request: FreezeRequest): Promise<void> {
	const argv = ['sleep', '60'].map((text) => Buffer.from(`${text}\0`));
	let child: Pid;
	try {
		child = spawnInOwnGroup(argv, 0n, []);
	} catch {
		return;
	}

	try {
		warmDescriptors(ROUNDS);
		for (let round = 0; round < ROUNDS; round++) {
			await rehearse({...request, pid: child});
		}
	} catch {
		// The real capture will say what is wrong, if it meets the same.
	} finally {
		ptrace.sendSignal(child, SIGKILL);
		ptrace.wait(child as unknown as Tid, true);
	}
}

const nowhere: MemoryOutbox = {put: () => {}, mayWriteDirectly: () => false, directly: async () => {}};

async function rehearse(request: FreezeRequest): Promise<void> {
	pinTracer();
	const capture = {...request.capture, allow: new Set(['all'])};
	using collection = new Collection(emptySnapshot(), capture);
	const sleepers = observeSleepers([request.pid]);
	const stopped = StoppedTree.stop(request.pid, request.stopTimeout, request.children);
	collection.defer(() => stopped.release('continue'));
	const now = clockNow(CLOCK.MONOTONIC);
	const state = collectState(request, collection, stopped, sleepers, nothingEarlier, now, new Stopwatch());
	const release = () => stopped.release('continue');
	const breathe = async () => {};
	await copyContents(state, nowhere, breathe);
	if (!request.live || typeof (await copyLive(state, release, nowhere, breathe, undefined)) === 'string') {
		await copyMemory(state, nowhere, breathe, undefined);
	}

	release();
}
