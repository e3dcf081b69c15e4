/** Processor features that compiled code selects on, by where CPUID shows them. Names as in /proc/cpuinfo. */
export interface CpuFeature {
	readonly name: string;
	readonly leaf: number;
	readonly subleaf: number;
	/** 0 EAX, 1 EBX, 2 ECX, 3 EDX. */
	readonly reg: number;
	readonly bit: number;
	/** True when glibc chooses functions by it; the others matter to programs that ask the processor themselves. */
	readonly glibc: boolean;
}

type Names = Readonly<Record<number, string>>;

const register = (leaf: number, subleaf: number, reg: number, glibc: Names, others: Names): CpuFeature[] => [
	...Object.entries(glibc).map(([bit, name]) => ({name, leaf, subleaf, reg, bit: Number(bit), glibc: true})),
	...Object.entries(others).map(([bit, name]) => ({name, leaf, subleaf, reg, bit: Number(bit), glibc: false})),
];

export const LEAF_EXTENDED = 0x8000_0001;

export const cpuFeatures: readonly CpuFeature[] = [
	...register(
		1,
		0,
		2,
		{
			0: 'pni',
			9: 'ssse3',
			12: 'fma',
			19: 'sse4_1',
			20: 'sse4_2',
			22: 'movbe',
			23: 'popcnt',
			26: 'xsave',
			28: 'avx',
			29: 'f16c',
		},
		{1: 'pclmulqdq', 13: 'cx16', 25: 'aes', 30: 'rdrand'},
	),
	...register(
		7,
		0,
		1,
		{3: 'bmi1', 5: 'avx2', 8: 'bmi2', 11: 'rtm', 16: 'avx512f', 17: 'avx512dq', 30: 'avx512bw', 31: 'avx512vl'},
		{18: 'rdseed', 19: 'adx', 21: 'avx512ifma', 23: 'clflushopt', 24: 'clwb', 28: 'avx512cd', 29: 'sha_ni'},
	),
	...register(
		7,
		0,
		2,
		{},
		{
			1: 'avx512vbmi',
			6: 'avx512_vbmi2',
			8: 'gfni',
			9: 'vaes',
			10: 'vpclmulqdq',
			11: 'avx512_vnni',
			12: 'avx512_bitalg',
			14: 'avx512_vpopcntdq',
		},
	),
	...register(7, 0, 3, {}, {22: 'amx_bf16', 23: 'avx512_fp16', 24: 'amx_tile', 25: 'amx_int8'}),
	...register(7, 1, 0, {}, {4: 'avx_vnni', 5: 'avx512_bf16'}),
	...register(0xd, 1, 0, {1: 'xsavec'}, {}),
	...register(LEAF_EXTENDED, 0, 2, {5: 'abm'}, {0: 'lahf_lm', 8: '3dnowprefetch'}),
	...register(LEAF_EXTENDED, 0, 3, {}, {27: 'rdtscp'}),
];

/** The features whose bits are set in what `registers` gives for a leaf. */
export const featuresIn = (
	candidates: readonly CpuFeature[],
	registers: (leaf: number, subleaf: number) => readonly number[] | undefined,
): CpuFeature[] =>
	candidates.filter((feature) => ((registers(feature.leaf, feature.subleaf)?.[feature.reg] ?? 0) >>> feature.bit) & 1);

/** Order of struct cpu_features.features in glibc (sysdeps/x86/include/cpu-features.h, 2.33 and later). */
const glibcLeaves: readonly (readonly [leaf: number, subleaf: number])[] = [
	[1, 0],
	[7, 0],
	[LEAF_EXTENDED, 0],
	[0xd, 1],
];

/** CPUID registers and active registers of one leaf: 4 + 4 words. */
const ENTRY = 32;

/**
 * What glibc found usable when the program started, after GLIBC_TUNABLES: found in ld.so's or the static program's data by the raw
 * registers of leaves 1 and 7, behind each of which stand the active bits. Undefined when it is not there.
 */
export function glibcFeatures(
	data: Buffer,
	leaf1: readonly number[],
	leaf7: readonly number[],
): ((leaf: number, subleaf: number) => number[] | undefined) | undefined {
	const pattern = Buffer.alloc(16);
	for (const [i, word] of leaf7.entries()) {
		pattern.writeUInt32LE(word >>> 0, i * 4);
	}

	for (let at = data.indexOf(pattern, ENTRY); at >= 0; at = data.indexOf(pattern, at + 4)) {
		const first = at - ENTRY;
		const word = (offset: number) => data.readUInt32LE(offset);
		// EBX of leaf 1 names the CPU it was asked on.
		if (at % 4 === 0 && word(first) === (leaf1[0] ?? 0) >>> 0 && word(first + 12) === (leaf1[3] ?? 0) >>> 0) {
			return (leaf, subleaf) => {
				const index = glibcLeaves.findIndex(([l, s]) => l === leaf && s === subleaf);
				const active = first + index * ENTRY + 16;
				return index < 0 || active + 16 > data.length
					? undefined
					: [word(active), word(active + 4), word(active + 8), word(active + 12)];
			};
		}
	}

	return undefined;
}

/** What glibc's choices really rest on: of AVX-512 nothing without its foundation, and RTM only where the AVX2 string functions won. */
export function boundFeatures(active: readonly CpuFeature[]): CpuFeature[] {
	const has = (name: string) => active.some((feature) => feature.name === name);
	return active.filter(({name}) =>
		name.startsWith('avx512')
			? has('avx512f')
			: name === 'rtm'
				? has('avx2') && !(has('avx512vl') && has('avx512bw'))
				: true,
	);
}
