/** A small artefact that a person could have made: a server with a worker, for the tests of what the commands say. */
import {type Artefact, bytesSource, openArtefact} from '../../../builder/artefact-reader.js';
import {ArtefactWriter} from '../../../builder/artefact-writer.js';
import {plainEncoder} from '../../../builder/codec.js';
import type {Field} from '../../../builder/format/fields.js';
import {
	constants,
	emptySnapshot,
	NONE,
	type RowOf,
	type Snapshot,
	type TableName,
	tables,
} from '../../../builder/format/schema.js';
import {createHasher} from '../../../builder/portable-codec.js';

const {KIND, VMA, VMA_FLAG, SPACE, SOURCE, SOCKET, TASK} = constants;
const PAGE = 4096;
const STACK = 0x7ffc00000000n;
const HEAP = 0x555500000000n;
const TEXT = 0x400000n;

const empty = (field: Field): unknown =>
	field.type === 'str' ? '' : field.type === 'bytes' ? new Uint8Array() : /64$/.test(field.type) ? 0n : 0;

/** A row whose other fields are zero or empty. */
export function row<N extends TableName>(name: N, values: Partial<RowOf<N>> = {}): RowOf<N> {
	const fields = Object.entries(tables[name].fields as Record<string, Field>);
	return {...Object.fromEntries(fields.map(([key, field]) => [key, empty(field)])), ...values} as RowOf<N>;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

function registers(values: {rip: bigint; rax: bigint; rsp: bigint}): Uint8Array {
	const bytes = Buffer.alloc(216);
	bytes.writeBigUInt64LE(values.rax, 80);
	bytes.writeBigUInt64LE(values.rip, 128);
	bytes.writeBigUInt64LE(values.rsp, 152);
	return bytes;
}

const thread = (task: number, tid: number, comm: string, rip: bigint, rax: bigint): RowOf<'thread'> =>
	row('thread', {
		task,
		tid,
		comm,
		regs: registers({rip, rax, rsp: STACK + 0x800n}),
		sigmask: 1n << 14n,
		affinity: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0),
	});

export function exampleSnapshot(): Snapshot {
	const vma = (mm: number): RowOf<'vma'>[] => [
		row('vma', {
			mm,
			window: NONE,
			start: TEXT,
			end: TEXT + BigInt(PAGE),
			kind: VMA.FILE_PRIVATE,
			prot: 5,
			path: '/usr/bin/server',
		}),
		row('vma', {mm, window: NONE, start: HEAP, end: HEAP + 65536n, prot: 3, source: NONE, flags: VMA_FLAG.HEAP}),
		row('vma', {
			mm,
			window: NONE,
			start: STACK,
			end: STACK + BigInt(PAGE),
			prot: 3,
			source: NONE,
			flags: VMA_FLAG.STACK | VMA_FLAG.GROWSDOWN,
		}),
	];
	const environment = {env_start: STACK, env_end: STACK + 24n};
	return {
		...emptySnapshot(),
		machine: [
			row('machine', {
				realtime_ns: 1_795_219_140_000_000_000n,
				kernel: '6.18.44',
				hostname: 'here',
				frore_version: '0.1.0',
				cpu: 'A CPU',
			}),
		],
		cpu_need: [row('cpu_need', {name: 'avx2'})],
		warning: [
			row('warning', {
				pid: 4121,
				fd: 19,
				kind: 'tcp',
				text: 'a TCP connection to 10.0.0.4:5432; after resuming its peer has closed',
			}),
		],
		task: [
			row('task', {
				pid: 4121,
				ppid: 1,
				parent: NONE,
				maker: NONE,
				mm: 0,
				first_thread: 0,
				nthreads: 2,
				umask: 0o22,
				exe: '/usr/bin/server',
				cwd: '/srv',
				cmdline: text('server\0--name\0two words\0'),
				flags: TASK.HAS_TTY | TASK.FOREGROUND,
			}),
			row('task', {
				pid: 4130,
				ppid: 4121,
				parent: 0,
				mm: 1,
				first_thread: 2,
				nthreads: 1,
				cmdline: text('worker\0'),
				flags: TASK.STOPPED,
			}),
		],
		mm: [row('mm', environment), row('mm', environment)],
		vma: [...vma(0), ...vma(1)],
		thread: [
			thread(0, 4121, 'server', TEXT, 7n),
			thread(0, 4122, 'pool', TEXT + 16n, 7n),
			thread(1, 4130, 'worker', TEXT, 35n),
		],
		sigaction: [row('sigaction', {signo: 15, handler: 0x401000n}), row('sigaction', {signo: 13, handler: 1n})],
		rlimit: [row('rlimit', {resource: 7, cur: 1024n, max: 2n ** 64n - 1n})],
		description: [
			row('description', {kind: KIND.INHERIT, status: 2}),
			row('description', {kind: KIND.FILE, status: 0o2001}),
			row('description', {kind: KIND.SOCKET, status: 2}),
			row('description', {kind: KIND.EPOLL, status: 2}),
			row('description', {kind: KIND.FILE, row: 1}),
		],
		fd: [
			row('fd', {fd: 0, description: 0}),
			row('fd', {fd: 1, description: 0}),
			row('fd', {fd: 3, description: 1, cloexec: 1}),
			row('fd', {fd: 4, description: 2}),
			row('fd', {fd: 5, description: 3}),
			row('fd', {fd: 6, description: 4}),
			row('fd', {task: 1, fd: 9, description: 1}),
		],
		inherit: [row('inherit', {flags: constants.INHERIT.WAS_TTY})],
		image: [row('image', {path: '/usr/bin/server', content: NONE, pages: 0})],
		content: [row('content', {kind: constants.CONTENT.IMAGE, size: BigInt(PAGE), name: '/usr/bin/server'})],
		file: [
			row('file', {
				path: '/var/log/server.log',
				mode: 0o100644,
				size: 123n,
				position: 123n,
				flags: constants.FILE.AT_END,
				content: NONE,
				pipe: NONE,
			}),
			row('file', {path: '/dev/zero', mode: 0o020666, position: -1n, content: NONE, pipe: NONE}),
		],
		socket: [
			row('socket', {
				domain: 2,
				type: 1,
				state: SOCKET.LISTENING,
				peer: NONE,
				listener: NONE,
				local: Uint8Array.of(2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
			}),
		],
		epoll: [row('epoll', {first: 0, count: 1})],
		epoll_entry: [row('epoll_entry', {fd: 4, description: 2})],
	};
}

/** Bytes of the artefact: in each address space a page of text that begins with `syscall`, and the stack with the environment. */
export async function exampleBytes(): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	const writer = new ArtefactWriter({write: (chunk) => void chunks.push(chunk.slice())}, new Uint8Array(PAGE), {
		codec: plainEncoder.codec,
		hasher: await createHasher(),
	});
	for (const mm of [0, 1]) {
		const pages = new Uint8Array(2 * PAGE);
		pages.set([0x0f, 0x05]);
		pages.set(text('HOME=/root\0LANG=C.UTF-8\0'), PAGE);
		const run = (address: bigint, source: number) => ({
			address,
			length: BigInt(PAGE),
			from: 0n,
			index: mm,
			space: SPACE.MM,
			source,
		});
		const code = {...run(0n, SOURCE.IMAGE), index: 0, space: SPACE.CONTENT};
		// The text of the program is that of both.
		const raw = mm === 0 ? pages : pages.subarray(PAGE);
		const stack = run(STACK, SOURCE.STORED);
		writer.frame(mm === 0 ? [code, stack] : [stack], raw, raw, plainEncoder.codec);
	}
	writer.finish(exampleSnapshot());
	return new Uint8Array(Buffer.concat(chunks));
}

export const exampleArtefact = async (): Promise<Artefact> =>
	openArtefact(bytesSource(await exampleBytes(), 'job.frore'), await createHasher());
