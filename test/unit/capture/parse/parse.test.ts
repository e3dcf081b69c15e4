import test from 'ava';
import {parseLimits, RLIM_INFINITY} from '../../../../freezer/capture/parse/limits.js';
import {parseSched} from '../../../../freezer/capture/parse/sched.js';
import {parseSmaps} from '../../../../freezer/capture/parse/smaps.js';
import {parseStat} from '../../../../freezer/capture/parse/stat.js';
import {parseStatus} from '../../../../freezer/capture/parse/status.js';
import {parseTimers} from '../../../../freezer/capture/parse/timers.js';
import {anonymousName, deviceNumber, mappingKind} from '../../../../freezer/capture/parse/vmakind.js';

const smaps = `55d0c0a00000-55d0c0a01000 r-xp 00001000 fe:01 1234                       /tmp/a b (deleted)
Size:                  4 kB
Rss:                   4 kB
Swap:                  0 kB
ProtectionKey:         3
VmFlags: rd ex mr mw me
7f0000000000-7f0000200000 rw-p 00000000 00:00 0                          [anon:a name]
Rss:                 128 kB
VmFlags: rd wr mr mw me ac hg wf
7f0000200000-7f0000201000 rw-s 00000000 00:01 77                         /line\\012break
VmFlags: rd wr sh mr mw me ms
7fff00000000-7fff00021000 rw-p 00000000 00:00 0                          [stack]
VmFlags: rd wr mr mw me gd ac
`;

test('smaps: addresses, protection, file, key and flags of each mapping', (t) => {
	const [text, anonymous, shared, stack] = parseSmaps(smaps);
	t.like(text, {
		start: 0x55d0c0a00000n,
		end: 0x55d0c0a01000n,
		read: true,
		write: false,
		execute: true,
		shared: false,
		offset: 0x1000n,
		dev: 'fe:01',
		ino: 1234n,
		path: '/tmp/a b',
		deleted: true,
		pkey: 3,
	});
	t.true(anonymous?.flags.has('wf'));
	t.is(shared?.path, '/line\nbreak');
	t.true(shared?.shared);
	t.is(stack?.path, '[stack]');
	t.true(stack?.flags.has('gd'));
});

const mapping = (line: string, flags = 'rd wr') => parseSmaps(`${line}\nVmFlags: ${flags}\n`)[0]!;

for (const [line, kind, flags] of [
	['7000-8000 rw-p 00000000 00:00 0', 'anonymous'],
	['7000-8000 rw-p 00000000 00:00 0    [heap]', 'anonymous'],
	['7000-8000 r-xp 00000000 00:00 0    [vdso]', 'kernel'],
	['7000-8000 r--p 00000000 00:00 0    [vvar_vclock]', 'kernel'],
	['7000-8000 rw-s 00000000 00:01 9    /dev/zero (deleted)', 'shared-memory'],
	['7000-8000 rw-s 00000000 00:01 9    [anon_shmem:x]', 'shared-memory'],
	['7000-8000 rw-s 00000000 00:01 9    /memfd:x (deleted)', 'memfd'],
	['7000-8000 rw-s 00000000 00:01 9    /SYSV00000000 (deleted)', 'sysv'],
	['7000-8000 rw-s 00000000 00:01 9    /[aio] (deleted)', 'aio'],
	['7000-8000 rw-s 00000000 00:01 9    anon_inode:[io_uring]', 'io_uring'],
	['7000-8000 rw-s 00000000 00:01 9    anon_inode:[perf_event]', 'device'],
	['7000-8000 rw-s 00000000 fe:01 9    /tmp/x (deleted)', 'deleted-file'],
	['7000-8000 rw-p 00000000 fe:01 9    /tmp/x (deleted)', 'file'],
	['7000-8000 rw-s 00000000 00:19 9    /dev/shm/x', 'file'],
	['7000-8000 rw-s 00000000 00:06 9    /dev/dri/card0', 'device'],
	['7000-8000 rw-p 00000000 00:0f 9    /anon_hugepage (deleted)', 'hugetlb', 'rd wr ht'],
	['7000-8000 rw-p 00000000 00:00 0', 'userfaultfd', 'rd wr um'],
	['7000-8000 rw-p 00000000 00:00 0', 'shadow-stack', 'rd wr ss'],
] as const) {
	test(`the mapping "${line}"${flags ? ` with ${flags}` : ''} is ${kind}`, (t) => {
		t.is(mappingKind(mapping(line, flags)), kind);
	});
}

test('names of anonymous memory', (t) => {
	t.is(anonymousName('[anon:glibc: malloc]'), 'glibc: malloc');
	t.is(anonymousName('[anon_shmem:x]'), 'x');
	t.is(anonymousName('[heap]'), '');
});

test('device numbers are those of stat', (t) => {
	t.is(deviceNumber('fe:01'), 0xfe01n);
	t.is(deviceNumber('00:123'), 0x100023n);
});

test('stat: a name with spaces and parentheses does not shift the fields', (t) => {
	const fields = ['S', 1, 2, 3, 34816, 5, 0x400000, ...Array.from({length: 43}, (_, i) => 100 + i)];
	const stat = parseStat(`77 (a) S (b) ${fields.join(' ')}\n`);
	t.like(stat, {comm: 'a) S (b', state: 'S', ppid: 1, pgrp: 2, session: 3, ttyNr: 34816, tpgid: 5, flags: 0x400000});
	t.is(stat.startCode, 116n);
	t.is(stat.envEnd, 141n);
});

test('status: numbers, masks and the innermost id', (t) => {
	const status = parseStatus('Name:\tx\nNSpid:\t900\t7\nSigCgt:\t8000000000000001\nUmask:\t0022\nUid:\t1\t2\t3\t4\n');
	t.is(status.inner('NSpid'), 7);
	t.is(status.mask('SigCgt'), 0x8000000000000001n);
	t.deepEqual(status.numbers('Uid'), [1, 2, 3, 4]);
	t.is(status.text('Umask'), '0022');
	t.is(status.mask('Absent'), 0n);
});

test('limits', (t) => {
	const text = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 524288               files
Max realtime timeout      unlimited            unlimited            us
`;
	t.deepEqual(parseLimits(text), [
		{resource: 0, cur: RLIM_INFINITY, max: RLIM_INFINITY},
		{resource: 7, cur: 1024n, max: 524288n},
		{resource: 15, cur: RLIM_INFINITY, max: RLIM_INFINITY},
	]);
});

test('timers: signal, thread and none', (t) => {
	const text = `ID: 0
signal: 60/00007fff5c3b2a10
notify: signal/pid.2634
ClockID: 0
ID: 3
signal: 14/0000000000000001
notify: signal/tid.2635
ClockID: -6
ID: 4
signal: 0/0000000000000000
notify: none/pid.2634
ClockID: 1
`;
	t.deepEqual(parseTimers(text), [
		{id: 0, signo: 60, sigval: 0x7fff5c3b2a10n, notify: 0, target: 2634, clockid: 0},
		{id: 3, signo: 14, sigval: 1n, notify: 4, target: 2635, clockid: -6},
		{id: 4, signo: 0, sigval: 0n, notify: 1, target: 2634, clockid: 1},
	]);
});

test('sched: when it last ran, to the nanosecond', (t) => {
	const text = 'cat (1, #threads: 1)\n---\nse.exec_start    :   2106209.987768\nnr_voluntary_switches     :      12\n';
	t.deepEqual(parseSched(text), {execStart: 2_106_209_987_768n, voluntarySwitches: 12});
	t.is(parseSched(''), undefined);
});
