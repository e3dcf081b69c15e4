/** Damaged artefacts, run: the stub must refuse them in one line, and nothing of the program may have happened. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type ExecutionContext, type TestFn} from 'ava';
import {bytesSource, openArtefact, verify} from '../../builder/artefact-reader.js';
import {ArtefactWriter} from '../../builder/artefact-writer.js';
import {tableLayouts} from '../../builder/format/layout.js';
import {references, stretches} from '../../builder/format/references.js';
import {constants, NONE, type TableName} from '../../builder/format/schema.js';
import {sizeOfStructure} from '../../builder/structures.js';
import {memoryReaders} from '../../freezer/cli/inspect/memory.js';
import {createEncoder, parseCodec} from '../../freezer/sys/codec.js';
import {createNativeDecoder, createNativeHasher} from '../../freezer/sys/native.js';
import {field, Patient} from '../helpers/damage.js';
import {agedArtefact, helloArtefact, helloSnapshot, row} from '../helpers/hand-made.js';
import {fullSnapshot, somePages, storedRun} from '../helpers/snapshots.js';

const built = existsSync('templates/stub-x86_64.elf');
const test = (built ? anyTest : anyTest.skip) as TestFn;

const hasher = createNativeHasher();
const PID = 3_000_001;
const patientOf = (codec: string): Patient =>
	new Patient(new Uint8Array(helloArtefact(hasher, helloSnapshot(PID), createEncoder(parseCodec(codec)))), hasher);

const directory = mkdtempSync(join(tmpdir(), 'frore-damage-'));
anyTest.after.always(() => rmSync(directory, {recursive: true}));
let number = 0;

/** Runs the bytes as a program. */
function run(bytes: Uint8Array): {status: number | null; stdout: string; stderr: string} {
	const file = join(directory, `job-${number++}.frore`);
	writeFileSync(file, bytes, {mode: 0o700});
	const {status, stdout, stderr} = spawnSync(file, [], {encoding: 'utf8', timeout: 20_000});
	rmSync(file);
	return {status, stdout, stderr};
}

const refused = (bytes: Uint8Array): string => {
	const {status, stdout, stderr} = run(bytes);
	const oneLine = /^frore: [^\n]+\n$/.test(stderr);
	return status === 125 && stdout === '' && oneLine ? 'refused' : `${status} ${JSON.stringify(stdout + stderr)}`;
};

for (const codec of ['none', 'zstd']) {
	test(`flipped bits behind the stub keep the program from running (${codec})`, (t) => {
		const patient = patientOf(codec);
		const {preambleAt, intact, headAt} = patient;
		const step = Math.max(1, Math.floor((intact.length - preambleAt) / 150));
		const places = [
			...Array.from({length: 60}, (_, i) => preambleAt + i * 3),
			...Array.from({length: 150}, (_, i) => preambleAt + i * step),
			...Array.from({length: 40}, (_, i) => headAt + i * 5),
			...Array.from({length: 64}, (_, i) => intact.length - 1 - i),
		];
		for (const at of places.filter((place) => place < intact.length)) {
			const bytes = patient.changed((all) => {
				all[at]! ^= 1 << (at % 8);
			});
			t.is(refused(bytes), 'refused', `byte ${at - preambleAt} behind the stub`);
		}
	});
}

test('a truncated artefact is refused', (t) => {
	const {intact, preambleAt} = patientOf('zstd');
	for (const length of [preambleAt, preambleAt + 8, preambleAt + 60, intact.length - 64, intact.length - 1]) {
		t.is(refused(intact.slice(0, length)), 'refused', `${length - preambleAt} bytes behind the stub`);
	}
});

test('the intact artefact runs', (t) => {
	const {status, stdout, stderr} = run(patientOf('zstd').intact);
	t.is(stdout, 'hello\n', stderr);
	t.is(status, PID & 127);
});

for (const codec of ['none', 'zstd']) {
	test(`bytes that have become void go nowhere (${codec})`, async (t) => {
		const encoder = createEncoder(parseCodec(codec));
		const {stdout, stderr} = run(new Uint8Array(agedArtefact(hasher, helloSnapshot(PID), encoder)));
		t.is(stdout, 'hello\n', stderr);
		const artefact = openArtefact(bytesSource(agedArtefact(hasher, helloSnapshot(PID), encoder)), hasher);
		verify(artefact);
		const read = memoryReaders(artefact, createNativeDecoder())[0]!;
		t.is(Buffer.from(read(0x600000n, 6)!).toString(), 'hello\n');
	});
}

test('numbers that point outside are refused, whatever the checksums say', (t) => {
	const patient = patientOf('zstd');
	const {trailerAt, headAt, indexAt, preambleAt} = patient;
	const group = indexAt + sizeOfStructure('index');
	const frame = group + sizeOfStructure('group');
	const run0 = frame + sizeOfStructure('frame');
	const taskEntry = headAt + sizeOfStructure('head') + sizeOfStructure('directory') * 5;
	const places: [string, number][] = [
		...(['preamble_offset', 'head_offset', 'head_length', 'index_offset', 'index_length'] as const).map(
			(name): [string, number] => [name, field(trailerAt, 'trailer', name)],
		),
		...(['blob_offset', 'blob_length'] as const).map((name): [string, number] => [name, field(headAt, 'head', name)]),
		...(['count', 'offset'] as const).map((name): [string, number] => [name, field(taskEntry, 'directory', name)]),
		...(['groups', 'frames', 'runs'] as const).map((name): [string, number] => [name, field(indexAt, 'index', name)]),
		...(['offset', 'length', 'data_offset', 'first_frame'] as const).map((name): [string, number] => [
			`group ${name}`,
			field(group, 'group', name),
		]),
		...(['offset', 'length', 'stored_length', 'raw_length'] as const).map((name): [string, number] => [
			`frame ${name}`,
			field(frame, 'frame', name),
		]),
		...(['address', 'length'] as const).map((name): [string, number] => [`run ${name}`, field(run0, 'run', name)]),
		['schema_hash', field(preambleAt, 'preamble', 'schema_hash')],
	];
	for (const [name, at] of places) {
		for (const value of [2n ** 20n + 1n, 2n ** 40n, 2n ** 63n + 7n, 2n ** 64n - 1n]) {
			const bytes = patient.resealed((_, view) => view.setBigUint64(at, value, true));
			t.is(refused(bytes), 'refused', `${name} = ${value}`);
		}
	}
});

/** A consistent artefact with two rows in every table, of no program; the stub refuses it later at the earliest. */
const fullPatient = (rows = 2): Patient => {
	const chunks: Uint8Array[] = [];
	const sink = {write: (chunk: Uint8Array) => void chunks.push(chunk.slice())};
	const writer = new ArtefactWriter(sink, readFileSync('templates/stub-x86_64.elf'), {codec: 0, hasher});
	writer.frame([storedRun(0x10000n, 4096)], {length: 4096}, somePages(4096), constants.CODEC.NONE);
	writer.finish(fullSnapshot(rows));
	return new Patient(new Uint8Array(Buffer.concat(chunks)), hasher);
};

/** The patient with other numbers in its tables: each is refused by the name of its table. */
function refusesTable(
	t: ExecutionContext,
	patient: Patient,
	table: TableName,
	row: number,
	fields: Record<string, bigint>,
): void {
	const layout = tableLayouts.find(({name}) => name === table)!;
	const bytes = patient.resealed((_, view) => {
		for (const [member, value] of Object.entries(fields)) {
			const wide = /64$/.test(layout.fields.find(({name}) => name === member)!.type);
			const at = patient.inTable(table, row, member);
			if (wide) view.setBigUint64(at, BigInt.asUintN(64, value), true);
			else view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
		}
	});
	const told = `${table}[${row}] ${Object.entries(fields)}`;
	const {status, stderr} = run(bytes);
	t.is(status, 125, `${told}: ${stderr}`);
	t.true(
		stderr.startsWith(`frore: cannot resume this file: it is damaged, ${table}[`) && stderr.endsWith('\n'),
		`${told}: ${stderr}`,
	);
}

test('every row that another one names is looked for, whatever the checksums say', (t) => {
	const patient = fullPatient();
	const file = join(directory, 'intact.frore');
	writeFileSync(file, patient.intact, {mode: 0o700});
	t.is(spawnSync(file, ['--inspect']).status, 0, 'the intact one can be told about');
	for (const [table, fields] of Object.entries(references)) {
		for (const [member, of] of Object.entries(fields as Record<string, string>)) {
			refusesTable(t, patient, table as TableName, 0, {[member]: of === 'machine' ? 1n : 2n});
			refusesTable(t, patient, table as TableName, 0, {[member]: 0xfffffffen});
		}
	}
	for (const [table, list] of Object.entries(stretches)) {
		for (const {first, count} of list) {
			refusesTable(t, patient, table as TableName, 1, {[first]: 1n, [count]: 2n});
			refusesTable(t, patient, table as TableName, 1, {[first]: 0xffffffffn, [count]: 2n});
		}
	}
	refusesTable(t, patient, 'description', 0, {kind: 14n});
	refusesTable(t, patient, 'description', 1, {row: 2n});
});

test('every text and every stretch of bytes must lie in the blob, whatever the checksums say', (t) => {
	const patient = fullPatient();
	for (const {name, fields} of tableLayouts) {
		for (const {name: member} of fields.filter(({type}) => type === 'str' || type === 'bytes')) {
			const at = patient.inTable(name as TableName, 0, member);
			for (const [offset, length] of [
				[0xfffffff0, 1],
				[0, 0xfffffff0],
				[0xffffffff, 0xffffffff],
			] as const) {
				const bytes = patient.resealed((_, view) => {
					view.setUint32(at, offset, true);
					view.setUint32(at + 4, length, true);
				});
				t.regex(
					run(bytes).stderr,
					new RegExp(`damaged, ${name}\\[0\\] refers to bytes`),
					`${name}.${member} ${offset} ${length}`,
				);
			}
		}
	}
});

test('mappings, contents and trees that cannot be are refused, whatever the checksums say', (t) => {
	const patient = fullPatient(3);
	const end = 0x7fff_ffff_f000n;
	const cases: [TableName, number, Record<string, bigint>][] = [
		['vma', 0, {start: 0x12000n}],
		['vma', 0, {end: 0x10801n}],
		['vma', 2, {end: 2n ** 64n - 0x1000n}],
		['vma', 2, {end: 2n ** 64n - 1n}],
		['vma', 1, {start: 0x11000n}],
		['vma', 0, {mm: 1n}],
		['vma', 1, {kind: 5n}],
		['vma', 2, {source: 3n}],
		['vma', 0, {window: 2n}],
		['window', 0, {kind: 4n, source: 3n}],
		['window', 0, {kind: 9n}],
		['same', 0, {start: 0xf000n}],
		['same', 1, {mm: 0n, start: 0x10000n, end: 0x12000n, window: 0n}],
		['same', 2, {end: 0x40000n}],
		['mm', 0, {vdso: 2n ** 64n - 0x1000n}],
		['mm', 1, {vdso_size: end}],
		['mm', 1, {vvar: end, vvar_size: 0x1000n}],
		['content', 0, {size: 2n ** 64n - 1n}],
		['content', 1, {size: end - 0x4000n}],
		['task', 1, {maker: 1n}],
		['task', 0, {maker: 1n}],
		['task', 0, {parent: 0n}],
		['task', 0, {flags: BigInt(constants.TASK.ZOMBIE)}],
		['task', 0, {flags: BigInt(constants.TASK.SHARES_FILES)}],
		['task', 2, {flags: BigInt(constants.TASK.ZOMBIE | constants.TASK.SHARES_FILES)}],
		['task', 2, {nthreads: 0n}],
		['task', 2, {parent: BigInt(NONE)}],
	];
	for (const [table, row, fields] of cases) refusesTable(t, patient, table, row, fields);
	const circle = patient.resealed((_, view) => {
		for (const [row, maker] of [
			[1, 2],
			[2, 1],
		] as const) {
			for (const member of ['maker', 'parent']) view.setUint32(patient.inTable('task', row, member), maker, true);
		}
	});
	t.regex(run(circle).stderr, /damaged, task\[1\] is forked by nobody/);
	const entry = patient.headAt + sizeOfStructure('head') + sizeOfStructure('directory') * 5;
	const narrow = patient.resealed((_, view) => view.setUint32(field(entry, 'directory', 'row_size'), 8, true));
	t.regex(run(narrow).stderr, /damaged, \w+\[0\] has another size/);
	const first =
		patient.indexAt + (['index', 'group', 'frame'] as const).reduce((sum, name) => sum + sizeOfStructure(name), 0);
	for (const [member, value] of [
		['index', 3],
		['space', 2],
		['source', 6],
	] as const) {
		const lost = patient.resealed((bytes) => {
			bytes[field(first, 'run', member)] = value;
		});
		t.regex(run(lost).stderr, /a run of pages points nowhere/, member);
	}
});

/** A vdso whose one symbol is named by byte `name` of a table of 16, and said to begin at `value`. */
function vdsoImage(name: number, value: bigint): Uint8Array {
	const image = Buffer.alloc(0x1000);
	image.writeBigUInt64LE(0x100n, 40); // e_shoff
	image.writeUInt16LE(64, 58);
	image.writeUInt16LE(2, 60);
	const section = (at: number, type: number, offset: number, size: number, link: number) => {
		image.writeUInt32LE(type, at + 4);
		image.writeBigUInt64LE(BigInt(offset), at + 24);
		image.writeBigUInt64LE(BigInt(size), at + 32);
		image.writeUInt32LE(link, at + 40);
	};
	section(0x100, 11, 0x200, 24, 1);
	section(0x140, 3, 0x300, 16, 0);
	image.writeUInt32LE(name, 0x200);
	image.writeBigUInt64LE(value, 0x208);
	image.write('__vdso_time', 0x300);
	return image;
}

test('symbols of the vdso that lie outside of it are passed over', (t) => {
	for (const [name, value] of [
		[0, 0x400n],
		[0, 2n ** 64n - 8n],
		[0, 0xff8n],
		[0xfffffff0, 0x400n],
	] as const) {
		const snapshot = helloSnapshot(PID);
		const image = vdsoImage(name, value);
		Object.assign(snapshot.mm[0]!, {vdso: 0x7ff0_0000_0000n, vdso_size: 0x1000n, vdso_image: image});
		const {stdout, stderr} = run(new Uint8Array(helloArtefact(hasher, snapshot)));
		t.is(stdout, 'hello\n', `${name} ${value}: ${stderr}`);
	}
});

test('shared memory is not mapped from behind its end, where that of others lies', (t) => {
	for (const [offset, expected] of [
		[0n, 'hello\n'],
		[0x1000n, ''],
		[2n ** 64n - 0x1000n, ''],
	] as const) {
		const snapshot = helloSnapshot(PID);
		const {CONTENT_SHARED} = constants.VMA;
		for (let i = 0; i < 2; i++) snapshot.content.push(row('content', {size: 0x1000n}));
		const [start, end] = [0x900000n, 0x901000n];
		snapshot.vma.push(row('vma', {start, end, offset, kind: CONTENT_SHARED, prot: 3, source: 0, window: NONE}));
		const bytes = new Uint8Array(helloArtefact(hasher, snapshot));
		t.is(run(bytes).stdout, expected, `offset ${offset}`);
		if (!expected) t.is(refused(bytes), 'refused');
	}
});

test('windows that are none, or larger than an address space together, are refused', (t) => {
	// The writer lets none of these through, so they take the place of good ones, which are found by their bounds.
	const good: [bigint, bigint][] = [0, 1, 2].map((i) => [
		0x5a5a_0000_0000n + BigInt(i) * 0x100_0000n,
		0x5a5a_0080_0000n + BigInt(i) * 0x100_0000n,
	]);
	const bad: [string, [bigint, bigint][]][] = [
		['its end before its start', [[0x200000n, 0x1000n]]],
		[
			'a wrong one that makes room seem enough',
			[
				[0x10000000n, 0x14000000n],
				[0x13c00000n, 0x10000000n],
			],
		],
		['not of whole pages', [[0x10000001n, 0x14000000n]]],
		['behind the end of user space', [[0x10000000n, 2n ** 63n]]],
		[
			'too many for an address space',
			[
				[0x1000n, 2n ** 46n],
				[0x1000n, 2n ** 46n],
				[0x1000n, 2n ** 46n],
			],
		],
	];
	const snapshot = helloSnapshot(PID);
	const rest = {offset: 0n, kind: constants.VMA.ANON, source: NONE, flags: 0, pad0: 0};
	snapshot.window.push(...good.map(([start, end]) => ({...rest, start, end})));
	const bytes = new Uint8Array(helloArtefact(hasher, snapshot, createEncoder(parseCodec('none'))));
	const patient = new Patient(bytes, hasher);
	const places = good.map(([start]) => {
		const wanted = Buffer.alloc(8);
		wanted.writeBigUInt64LE(start);
		return Buffer.from(bytes).indexOf(wanted, patient.headAt);
	});
	t.is(run(bytes).stdout, 'hello\n', 'with good ones it runs');
	for (const [what, windows] of bad) {
		const damaged = patient.resealed((_, view) => {
			for (const [i, [start, end]] of windows.entries()) {
				view.setBigUint64(places[i]!, start, true);
				view.setBigUint64(places[i]! + 8, end, true);
			}
		});
		t.is(refused(damaged), 'refused', what);
		t.regex(run(damaged).stderr, /damaged, window\[\d\] is (no window|too large)/, what);
	}
});
