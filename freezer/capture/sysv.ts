/**
 * System V IPC objects of the tree. In a namespace of its own all of them are; elsewhere those that it has attached, made, or was the
 * last to use, and those that one of its threads waits for.
 */
import {readlinkSync} from 'node:fs';
import {constants} from '../../builder/format/schema.js';
import {CLOCK, clockNow} from '../sys/clock.js';
import {errnoName} from '../sys/errno.js';
import {addressOf, rawSyscall} from '../sys/libc.js';
import {ProcessMemory} from '../sys/memory.js';
import {nr} from '../sys/nr.js';
import {tryReadProcText} from '../sys/procfs.js';
import {addr, asPid, PAGE_SIZE} from '../sys/types.js';
import type {Collection} from './collection.js';
import type {ContentSource, RemoteMemory} from './context.js';
import {mappingKind} from './parse/vmakind.js';
import type {ProcessCapture} from './process-capture.js';
import {throughMappings, viewsOf} from './shared.js';

const {CONTENT} = constants;
const IPC_NOWAIT = 0o4000;
const SHM_RDONLY = 0o10000;
const SHM_DEST = 0o1000;
const MSG_NOERROR = 0o10000;
const MSG_COPY = 0o40000;
const GETPID = 11;
const GETALL = 13;
const MODE = 0o3777;
/** USER_HZ, in which /proc/PID/stat tells times. */
const TICKS = 100;

/** Commands that list the objects of a kind by index, and the size of the structure they fill. */
const kinds = {
	shm: {call: nr.shmctl, info: 14, stat: 15, size: 112},
	sem: {call: nr.semctl, info: 19, stat: 20, size: 104},
	msg: {call: nr.msgctl, info: 12, stat: 13, size: 120},
} as const;

type Kind = keyof typeof kinds;

const names: Record<Kind, string> = {shm: 'shared memory segment', sem: 'semaphore set', msg: 'message queue'};

/** One object as the kernel lists it: struct shmid64_ds, semid64_ds or msqid64_ds; all begin with struct ipc64_perm. */
class Listed {
	constructor(
		readonly kind: Kind,
		readonly id: number,
		readonly raw: Buffer,
	) {}

	get common() {
		const {raw, id} = this;
		return {
			id,
			key: raw.readInt32LE(0),
			mode: raw.readUInt32LE(20) & MODE,
			uid: raw.readUInt32LE(4),
			gid: raw.readUInt32LE(8),
		};
	}

	get creator(): number {
		return this.raw.readUInt32LE(12);
	}

	/** Seconds since 1970; of the last change, and so not earlier than it was made. */
	get changed(): number {
		return Number(this.raw.readBigInt64LE(this.kind === 'shm' ? 72 : 64));
	}

	/** Seconds since 1970; when somebody has changed, attached, sent, received or operated on it last. */
	get used(): number {
		const at = this.kind === 'shm' ? [56, 64, 72] : this.kind === 'sem' ? [48, 64] : [48, 56, 64];
		return Math.max(...at.map((offset) => Number(this.raw.readBigInt64LE(offset))));
	}

	/** Processes that the kernel remembers: creator and last user of a segment, last sender and receiver of a queue. */
	get pids(): number[] {
		const at = {shm: 80, msg: 96, sem: undefined}[this.kind];
		return at === undefined ? [] : [this.raw.readInt32LE(at), this.raw.readInt32LE(at + 4)];
	}

	wide(offset: number): bigint {
		return this.raw.readBigUInt64LE(offset);
	}
}

/** Makes calls in the target's IPC namespace: itself when it is in the same one, else by injection. */
class Namespace {
	readonly own: boolean;

	constructor(readonly root: ProcessCapture) {
		this.own = namespaceOf(root.pid) !== namespaceOf('self');
	}

	/** `buffer` is passed as argument number `position` and comes back as the call has left it. */
	call(number: number, args: readonly (number | bigint)[], buffer: Buffer, position: number): number {
		const {inject} = this.root;
		if (!this.own) {
			return rawSyscall(number, ...args.slice(0, position), addressOf(buffer), ...args.slice(position));
		}

		const large = buffer.length > inject.scratchSize;
		const at = large ? inject.syscall(nr.mmap, 0, buffer.length, 3, 0x22, -1, 0) : inject.scratch;
		const result = Number(inject.syscall(number, ...args.slice(0, position), at, ...args.slice(position)));
		if (result >= 0) {
			this.root.memory.readInto(addr(at), buffer);
		}

		if (large) {
			inject.syscall(nr.munmap, at, buffer.length);
		}

		return result;
	}

	plain(number: number, ...args: readonly (number | bigint)[]): bigint {
		return this.own ? this.root.inject.syscall(number, ...args) : BigInt(rawSyscall(number, ...args));
	}

	/** Where an address that plain() has returned can be read. */
	memory(): RemoteMemory {
		return this.own ? this.root.memory : new ProcessMemory(asPid(process.pid));
	}

	*list(kind: Kind): Generator<Listed> {
		const {call, info, stat, size} = kinds[kind];
		const extra = kind === 'sem' ? [0] : [];
		const last = this.call(call, [0, ...extra, info], Buffer.alloc(128), 2 + extra.length);
		for (let index = 0; index <= last; index++) {
			const raw = Buffer.alloc(size);
			const id = this.call(call, [index, ...extra, stat], raw, 2 + extra.length);
			if (id >= 0) {
				yield new Listed(kind, id, raw);
			}
		}
	}

	/** Who has used each semaphore last. */
	semaphorePids({id, raw}: Listed): number[] {
		const count = Number(raw.readBigUInt64LE(80));
		return Array.from({length: count}, (_, n) => Number(this.plain(nr.semctl, id, n, GETPID, 0)));
	}
}

const namespaceOf = (pid: number | string): string | undefined => {
	try {
		return readlinkSync(`/proc/${pid}/ns/ipc`);
	} catch {
		return undefined;
	}
};

/** Call numbers whose first argument is an object that the thread waits for. */
const waiting: Record<number, Kind> = {
	[nr.semop]: 'sem',
	[nr.semtimedop]: 'sem',
	[nr.msgrcv]: 'msg',
	[nr.msgsnd]: 'msg',
};

/** Ids that the tree is seen using right now. */
function idsInUse(processes: readonly ProcessCapture[]): Record<Kind, Set<number>> {
	const ids = {shm: new Set<number>(), sem: new Set<number>(), msg: new Set<number>()};
	for (const {mappings, threads} of processes) {
		for (const mapping of mappings) {
			if (mappingKind(mapping) === 'sysv') {
				ids.shm.add(Number(mapping.ino));
			}
		}

		for (const {stopped} of threads) {
			const kind = waiting[Number(stopped.registers.signed('orig_rax'))];
			if (kind) {
				ids[kind].add(Number(BigInt.asIntN(32, stopped.registers.get('rdi'))));
			}
		}
	}

	return ids;
}

/** By the tree's root: the other processes must be in the same namespace. */
export function captureSysv(collection: Collection, processes: readonly ProcessCapture[]): void {
	const root = processes[0]!;
	const namespace = new Namespace(root);
	const inUse = idsInUse(processes);
	const started = new Map<number, number>(processes.map((process) => [process.pid, startOf(process)]));
	for (const other of processes.slice(1)) {
		if (namespaceOf(other.pid) !== namespaceOf(root.pid)) {
			collection.refuse({
				pid: other.innerPid,
				kind: 'ipc-namespace',
				text: `it is in another IPC namespace than process ${root.innerPid}; all of the tree would come back in one`,
			});
		}
	}

	for (const kind of ['shm', 'sem', 'msg'] as const) {
		for (const listed of namespace.list(kind)) {
			const users = namespace.own ? [] : kind === 'sem' ? namespace.semaphorePids(listed) : listed.pids;
			if (
				namespace.own ||
				inUse[kind].has(listed.id) ||
				users.some((pid) => listed.used >= (started.get(pid) ?? Infinity))
			) {
				captureObject(collection, namespace, listed);
			} else if (isPerhapsOurs(listed, users, root)) {
				collection.warn({
					pid: root.innerPid,
					kind: 'sysv',
					text: `System V ${names[kind]} ${listed.id} is not carried: it is the same user's, but no process of the tree has been seen using it`,
				});
			}
		}
	}

	if (collection.snapshot.sem.length > 0) {
		collection.warn({
			pid: root.innerPid,
			kind: 'sem-undo',
			text: 'what semop(2) with SEM_UNDO would take back at the end of a process is not carried: the kernel does not tell it',
		});
	}
}

/** Seconds since 1970, of which objects tell whole ones. What was used before has had somebody else with the same pid as its user. */
const startOf = ({facts}: ProcessCapture): number =>
	Math.floor(Date.now() / 1000 - Number(clockNow(CLOCK.BOOTTIME)) / 1e9 + Number(facts.stat.startTime) / TICKS);

/** Made since the tree began, and nobody who is known to have used it lives. */
function isPerhapsOurs(listed: Listed, users: readonly number[], root: ProcessCapture): boolean {
	return (
		listed.creator === root.snapshot.task[root.row]!.euid &&
		listed.changed >= startOf(root) &&
		users.every((pid) => pid <= 0 || tryReadProcText(`/proc/${pid}/stat`) === undefined)
	);
}

function captureObject(collection: Collection, namespace: Namespace, listed: Listed): void {
	const failed = (result: number): void => {
		if (result < 0) {
			collection.refuse({
				pid: namespace.root.innerPid,
				kind: 'sysv',
				text: `System V ${names[listed.kind]} ${listed.id} cannot be read (${errnoName(-result)})`,
				hint: 'Freeze as its owner, or as root.',
			});
		}
	};
	switch (listed.kind) {
		case 'shm':
			failed(captureSegment(collection, namespace, listed));
			break;
		case 'sem':
			failed(captureSemaphores(collection, namespace, listed));
			break;
		default:
			failed(captureQueue(collection, namespace, listed));
	}
}

function captureSemaphores({snapshot}: Collection, namespace: Namespace, listed: Listed): number {
	const values = Buffer.alloc(Number(listed.wide(80)) * 2);
	const result = namespace.call(nr.semctl, [listed.id, 0, GETALL], values, 3);
	if (result >= 0) {
		snapshot.sem.push({...listed.common, used: listed.wide(48) === 0n ? 0 : 1, values});
	}

	return result;
}

function captureQueue({snapshot}: Collection, namespace: Namespace, listed: Listed): number {
	const first = snapshot.msg_message.length;
	const count = Number(listed.wide(80));
	const buffer = Buffer.alloc(8 + Number(listed.wide(72)));
	for (let index = 0; index < count; index++) {
		const args = [listed.id, buffer.length - 8, index, IPC_NOWAIT | MSG_COPY | MSG_NOERROR];
		const length = namespace.call(nr.msgrcv, args, buffer, 1);
		if (length < 0) {
			return length;
		}

		const data = Uint8Array.from(buffer.subarray(8, 8 + length));
		snapshot.msg_message.push({type: buffer.readBigInt64LE(0), data});
	}

	snapshot.msg.push({...listed.common, qbytes: listed.wide(88), first, count, pad0: 0});
	return 0;
}

function captureSegment(collection: Collection, namespace: Namespace, listed: Listed): number {
	const {common} = listed;
	const size = Number(listed.wide(48));
	const views = viewsOf(collection, (mapping) => mappingKind(mapping) === 'sysv' && Number(mapping.ino) === listed.id);
	const whole = views.some(({mapping: {offset, start, end}}) => offset === 0n && Number(end - start) >= size);
	const source = whole ? throughMappings(views, size) : copied(namespace, listed.id, size);
	if (typeof source === 'number') {
		return source;
	}

	if (listed.wide(88) > BigInt(views.length)) {
		collection.warn({
			pid: namespace.root.innerPid,
			kind: 'sysv',
			text: `System V shared memory segment ${listed.id} is attached by processes outside of the tree, too; the resumed tree has a copy of it`,
		});
	}

	const content = collection.content(`segment:${listed.id}`, () => ({
		row: {
			size: BigInt(size),
			kind: CONTENT.SEGMENT,
			seals: 0,
			mode: 0,
			memfd_flags: 0,
			uid: 0,
			gid: 0,
			name: `/SYSV${(common.key >>> 0).toString(16).padStart(8, '0')}`,
			xattr: new Uint8Array(),
		},
		source,
	}));
	collection.snapshot.shm.push({content, ...common, key: common.mode & SHM_DEST ? 0 : common.key});
	return 0;
}

/** Attached for a moment, since nobody has it attached as a whole. */
function copied(namespace: Namespace, id: number, size: number): ContentSource | number {
	const at = namespace.plain(nr.shmat, id, 0, SHM_RDONLY);
	if (at < 0n && at > -4096n) {
		return Number(at);
	}

	const bytes = Buffer.alloc(size);
	const length = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
	const present = Buffer.alloc(length / PAGE_SIZE);
	const memory = namespace.memory();
	const asked = namespace.call(nr.mincore, [at, length], present, 2) === 0;
	for (let offset = 0; offset < size; offset += PAGE_SIZE) {
		if (!asked || (present[offset / PAGE_SIZE] ?? 0) & 1) {
			memory.readInto(addr(at + BigInt(offset)), bytes.subarray(offset, Math.min(size, offset + PAGE_SIZE)));
		}
	}

	namespace.plain(nr.shmdt, at);
	return {size, read: (offset, buffer) => bytes.copy(buffer, 0, offset, offset + buffer.length)};
}
