import {type Scratch, ThreadInjection} from '../sys/inject.js';
import type {Landing} from '../sys/landing.js';
import type {ProcessMemory} from '../sys/memory.js';
import {addr, type RemoteAddr, type Tid} from '../sys/types.js';
import type {Injector} from './context.js';

/** What is needed to inject into one thread. */
export interface InjectionSite {
	readonly tid: Tid;
	/** Exactly as found at the stop. */
	readonly original: Landing['registers'];
	readonly signalMask: bigint;
	/** Where the thread goes on if the freezer dies. */
	readonly landing: Pick<Landing, 'registers' | 'restart'>;
}

/** Injection into the threads of one process, one thread at a time; the scratch area is mapped at the first call. */
export class ProcessInjector implements Injector {
	stopSignal = 0;
	#scratch: Scratch | undefined;
	#active: ThreadInjection | undefined;

	constructor(
		readonly memory: ProcessMemory,
		readonly leader: InjectionSite,
		/** Finds a `syscall` instruction in the target; may throw. */
		readonly findEntry: () => RemoteAddr,
	) {}

	get scratch(): RemoteAddr {
		return this.#use(this.#active ? undefined : this.leader).scratch.data;
	}

	get scratchSize(): number {
		return this.#use(this.#active ? undefined : this.leader).scratch.dataSize;
	}

	syscall(nr: number, ...args: readonly (number | bigint)[]): bigint {
		const {injection, scratch} = this.#use(this.#active ? undefined : this.leader);
		return injection.syscall(scratch, nr, ...args);
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

	/** The mapped scratch area, which is no part of the target. */
	get area(): Scratch | undefined {
		return this.#scratch;
	}

	/** Unmaps the scratch area; every thread is at its event-stop again. */
	finish(): void {
		if (this.#scratch) {
			const {injection, scratch} = this.#use(this.#active ? undefined : this.leader);
			this.#scratch = undefined;
			this.#active = undefined;
			injection.end(scratch);
			this.stopSignal ||= injection.stopSignal;
		}
	}

	#use(site: InjectionSite | undefined): {injection: ThreadInjection; scratch: Scratch} {
		if (this.#active && this.#scratch && (!site || site.tid === this.#active.tid)) {
			return {injection: this.#active, scratch: this.#scratch};
		}

		const wanted = site ?? this.leader;
		if (this.#active) {
			const previous = this.#active;
			this.#active = undefined;
			previous.end();
			this.stopSignal ||= previous.stopSignal;
		}

		const entry = this.#entry ?? this.findEntry();
		this.#entry = entry;
		const injection = new ThreadInjection(wanted.tid, this.memory, wanted.original, wanted.signalMask, entry);
		if (this.#scratch) {
			this.#active = injection;
			injection.begin(this.#scratch, wanted.landing);
			return {injection, scratch: this.#scratch};
		}

		const scratch = injection.map(wanted.landing);
		this.#scratch = scratch;
		this.#active = injection;
		return {injection, scratch};
	}

	#entry: RemoteAddr | undefined;
}
