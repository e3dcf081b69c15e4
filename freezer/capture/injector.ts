import {type InjectedChild, ThreadInjection, tracerCpu, unpinnedMask} from '../sys/inject.js';
import {type Landing, LISTED_CALL, LISTED_RESULT, landingSlots} from '../sys/landing.js';
import {ProcessMemory} from '../sys/memory.js';
import {nr} from '../sys/nr.js';
import {tryPidfdGetFd} from '../sys/pidfd.js';
import {type Asked, askAll} from '../sys/threads.js';
import {addr, asPid, type Fd, PAGE_SIZE, type RemoteAddr, type Tid} from '../sys/types.js';
import {USERFAULTFD_FLAGS} from '../sys/write-tracking.js';
import {type CodeRoom, findCodeRoom} from './code-room.js';
import type {Call, Injector} from './context.js';
import {failure} from './errors.js';
import type {Mapping} from './parse/smaps.js';

/** What is needed to inject into one thread. */
export interface InjectionSite {
	readonly tid: Tid;
	/** Exactly as found at the stop. */
	readonly original: Landing['registers'];
	readonly signalMask: bigint;
	readonly affinity: Buffer;
	/** Where the thread goes on if the freezer dies. */
	readonly landing: Pick<Landing, 'registers' | 'restart'>;
}

export interface Clone {
	readonly copy: InjectedChild;
	/** Its parent, which shares the memory of the process. */
	readonly between: InjectedChild | undefined;
}

const CLONE_VM = 0x100;
const CLONE_FILES = 0x400;
const WALL = 0x4000_0000;
const CLOSE_RANGE_UNSHARE = 2;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const DATA_SIZE = 4 * PAGE_SIZE;
/** The second half of the data: the signal mask that lets a thread stop at the end of a list, room for its answers, the list. */
const LIST = DATA_SIZE / 2;
const ANSWERS = 8;
const CALLS = 128;
const MOST_CALLS = 96;
const SIG_SETMASK = 2;
/** Signals that are ignored unless caught, the less usual ones first. */
const ignorable = [23 /* SIGURG */, 28 /* SIGWINCH */, 17 /* SIGCHLD */];

/**
 * Injection into the threads of one process, one thread at a time. The code stands in unused room of the target's own program text; the
 * data is an area that the target maps at the first call and unmaps at the last, by calls that are harmless at any moment, too.
 */
export class ProcessInjector implements Injector {
	stopSignal = 0;
	readonly scratchSize = LIST;
	/** Not caught and not blocked by any thread: it may stop one at the end of a list without a trace. */
	#endSignal: number | undefined;
	#room: CodeRoom | undefined;
	#data: RemoteAddr | undefined;
	#active: ThreadInjection | undefined;

	constructor(
		readonly memory: ProcessMemory,
		readonly sites: readonly InjectionSite[],
		readonly mappings: readonly Mapping[],
		readonly filtered: boolean,
		caught: bigint,
	) {
		const heeded = sites.reduce((mask, site) => mask | site.signalMask, caught);
		this.#endSignal = filtered ? undefined : ignorable.find((signo) => !(heeded & (1n << BigInt(signo - 1))));
	}

	get leader(): InjectionSite {
		return this.sites[0]!;
	}

	get scratch(): RemoteAddr {
		this.#use();
		if (this.#data === undefined) {
			throw failure('internal', 'the scratch area is gone');
		}

		return this.#data;
	}

	syscall(...call: Call): bigint {
		return this.#use().syscall(call);
	}

	syscalls(calls: readonly Call[]): bigint[] {
		const results: bigint[] = [];
		for (let first = 0; first < calls.length; first += MOST_CALLS) {
			results.push(...this.#callAll(calls.slice(first, first + MOST_CALLS)));
		}

		return results;
	}

	/**
	 * Lets each thread make the calls that `make` names, whose answers are `length` bytes at the address it gets. `take` gets results and
	 * answers, in the order of the threads.
	 */
	askEach(
		make: (answers: RemoteAddr) => readonly Call[],
		length: number,
		take: (results: readonly bigint[], answers: Buffer, index: number) => void,
	): void {
		const signal = this.#endSignal;
		const base = addr(this.scratch + BigInt(LIST));
		if (signal === undefined) {
			const calls = make(this.scratch);
			for (const [i, site] of this.sites.entries()) {
				this.#use(site);
				const results = calls.map((call) => this.syscall(...call));
				take(results, this.readScratch(0, length), i);
			}

			return;
		}

		const calls = make(addr(base + BigInt(ANSWERS)));
		this.#writeList(calls);
		this.#endActive();
		const answerLength = CALLS + calls.length * LISTED_CALL;
		const {answers, stopSignal} = askAll(
			{
				pid: this.memory.pid,
				mem: this.memory.descriptor,
				signal,
				cpu: tracerCpu(),
				code: this.#room!.address,
				answersAt: base,
				answerLength,
				list: addr(base + BigInt(CALLS)),
				calls: calls.length + 1,
			},
			this.sites.map((site) => this.#asked(site)),
		);
		this.stopSignal ||= stopSignal;
		for (const i of this.sites.keys()) {
			const own = answers.subarray(i * answerLength, (i + 1) * answerLength);
			take(resultsIn(own, calls.length), own.subarray(ANSWERS, ANSWERS + length), i);
		}
	}

	/** A userfaultfd of the process, pulled out of it; undefined when it cannot be had. */
	pullUserfaultfd(pidfd: Fd): Fd | undefined {
		return this.#use().open([nr.userfaultfd, USERFAULTFD_FLAGS], (fd) => tryPidfdGetFd(pidfd, fd));
	}

	writeScratch(offset: number, bytes: Uint8Array): void {
		this.memory.write(addr(this.scratch + BigInt(offset)), bytes);
	}

	readScratch(offset: number, length: number): Buffer {
		return this.memory.read(addr(this.scratch + BigInt(offset)), length);
	}

	/**
	 * A copy-on-write clone of the process; or -errno. Made by a child in between that shares the memory (its page tables are not copied)
	 * and ends at once, so that the process itself is left without a child: what it never had it cannot wait for. `keep`: the child in
	 * between lives on, see `reap`.
	 */
	clone(keep: boolean): Clone | bigint {
		const injection = this.#use();
		this.#unmapData();
		const between = injection.clone(CLONE_VM | CLONE_FILES);
		if (typeof between === 'bigint') {
			return between;
		}

		let copy: InjectedChild | bigint | undefined;
		try {
			copy = between.clone(CLONE_FILES);
			if (typeof copy !== 'bigint') {
				this.#setApart(copy);
			}
		} catch (error) {
			if (typeof copy === 'object') {
				copy.kill();
			}

			throw error;
		} finally {
			if (!keep || typeof copy !== 'object') {
				between.kill();
				injection.waitForClone();
			}
		}

		return typeof copy === 'bigint' ? copy : {copy, between: keep ? between : undefined};
	}

	/** Takes a clone and the child in between away without a trace. */
	reap({copy, between}: Clone): void {
		copy.kill();
		if (between) {
			const injection = this.#use();
			between.code = this.#room!.address;
			between.syscall([nr.wait4, copy.innerPid, 0, WALL, 0]);
			between.kill();
			injection.syscall([nr.wait4, between.innerPid, 0, WALL, 0]);
		}
	}

	/** Nothing that happens to the process or to its process group is to be felt by the clone, nor the other way round. */
	#setApart(copy: InjectedChild): void {
		// Unshares an empty table: nothing is copied (fs/file.c, Linux 5.11), and what the process closes is closed.
		copy.syscall([nr.close_range, 0, 0xffff_ffff, CLOSE_RANGE_UNSHARE]);
		copy.syscall([nr.setsid]);
		const memory = new ProcessMemory(asPid(copy.tid));
		memory.write(this.#room!.address, this.#room!.original);
		memory.close();
	}

	/** Takes everything out of the target; every thread is at its event-stop as it was found. */
	finish(): void {
		const room = this.#room;
		if (!room) {
			return;
		}

		try {
			this.#unmapData();
			this.#endActive();
		} finally {
			this.#room = undefined;
			this.memory.write(room.address, room.original);
		}
	}

	/** One list of calls at the leader. */
	#callAll(calls: readonly Call[]): bigint[] {
		const injection = this.#use();
		if (this.#endSignal === undefined) {
			return calls.map((call) => injection.syscall(call));
		}

		this.#writeList(calls);
		const list = addr(this.scratch + BigInt(LIST + CALLS));
		if (!injection.calls(list, calls.length + 1, this.#endSignal)) {
			this.#endSignal = undefined;
			return this.#callAll(calls);
		}

		return resultsIn(this.readScratch(LIST, CALLS + calls.length * LISTED_CALL), calls.length);
	}

	/** The calls, and the one that lets the signal in which stops the thread. */
	#writeList(calls: readonly Call[]): void {
		const mask = this.scratch + BigInt(LIST);
		const all = [...calls, [nr.rt_sigprocmask, SIG_SETMASK, mask, 0, 8]];
		const bytes = Buffer.alloc(CALLS + all.length * LISTED_CALL);
		for (const [i, call] of all.entries()) {
			for (const [k, value] of call.entries()) {
				bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), CALLS + i * LISTED_CALL + k * 8);
			}
		}

		bytes.writeBigUInt64LE(BigInt.asUintN(64, ~(1n << BigInt(this.#endSignal! - 1))), 0);
		this.writeScratch(LIST, bytes);
	}

	#asked(site: InjectionSite): Asked {
		const affinity = unpinnedMask(site.affinity);
		const slots = landingSlots({...site.landing, affinity, signalMask: site.signalMask}, this.#room!.address);
		return {tid: site.tid, slots, original: site.original, signalMask: site.signalMask, affinity};
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
		const base = injection.syscall([nr.mmap, 0, DATA_SIZE, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0]);
		if (base < 0n && base > -4096n) {
			throw failure(
				'no-room',
				`thread ${injection.tid} could not map ${DATA_SIZE} bytes for its answers (errno ${-base})`,
				'Its limit of address space or of mappings may be reached; raise it with prlimit.',
			);
		}

		return addr(base);
	}

	#unmapData(): void {
		if (this.#data !== undefined) {
			this.#use().syscall([nr.munmap, this.#data, DATA_SIZE]);
			this.#data = undefined;
		}
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

const resultsIn = (bytes: Buffer, count: number): bigint[] =>
	Array.from({length: count}, (_, i) => bytes.readBigInt64LE(CALLS + i * LISTED_CALL + LISTED_RESULT));
