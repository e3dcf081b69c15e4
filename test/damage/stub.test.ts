/** Damaged artefacts, run: the stub must refuse them in one line, and nothing of the program may have happened. */
import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import anyTest, {type TestFn} from 'ava';
import {constants, NONE} from '../../builder/format/schema.js';
import {sizeOfStructure} from '../../builder/structures.js';
import {createEncoder, parseCodec} from '../../freezer/sys/codec.js';
import {createNativeHasher} from '../../freezer/sys/native.js';
import {field, Patient} from '../helpers/damage.js';
import {helloArtefact, helloSnapshot} from '../helpers/hand-made.js';

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
		t.regex(run(damaged).stderr, /a window is none/, what);
	}
});
