import {ThreadInjection} from '../sys/inject.js';
import type {Landing} from '../sys/landing.js';
import type {ProcessMemory} from '../sys/memory.js';
import {nr} from '../sys/nr.js';
import {addr, PAGE_SIZE, type RemoteAddr, type Tid} from '../sys/types.js';
import {type CodeRoom, findCodeRoom} from './code-room.js';
import type {Injector} from './context.js';
import {failure} from './errors.js';
import type {Mapping} from './parse/smaps.js';

/** What is needed to inject into one thread. */
export interface InjectionSite {
	readonly tid: Tid;
	/** Exactly as found at the stop. */
	readonly original: Landing['registers'];
	readonly signalMask: bigint;
	/** Where the thread goes on if the freezer dies. */
	readonly landing: Pick<Landing, 'registers' | 'restart'>;
}

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const DATA_SIZE = 4 * PAGE_SIZE;

/**
 * Injection into the threads of one process, one thread at a time. The code stands in unused room of the target's own program text; the
 * data is an area that the target maps at the first call and unmaps at the last, by calls that are harmless at any moment, too.
 */
export class ProcessInjector implements Injector {
	stopSignal = 0;
	readonly scratchSize = DATA_SIZE;
	#room: CodeRoom | undefined;
	#data: RemoteAddr | undefined;
	#active: ThreadInjection | undefined;

	constructor(
		readonly memory: ProcessMemory,
		readonly leader: InjectionSite,
		readonly mappings: readonly Mapping[],
		readonly filtered: boolean,
	) {}

	get scratch(): RemoteAddr {
		this.#use();
		if (this.#data === undefined) {
			throw failure('internal', 'the scratch area is gone');
		}

		return this.#data;
	}

	syscall(number: number, ...args: readonly (number | bigint)[]): bigint {
		return this.#use().syscall(number, ...args);
	}

	writeScratch(offset: number, bytes: Uint8Array): void {
		this.memory.write(addr(this.scratch + BigInt(offset)), bytes);
	}

	readScratch(offset: number, length: number): Buffer {
		return this.memory.read(addr(this.scratch + BigInt(offset)), length);
	}

	/** Makes `site` the thread that executes the calls. */
	switchTo(site: InjectionSite): void {
		this.#use(site);
	}

	/** Takes everything out of the target; every thread is at its event-stop as it was found. */
	finish(): void {
		const room = this.#room;
		if (!room) {
			return;
		}

		try {
			if (this.#data !== undefined) {
				this.#use().syscall(nr.munmap, this.#data, DATA_SIZE);
				this.#data = undefined;
			}

			this.#endActive();
		} finally {
			this.#room = undefined;
			this.memory.write(room.address, room.original);
		}
	}

	#use(site: InjectionSite | undefined = this.#active ? undefined : this.leader): ThreadInjection {
		if (this.#active && (!site || site.tid === this.#active.tid)) {
			return this.#active;
		}

		const wanted = site ?? this.leader;
		this.#endActive();
		this.#room ??= findCodeRoom(this.mappings, this.memory);
		const injection = new ThreadInjection(
			wanted.tid,
			this.memory,
			wanted.original,
			wanted.signalMask,
			this.#room.address,
			!this.filtered,
		);
		injection.begin(wanted.landing);
		this.#active = injection;
		this.#data ??= this.#mapData(injection);
		return injection;
	}

	#mapData(injection: ThreadInjection): RemoteAddr {
		const base = injection.syscall(nr.mmap, 0, DATA_SIZE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
		if (base < 0n && base > -4096n) {
			throw failure(
				'no-room',
				`thread ${injection.tid} could not map ${DATA_SIZE} bytes for its answers (errno ${-base})`,
				'Its limit of address space or of mappings may be reached; raise it with prlimit.',
			);
		}

		return addr(base);
	}

	#endActive(): void {
		const active = this.#active;
		this.#active = undefined;
		if (active) {
			active.end();
			this.stopSignal ||= active.stopSignal;
		}
	}
}
