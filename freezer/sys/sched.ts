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

/** sched_getattr(2). */
export function getSchedAttributes(tid: Tid): SchedAttributes {
	const buffer = Buffer.alloc(56);
	syscall('sched_getattr', `of thread ${tid}`, nr.sched_getattr, tid, buffer, buffer.length, 0);
	return {
		policy: buffer.readUInt32LE(4),
		flags: buffer.readBigUInt64LE(8),
		nice: buffer.readInt32LE(16),
		priority: buffer.readUInt32LE(20),
		runtime: buffer.readBigUInt64LE(24),
		deadline: buffer.readBigUInt64LE(32),
		period: buffer.readBigUInt64LE(40),
	};
}

/** ioprio_get(2) of a thread; 0 when none was set. */
export const getIoPriority = (tid: Tid): number => Math.max(rawSyscall(nr.ioprio_get, 1, tid), 0);

export interface RobustList {
	readonly head: bigint;
	readonly length: bigint;
}

/** get_robust_list(2); undefined when the kernel refuses it. */
export function getRobustList(tid: Tid): RobustList | undefined {
	const head = Buffer.alloc(8);
	const length = Buffer.alloc(8);
	return rawSyscall(nr.get_robust_list, tid, head, length) === 0
		? {head: head.readBigUInt64LE(), length: length.readBigUInt64LE()}
		: undefined;
}
