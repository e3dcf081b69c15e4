import test from 'ava';
import {cleanVdso, findCodeRoom} from '../../../freezer/capture/code-room.js';
import {parseSmaps} from '../../../freezer/capture/parse/smaps.js';
import {LANDING_ENTRY, LANDING_SIGNATURE, LANDING_SIZE, landingCode} from '../../../freezer/sys/landing.js';
import type {ProcessMemory} from '../../../freezer/sys/memory.js';
import {Registers} from '../../../freezer/sys/registers.js';

const PAGE = 4096;
const mappings = parseSmaps(`1000-2000 r-xp 00000000 fe:01 1    /bin/x
3000-4000 rw-p 00000000 00:00 0
7000-8000 r-xp 00000000 00:00 0    [vdso]
`);

function memoryWith(pages: Record<number, Buffer>): ProcessMemory {
	return {
		pid: 1,
		readForced(address: bigint, buffer: Uint8Array) {
			const page = pages[Number(address) & ~(PAGE - 1)];
			page?.copy(buffer, 0, Number(address) & (PAGE - 1));
			return page ? buffer.length : 0;
		},
	} as unknown as ProcessMemory;
}

test('the tail of the vdso is taken before that of a file', (t) => {
	const room = findCodeRoom(mappings, memoryWith({4096: Buffer.alloc(PAGE), 28672: Buffer.alloc(PAGE)}));
	t.true(room.address > 0x7000n);
	t.is(room.address + BigInt(room.original.length), 0x8000n);
});

test('a full vdso leaves the text of a file', (t) => {
	const room = findCodeRoom(mappings, memoryWith({4096: Buffer.alloc(PAGE), 28672: Buffer.alloc(PAGE, 0xc3)}));
	t.is(room.address + BigInt(room.original.length), 0x2000n);
});

test('what a killed freezer left is room, and was zeros before', (t) => {
	const tail = Buffer.alloc(PAGE);
	LANDING_SIGNATURE.copy(tail, PAGE - LANDING_SIZE);
	tail.fill(0xff, 0, PAGE - LANDING_SIZE);
	const room = findCodeRoom(mappings, memoryWith({4096: Buffer.alloc(PAGE, 1), 28672: tail}));
	t.is(room.address, BigInt(0x8000 - LANDING_SIZE) as typeof room.address);
	t.true(room.original.every((byte) => byte === 0));
});

test('a program without room is refused', (t) => {
	t.throws(() => findCodeRoom(mappings, memoryWith({4096: Buffer.alloc(PAGE, 1), 28672: Buffer.alloc(PAGE, 1)})), {
		message: /no unused room/,
	});
});

test('the landing fits its room with 512 CPUs, and begins as it is recognised', (t) => {
	const registers = new Registers(Buffer.alloc(216, 0x55));
	const code = landingCode({registers, signalMask: 5n, affinity: Buffer.alloc(64, 0xff)}, 0x7e00n);
	t.true(code.length <= LANDING_SIZE);
	t.deepEqual(code.subarray(0, LANDING_SIGNATURE.length), LANDING_SIGNATURE);
	t.is(code[LANDING_ENTRY], 0xbf);
});

test('the vdso is kept without its tail', (t) => {
	const image = Buffer.alloc(2 * PAGE, 7);
	image.writeUInt32BE(0x7f454c46, 0);
	image.writeBigUInt64LE(0x1000n, 40);
	image.writeUInt16LE(64, 58);
	image.writeUInt16LE(3, 60);
	const clean = cleanVdso(image);
	t.is(clean[0x1000 + 191], 7);
	t.true(clean.subarray(0x1000 + 192).every((byte) => byte === 0));
	t.is(clean.length, image.length);
});
