import {emptySnapshot} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import type {Pid} from '../sys/types.js';
import {type EarlierMappings, nothingEarlier} from './earlier-mappings.js';
import {ProcFiles} from './proc-files.js';
import {ProcessCapture} from './process-capture.js';
import {observeSleepers} from './sleep.js';
import {deadlineIn, StoppedProcess} from './stop.js';

/**
 * Stops a process for a moment, for calls that it makes for us.
 * @param patience seconds until it must have stopped
 */
export function visit<T>(
	pid: Pid,
	patience: number,
	during: (process: ProcessCapture) => T,
	earlier: EarlierMappings = nothingEarlier,
): T {
	const sleepers = observeSleepers([pid]);
	using stopped = StoppedProcess.stop(pid, deadlineIn(patience));
	const files = new ProcFiles(stopped.leader.tid as unknown as Pid);
	const process = new ProcessCapture(emptySnapshot(), stopped, files, sleepers, clockNow(CLOCK.MONOTONIC), earlier);
	try {
		process.inquire();
		process.settleRegisters();
		return during(process);
	} finally {
		process.inject.finish();
		stopped.pendingStopSignal = process.inject.stopSignal;
		process.close();
	}
}
