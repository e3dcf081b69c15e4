import type {ProcessMemory} from '../sys/memory.js';
import {addr, type RemoteAddr} from '../sys/types.js';
import {refusal} from './errors.js';
import type {Mapping} from './parse/smaps.js';

const SYSCALL = Buffer.from([0x0f, 0x05]);
const CHUNK = 1 << 16;

/** The first injected call needs a `syscall` instruction that is in the target already: the vdso has some, else any program text. */
export function findSyscallInstruction(mappings: readonly Mapping[], memory: ProcessMemory): RemoteAddr {
	const candidates = mappings.filter((mapping) => mapping.execute && mapping.path !== '[vsyscall]');
	candidates.sort((a, b) => Number(b.path === '[vdso]') - Number(a.path === '[vdso]'));
	for (const mapping of candidates) {
		for (let at = mapping.start; at < mapping.end; at += BigInt(CHUNK)) {
			const length = Math.min(CHUNK, Number(mapping.end - at));
			const offset = memory.tryRead(addr(at), length)?.indexOf(SYSCALL) ?? -1;
			if (offset >= 0) {
				return addr(at + BigInt(offset));
			}
		}
	}

	throw refusal(
		'no-syscall',
		'cannot freeze: the program holds no system call instruction that its state could be asked through',
	);
}
