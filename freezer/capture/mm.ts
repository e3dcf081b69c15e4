import type {RowOf} from '../../builder/format/schema.js';
import {NONE} from '../../builder/format/schema.js';
import type {ProcessMemory} from '../sys/memory.js';
import {nr} from '../sys/nr.js';
import {tryReadProcText} from '../sys/procfs.js';
import {addr, type Pid} from '../sys/types.js';
import {cleanVdso} from './code-room.js';
import type {Injector} from './context.js';
import type {Question} from './inquiry.js';
import type {Mapping} from './parse/smaps.js';
import type {Stat} from './parse/stat.js';
import type {ProcFiles} from './proc-files.js';

/** struct prctl_mm_map and the kernel's own mappings. `vmas` and `exe` are filled in later. */
export function mmRow(files: ProcFiles, stat: Stat, mappings: readonly Mapping[], memory: ProcessMemory): RowOf<'mm'> {
	const vdso = mappings.find((mapping) => mapping.path === '[vdso]');
	const vvar = mappings.filter((mapping) => mapping.path.startsWith('[vvar'));
	const vvarStart = vvar[0]?.start ?? 0n;
	return {
		start_code: stat.startCode,
		end_code: stat.endCode,
		start_data: stat.startData,
		end_data: stat.endData,
		start_brk: stat.startBrk,
		brk: stat.startBrk,
		start_stack: stat.startStack,
		arg_start: stat.argStart,
		arg_end: stat.argEnd,
		env_start: stat.envStart,
		env_end: stat.envEnd,
		vdso: vdso?.start ?? 0n,
		vdso_size: vdso ? vdso.end - vdso.start : 0n,
		vvar: vvarStart,
		vvar_size: vvar.length > 0 ? (vvar.at(-1)?.end ?? 0n) - vvarStart : 0n,
		exe: NONE,
		coredump_filter: Number.parseInt(files.tryText('coredump_filter') ?? '33', 16),
		pkeys: 1,
		flags: 0,
		auxv: files.bytes('auxv'),
		vdso_image: vdso ? cleanVdso(memory.read(addr(vdso.start), Number(vdso.end - vdso.start))) : Buffer.alloc(0),
		ldt: Buffer.alloc(0),
	};
}

/** Where the vdso is; undefined when there is none. */
export function findVdso(pid: Pid): {start: bigint; end: bigint} | undefined {
	const found = /^([0-9a-f]+)-([0-9a-f]+) .*\[vdso\]$/m.exec(tryReadProcText(`/proc/${pid}/maps`) ?? '');
	return found ? {start: BigInt(`0x${found[1]}`), end: BigInt(`0x${found[2]}`)} : undefined;
}

const PKEYS = 16;

/** The end of the heap. */
export const askBreak = (row: RowOf<'mm'>): Question => ({
	room: 0,
	calls: () => [[nr.brk, 0]],
	take([end]) {
		row.brk = end!;
	},
});

/** Which protection keys are allocated: found by allocating the others for a moment. */
export function inquireKeys(row: RowOf<'mm'>, inject: Injector): void {
	const free: number[] = [];
	for (let i = 0; i < PKEYS; i++) {
		const key = Number(inject.syscall(nr.pkey_alloc, 0, 0));
		if (key < 0) {
			break;
		}

		free.push(key);
	}

	for (const key of free) {
		inject.syscall(nr.pkey_free, key);
	}

	row.pkeys = free.length > 0 ? 0xffff & ~free.reduce((mask, key) => mask | (1 << key), 0) : 1;
}
