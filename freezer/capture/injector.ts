import {askAll, formAt} from '../sys/crowd.js';
import {type InjectedChild, ThreadInjection} from '../sys/inject.js';
import type {Landing} from '../sys/landing.js';
import {ProcessMemory} from '../sys/memory.js';
import {nr} from '../sys/nr.js';
import {tryPidfdGetFd} from '../sys/pidfd.js';
import {addr, asPid, type Fd, PAGE_SIZE, type RemoteAddr, type Tid} from '../sys/types.js';
import {USERFAULTFD_FLAGS} from '../sys/write-tracking.js';
import {type CodeRoom, findCodeRoom} from './code-room.js';
import type {Call, Injector} from './context.js';
import {failure} from './errors.js';
import {grouped, Inquiry, type Question} from './inquiry.js';
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

/** The same question to every thread; `index` is its place among the sites. */
export type EachQuestion = Omit<Question, 'take'> & {
	take(results: readonly bigint[], answers: Buffer, index: number): void;
};

export interface Clone {
	readonly copy: InjectedChild;
	/** Its parent, which shares the memory of the process. */
	readonly between: InjectedChild | undefined;
	/** What stands where its code was. */
	readonly around: Uint8Array;
}

const CLONE_VM = 0x100;
const CLONE_FILES = 0x400;
const WALL = 0x4000_0000;
const CLOSE_RANGE_UNSHARE = 2;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const DATA_SIZE = 4 * PAGE_SIZE;
/** Room for many threads at once. */
const CROWD_DATA_SIZE = 16 * PAGE_SIZE;
/** What is behind it in the data: an Inquiry, or the blocks of a crowd. */
const LIST = 2 * PAGE_SIZE;
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
	/** Bytes. */
	readonly #dataSize: number;
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
		this.#dataSize = sites.length > 1 && !filtered ? CROWD_DATA_SIZE : DATA_SIZE;
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

	/** All questions are answered by the leader, in as few goes as they fit into; `each` is answered by every thread. */
	ask(questions: readonly Question[], each: EachQuestion): void {
		const own = [...questions, ofOne(each, 0)];
		const base = addr(this.scratch + BigInt(LIST));
		for (const group of grouped(own, DATA_SIZE - LIST)) {
			if (!this.#askLeader(group, base)) {
				for (const question of group) {
					this.#askSlowly(question, this.leader);
				}
			}
		}

		const others = this.sites.slice(1);
		if (this.#endSignal !== undefined && others.length > 0) {
			this.#askOthers(others, each, base, this.#endSignal);
		} else {
			for (const [i, site] of others.entries()) {
				this.#askSlowly(ofOne(each, i + 1), site);
			}
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
	 * between lives on, and has to be taken away in the end.
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

		return typeof copy === 'bigint' ? copy : {copy, between: keep ? between : undefined, around: this.#room!.original};
	}

	/** Ends the child in between, and waits for it. @param isOthers a SIGCHLD that waits then is for another child: it stays */
	waitFor(between: InjectedChild, isOthers: boolean): void {
		between.kill();
		this.syscall(nr.wait4, between.innerPid, 0, WALL, 0);
		if (!isOthers) {
			const {scratch} = this;
			const question = Buffer.alloc(24);
			question.writeBigUInt64LE(1n << 16n, 0);
			this.writeScratch(0, question);
			this.syscall(nr.rt_sigtimedwait, scratch, 0, scratch + 8n, 8);
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

	/** False when it has to be done call by call. */
	#askLeader(questions: readonly Question[], base: RemoteAddr): boolean {
		const signal = this.#endSignal;
		if (signal === undefined) {
			return false;
		}

		const inquiry = new Inquiry(questions, base, signal);
		this.writeScratch(LIST, inquiry.bytes);
		if (!this.#use(this.leader).calls(inquiry.list, inquiry.count, signal)) {
			this.#endSignal = undefined;
			return false;
		}

		inquiry.take(this.readScratch(LIST, inquiry.bytes.length));
		return true;
	}

	#askOthers(sites: readonly InjectionSite[], each: EachQuestion, base: RemoteAddr, signal: number): void {
		const inquiry = new Inquiry([ofOne(each, 0)], formAt(base), signal);
		const {length} = inquiry.bytes;
		this.#endActive();
		const room = this.#room!;
		const {answers, stopSignal} = askAll(
			{
				pid: this.memory.pid,
				mem: this.memory.descriptor,
				signal,
				code: room.address,
				codeLength: room.original.length,
				data: base,
				dataLength: this.#dataSize - LIST,
			},
			inquiry,
			sites,
			(address, bytes) => this.memory.write(address, bytes),
		);
		this.stopSignal ||= stopSignal;
		for (const i of sites.keys()) {
			inquiry.take(answers.subarray(i * length, (i + 1) * length), ofOne(each, i + 1));
		}
	}

	#askSlowly(question: Question, site: InjectionSite): void {
		this.#use(site);
		this.writeScratch(0, Buffer.alloc(question.room));
		const results = question.calls(this.scratch).map((call) => this.syscall(...call));
		question.take(results, this.readScratch(0, question.room));
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
		const base = injection.syscall([nr.mmap, 0, this.#dataSize, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0]);
		if (base < 0n && base > -4096n) {
			throw failure(
				'no-room',
				`thread ${injection.tid} could not map ${this.#dataSize} bytes for its answers (errno ${-base})`,
				'Its limit of address space or of mappings may be reached; raise it with prlimit.',
			);
		}

		return addr(base);
	}

	#unmapData(): void {
		if (this.#data !== undefined) {
			this.#use().syscall([nr.munmap, this.#data, this.#dataSize]);
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

const ofOne = (each: EachQuestion, index: number): Question => ({
	room: each.room,
	calls: (at) => each.calls(at),
	take: (results, answers) => each.take(results, answers, index),
});
