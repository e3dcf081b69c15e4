import koffi from 'koffi';
import {SysError} from './errno.js';

/**
 * The one door to the kernel: system calls by number. The only file that imports koffi.
 * Buffers are passed by address; the caller's frame keeps them alive for the duration of the call.
 * ptrace and wait belong to the calling thread, so every call is synchronous.
 */
export type SyscallArgument = number | bigint | Uint8Array | BigUint64Array | null;

const libc = koffi.load('libc.so.6');
const syscallFunction = libc.func('syscall', 'long', [
	'long',
	'uintptr_t',
	'uintptr_t',
	'uintptr_t',
	'uintptr_t',
	'uintptr_t',
	'uintptr_t',
]) as (...args: (number | bigint)[]) => number | bigint;

const toWord = (value: SyscallArgument | undefined): number | bigint => {
	if (value === undefined || value === null) {
		return 0;
	}

	if (typeof value === 'bigint') {
		return BigInt.asUintN(64, value);
	}

	if (typeof value === 'number') {
		return value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
	}

	return value.byteLength === 0 ? 0 : koffi.address(value);
};

/** Address of a buffer of ours, for structures that hold pointers. The buffer must stay referenced while the kernel uses it. */
export const addressOf = (buffer: Uint8Array | BigUint64Array): bigint => BigInt(koffi.address(buffer));

/** Raw call: the result, or -errno. Results beyond 2^53 do not occur in what we call. */
export function rawSyscall(
	nr: number,
	a?: SyscallArgument,
	b?: SyscallArgument,
	c?: SyscallArgument,
	d?: SyscallArgument,
	e?: SyscallArgument,
	f?: SyscallArgument,
): number {
	const result = Number(syscallFunction(nr, toWord(a), toWord(b), toWord(c), toWord(d), toWord(e), toWord(f)));
	return result === -1 ? -koffi.errno() : result;
}

/** Call that throws SysError; `name` and `target` word the error. */
export function syscall(name: string, target: string, nr: number, ...args: SyscallArgument[]): number {
	const result = rawSyscall(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (result < 0 && result >= -4095) {
		throw new SysError(name, -result, target);
	}

	return result;
}
