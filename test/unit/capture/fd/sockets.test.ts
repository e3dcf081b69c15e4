import test from 'ava';
import {endpoint, portOf, showAddress, unixName} from '../../../../freezer/capture/fd/address.js';
import {parseIgmp, parseIgmp6} from '../../../../freezer/capture/fd/multicast.js';
import {optionsOf} from '../../../../freezer/capture/fd/socket-options.js';
import {parseUnixFacts} from '../../../../freezer/capture/fd/unix-diagnosis.js';
import {kindFromLink} from '../../../../freezer/capture/fd/unsupported.js';

const four = Buffer.from('02001538' + '0a000004' + '0000000000000000', 'hex');
const six = (host: string) => Buffer.from(`0a001538${'00000000'}${host}00000000`, 'hex');

test('addresses are shown as people write them', (t) => {
	t.is(showAddress(four), '10.0.0.4:5432');
	t.is(showAddress(six('00000000000000000000000000000001')), '[::1]:5432');
	t.is(showAddress(six('20010db8000000000001000000000001')), '[2001:db8::1:0:0:1]:5432');
	t.is(showAddress(six('20010db8000100020003000400050006')), '[2001:db8:1:2:3:4:5:6]:5432');
	t.is(portOf(four), 5432);
});

test('an IPv4 connection seen by an IPv6 socket has the same ends', (t) => {
	t.is(endpoint(six('00000000000000000000ffff0a000004')), endpoint(four));
});

test('names of UNIX sockets: path, abstract, none', (t) => {
	t.is(unixName(Buffer.from('\x01\0/run/x.sock\0\0\0', 'latin1')), '/run/x.sock');
	t.is(unixName(Buffer.from('\x01\0\0abstract', 'latin1')), '@abstract');
	t.is(unixName(Buffer.from('\x01\0', 'latin1')), undefined);
});

test('what the kernel tells of a UNIX socket', (t) => {
	const attribute = (type: number, value: Buffer) => {
		const padded = Buffer.alloc(Math.ceil((4 + value.length) / 4) * 4);
		padded.writeUInt16LE(4 + value.length, 0);
		padded.writeUInt16LE(type, 2);
		value.copy(padded, 4);
		return padded;
	};

	const word = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
	const message = Buffer.concat([
		Buffer.from('01010100', 'hex'),
		word(28_080, 1, 0),
		attribute(0, Buffer.from('/a/path\0')),
		attribute(1, word(77, 0xfe00)),
		attribute(2, word(28_081)),
		attribute(3, word(28_090, 28_091)),
		attribute(4, word(3, 5)),
		attribute(6, Buffer.from([2])),
	]);
	const facts = {peer: 28_081, shutdown: 2, pathInode: 77, waiting: 3, backlog: 5, clients: [28_090, 28_091]};
	t.deepEqual(parseUnixFacts(message), [28_080, facts]);
	t.is(parseUnixFacts(message.subarray(0, 16))[1].peer, undefined);
});

test('a socket is asked for the options of its family and protocol alone', (t) => {
	const levels = (sort: Parameters<typeof optionsOf>[0]) => [...new Set(optionsOf(sort).map(([level]) => level))];
	t.deepEqual(levels({domain: 1, type: 1, protocol: 0}), [1]);
	t.deepEqual(levels({domain: 2, type: 1, protocol: 6}), [1, 0, 6]);
	t.deepEqual(levels({domain: 10, type: 2, protocol: 17}), [1, 0, 41, 17]);
	t.deepEqual(levels({domain: 16, type: 3, protocol: 0}), [1, 270]);
	t.false(
		optionsOf({domain: 2, type: 1, protocol: 6, connected: true}).some(([level, name]) => level === 6 && name === 2),
	);
});

test('an unknown kind is named after its link', (t) => {
	t.is(kindFromLink('anon_inode:[fscontext]'), 'fscontext');
	t.is(kindFromLink('anon_inode:bpf-map'), 'bpf-map');
	t.is(kindFromLink('socket:[123]'), 'socket');
});

test('multicast groups are read with their interface; those of every host are left out', (t) => {
	const groups = parseIgmp(
		'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n1\tlo        :     2      V3\n\t\t\t\t030201EF     1 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n',
	);
	t.is(groups.length, 1);
	t.is(groups[0]?.interface, 1);
	t.is(showAddress(groups[0]!.address), '239.1.2.3:0');
	const six = parseIgmp6(
		'1    lo              ff020000000000000000000000000001     1 0000000C 0\n4    eth0            ff0200000000000000000000000000fb     1 00000004 0\n',
	);
	t.deepEqual(
		six.map((group) => [group.interface, showAddress(group.address)]),
		[[4, '[ff02::fb]:0']],
	);
});
