/** What an earlier resume with --lazy has mapped from its file is anonymous memory again, in the pieces that it was. */
import test from 'ava';
import {asAnonymous} from '../../../freezer/capture/lazy.js';
import {parseSmaps} from '../../../freezer/capture/parse/smaps.js';
import type {RemoteAddr} from '../../../freezer/sys/types.js';

const MARK = 0x10000000000n;
const RESIDENT = 0x10000001000n;

/** Of the mark and of the resident page alone; `told`: what the mark says. */
const memory = (told = 'FRORESNP') => ({
	readInto(address: RemoteAddr, bytes: Uint8Array): number {
		const head = Buffer.alloc(16);
		if (address === MARK) head.write(told, 'latin1');
		if (address === RESIDENT) {
			head.write('FRORERES', 'latin1');
			head.writeBigUInt64LE(RESIDENT, 8);
		}
		bytes.set(head.subarray(0, bytes.length));
		return bytes.length;
	},
});

const parse = (lines: readonly string[]) =>
	parseSmaps(lines.map((line) => `${line}\nVmFlags: rd wr mr mw me ac\n`).join(''));
const own = [
	'10000000000-10000001000 r--p 00041000 00:1b 27 /tmp/job.frore',
	'10000001000-10000003000 r-xp 0 00:00 0 ',
];
const plain = (lines: readonly string[], told?: string) =>
	asAnonymous(parse([...own, ...lines]), memory(told))
		.slice(1)
		.map(({start, end, path, ino, offset, unread}) => {
			const pieces = (unread ?? []).map((piece) => `${piece.start.toString(16)}-${piece.end.toString(16)}`);
			return [`${start.toString(16)}-${end.toString(16)}`, path, `${ino} ${offset}`, ...pieces].join(' ').trimEnd();
		});

test('pieces of one mapping are put together, and tell where nothing has been read', (t) => {
	const lines = [
		'20000000000-20000100000 rw-p 00046000 00:1b 27 /tmp/job.frore',
		'20000100000-20000110000 rw-p 00000000 00:00 0 ',
		'20000110000-20000200000 rw-p 00146000 00:1b 27 /tmp/job.frore (deleted)',
	];
	t.deepEqual(plain(lines), ['20000000000-20000200000  0 0 20000000000-20000100000 20000110000-20000200000']);
});

test('the name of the page before a piece is its own, that of another mapping is not', (t) => {
	const lines = [
		'55d000000000-55d000001000 rw-p 00000000 00:00 0 [heap]',
		'55d000001000-55d000101000 rw-p 00047000 00:1b 27 /tmp/job.frore',
		'7f0000000000-7f0000001000 rw-p 00000000 00:00 0 [anon:a name]',
		'7f0000001000-7f0000100000 rw-p 00147000 00:1b 27 /tmp/job.frore',
		'7f0000100000-7f0000200000 r--p 00247000 00:1b 27 /tmp/job.frore',
		'7f0000200000-7f0000201000 r--p 00000000 fe:01 12 /lib/x.so',
		'7f0000201000-7f0000300000 r--p 00347000 00:1b 27 /tmp/job.frore',
	];
	t.deepEqual(plain(lines), [
		'55d000000000-55d000101000 [heap] 0 0 55d000001000-55d000101000',
		'7f0000000000-7f0000100000 [anon:a name] 0 0 7f0000001000-7f0000100000',
		'7f0000100000-7f0000200000  0 0 7f0000100000-7f0000200000',
		'7f0000200000-7f0000201000 /lib/x.so 12 0',
		'7f0000201000-7f0000300000  0 0 7f0000201000-7f0000300000',
	]);
});

test('shared mappings, other files, and all of it without the mark, are left alone', (t) => {
	const lines = [
		'20000000000-20000100000 rw-s 00000000 00:1b 27 /tmp/job.frore',
		'20000100000-20000200000 rw-p 00000000 fe:1b 27 /tmp/job.frore',
		'20000200000-20000300000 rw-p 00000000 00:1b 28 /tmp/job.frore',
	];
	const untouched = [
		'20000000000-20000100000 /tmp/job.frore 27 0',
		'20000100000-20000200000 /tmp/job.frore 27 0',
		'20000200000-20000300000 /tmp/job.frore 28 0',
	];
	t.deepEqual(plain(lines), untouched);
	const mapped = ['20000000000-20000100000 rw-p 00000000 00:1b 27 /tmp/job.frore'];
	t.deepEqual(plain(mapped, 'something').slice(1), ['20000000000-20000100000 /tmp/job.frore 27 0']);
	const alone = parse(mapped);
	t.is(asAnonymous(alone, memory()), alone);
});
