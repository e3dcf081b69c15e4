import type {RowOf} from '../../builder/format/schema.js';
import type {ProcessMemory} from '../sys/memory.js';
import {cpuid} from '../sys/native.js';
import {tryReadProc} from '../sys/procfs.js';
import {addr, type Pid} from '../sys/types.js';
import {boundFeatures, type CpuFeature, cpuFeatures, featuresIn, glibcFeatures} from './cpu-features.js';
import type {Mapping} from './parse/smaps.js';
import {componentsInUse} from './xstate.js';

/** Libraries known to ask the processor themselves, and to keep what they chose. */
const dispatchers =
	/\/(lib(crypto|gcrypt|gnutls|nettle|hogweed|openblas|mkl|blis|jvm|node|x26[45]|avcodec|dav1d|vpx|z-ng|sodium)|_multiarray_umath|_simd)[^/]*\.so/;
const GO_BUILD_INFO = Buffer.from('\xff Go buildinf:', 'latin1');
const LARGEST_DATA = 1 << 20;

/** State components that only programs using the feature have. */
const componentNeeds: readonly (readonly [component: number, feature: string])[] = [
	[2, 'avx'],
	[5, 'avx512f'],
	[6, 'avx512f'],
	[7, 'avx512f'],
	[17, 'amx_tile'],
	[18, 'amx_tile'],
];

/**
 * What the program was bound to when it started: it would die of SIGILL where that is missing. Code made at run time, Go, and libraries
 * that choose by themselves may have taken anything this processor has. Forked processes that map the same code were bound together.
 */
export class CpuNeeds {
	readonly #known = new Map<string, readonly CpuFeature[]>();

	of(
		process: {readonly pid: Pid; readonly mappings: readonly Mapping[]; readonly memory: ProcessMemory},
		xstates: readonly Uint8Array[],
		isResident: (mapping: Mapping) => boolean,
	): RowOf<'cpu_need'>[] {
		const {pid, mappings, memory} = process;
		const code = mappings.filter(({execute}) => execute).map(({start, end, path}) => `${start} ${end} ${path}`);
		// Differs between any two executions: it holds the address of random bytes, and where all was loaded.
		const key = `${tryReadProc(`/proc/${pid}/auxv`)?.toString('latin1')}\n${code.join('\n')}`;
		const here = featuresIn(cpuFeatures, (leaf, subleaf) => cpuid(leaf, subleaf));
		let wanted = this.#known.get(key);
		if (!wanted) {
			wanted = choosesItself(mappings, memory, isResident) ? here : boundByLibc(mappings, memory, here);
			this.#known.set(key, wanted);
		}

		return rowsOf(wanted, xstates, here);
	}
}

function rowsOf(
	wanted: readonly CpuFeature[],
	xstates: readonly Uint8Array[],
	here: readonly CpuFeature[],
): RowOf<'cpu_need'>[] {
	const used = xstates.reduce((mask, xstate) => mask | componentsInUse(Buffer.from(xstate)), 0n);
	const byState = componentNeeds
		.filter(([component]) => used & (1n << BigInt(component)))
		.map(([, name]) => here.find((feature) => feature.name === name));
	return [...new Set([...wanted, ...byState])]
		.filter((feature) => feature !== undefined)
		.map(({leaf, subleaf, reg, bit, name}) => ({leaf, subleaf, reg, bit, name}));
}

function boundByLibc(
	mappings: readonly Mapping[],
	memory: ProcessMemory,
	here: readonly CpuFeature[],
): readonly CpuFeature[] {
	const loader = mappings.find((mapping) => /\/ld-linux[^/]*$|\/ld-2[^/]*\.so$/.test(mapping.path))?.path;
	const executable = mappings.find((mapping) => mapping.execute && mapping.path.startsWith('/'))?.path;
	const [leaf1, leaf7] = [cpuid(1, 0), cpuid(7, 0)];
	for (const data of dataOf(mappings, memory, loader ?? executable)) {
		const active = glibcFeatures(data, leaf1, leaf7);
		if (active) {
			const glibc = cpuFeatures.filter((feature) => feature.glibc);
			return boundFeatures(featuresIn(glibc, active));
		}
	}

	// A dynamic loader that hides its choice may have taken anything; a static program without glibc has chosen nothing.
	return loader === undefined ? [] : here.filter((feature) => feature.glibc);
}

/** Data of a file's image: what has been written since it was mapped, relocated constants included, and the .bss behind it. */
function* dataOf(mappings: readonly Mapping[], memory: ProcessMemory, path: string | undefined): Generator<Buffer> {
	for (const [i, mapping] of mappings.entries()) {
		const behind = mappings[i - 1];
		const isBss = mapping.path === '' && behind?.path === path && behind?.end === mapping.start;
		if ((mapping.path === path || isBss) && mapping.read && !mapping.execute) {
			const data = memory.tryRead(addr(mapping.start), Math.min(Number(mapping.end - mapping.start), LARGEST_DATA));
			if (data) {
				yield data;
			}
		}
	}
}

function choosesItself(
	mappings: readonly Mapping[],
	memory: ProcessMemory,
	isResident: (mapping: Mapping) => boolean,
): boolean {
	return (
		mappings.some(
			(mapping) => mapping.execute && (mapping.path === '' || mapping.path.startsWith('[anon')) && !isResident(mapping),
		) ||
		mappings.some((mapping) => mapping.execute && dispatchers.test(mapping.path)) ||
		isGo(mappings, memory)
	);
}

/** The linker puts the build information at the start of a Go program's data. */
function isGo(mappings: readonly Mapping[], memory: ProcessMemory): boolean {
	const executable = mappings.find((mapping) => mapping.execute && mapping.path.startsWith('/'))?.path;
	return mappings
		.filter((mapping) => mapping.path === executable && mapping.read && !mapping.execute)
		.some((mapping) => {
			const length = Math.min(Number(mapping.end - mapping.start), 1 << 16);
			return memory.tryRead(addr(mapping.start), length)?.includes(GO_BUILD_INFO) ?? false;
		});
}
