import test from 'ava';
import {
	abortRestartableSequence,
	askForRestart,
	hidesItsTime,
	type InterruptedThread,
	normalise,
} from '../../../freezer/capture/syscalls.js';
import {nr} from '../../../freezer/sys/nr.js';
import {type RegisterName, Registers} from '../../../freezer/sys/registers.js';

const SECOND = 1_000_000_000n;
const RIP = 0x401002n;
const ERESTARTSYS = -512;
const ERESTARTNOHAND = -514;
const RESTARTBLOCK = -516;
const EINTR = -4;
const SA_RESTART = 0x10000000n;

type Values = Partial<Record<RegisterName, bigint | number>>;

function registers(values: Values): Registers {
	const made = new Registers(Buffer.alloc(216));
	made.set('rip', RIP);
	for (const [name, value] of Object.entries(values)) made.set(name as RegisterName, value);
	return made;
}

function timespec(seconds: bigint, fraction: bigint): Buffer {
	const bytes = Buffer.alloc(16);
	bytes.writeBigInt64LE(seconds, 0);
	bytes.writeBigInt64LE(fraction, 8);
	return bytes;
}

interface Given {
	asleepNs?: bigint;
	handlerFlags?: bigint;
	memory?: Record<string, Buffer>;
}

function stopped(values: Values, given: Given = {}) {
	const thread = registers(values);
	const wasEintr = askForRestart(thread);
	const input: InterruptedThread = {
		registers: thread,
		wasEintr,
		asleepNs: given.asleepNs,
		handlerFlags: given.handlerFlags,
		read: (address, length) => given.memory?.[address.toString(16)]?.subarray(0, length),
	};
	return {...normalise(input), live: thread, wasEintr};
}

test('a thread that computes keeps its registers', (t) => {
	const {registers: result, restart} = stopped({orig_rax: -1, rax: 7, rdi: 9});
	t.is(result.get('rax'), 7n);
	t.is(result.get('rip'), RIP);
	t.is(restart, undefined);
});

test('a finished call keeps its result', (t) => {
	const {registers: result} = stopped({orig_rax: nr.read, rax: 17});
	t.is(result.get('rax'), 17n);
	t.is(result.get('rip'), RIP);
	t.is(result.signed('orig_rax'), -1n);
});

for (const [name, number, code] of [
	['read', nr.read, ERESTARTSYS],
	['wait4', nr.wait4, ERESTARTSYS],
	['accept', nr.accept, ERESTARTSYS],
	['flock', nr.flock, ERESTARTSYS],
	['msgrcv', nr.msgrcv, ERESTARTNOHAND],
	['pause', nr.pause, ERESTARTNOHAND],
	['rt_sigsuspend', nr.rt_sigsuspend, ERESTARTNOHAND],
	['futex without timeout', nr.futex, ERESTARTSYS],
	['semop', nr.semop, EINTR],
	['epoll_wait', nr.epoll_wait, EINTR],
	['recvfrom with a socket timeout', nr.recvfrom, EINTR],
] as const) {
	test(`${name} begins again`, (t) => {
		const {registers: result, restart} = stopped({orig_rax: number, rax: code, r10: -1});
		t.is(result.get('rax'), BigInt(number));
		t.is(result.get('rip'), RIP - 2n);
		t.is(restart, undefined);
	});
}

test('EINTR of a call that must not be repeated stays', (t) => {
	const {registers: result, wasEintr} = stopped({orig_rax: nr.close, rax: EINTR});
	t.false(wasEintr);
	t.is(result.signed('rax'), -4n);
});

test('the live thread is asked to restart instead of seeing EINTR', (t) => {
	const {live, wasEintr} = stopped({orig_rax: nr.epoll_wait, rax: EINTR, r10: -1});
	t.true(wasEintr);
	t.is(live.signed('rax'), BigInt(ERESTARTNOHAND));
	t.is(live.get('rip'), RIP);
});

test('nanosleep waits for what the kernel wrote to rem', (t) => {
	const memory = {1000: timespec(10n, 0n), 2000: timespec(3n, 500n)};
	const {restart} = stopped(
		{orig_rax: nr.nanosleep, rax: RESTARTBLOCK, rdi: 0x1000, rsi: 0x2000},
		{memory, asleepNs: 99n * SECOND},
	);
	t.deepEqual(restart, {register: 'rdi', seconds: 3n, fraction: 500n});
});

test('nanosleep without rem waits for what the sleep left', (t) => {
	const memory = {1000: timespec(10n, 0n)};
	const {restart} = stopped(
		{orig_rax: nr.nanosleep, rax: RESTARTBLOCK, rdi: 0x1000},
		{memory, asleepNs: (5n * SECOND) / 2n},
	);
	t.deepEqual(restart, {register: 'rdi', seconds: 7n, fraction: SECOND / 2n});
});

test('a relative clock_nanosleep has its time in rdx, an absolute one keeps it', (t) => {
	const memory = {1000: timespec(10n, 0n)};
	const relative = {orig_rax: nr.clock_nanosleep, rax: RESTARTBLOCK, rsi: 0, rdx: 0x1000};
	t.deepEqual(stopped(relative, {memory, asleepNs: SECOND}).restart, {register: 'rdx', seconds: 9n, fraction: 0n});
	t.is(stopped({...relative, rax: ERESTARTNOHAND, rsi: 1}, {memory, asleepNs: SECOND}).restart, undefined);
});

test('poll and epoll_wait get the milliseconds that are left, rounded up', (t) => {
	const poll = stopped({orig_rax: nr.poll, rax: RESTARTBLOCK, rdx: 1000}, {asleepNs: 400_500_000n});
	t.is(poll.registers.get('rdx'), 600n);
	const epoll = stopped({orig_rax: nr.epoll_wait, rax: EINTR, r10: 1000}, {asleepNs: 5n * SECOND});
	t.is(epoll.registers.get('r10'), 0n);
	const forever = stopped({orig_rax: nr.poll, rax: RESTARTBLOCK, rdx: 0xffff_ffff}, {asleepNs: SECOND});
	t.is(forever.registers.get('rdx'), 0xffff_ffffn);
});

test('futex: only FUTEX_WAIT has a relative timeout', (t) => {
	const memory = {1000: timespec(10n, 0n)};
	const wait = {orig_rax: nr.futex, rax: RESTARTBLOCK, rsi: 0x80, r10: 0x1000};
	t.deepEqual(stopped(wait, {memory, asleepNs: SECOND}).restart, {register: 'r10', seconds: 9n, fraction: 0n});
	t.is(stopped({...wait, rsi: 0x89}, {memory, asleepNs: SECOND}).restart, undefined);
});

test('sigtimedwait and semtimedop wait for the rest', (t) => {
	const memory = {1000: timespec(10n, 0n)};
	const signals = stopped({orig_rax: nr.rt_sigtimedwait, rax: EINTR, rdx: 0x1000}, {memory, asleepNs: SECOND});
	t.deepEqual(signals.restart, {register: 'rdx', seconds: 9n, fraction: 0n});
	const semaphore = stopped({orig_rax: nr.semtimedop, rax: EINTR, r10: 0x1000}, {memory, asleepNs: SECOND});
	t.deepEqual(semaphore.restart, {register: 'r10', seconds: 9n, fraction: 0n});
});

test('ppoll trusts the time in memory, unless the kernel could not write it', (t) => {
	const memory = {1000: timespec(10n, 0n)};
	const call = {orig_rax: nr.ppoll, rdx: 0x1000};
	t.is(stopped({...call, rax: ERESTARTNOHAND}, {memory, asleepNs: SECOND}).restart, undefined);
	t.is(stopped({...call, rax: EINTR}, {memory, asleepNs: SECOND}).restart?.seconds, 9n);
});

test('select counts in microseconds', (t) => {
	const memory = {1000: timespec(10n, 0n)};
	const {restart} = stopped({orig_rax: nr.select, rax: EINTR, r8: 0x1000}, {memory, asleepNs: SECOND / 2n});
	t.deepEqual(restart, {register: 'r8', seconds: 9n, fraction: 500_000n});
});

test('with a handler about to run, the call ends as the kernel would end it', (t) => {
	const call = {orig_rax: nr.read, rax: ERESTARTSYS};
	t.is(stopped(call, {handlerFlags: 0n}).registers.signed('rax'), -4n);
	t.is(stopped(call, {handlerFlags: 0n}).registers.get('rip'), RIP);
	t.is(stopped(call, {handlerFlags: SA_RESTART}).registers.get('rip'), RIP - 2n);
	t.is(stopped({...call, rax: ERESTARTNOHAND}, {handlerFlags: SA_RESTART}).registers.signed('rax'), -4n);
});

test('sigsuspend begins again even then: its signal may be open under its own mask only', (t) => {
	const {registers: result} = stopped({orig_rax: nr.rt_sigsuspend, rax: ERESTARTNOHAND}, {handlerFlags: 0n});
	t.is(result.get('rip'), RIP - 2n);
});

test('restart_syscall is traced back to the call in the code before it', (t) => {
	const code = Buffer.alloc(24, 0x90);
	code[19] = 0xb8;
	code.writeUInt32LE(nr.poll, 20);
	const memory = {[(RIP - 26n).toString(16)]: code};
	const {registers: result} = stopped({orig_rax: nr.restart_syscall, rax: RESTARTBLOCK, rdx: 100}, {memory});
	t.is(result.get('rax'), BigInt(nr.poll));
	t.is(result.get('rip'), RIP - 2n);
});

test('restart_syscall without such code ends with EINTR', (t) => {
	const {registers: result} = stopped({orig_rax: nr.restart_syscall, rax: RESTARTBLOCK});
	t.is(result.signed('rax'), -4n);
	t.is(result.get('rip'), RIP);
});

test('a restartable sequence is aborted, and only from inside', (t) => {
	const descriptor = Buffer.alloc(32);
	descriptor.writeBigUInt64LE(0x401000n, 8);
	descriptor.writeBigUInt64LE(0x20n, 16);
	descriptor.writeBigUInt64LE(0x409000n, 24);
	const read = (address: bigint) => (address === 0x5000n ? descriptor : undefined);
	const inside = registers({rip: 0x40101f});
	abortRestartableSequence(inside, 0x5000n, read);
	t.is(inside.get('rip'), 0x409000n);
	const behind = registers({rip: 0x401020});
	abortRestartableSequence(behind, 0x5000n, read);
	t.is(behind.get('rip'), 0x401020n);
});

for (const [call, values, hides] of [
	['futex(FUTEX_WAIT) without a timeout', {orig_rax: nr.futex, r10: 0}, false],
	['futex(FUTEX_WAIT) with a timeout', {orig_rax: nr.futex, r10: 0x7000}, true],
	['poll(2) without a timeout', {orig_rax: nr.poll, rdx: -1}, false],
	['poll(2) with a timeout', {orig_rax: nr.poll, rdx: 5000}, true],
	[
		'epoll_wait(2) with a timeout of which only the low half counts',
		{orig_rax: nr.epoll_wait, r10: 0xffff_ffff},
		false,
	],
	['select(2) without a timeout', {orig_rax: nr.select, r8: 0}, false],
	['a call that the kernel began again by itself', {orig_rax: nr.restart_syscall}, true],
	['read(2)', {orig_rax: nr.read, rdx: 5000}, false],
	['no call at all', {orig_rax: -1, rdx: 5000, r8: 1, r10: 1}, false],
] as const) {
	test(`of ${call} ${hides ? 'only the time asleep tells what remains' : 'no time remains to be told'}`, (t) => {
		t.is(hidesItsTime(registers(values)), hides);
	});
}
