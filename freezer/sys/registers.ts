/** struct user_regs_struct of x86-64 by name: offsets in bytes. */
export const registerOffset = {
	r15: 0,
	r14: 8,
	r13: 16,
	r12: 24,
	rbp: 32,
	rbx: 40,
	r11: 48,
	r10: 56,
	r9: 64,
	r8: 72,
	rax: 80,
	rcx: 88,
	rdx: 96,
	rsi: 104,
	rdi: 112,
	orig_rax: 120,
	rip: 128,
	cs: 136,
	eflags: 144,
	rsp: 152,
	ss: 160,
	fs_base: 168,
	gs_base: 176,
	ds: 184,
	es: 192,
	fs: 200,
	gs: 208,
} as const;

export type RegisterName = keyof typeof registerOffset;

/** Argument registers of a system call, in order. */
export const argumentRegisters = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const satisfies readonly RegisterName[];

/** For 64-bit numbers, at a tenth of what Buffer takes: it puts each together from halves. */
export const wordsOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A mutable view of a register block. */
export class Registers {
	readonly #words: DataView;

	constructor(readonly bytes: Buffer) {
		this.#words = wordsOf(bytes);
	}

	get(name: RegisterName): bigint {
		return this.#words.getBigUint64(registerOffset[name], true);
	}

	/** Sign-extended. */
	signed(name: RegisterName): bigint {
		return this.#words.getBigInt64(registerOffset[name], true);
	}

	set(name: RegisterName, value: bigint | number): void {
		this.#words.setBigInt64(registerOffset[name], BigInt(value), true);
	}

	copy(): Registers {
		return new Registers(Buffer.from(this.bytes));
	}
}
