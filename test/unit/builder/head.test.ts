import test from 'ava';
import {decodeHead} from '../../../builder/decode.js';
import {encodeHead} from '../../../builder/encode.js';
import {table, u8, u32} from '../../../builder/format/fields.js';
import {layoutOf} from '../../../builder/format/layout.js';
import {emptySnapshot} from '../../../builder/format/schema.js';
import {fullSnapshot} from '../../helpers/snapshots.js';

test('a snapshot with every field filled survives encoding', (t) => {
	const snapshot = fullSnapshot(3);
	t.deepEqual(decodeHead(encodeHead(snapshot)), snapshot);
});

test('an empty snapshot survives encoding', (t) => {
	t.deepEqual(decodeHead(encodeHead(emptySnapshot())), emptySnapshot());
});

test('a missing field is named', (t) => {
	const snapshot = fullSnapshot(1);
	delete (snapshot.task[0] as Partial<(typeof snapshot.task)[0]>).pid;
	t.throws(() => encodeHead(snapshot), {
		message: 'cannot write the snapshot: task[0].pid is undefined, which is no i32',
	});
});

test('a number that does not fit its field is refused', (t) => {
	const snapshot = fullSnapshot(1);
	snapshot.fd[0]!.fd = 2 ** 31;
	t.throws(() => encodeHead(snapshot), {message: /fd\[0\]\.fd is 2147483648, which is no i32/});
	snapshot.fd[0]!.fd = -1;
	snapshot.vma[0]!.start = -1n;
	t.throws(() => encodeHead(snapshot), {message: /vma\[0\]\.start is -1n, which is no u64/});
});

test('a field that would not be aligned is refused', (t) => {
	t.throws(() => layoutOf('odd', table('', {small: u8(''), wide: u32('')})), {
		message: /field wide \(u32\) would lie at offset 1/,
	});
});
