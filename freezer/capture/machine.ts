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

export function machineRow(pid: Pid, version: string): RowOf<'machine'> {
	const own = clockOffsets('self');
	const theirs = clockOffsets(pid);
	const shift = (name: string) => (theirs.get(name) ?? 0n) - (own.get(name) ?? 0n);
	return {
		realtime_ns: clockNow(CLOCK.REALTIME),
		monotonic_ns: clockNow(CLOCK.MONOTONIC) + shift('monotonic'),
		boottime_ns: clockNow(CLOCK.BOOTTIME) + shift('boottime'),
		xcr0: xgetbv(),
		page_size: PAGE_SIZE,
		root_task: 0,
		hostname: hostname(),
		kernel: release(),
		boot_id: (tryReadProcText('/proc/sys/kernel/random/boot_id') ?? '').trim(),
		frore_version: version,
		cpu: /^model name\s*: (.*)$/m.exec(tryReadProcText('/proc/cpuinfo') ?? '')?.[1] ?? '',
	};
}
