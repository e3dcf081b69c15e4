import {errno, SysError} from './errno.js';
import {addressOf, rawSyscall, syscall} from './libc.js';
import {nr} from './nr.js';
import type {Pid, Tid} from './types.js';

/**
 * ptrace(2), typed. A tracer is one thread: everything here must be called on the thread that seized.
 * Functions throw SysError; names beginning with `try` report failure in their result.
 */
export const request = {
	CONT: 7,
	DETACH: 17,
	SYSCALL: 24,
	SETOPTIONS: 0x4200,
	GETEVENTMSG: 0x4201,
	GETREGSET: 0x4204,
	SETREGSET: 0x4205,
	INTERRUPT: 0x4207,
	PEEKSIGINFO: 0x4209,
	SETSIGMASK: 0x420b,
} as const;

export const option = {
	SYSGOOD: 1,
	FORK: 2,
	VFORK: 4,
	CLONE: 8,
	EXEC: 16,
	EXITKILL: 0x100000,
	SUSPEND_SECCOMP: 0x200000,
} as const;
export const event = {FORK: 1, VFORK: 2, CLONE: 3, EXEC: 4, STOP: 128} as const;

const NT_PRSTATUS = 1;
const SIGINFO_SIZE = 128;

const ptrace = (
	name: string,
	req: number,
	tid: number,
	address: number | bigint,
	data: number | bigint | Uint8Array | BigUint64Array,
): number => syscall(`ptrace(${name})`, `of thread ${tid}`, nr.ptrace, req, tid, address, data);

export const interrupt = (tid: Tid): void => void ptrace('INTERRUPT', request.INTERRUPT, tid, 0, 0);
export const cont = (tid: Tid, signal = 0): void => void ptrace('CONT', request.CONT, tid, 0, signal);
/** Replaces the options of a stopped tracee. */
export const setOptions = (tid: Tid, options: number): void =>
	void ptrace('SETOPTIONS', request.SETOPTIONS, tid, 0, options);
export const contToSyscall = (tid: Tid, signal = 0): void => void ptrace('SYSCALL', request.SYSCALL, tid, 0, signal);
/** False when the thread is gone or not stopped. */
export const tryDetach = (tid: Tid, signal = 0): boolean => rawSyscall(nr.ptrace, request.DETACH, tid, 0, signal) === 0;

export function eventMessage(tid: Tid): number {
	const value = Buffer.alloc(8);
	ptrace('GETEVENTMSG', request.GETEVENTMSG, tid, 0, value);
	return Number(value.readBigUInt64LE());
}

const regset = (name: string, req: number, tid: Tid, type: number, buffer: Uint8Array): number => {
	const iov = new BigUint64Array([addressOf(buffer), BigInt(buffer.length)]);
	ptrace(name, req, tid, type, iov);
	return Number(iov[1]);
};

/** struct user_regs_struct, 216 bytes. */
export function getRegisters(tid: Tid): Buffer {
	const buffer = Buffer.alloc(216);
	const length = regset('GETREGSET', request.GETREGSET, tid, NT_PRSTATUS, buffer);
	if (length !== 216) {
		throw new SysError('ptrace(GETREGSET): 32-bit registers', errno.EINVAL, `of thread ${tid}`);
	}

	return buffer;
}

export const setRegisters = (tid: Tid, registers: Uint8Array): void =>
	void regset('SETREGSET', request.SETREGSET, tid, NT_PRSTATUS, registers);

export function setSignalMask(tid: Tid, mask: bigint): void {
	const buffer = Buffer.alloc(8);
	buffer.writeBigUInt64LE(mask);
	ptrace('SETSIGMASK', request.SETSIGMASK, tid, 8, buffer);
}

/** Pending signals in the order of their queue, 128 bytes each. `shared`: those of the process instead of the thread's own. */
export function peekSignals(tid: Tid, shared: boolean): Buffer[] {
	const batch = 32;
	const found: Buffer[] = [];
	for (;;) {
		const argument = Buffer.alloc(16);
		argument.writeBigUInt64LE(BigInt(found.length), 0);
		argument.writeUInt32LE(shared ? 1 : 0, 8);
		argument.writeInt32LE(batch, 12);
		const out = Buffer.alloc(batch * SIGINFO_SIZE);
		const count = syscall(
			'ptrace(PEEKSIGINFO)',
			`of thread ${tid}`,
			nr.ptrace,
			request.PEEKSIGINFO,
			tid,
			argument,
			out,
		);
		for (let i = 0; i < count; i++) {
			found.push(Buffer.from(out.subarray(i * SIGINFO_SIZE, (i + 1) * SIGINFO_SIZE)));
		}

		if (count < batch) {
			return found;
		}
	}
}

/** What wait4 told about a tracee. */
export type WaitResult =
	| {readonly kind: 'nothing'}
	| {readonly kind: 'gone'; readonly tid: Tid; readonly status: number}
	| {
			readonly kind: 'stop';
			readonly tid: Tid;
			readonly signal: number;
			readonly event: number;
			readonly syscall: boolean;
	  };

const WNOHANG = 1;
const WALL = 0x40000000;
const status = new Int32Array(1);
const statusBytes = new Uint8Array(status.buffer);

/** tid -1: any child or tracee. */
export function wait(tid: Tid | -1, block: boolean): WaitResult {
	let result = rawSyscall(nr.wait4, tid, statusBytes, WALL | (block ? 0 : WNOHANG), 0);
	while (result === -errno.EINTR) {
		result = rawSyscall(nr.wait4, tid, statusBytes, WALL | (block ? 0 : WNOHANG), 0);
	}

	if (result === 0) {
		return {kind: 'nothing'};
	}

	if (result < 0) {
		if (result === -errno.ECHILD && tid !== -1) {
			return {kind: 'gone', tid, status: 0};
		}

		throw new SysError('wait4', -result, `for thread ${tid}`);
	}

	return waitResult(result as Tid, status[0] ?? 0);
}

/** What a status of wait4 means. */
export function waitResult(tid: Tid, value: number): WaitResult {
	if ((value & 0xff) !== 0x7f) {
		return {kind: 'gone', tid, status: value};
	}

	const signal = (value >> 8) & 0xff;
	return {
		kind: 'stop',
		tid,
		signal: signal & 0x7f,
		event: value >> 16,
		syscall: value >> 16 === 0 && signal === 0x85,
	};
}

/** Kills without a trace; for copies of ours, never for the target. */
export const sendSignal = (pid: Pid | Tid, signal: number): number => rawSyscall(nr.kill, pid, signal);

/** To one thread; 0 or -errno. */
export const sendThreadSignal = (pid: Pid, tid: Tid, signal: number): number => rawSyscall(nr.tgkill, pid, tid, signal);
