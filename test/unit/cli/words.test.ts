import test from 'ava';
import {socketAddress} from '../../../freezer/cli/inspect/address.js';
import {systemCallName} from '../../../freezer/cli/inspect/system-calls.js';
import {
	commandLine,
	count,
	duration,
	printable,
	protection,
	signalName,
	signalNames,
	size,
} from '../../../freezer/cli/inspect/words.js';

const is = test.macro((t, said: string, expected: string) => t.is(said, expected));

test('a size below 1 KiB', is, size(1023), '1023 bytes');
test('a size below ten of its unit', is, size(1.7 * 2 ** 30), '1.7 GiB');
test('a size above ten of its unit', is, size(612n << 20n), '612 MiB');
test('a duration', is, duration(1_234_567_890n), '1.235 s');
test('one thread', is, count(1, 'thread'), '1 thread');
test('two processes', is, count(2, 'process'), '2 processes');
test('a signal', is, signalName(15), 'SIGTERM');
test('a real-time signal', is, signalName(36), 'SIGRTMIN+2');
test('a mask', is, signalNames(0x4001n).join(' '), 'SIGHUP SIGTERM');
test('bytes that were not UTF-8', is, printable('a\udcffb\n😀'), 'a\\xffb\\x0a😀');
test('a protection', is, protection(5, true), 'r-xs');
test('a command line is quoted as a shell wants it', is, commandLine(['a', 'b c', "d'e", '']), `a 'b c' "d'e" ''`);
test('system call 0', is, systemCallName(0), 'read');
test('system call 281', is, systemCallName(281), 'epoll_pwait');
test('system call 435', is, systemCallName(435), 'clone3');
test('a system call of the future', is, systemCallName(900), 'system call 900');
test('an IPv6 address', is, socketAddress(v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 443)), '[2001:db8::1]:443');
test('the unspecified IPv6 address', is, socketAddress(v6([0, 0, 0, 0, 0, 0, 0, 0], 80)), '[::]:80');
test('an abstract UNIX address', is, socketAddress(Buffer.from('\x01\0\0name', 'latin1')), '@name');
test('a UNIX path', is, socketAddress(Buffer.from('\x01\0/run/a\0', 'latin1')), '/run/a');

function v6(groups: number[], port: number): Uint8Array {
	const bytes = Buffer.alloc(28);
	bytes.writeUInt16LE(10, 0);
	bytes.writeUInt16BE(port, 2);
	for (const [i, group] of groups.entries()) bytes.writeUInt16BE(group, 8 + 2 * i);
	return bytes;
}
