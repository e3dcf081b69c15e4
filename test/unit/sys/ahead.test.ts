import {closeSync, openSync, readFileSync, readlinkSync} from 'node:fs';
import test from 'ava';
import {parseSmaps} from '../../../freezer/capture/parse/smaps.js';
import {descriptorsIn, ReadAhead, threadsIn} from '../../../freezer/sys/ahead.js';
import {asPid} from '../../../freezer/sys/types.js';

const own = asPid(process.pid);
/** A process that stands still: what is told of it does not change. */
const parent = asPid(process.ppid);

test('files of several processes are what they are when they are read by oneself', (t) => {
	using ahead = new ReadAhead([own, parent], {limits: 'file', exe: 'link', cmdline: 'file', ns: 'links'});
	for (const pid of [parent, own]) {
		t.deepEqual(ahead.take(pid, 'limits'), readFileSync(`/proc/${pid}/limits`));
		t.deepEqual(ahead.take(pid, 'cmdline'), readFileSync(`/proc/${pid}/cmdline`));
		t.is(ahead.take(pid, 'exe').toString(), readlinkSync(`/proc/${pid}/exe`));
		t.true(
			ahead
				.take(pid, 'ns')
				.toString()
				.split('\n')
				.includes(`mnt ${readlinkSync(`/proc/${pid}/ns/mnt`)}`),
		);
	}
});

test('all that is wanted of mappings is kept of smaps', (t) => {
	using ahead = new ReadAhead([parent], {smaps: 'mappings'});
	const text = ahead.take(parent, 'smaps').toString();
	t.false(text.includes('Pss:'));
	t.deepEqual(parseSmaps(text), parseSmaps(readFileSync(`/proc/${parent}/smaps`, 'utf8')));
});

test('descriptors come in their order, with link and fdinfo', (t) => {
	const fd = openSync('/dev/null', 'r');
	try {
		using ahead = new ReadAhead([own], {fd: 'descriptors'});
		const found = [...descriptorsIn(ahead.take(own, 'fd'))];
		const numbers = found.map((one) => one.fd);
		t.deepEqual(
			numbers,
			[...numbers].sort((a, b) => a - b),
		);
		const mine = found.find((one) => one.fd === fd);
		t.is(mine?.link.toString(), '/dev/null');
		t.regex(mine?.info.toString() ?? '', /^pos:\t0\nflags:\t0?100000\n|^pos:\t0\nflags:\t02100000\n/);
	} finally {
		closeSync(fd);
	}
});

test('threads that share all with the first are not told of', (t) => {
	using ahead = new ReadAhead([own], {task: 'threads'});
	t.deepEqual([...threadsIn(ahead.take(own, 'task'))], []);
});

test('what cannot be read is told when it is asked for, and after the end nothing is read', (t) => {
	const ahead = new ReadAhead([own], {nothing: 'file', limits: 'file'});
	t.throws(() => ahead.take(own, 'nothing'), {message: /read.*\/proc\/\d+\/nothing/});
	ahead[Symbol.dispose]();
	t.throws(() => ahead.take(own, 'limits'), {message: /too late/});
});
