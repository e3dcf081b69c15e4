import {existsSync, readFileSync} from 'node:fs';
import anyTest, {type TestFn} from 'ava';
import elfy from 'elfy';
import {verifyStub} from '../../../builder/provenance.js';

const path = 'templates/stub-x86_64.elf';
const test = (existsSync(path) ? anyTest : anyTest.skip) as TestFn;

test('the stub is what its provenance note says', async (t) => {
	const note = await verifyStub(readFileSync(path), 'the stub');
	t.regex(note.sha256, /^[0-9a-f]{64}$/);
	t.regex(note.sources.zstd!, /^1\.5\.7 from zstd-napi/);
	t.deepEqual(Object.keys(note.sources), ['zstd', 'lz4', 'zlib', 'frore']);
});

test('the stub is whole pages, has no interpreter and nothing writable and executable', (t) => {
	const elf = readFileSync(path);
	t.is(elf.length % 4096, 0);
	const {programs} = elfy.parse(elf).body;
	t.false(programs.some(({type}) => type === 'interp' || type === 'dynamic'));
	t.false(programs.some(({flags}) => flags.w && flags.x));
});

test('a changed byte of the code is found', async (t) => {
	const elf = readFileSync(path);
	const text = elfy.parse(elf).body.sections.find(({name}) => name === '.text')!;
	elf[text.off + (text.size >> 1)]! ^= 1;
	await t.throwsAsync(verifyStub(elf, 'job.frore'), {
		code: 'damaged',
		message: 'job.frore is damaged: its program is not the one that its note describes',
	});
});

test('what is no ELF file is refused in words', async (t) => {
	await t.throwsAsync(verifyStub(Buffer.from('#!/bin/sh\n'), 'job.frore'), {
		code: 'damaged',
		message: /cannot be read as ELF/,
	});
});
