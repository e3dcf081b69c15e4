import test from 'ava';
import {grouped, Inquiry, type Question} from '../../../freezer/capture/inquiry.js';
import {LISTED_CALL, LISTED_RESULT} from '../../../freezer/sys/landing.js';
import {nr} from '../../../freezer/sys/nr.js';
import {addr} from '../../../freezer/sys/types.js';

const BASE = addr(0x7f00_0000_1000n);
const SIGNAL = 23;

interface Taken {
	readonly results: readonly bigint[];
	readonly answers: Buffer;
}

function question(room: number, count: number, taken: Taken[] = []): Question {
	return {
		room,
		calls: (at) => Array.from({length: count}, (_, i) => [nr.prctl, i, at]),
		take: (results, answers) => taken.push({results, answers: Buffer.from(answers)}),
	};
}

test('each question gets its own results and answers', (t) => {
	const [first, second]: [Taken[], Taken[]] = [[], []];
	const inquiry = new Inquiry([question(5, 2, first), question(16, 1, second)], BASE, SIGNAL);
	const list = Number(inquiry.list - BASE);
	const word = (call: number, k: number) => inquiry.bytes.readBigUInt64LE(list + call * LISTED_CALL + k * 8);
	t.is(inquiry.count, 4);
	// As the target would fill it in: results 100, 101, ..., and something at the third argument.
	for (let call = 0; call < 3; call++) {
		inquiry.bytes.writeBigInt64LE(100n + BigInt(call), list + call * LISTED_CALL + LISTED_RESULT);
		inquiry.bytes[Number(word(call, 2) - BASE)] = call + 1;
	}

	inquiry.take(inquiry.bytes);
	t.deepEqual(first, [{results: [100n, 101n], answers: Buffer.from([2, 0, 0, 0, 0])}]);
	t.deepEqual(second, [{results: [102n], answers: Buffer.from([3, ...Buffer.alloc(15)])}]);
});

test('the last call lets the one signal in', (t) => {
	const {bytes, list, count} = new Inquiry([question(0, 1)], BASE, SIGNAL);
	const at = Number(list - BASE) + (count - 1) * LISTED_CALL;
	t.is(bytes.readBigUInt64LE(at), BigInt(nr.rt_sigprocmask));
	const mask = Number(bytes.readBigUInt64LE(at + 16) - BASE);
	t.is(bytes.readBigUInt64LE(mask), 0xffff_ffff_ffff_ffffn & ~(1n << BigInt(SIGNAL - 1)));
});

test('groups of questions fit into the room, and none is left out', (t) => {
	const room = 4096;
	const all = Array.from({length: 40}, (_, i) => question(i * 8, 1 + (i % 5)));
	const groups = grouped(all, room);
	t.deepEqual(groups.flat(), all);
	t.true(groups.length > 1);
	for (const group of groups) t.true(new Inquiry(group, BASE, SIGNAL).bytes.length <= room);
});
