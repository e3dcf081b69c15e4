import {rawSyscall} from './libc.js';
import {nr} from './nr.js';

export const CLOCK = {REALTIME: 0, MONOTONIC: 1, BOOTTIME: 7} as const;

/** Nanoseconds of a clock. */
export function clockNow(clock: number): bigint {
	const buffer = Buffer.alloc(16);
	rawSyscall(nr.clock_gettime, clock, buffer);
	return buffer.readBigInt64LE(0) * 1_000_000_000n + buffer.readBigInt64LE(8);
}

/** Sleeps without returning to the event loop. */
export function sleepMicroseconds(us: number): void {
	const buffer = Buffer.alloc(16);
	buffer.writeBigInt64LE(BigInt(Math.floor(us / 1e6)), 0);
	buffer.writeBigInt64LE(BigInt(us % 1_000_000) * 1000n, 8);
	rawSyscall(nr.nanosleep, buffer, null);
}
