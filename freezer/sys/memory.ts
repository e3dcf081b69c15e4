import {closeSync, constants, openSync, readSync, writeSync} from 'node:fs';
import {errno, SysError} from './errno.js';
import {addressOf, rawSyscall} from './libc.js';
import {nr} from './nr.js';
import type {Pid, RemoteAddr} from './types.js';

/** The memory of a stopped process: reads by process_vm_readv, writes through /proc/PID/mem (which ignores protection). */
export class ProcessMemory {
	readonly #local = new BigUint64Array(2);
	readonly #remote = new BigUint64Array(2);
	#mem: number | undefined;

	constructor(readonly pid: Pid) {}

	/** Reads what is readable from the start; returns the number of bytes. */
	readInto(address: RemoteAddr, buffer: Uint8Array): number {
		if (buffer.length === 0) {
			return 0;
		}

		this.#local[0] = addressOf(buffer);
		this.#local[1] = BigInt(buffer.length);
		this.#remote[0] = address;
		this.#remote[1] = BigInt(buffer.length);
		const result = rawSyscall(nr.process_vm_readv, this.pid, this.#local, 1, this.#remote, 1, 0);
		if (result < 0 && result !== -errno.EFAULT) {
			throw new SysError('process_vm_readv', -result, `of process ${this.pid}`);
		}

		return Math.max(result, 0);
	}

	read(address: RemoteAddr, length: number): Buffer {
		const buffer = Buffer.allocUnsafe(length);
		let done = 0;
		while (done < length) {
			const count = this.readInto((address + BigInt(done)) as RemoteAddr, buffer.subarray(done));
			if (count === 0) {
				throw new SysError('process_vm_readv', errno.EFAULT, `of process ${this.pid} at 0x${address.toString(16)}`);
			}

			done += count;
		}

		return buffer;
	}

	/** Undefined when the bytes are not readable. */
	tryRead(address: RemoteAddr, length: number): Buffer | undefined {
		const buffer = Buffer.allocUnsafe(length);
		return this.readInto(address, buffer) === length ? buffer : undefined;
	}

	/** Like readInto, but through /proc/PID/mem, which ignores page protection. */
	readForced(address: RemoteAddr, buffer: Uint8Array): number {
		try {
			return readSync(this.#open(), buffer, 0, buffer.length, address);
		} catch {
			return 0;
		}
	}

	write(address: RemoteAddr, bytes: Uint8Array): void {
		writeSync(this.#open(), bytes, 0, bytes.length, Number(address));
	}

	/** Of /proc/PID/mem, open for both. */
	get descriptor(): number {
		return this.#open();
	}

	#open(): number {
		this.#mem ??= openSync(`/proc/${this.pid}/mem`, constants.O_RDWR);
		return this.#mem;
	}

	close(): void {
		if (this.#mem !== undefined) {
			closeSync(this.#mem);
			this.#mem = undefined;
		}
	}
}

/** False when the kernel refuses ptrace access to the process; asked in a way that leaves no trace. */
export function mayAttach(pid: Pid): boolean {
	const byte = Buffer.alloc(1);
	const local = new BigUint64Array([addressOf(byte), 1n]);
	const remote = new BigUint64Array([0n, 1n]);
	return rawSyscall(nr.process_vm_readv, pid, local, 1, remote, 1, 0) !== -errno.EPERM;
}
