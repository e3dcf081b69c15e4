import test from 'ava';
import {
	parseEpoll,
	parseEventfd,
	parseFdInfo,
	parseInotify,
	parseLocks,
	parsePidfd,
	parseSignalfd,
	parseTimeOffsets,
	parseTimerfd,
	userDevice,
} from '../../../../freezer/capture/fd/fdinfo.js';

const head = (flags: string, pos = '0') => `pos:\t${pos}\nflags:\t${flags}\nmnt_id:\t17\nino:\t1038\n`;

test('flags are octal, the position may pass 2^53', (t) => {
	const info = parseFdInfo(head('02100001', '9223372036854775807'));
	t.is(info.flags, 0o2100001);
	t.is(info.position, 0x7fff_ffff_ffff_ffffn);
});

test('the count of an eventfd is hex, and its kind is unknown to old kernels', (t) => {
	t.deepEqual(parseEventfd(`${head('02')}eventfd-count:               1f\neventfd-id: 2\neventfd-semaphore: 1\n`), {
		count: 31n,
		semaphore: true,
	});
	t.deepEqual(parseEventfd(`${head('02')}eventfd-count: ffffffffffffffff\n`), {
		count: 0xffff_ffff_ffff_ffffn,
		semaphore: undefined,
	});
});

test('a signalfd tells its mask in hex', (t) => {
	t.is(parseSignalfd(`${head('02000002')}sigmask:\t0000000200000200\n`), (1n << 33n) | (1n << 9n));
});

test('the flags of a timerfd are octal, its times are seconds and nanoseconds', (t) => {
	const text = `${head('02')}clockid: 7\nticks: 3\nsettime flags: 03\nit_value: (1, 5)\nit_interval: (0, 20000000)\n`;
	t.deepEqual(parseTimerfd(text), {
		clockid: 7,
		ticks: 3n,
		settimeFlags: 3,
		value: 1_000_000_005n,
		interval: 20_000_000n,
	});
});

test('every registration of an epoll is read, with and without the file it leads to', (t) => {
	const text = `${head('02000002')}tfd:        3 events: 80000019 data:                3  pos:0 ino:40e sdev:10\ntfd:       12 events:       19 data: ffffffffffffffff\n`;
	t.deepEqual(parseEpoll(text), [
		{fd: 3, events: 0x8000_0019, data: 3n, ino: 0x40en},
		{fd: 12, events: 0x19, data: 0xffff_ffff_ffff_ffffn, ino: 0n},
	]);
	t.deepEqual(parseEpoll(head('02')), []);
});

test('watches of an inotify come in the order of their numbers, all in hex', (t) => {
	const line = (wd: string, ino: string) =>
		`inotify wd:${wd} ino:${ino} sdev:fe00000 mask:800 ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:0d0100006d7481c0\n`;
	const [first, second] = parseInotify(`${head('00')}${line('a', '10d')}${line('2', '3f7e8')}`);
	t.is(first?.wd, 2);
	t.is(second?.wd, 10);
	t.is(second?.ino, 0x10dn);
	t.is(first?.dev, 0xfe00n);
	t.is(first?.mask, 0x800);
	t.is(first?.handleType, 1);
	t.deepEqual(Buffer.from(first!.handle), Buffer.from('0d0100006d7481c0', 'hex'));
	t.is(parseInotify('inotify wd:1 ino:2 sdev:3 mask:4 ignored_mask:0\n')[0]?.handle.length, 0);
});

test("the kernel's device numbers become those of stat", (t) => {
	t.is(userDevice(0xfe00000), 0xfe00n);
	t.is(userDevice((8 << 20) | 0x101), 0x100801n);
});

test('a pidfd tells the pid, or -1 when the process has ended', (t) => {
	t.is(parsePidfd(`${head('02')}Pid:\t27224\nNSpid:\t27224\n`), 27_224);
	t.is(parsePidfd(`${head('02')}Pid:\t-1\n`), -1);
});

test('locks are read with their ranges; EOF is length 0', (t) => {
	const text = `${head('02100001')}lock:\t1: FLOCK  ADVISORY  READ 27224 fe:00:2147268 0 EOF
lock:\t2: POSIX  ADVISORY  WRITE 27224 fe:00:2147268 10 29
lock:\t3: OFDLCK ADVISORY  WRITE -1 fe:00:2147268 100 EOF
lock:\t4: LEASE  ACTIVE    READ 27224 fe:00:2147268 0 EOF
`;
	t.deepEqual(parseLocks(text), [
		{kind: 'FLOCK', write: false, start: 0n, length: 0n},
		{kind: 'POSIX', write: true, start: 10n, length: 20n},
		{kind: 'OFDLCK', write: true, start: 100n, length: 0n},
		{kind: 'LEASE', write: false, start: 0n, length: 0n},
	]);
});

test('clock offsets may be negative', (t) => {
	t.deepEqual(parseTimeOffsets('monotonic       -100    500000000\nboottime        7         0\n'), {
		monotonic: -99_500_000_000n,
		boottime: 7_000_000_000n,
	});
	t.deepEqual(parseTimeOffsets(''), {monotonic: 0n, boottime: 0n});
});
