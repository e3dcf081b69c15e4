/** Damaged artefacts, run with --lazy: what is read by then is verified, what is mapped is not, and nothing is mapped elsewhere. */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test from 'ava';
import {plainEncoder} from '../../builder/codec.js';
import {constants, NONE} from '../../builder/format/schema.js';
import {readStructure, sizeOfStructure} from '../../builder/structures.js';
import {createNativeHasher} from '../../freezer/sys/native.js';
import {field, Patient} from '../helpers/damage.js';
import {helloArtefact, helloSnapshot, PAGE, row} from '../helpers/hand-made.js';
import {somePages, storedRun} from '../helpers/snapshots.js';

const PID = 3_000_002;
/** Memory that the program never looks at: two frames, one mapping. */
const START = 0x10_0000_0000n;
const LENGTH = 64 * PAGE;

const directory = mkdtempSync(join(tmpdir(), 'frore-lazy-'));
test.after.always(() => rmSync(directory, {recursive: true}));
let number = 0;

function artefact(): Patient {
	const snapshot = helloSnapshot(PID);
	const end = START + BigInt(2 * LENGTH);
	snapshot.vma.push(row('vma', {start: START, end, prot: 3, source: NONE, window: NONE}));
	const frames = [START, START + BigInt(LENGTH)].map((address) => {
		const stored = somePages(LENGTH);
		return {runs: [storedRun(address, LENGTH)], raw: stored, stored, codec: constants.CODEC.NONE};
	});
	const hasher = createNativeHasher();
	return new Patient(new Uint8Array(helloArtefact(hasher, snapshot, plainEncoder, frames)), hasher);
}

const patient = artefact();
const {trailerAt, headAt, indexAt, intact, preambleAt} = patient;
const framesAt = indexAt + sizeOfStructure('index') + sizeOfStructure('group');
const runsAt = framesAt + 3 * sizeOfStructure('frame');
const frameOf = (n: number) => readStructure('frame', intact, framesAt + n * sizeOfStructure('frame'));

function run(bytes: Uint8Array, ...args: string[]): string {
	const file = join(directory, `job-${number++}.frore`);
	writeFileSync(file, bytes, {mode: 0o700});
	const {status, signal, stdout, stderr} = spawnSync(file, args, {encoding: 'utf8', timeout: 20_000});
	rmSync(file);
	if (status === (PID & 127) && stdout === 'hello\n' && stderr === '') return 'hello';
	return status === 125 && stdout === '' && /^frore: [^\n]+\n$/.test(stderr)
		? 'refused'
		: `${status ?? signal} ${stdout}${stderr}`;
}

test('a changed bit of mapped memory is found without --lazy, and not with it', (t) => {
	t.is(run(intact, '--lazy'), 'hello');
	for (const frame of [1, 2]) {
		const at = Number(frameOf(frame).offset) + 5 * PAGE;
		const bytes = patient.changed((all) => {
			all[at]! ^= 1;
		});
		t.is(run(bytes, '--lazy'), 'hello');
		t.is(run(bytes), 'refused');
	}
});

test('every changed bit of preamble, tables, index and trailer is found, and of the memory that is read', (t) => {
	const read = frameOf(0);
	const places = [
		...Array.from({length: sizeOfStructure('preamble')}, (_, i) => preambleAt + i),
		...Array.from({length: 100}, (_, i) => Number(read.offset) + Math.floor((i * Number(read.length)) / 100)),
		...Array.from({length: 150}, (_, i) => headAt + Math.floor((i * (intact.length - headAt)) / 150)),
		...Array.from({length: 64}, (_, i) => intact.length - 1 - i),
	];
	for (const at of places) {
		const bytes = patient.changed((all) => {
			all[at]! ^= 1 << (at % 8);
		});
		t.is(run(bytes, '--lazy'), 'refused', `byte ${at - preambleAt} behind the stub`);
	}
});

test('a truncated file is refused', (t) => {
	for (const length of [preambleAt + 8, Number(frameOf(2).offset), trailerAt, intact.length - 1]) {
		t.is(run(intact.slice(0, length), '--lazy'), 'refused', `${length} of ${intact.length} bytes`);
	}
});

test('numbers that point outside are refused, whatever the checksums say', (t) => {
	const [second, run1] = [framesAt + sizeOfStructure('frame'), runsAt + 2 * sizeOfStructure('run')];
	const places: [string, number][] = [
		...(['offset', 'length', 'stored_length', 'raw_length'] as const).map((name): [string, number] => [
			`frame ${name}`,
			field(second, 'frame', name),
		]),
		...(['address', 'length'] as const).map((name): [string, number] => [`run ${name}`, field(run1, 'run', name)]),
	];
	for (const [name, at] of places) {
		for (const value of [0x1000n, 2n ** 30n, 2n ** 47n, 2n ** 63n + 4096n, 2n ** 64n - 4096n]) {
			const told = run(
				patient.resealed((_, view) => view.setBigUint64(at, value, true)),
				'--lazy',
			);
			t.is(told, 'refused', `${name} = ${value}`);
		}
	}
});

test('runs over each other are read, in their order', (t) => {
	const third = runsAt + 3 * sizeOfStructure('run');
	const over = patient.resealed((_, view) => view.setBigUint64(field(third, 'run', 'address'), START, true));
	t.is(run(over, '--lazy'), 'hello');
	const flipped = patient
		.resealed((_, view) => view.setBigUint64(field(third, 'run', 'address'), START, true))
		.map((byte, at) => (at === Number(frameOf(2).offset) ? byte ^ 1 : byte));
	t.is(run(flipped, '--lazy'), 'refused', 'it is verified, so it has been read');
});
