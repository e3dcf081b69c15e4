import {hostname, release} from 'node:os';
import type {RowOf} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import {xgetbv} from '../sys/native.js';
import {tryReadProcText} from '../sys/procfs.js';
import {PAGE_SIZE, type Pid} from '../sys/types.js';

/** Offsets of the clocks in the time namespace of a process, nanoseconds. */
function clockOffsets(pid: Pid | 'self'): Map<string, bigint> {
	const found = new Map<string, bigint>();
	for (const row of (tryReadProcText(`/proc/${pid}/timens_offsets`) ?? '').split('\n')) {
		const [name, seconds, nanoseconds] = row.trim().split(/\s+/);
		if (name && seconds && nanoseconds) {
			found.set(name, BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds));
		}
	}

	return found;
}

/** What does not change while we live: read once, before anything is stopped. */
function readMachine() {
	return {
		xcr0: xgetbv(),
		page_size: PAGE_SIZE,
		hostname: hostname(),
		kernel: release(),
		boot_id: (tryReadProcText('/proc/sys/kernel/random/boot_id') ?? '').trim(),
		cpu: /^model name\s*: (.*)$/m.exec(tryReadProcText('/proc/cpuinfo') ?? '')?.[1] ?? '',
	};
}

let machine: ReturnType<typeof readMachine> | undefined;

export function machineRow(pid: Pid, version: string): RowOf<'machine'> {
	machine ??= readMachine();
	const own = clockOffsets('self');
	const theirs = clockOffsets(pid);
	const shift = (name: string) => (theirs.get(name) ?? 0n) - (own.get(name) ?? 0n);
	return {
		realtime_ns: clockNow(CLOCK.REALTIME),
		monotonic_ns: clockNow(CLOCK.MONOTONIC) + shift('monotonic'),
		boottime_ns: clockNow(CLOCK.BOOTTIME) + shift('boottime'),
		...machine,
		root_task: 0,
		frore_version: version,
	};
}
