/** Damaged input: the reader must refuse it in words, and never read or allocate by a number it has not bounded. */
import test from 'ava';
import {type Artefact, bytesSource, openArtefact, verify} from '../../builder/artefact-reader.js';
import {plainEncoder} from '../../builder/codec.js';
import {FroreError} from '../../builder/errors.js';
import type {Snapshot} from '../../builder/format/schema.js';
import {createHasher} from '../../builder/portable-codec.js';
import {type Frame, type Group, sizeOfStructure} from '../../builder/structures.js';
import {createEncoder, parseCodec} from '../../freezer/sys/codec.js';
import {createNativeHasher} from '../../freezer/sys/native.js';
import {field, Patient} from '../helpers/damage.js';
import {fullSnapshot, smallArtefact} from '../helpers/snapshots.js';

const hasher = createNativeHasher();
const intact = smallArtefact(hasher, createEncoder(parseCodec('zstd')));
const STUB = 4096;
const patient = new Patient(intact, hasher);
const {trailerAt, headAt, indexAt} = patient;

function read(bytes: Uint8Array): Artefact {
	const artefact = openArtefact(bytesSource(bytes, 'job.frore'), hasher);
	verify(artefact);
	return artefact;
}

/** The error that reading gives; the test fails when there is none or it is not one of ours. */
function refusal(bytes: Uint8Array): FroreError {
	try {
		read(bytes);
	} catch (error) {
		if (error instanceof FroreError) return error;
		throw error;
	}
	throw new Error('nothing was refused');
}

test('the intact artefact is read', (t) => {
	t.deepEqual(read(intact).snapshot, fullSnapshot());
});

test('every flipped bit behind the stub is found', (t) => {
	for (let at = STUB; at < intact.length; at++) {
		const bytes = patient.changed((all) => {
			all[at]! ^= 1 << (at % 8);
		});
		t.regex(refusal(bytes).code, /^(damaged|unknown-format)$/, `byte ${at}`);
	}
});

test('every truncation is found', (t) => {
	for (let length = 0; length < intact.length; length += length < 4000 ? 501 : 7) {
		t.is(refusal(intact.slice(0, length)).exitCode, 4, `${length} bytes`);
	}
});

test('bytes added at the end are found', (t) => {
	const longer = new Uint8Array(intact.length + 8);
	longer.set(intact);
	t.is(refusal(longer).code, 'unknown-format');
});

test('what is no artefact is called so', (t) => {
	const error = refusal(new TextEncoder().encode('#!/bin/sh\n'.repeat(100)));
	t.is(error.code, 'unknown-format');
	t.is(
		error.message,
		'job.frore is not a frore artefact, or has lost its end: there is no snapshot at the end of its 1000 bytes',
	);
	t.regex(refusal(new Uint8Array()).message, /^job\.frore is not a frore artefact/);
});

test('another format version is named', (t) => {
	const error = refusal(patient.resealed((_, view) => view.setUint32(field(STUB, 'preamble', 'version'), 4, true)));
	t.is(error.message, 'job.frore: snapshot format 4, but this frore reads format 1');
	t.is(error.code, 'unknown-format');
});

test('another schema, architecture or page size is refused', (t) => {
	const schema = refusal(
		patient.resealed((_, view) => view.setBigUint64(field(STUB, 'preamble', 'schema_hash'), 1n, true)),
	);
	t.regex(schema.message, /another build of frore/);
	t.regex(
		refusal(patient.resealed((_, view) => view.setUint32(field(STUB, 'preamble', 'arch'), 183, true))).message,
		/machine 183/,
	);
	t.regex(
		refusal(patient.resealed((_, view) => view.setUint32(field(STUB, 'preamble', 'page_size'), 65536, true))).message,
		/65536/,
	);
});

test('a trailer that points outside is refused', (t) => {
	for (const name of ['preamble_offset', 'head_offset', 'head_length', 'index_offset', 'index_length'] as const) {
		for (const value of [0n, 8n, 2n ** 40n, 2n ** 64n - 1n, BigInt(intact.length)]) {
			const bytes = patient.resealed((_, view) => view.setBigUint64(field(trailerAt, 'trailer', name), value, true));
			t.is(refusal(bytes).exitCode, 4, `${name} ${value}`);
		}
	}
});

test('tables that point outside are refused, whatever their checksum says', (t) => {
	const directory = headAt + sizeOfStructure('head');
	for (const value of [2n ** 20n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 1n]) {
		for (const name of ['count', 'offset'] as const) {
			const bytes = patient.resealed((_, view) => view.setBigUint64(field(directory, 'directory', name), value, true));
			t.is(refusal(bytes).code, 'damaged', `directory ${name} ${value}`);
		}
		for (const name of ['blob_offset', 'blob_length'] as const) {
			const bytes = patient.resealed((_, view) => view.setBigUint64(field(headAt, 'head', name), value, true));
			t.is(refusal(bytes).code, 'damaged', `${name} ${value}`);
		}
	}
	t.is(
		refusal(patient.resealed((_, view) => view.setUint32(field(directory, 'directory', 'row_size'), 0, true))).code,
		'damaged',
	);
	t.is(
		refusal(patient.resealed((_, view) => view.setUint32(field(headAt, 'head', 'tables'), 2 ** 31, true))).code,
		'damaged',
	);
});

const groupAt = indexAt + sizeOfStructure('index');
const frameAt = groupAt + 2 * sizeOfStructure('group');

test('a group that overlaps, is too long or has other frames is refused, whatever its checksum says', (t) => {
	const change = (member: keyof Group, value: bigint, second = true) => {
		const at = groupAt + (second ? sizeOfStructure('group') : 0);
		return refusal(patient.resealed((_, view) => view.setBigUint64(field(at, 'group', member), value, true))).message;
	};
	t.regex(change('offset', 0n), /page group 1 says it begins at 0, the one before ends at \d+$/);
	t.regex(change('length', 2n ** 33n), /page group 1 says it ends at \d+, the groups end at \d+$/);
	t.regex(change('length', 304n, false), /page frame 0 says it ends at \d+, its group ends at \d+$/);
	t.regex(change('data_offset', 0n), /page group 1 says its data begins where it does not$/);
	t.regex(change('data_offset', 2n ** 40n), /page group 1 says its data begins where it does not$/);
	t.regex(change('data_offset', BigInt(STUB + 64), false), /page group 0 says its data begins where it does not$/);
	t.regex(change('first_frame', 1n), /page group 1 refers to frames that are not its own$/);
	t.regex(change('first_frame', 2n + (2n << 32n)), /page group 1 refers to frames that are not its own$/);
	const many = refusal(
		patient.resealed((_, view) => view.setBigUint64(field(indexAt, 'index', 'groups'), 2n ** 60n, true)),
	);
	t.regex(many.message, /its index says \d+ groups, 3 frames and 5 runs, which it does not hold$/);
});

test('a frame that overlaps, is too long or has other runs is refused, whatever its checksum says', (t) => {
	const second = frameAt + sizeOfStructure('frame');
	const change = (member: keyof Frame, value: bigint) =>
		refusal(patient.resealed((_, view) => view.setBigUint64(field(second, 'frame', member), value, true))).message;
	t.regex(change('offset', 0n), /page frame 1 says it begins at 0, the one before ends at \d+$/);
	t.regex(change('length', 2n ** 33n), /page frame 1 says it ends at \d+, its group ends at \d+$/);
	t.regex(change('stored_length', 2n ** 40n), /page frame 1 holds less data than it says$/);
	t.regex(change('raw_length', 4096n), /page frame 1 has runs of 0 bytes, but holds 4096$/);
	const runs = refusal(patient.resealed((_, view) => view.setUint32(field(second, 'frame', 'first_run'), 0, true)));
	t.regex(runs.message, /page frame 1 refers to runs of pages that are not its own$/);
	const many = refusal(
		patient.resealed((_, view) => view.setBigUint64(field(indexAt, 'index', 'frames'), 2n ** 60n, true)),
	);
	t.regex(many.message, /its index says 2 groups, \d+ frames and 5 runs, which it does not hold$/);
});

test('a run for an address space that does not exist is refused', (t) => {
	const runsAt = frameAt + 3 * sizeOfStructure('frame');
	for (const value of [2, 0xffffffff]) {
		const error = refusal(patient.resealed((_, view) => view.setUint32(field(runsAt, 'run', 'index'), value, true)));
		t.regex(error.message, /page frame 0 has a run 0 that points nowhere$/);
	}
});

test('random damage with right checksums is either refused in our words or read', async (t) => {
	const plain = smallArtefact(await createHasher(), plainEncoder, {...fullSnapshot(1)} as Snapshot);
	t.truthy(read(plain));
	let random = 12345;
	const next = (limit: number): number => {
		random = (random * 1103515245 + 12345) % 2 ** 31;
		return random % limit;
	};
	for (let round = 0; round < 3000; round++) {
		const bytes = patient.resealed((all) => {
			for (let i = 0; i <= next(3); i++) all[headAt - 16 + next(trailerAt - headAt + 16)] = next(256);
		});
		try {
			read(bytes);
		} catch (error) {
			t.true(error instanceof FroreError, `round ${round}: ${(error as Error).stack}`);
		}
	}
	t.pass();
});
