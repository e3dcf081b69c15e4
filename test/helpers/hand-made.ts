/** A program that never ran before: its snapshot is written by hand, so that the stub is tested without the freezer. */
import {readFileSync} from 'node:fs';
import {ArtefactWriter, type FrameParts} from '../../builder/artefact-writer.js';
import {type Encoder, type Hasher, plainEncoder} from '../../builder/codec.js';
import {tableLayouts} from '../../builder/format/layout.js';
import {
	constants,
	emptySnapshot,
	NONE,
	type RowOf,
	type Snapshot,
	type TableName,
} from '../../builder/format/schema.js';
import {storedRun} from './snapshots.js';

const CODE = 0x400000n;
const DATA = 0x600000n;
export const PAGE = 4096;

/** A row with every field 0 or empty but the given ones. */
export function row<N extends TableName>(name: N, given: Partial<RowOf<N>>): RowOf<N> {
	const layout = tableLayouts.find((table) => table.name === name)!;
	const empty = layout.fields.map(({name: field, type}) => [
		field,
		type === 'str' ? '' : type === 'bytes' ? new Uint8Array() : type.endsWith('64') ? 0n : 0,
	]);
	return {...Object.fromEntries(empty), ...given} as RowOf<N>;
}

/** user_regs_struct: rip, cs, eflags, rsp, ss are words 16 to 20 (sys/user.h). */
function registers(rip: bigint, rsp: bigint): Uint8Array {
	const words = new BigUint64Array(27);
	words.set([rip, 0x33n, 0x202n, rsp, 0x2bn], 16);
	return new Uint8Array(words.buffer);
}

/** write(1, DATA, 6); getpid(); exit_group(pid & 127) */
const HELLO = Buffer.from('b801000000bf01000000be00006000ba060000000f05b8270000000f0589c783e77fb8e70000000f05', 'hex');

/** A process `pid` of one thread that says "hello" on the launcher's stdout and ends with the low seven bits of its pid. */
export function helloSnapshot(pid: number): Snapshot {
	const snapshot = emptySnapshot();
	snapshot.machine.push(row('machine', {page_size: PAGE}));
	snapshot.task.push(
		row('task', {
			pid,
			ppid: 1,
			pgid: pid,
			sid: 1,
			parent: NONE,
			maker: NONE,
			nthreads: 1,
			exit_signal: 17,
			dumpable: 1,
			cwd: '/',
			root: '/',
		}),
	);
	snapshot.thread.push(row('thread', {tid: pid, comm: 'hello', regs: registers(CODE, DATA + 0x1000n)}));
	snapshot.mm.push(
		row('mm', {
			start_code: CODE,
			end_code: CODE + 0x1000n,
			start_data: DATA,
			end_data: DATA + 0x1000n,
			start_brk: 0x700000n,
			brk: 0x700000n,
			start_stack: DATA + 0xf00n,
			arg_start: DATA,
			arg_end: DATA + 6n,
			env_start: DATA + 6n,
			env_end: DATA + 6n,
			exe: NONE,
			auxv: new Uint8Array(16),
		}),
	);
	snapshot.vma.push(row('vma', {start: CODE, end: CODE + 0x1000n, prot: 5, source: NONE, window: NONE}));
	snapshot.vma.push(row('vma', {start: DATA, end: DATA + 0x1000n, prot: 3, source: NONE, window: NONE}));
	snapshot.inherit.push(row('inherit', {launcher_fd: 1, flags: constants.INHERIT.WRITE}));
	snapshot.description.push(row('description', {kind: constants.KIND.INHERIT, status: 1}));
	snapshot.fd.push(row('fd', {fd: 1}));
	return snapshot;
}

/** The artefact of helloSnapshot(), with the real stub; `more` are frames of the same group. */
export function helloArtefact(
	hasher: Hasher,
	snapshot: Snapshot,
	encoder: Encoder = plainEncoder,
	more: readonly FrameParts[] = [],
): Buffer {
	const chunks: Buffer[] = [];
	const sink = {write: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk))};
	const writer = new ArtefactWriter(sink, readFileSync('templates/stub-x86_64.elf'), {codec: encoder.codec, hasher});
	const pages = Buffer.alloc(2 * PAGE);
	HELLO.copy(pages);
	pages.write('hello\n', PAGE);
	const runs = [storedRun(CODE, PAGE), storedRun(DATA, PAGE)];
	writer.group([{runs, raw: pages, stored: encoder.compress(pages), codec: encoder.codec}, ...more]);
	writer.finish(snapshot);
	return Buffer.concat(chunks);
}

/** The same copied ahead: of what came first a page is as it was, one has changed since, and one has gone with its mapping. */
export function agedArtefact(hasher: Hasher, snapshot: Snapshot, encoder: Encoder): Buffer {
	const chunks: Buffer[] = [];
	const sink = {write: (chunk: Uint8Array) => void chunks.push(Buffer.from(chunk))};
	const writer = new ArtefactWriter(sink, readFileSync('templates/stub-x86_64.elf'), {codec: encoder.codec, hasher});
	const now = Buffer.alloc(PAGE);
	now.write('hello\n');
	const before = Buffer.alloc(3 * PAGE, 'wrong\n');
	HELLO.copy(before);
	writer.frame([storedRun(CODE, 2 * PAGE), storedRun(DATA, PAGE)], before, encoder.compress(before), encoder.codec);
	writer.frame([storedRun(DATA, PAGE)], now, encoder.compress(now), encoder.codec);
	writer.revise(1, (run) =>
		run.address === CODE
			? [storedRun(CODE, PAGE), storedRun(CODE + 0x1000n, PAGE, constants.SOURCE.VOID)]
			: [{...run, source: constants.SOURCE.VOID}],
	);
	writer.finish(snapshot);
	return Buffer.concat(chunks);
}
