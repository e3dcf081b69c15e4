import {rawSyscall, syscall} from './libc.js';
import {nr} from './nr.js';
import type {Tid} from './types.js';

/** CPU mask of a thread as the kernel gives it (a multiple of 8 bytes). tid 0: the calling thread. */
export function getAffinity(tid: Tid | 0): Buffer {
	const buffer = Buffer.alloc(1024);
	const length = syscall('sched_getaffinity', `of thread ${tid}`, nr.sched_getaffinity, tid, buffer.length, buffer);
	return Buffer.from(buffer.subarray(0, length));
}

/** 0 or -errno. */
export const trySetAffinity = (tid: Tid | 0, mask: Uint8Array): number =>
	rawSyscall(nr.sched_setaffinity, tid, mask.length, mask);

/** A mask with one CPU. */
export function maskOf(cpu: number, length: number): Buffer {
	const mask = Buffer.alloc(length);
	mask[cpu >> 3] = 1 << (cpu & 7);
	return mask;
}

/** A CPU that is in both masks. */
export function commonCpu(a: Uint8Array, b: Uint8Array): number | undefined {
	for (let i = 0; i < Math.min(a.length, b.length); i++) {
		const both = (a[i] ?? 0) & (b[i] ?? 0);
		if (both) {
			return i * 8 + (31 - Math.clz32(both & -both));
		}
	}

	return undefined;
}

export interface SchedAttributes {
	readonly policy: number;
	readonly flags: bigint;
	readonly nice: number;
	readonly priority: number;
	readonly runtime: bigint;
	readonly deadline: bigint;
	readonly period: bigint;
}

/** struct sched_attr as sched_getattr(2) fills it. */
export const schedAttributes = (view: DataView, at: number): SchedAttributes => ({
	policy: view.getUint32(at + 4, true),
	flags: view.getBigUint64(at + 8, true),
	nice: view.getInt32(at + 16, true),
	priority: view.getUint32(at + 20, true),
	runtime: view.getBigUint64(at + 24, true),
	deadline: view.getBigUint64(at + 32, true),
	period: view.getBigUint64(at + 40, true),
});
