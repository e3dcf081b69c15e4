import type {ArtefactWriter, Run} from '../../builder/artefact-writer.js';
import {constants} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import {errno, SysError} from '../sys/errno.js';
import {ProcessMemory} from '../sys/memory.js';
import {encodeStretches, type MemoryStretch} from '../sys/pack.js';
import type {PageRange} from '../sys/pagemap.js';
import {listNumbers, tryReadProcText} from '../sys/procfs.js';
import type {Fd, Pid} from '../sys/types.js';
import {WriteTracking, type WrittenRange} from '../sys/write-tracking.js';
import {type Breathe, copyPacked, hasKin} from './copy.js';
import {type EarlierMappings, isRestless, observeMappings, readMaps} from './earlier-mappings.js';
import {failure} from './errors.js';
import type {Outbox} from './outbox.js';
import {hasOwnPages} from './pages.js';
import type {Mapping} from './parse/smaps.js';
import {type MappingKind, mappingKind} from './parse/vmakind.js';
import {type Round, reviser} from './rounds.js';
import {type Asleep, inRestartedCall} from './sleep.js';
import {Spans} from './spans.js';
import {visit} from './visit.js';
import type {CapturedVma} from './vmas.js';

const {SOURCE, VMA} = constants;

/** What is known at the stop. */
interface Verdict {
	/** Held pages that have to be copied (again). */
	readonly left: readonly PageRange[];
	/** What was copied of these pages is void. */
	readonly changed: readonly PageRange[];
}

const MOST_ROUNDS = 5;
/** Bytes that are so few that another round would not shorten the pause. */
const FEW = 2n << 20n;
/** Bytes that can be kept in memory during the pause. */
const MOST_LEFT = 48n << 20n;
const PAGE = 4096n;
const LAST = 1n << 63n;
const O_DIRECT = 0o40000;
/** Mappings through which a device writes to memory without the knowledge of the page tables, or that the target tracks itself. */
const strange: readonly MappingKind[] = ['io_uring', 'aio', 'device', 'userfaultfd'];
/** Their pages are not to be in the artefact, or cannot be read. */
const unwanted = ['wf', 'dp', 'gu', 'ht'];

/**
 * Memory of a process that is copied while it runs, before the stop: the kernel tells which pages have been written to since, so that in
 * the pause only those are copied.
 */
export class Tracking {
	/** Nanoseconds for which the process had to be stopped at the start. */
	readonly pause: bigint;
	readonly #rounds: Round[] = [];
	/** Nobody knows of these pages whether they have been copied as they are. */
	readonly #uncertain: PageRange[] = [];
	readonly #verdicts = new Map<CapturedVma, Verdict | undefined>();
	readonly #forced: boolean;
	#given = false;

	private constructor(
		readonly pid: Pid,
		private readonly writes: WriteTracking,
		private readonly began: Began,
		/** Bytes of anonymous memory at the start. */
		private readonly size: bigint,
	) {
		this.pause = began.pause;
		this.#forced = hasKin(pid, began.parent, true);
	}

	/** Undefined where it is not possible, or not worth it. @param patience seconds for the stop */
	static start(pids: readonly Pid[], patience: number): Tracking | undefined {
		const [pid] = pids;
		if (pid === undefined || pids.length > 1 || !WriteTracking.offered()) {
			return undefined;
		}

		const earlier = observeMappings(pids, false);
		const mappings = [...(earlier.known.get(pid)?.values() ?? [])];
		const size = anonymousBytes(pid);
		if (mappings.length === 0 || size === undefined || size < LEAST || !isSuitable(pid, mappings)) {
			return undefined;
		}

		const began = begin(pid, patience, earlier);
		const writes = began.fd === undefined ? undefined : WriteTracking.of(pid, began.fd);
		if (!writes) {
			return undefined;
		}

		for (const mapping of mappings.filter(isPlain)) {
			writes.register(mapping);
		}

		return new Tracking(pid, writes, began, size);
	}

	/** Rounds of copying, until little is left. */
	async copy(writer: ArtefactWriter, outbox: Outbox, breathe: Breathe): Promise<void> {
		for (let before = LAST; this.#rounds.length < MOST_ROUNDS; ) {
			const bytes = await this.#round(writer, outbox, breathe);
			if (bytes < FEW || bytes > (before * 3n) / 4n) {
				return;
			}

			before = bytes;
		}
	}

	/** The threads that still sleep in the call in which they were before the start have been asleep for longer than it seems. */
	recall(sleepers: Map<number, Asleep>): void {
		for (const [tid, since] of this.began.asleepSince) {
			const seen = sleepers.get(tid);
			if (seen && inRestartedCall(this.pid, tid)) {
				sleepers.set(tid, {...seen, since});
			}
		}
	}

	/** Where advice for memory keeps changing, only a clone can tell what it was during the stop. */
	heed(earlier: EarlierMappings): void {
		if (isRestless(this.began.earlier, earlier)) {
			this.giveUp();
		}
	}

	/** To be called during the stop, before any of its pages is copied. */
	judge(vmas: readonly CapturedVma[]): void {
		const uncertain = new Spans(this.#uncertain);
		const followed = vmas.filter((vma) => !this.#given && vma.row.kind === VMA.ANON && !uncertain.touches(vma.row));
		const looks = this.writes.look(
			followed.map(({row}) => row),
			false,
		);
		for (const [i, vma] of followed.entries()) {
			this.#verdicts.set(vma, verdictOf(looks[i]));
		}
	}

	/** Pages that have to be copied (again), of those mappings of which it is known. */
	left(vmas: readonly CapturedVma[]): ReadonlyMap<CapturedVma, readonly PageRange[]> {
		return new Map(vmas.flatMap((vma) => (this.#verdicts.get(vma) ? [[vma, this.#verdicts.get(vma)!.left]] : [])));
	}

	/** Are these few enough to be copied in the pause? Else a clone costs less: some 90 ns for each page of the process. */
	isLittle(ranges: readonly PageRange[]): boolean {
		if (this.#given) {
			return false;
		}

		const bytes = ranges.reduce((sum, {start, end}) => sum + end - start, 0n);
		const worthAClone = (this.size / PAGE) * 270n;
		return bytes <= FEW || bytes <= (worthAClone < MOST_LEFT ? worthAClone : MOST_LEFT);
	}

	/** A clone is needed. Nothing that was copied counts. */
	giveUp(): void {
		this.#given = true;
		this.#verdicts.clear();
	}

	/** Says in the artefact what has become of the pages that were copied. */
	settle(writer: ArtefactWriter): void {
		const known = [...this.#verdicts].flatMap(([vma, verdict]) =>
			verdict && hasOwnPages(vma) ? [{row: vma.row, verdict}] : [],
		);
		const places = known.map(({row}) => row).sort((a, b) => (a.start < b.start ? -1 : 1));
		const changed = known.flatMap(({verdict}) => verdict.changed);
		writer.revise(this.#rounds.at(-1)?.frames ?? 0, reviser(this.#rounds, places, changed));
	}

	/** The process is as it was before. */
	end(): void {
		this.writes.end();
	}

	/** Returns the bytes that it copied. */
	async #round(writer: ArtefactWriter, outbox: Outbox, breathe: Breathe): Promise<bigint> {
		const mappings = readMaps(this.pid).filter(isPlain);
		const looks = this.writes.look(mappings, true);
		const memory = new ProcessMemory(this.pid);
		const looked: PageRange[] = [];
		const wanted: MemoryStretch[] = [];
		for (const [i, mapping] of mappings.entries()) {
			const found = looks[i];
			if (!found) {
				looked.push(mapping);
				this.#uncertain.push(mapping);
			}

			for (const range of found ?? []) {
				looked.push(range);
				if (range.held) {
					const mem = this.#forced || !mapping.read ? memory.descriptor : undefined;
					wanted.push({start: range.start, end: range.end, source: SOURCE.STORED, keepZeros: true, mem});
				}
			}
		}

		try {
			outbox.flush();
			const firstRun = writer.runs;
			const owner = {pid: this.pid, index: 0};
			const bytes = wanted.reduce((sum, {start, end}) => sum + Number(end - start), 0);
			const lists = [encodeStretches(owner, wanted)];
			await copyPacked({owner, seen: undefined}, lists, outbox.mayWriteDirectly(bytes), outbox, breathe);
			outbox.flush();
			this.#rounds.push({frames: writer.frames, looked});
			this.#doubt(wanted, writer.runsFrom(firstRun));
		} catch (error) {
			throw error instanceof SysError && error.errno === errno.ESRCH
				? failure(
						'exited',
						`process ${this.pid} ended while it was being frozen; nothing was written`,
						undefined,
						error,
					)
				: error;
		} finally {
			memory.close();
		}

		return wanted.reduce((sum, {start, end}) => sum + end - start, 0n);
	}

	/** Pages that could not be read: they may be readable again at the stop, without having been written to. */
	#doubt(wanted: readonly PageRange[], runs: readonly Run[]): void {
		const bytes = wanted.reduce((sum, {start, end}) => sum + end - start, 0n);
		if (runs.reduce((sum, {length}) => sum + length, 0n) === bytes) {
			return;
		}

		const copied = new Spans(runs.map(({address, length}) => ({start: address, end: address + length})));
		for (const {start, end} of wanted) {
			this.#uncertain.push(...copied.outside(start, end));
		}
	}
}

const isPlain = (mapping: Mapping): boolean =>
	!mapping.shared &&
	mapping.ino === 0n &&
	mappingKind(mapping) === 'anonymous' &&
	!unwanted.some((flag) => mapping.flags.has(flag));

/** Undefined when much of it is in huge pages: they are cloned in no time, and would be split by the tracking. */
function anonymousBytes(pid: Pid): bigint | undefined {
	const rollup = tryReadProcText(`/proc/${pid}/smaps_rollup`) ?? '';
	const bytes = (name: string) => BigInt(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)?.[1] ?? 0) << 10n;
	const all = bytes('Anonymous');
	return bytes('AnonHugePages') * 2n < all ? all : undefined;
}

const LEAST = 32n << 20n;

/** Where a device may write to memory that was pinned before, as for O_DIRECT, nothing tells of it. */
const isSuitable = (pid: Pid, mappings: readonly Mapping[]): boolean =>
	!mappings.some((mapping) => strange.includes(mappingKind(mapping))) && !readsDirectly(pid);

const readsDirectly = (pid: Pid): boolean =>
	listNumbers(`/proc/${pid}/fd`).some((fd) => {
		const flags = /^flags:\s*(\d+)/m.exec(tryReadProcText(`/proc/${pid}/fdinfo/${fd}`) ?? '')?.[1] ?? '0';
		return (Number.parseInt(flags, 8) & O_DIRECT) !== 0;
	});

interface Began {
	/** What smaps told before. */
	readonly earlier: EarlierMappings;
	readonly fd: Fd | undefined;
	readonly pause: bigint;
	/** Outside pid of its parent. */
	readonly parent: number;
	/** On the monotonic clock, by tid. */
	readonly asleepSince: ReadonlyMap<number, bigint>;
}

/** The short stop at the start. */
function begin(pid: Pid, patience: number, earlier: EarlierMappings): Began {
	const asleepSince = new Map<number, bigint>();
	let stopTime = 0n;
	let parent = 0;
	const fd = visit(
		pid,
		patience,
		(process) => {
			stopTime = process.stopTime;
			parent = process.facts.stat.ppid;
			for (const {tid, asleepNs} of process.threads) {
				if (asleepNs !== undefined) {
					asleepSince.set(tid, stopTime - asleepNs);
				}
			}

			return process.inject.filtered ? undefined : process.inject.pullUserfaultfd(process.pidfd);
		},
		earlier,
	);
	return {earlier, fd, parent, pause: clockNow(CLOCK.MONOTONIC) - stopTime, asleepSince};
}

const verdictOf = (look: readonly WrittenRange[] | undefined): Verdict | undefined =>
	look && {left: look.filter(({held}) => held), changed: look};
