/** Every row that the benchmark prints apart from its curves, with its goal where there is one. */

export interface Row {
	readonly what: string;
	readonly unit: 'ms' | 'ratio' | 'MiB' | 'MB';
	/** The goal: at most, or at least. */
	readonly most?: number;
	readonly least?: number;
	/** Where a goal of its own holds for an ordinary user. */
	readonly mostAsUser?: number;
}

const warm = <P extends string>(program: P) =>
	({
		[`ratios.${program}.zstd:3`]: {
			what: `artefact of a warm ${program}, zstd:3 / its pages in one zstd -3 file`,
			unit: 'ratio',
			most: 1.05,
		},
		[`ratios.${program}.zstd:1`]: {
			what: `artefact of a warm ${program}, zstd:1 / its pages in one zstd -3 file`,
			unit: 'ratio',
			most: 1.15,
		},
	}) as Record<`ratios.${P}.zstd:${1 | 3}`, Row>;

const listed = {
	'small.pause.zstd:1': {what: 'small process: stopped, zstd:1', unit: 'ms', most: 3},
	'small.whole.zstd:1': {what: 'small process: the whole command, zstd:1', unit: 'ms', most: 150},
	'small.pause.none': {what: 'small process: stopped, none', unit: 'ms', most: 3},
	'small.whole.none': {what: 'small process: the whole command, none', unit: 'ms', most: 150},
	'small.start.none': {what: 'artefact started to first instruction, none', unit: 'ms', most: 1.5, mostAsUser: 4},
	'small.start.zstd:1': {what: 'artefact started to first instruction, zstd:1', unit: 'ms'},
	'many.100': {what: '100 threads: stopped', unit: 'ms', most: 12},
	'many.1000': {what: '1,000 threads: stopped', unit: 'ms', most: 60},
	'many.10x100': {what: '1,000 threads of 10 processes: stopped', unit: 'ms', most: 80},
	'many.processes.50': {what: '50 processes: stopped', unit: 'ms', most: 60},
	'many.processes.200': {what: '200 processes: stopped', unit: 'ms', most: 240},
	'many.processes.1000': {what: '1,000 processes: stopped', unit: 'ms', most: 1200},
	'many.start.50': {what: '50 processes: started to first instruction', unit: 'ms'},
	'many.start.200': {what: '200 processes: started to first instruction', unit: 'ms', most: 200},
	'many.start.1000': {what: '1,000 processes: started to first instruction', unit: 'ms'},
	'many.pause.growth': {what: 'freeze: a process of 1,000 / one of 50', unit: 'ratio', most: 1.5},
	'many.start.growth': {what: 'resume: a process of 1,000 / one of 50', unit: 'ratio', most: 1.5},
	'copying.tmpfs': {what: '1 GiB to tmpfs, none: stopped / bare copy', unit: 'ratio', most: 1.15},
	'copying.disk': {what: '1 GiB to disk, none: stopped / bare copy', unit: 'ratio', most: 1.15},
	'large.start': {what: '1 GiB, none: artefact started to first instruction', unit: 'ms'},
	'large.read': {what: '1 GiB: one thread reads it into fresh memory', unit: 'ms'},
	'large.ratio': {what: '1 GiB, none: thaw / that', unit: 'ratio', most: 1.3},
	'large.ratio.huge': {what: '1 GiB, none: thaw / the same into huge pages', unit: 'ratio'},
	'large.ratio.limit': {what: '1 GiB, none: thaw / physical limit (fresh memory, all CPUs)', unit: 'ratio', most: 1.15},
	'large.lazy': {what: '1 GiB, none: artefact started to first instruction, --lazy', unit: 'ms', most: 2},
	'shell.size': {what: 'artefact of an idle bash, zstd:1', unit: 'MB', most: 3},
	'pause.live.1024': {what: '1 GiB: largest gap that the target saw, --live', unit: 'ms', most: 30},
	'pause.live.own': {what: '1 GiB: stopped, as --live itself says', unit: 'ms', most: 30},
	'pause.none.huge': {what: '1 GiB of huge pages: largest gap that the target saw, none', unit: 'ms'},
	'pause.live.huge': {what: '1 GiB of huge pages: largest gap that the target saw, --live', unit: 'ms'},
	'pause.none.criu': {what: '1 GiB, none: largest gap / largest gap with criu', unit: 'ratio', most: 0.6},
	'pause.live.criu': {what: '1 GiB, --live: largest gap / largest gap with criu', unit: 'ratio'},
	'thaw.none.criu': {what: '1 GiB, none: thaw / thaw with criu', unit: 'ratio', most: 0.45},
	'thaw.lazy.largest': {what: '--lazy: thaw at the size where it takes longest', unit: 'ms', most: 2},
	'thaw.lazy.growth': {what: '--lazy: thaw of the largest size / of the smallest', unit: 'ratio'},
	'packing.thaw': {what: 'thaw, zstd:1 / the decoder alone, bare time / CPUs', unit: 'ratio', most: 1.1},
	'packing.thaw.fresh': {what: 'thaw, zstd:1 / the decoder into fresh memory, all CPUs', unit: 'ratio'},
	'packing.throughput': {what: 'freeze, zstd:1: throughput / that of the library, all CPUs', unit: 'ratio', least: 0.9},
	...warm('node'),
	...warm('python3'),
	...warm('java'),
	'memory.none': {what: 'most memory of the freezer, none', unit: 'MiB', most: 200},
	'memory.zstd:1': {what: 'most memory of the freezer, zstd:1', unit: 'MiB', most: 200},
	'memory.live': {what: 'most memory of the freezer, --live', unit: 'MiB', most: 200},
	'clones.lazy': {what: 'ten clones of 1 GiB, --lazy: memory of one / pages it wrote', unit: 'ratio', most: 1.05},
	'clones.lazy.all': {what: 'ten clones of 1 GiB, --lazy: the same, as the whole machine sees it', unit: 'ratio'},
	'clones.lazy.start': {what: 'tenth clone of 1 GiB, --lazy: started to first instruction', unit: 'ms'},
	'clones.none': {what: 'ten clones of 1 GiB: memory of one', unit: 'MiB'},
	'clones.none.start': {what: 'tenth clone of 1 GiB: started to first instruction', unit: 'ms'},
} satisfies Record<string, Row>;

export type RowId = keyof typeof listed;

export const rows: Readonly<Record<RowId, Row>> = listed;

const amount = ({unit}: Row, value: number): string => (unit === 'ratio' ? `${value}` : `${value} ${unit}`);

/** The goal in words; nothing when there is none. */
export function goalText(row: Row, asUser: boolean): string {
	const most = (asUser ? row.mostAsUser : undefined) ?? row.most;
	if (most !== undefined) return `<= ${amount(row, most)}`;
	return row.least === undefined ? '' : `>= ${amount(row, row.least)}`;
}

export type Verdict = 'met' | 'missed' | '';

export function judge(row: Row, value: number, asUser: boolean): Verdict {
	const most = (asUser ? row.mostAsUser : undefined) ?? row.most;
	if (most === undefined && row.least === undefined) return '';
	return (most === undefined || value <= most) && (row.least === undefined || value >= row.least) ? 'met' : 'missed';
}
