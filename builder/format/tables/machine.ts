import {bytes, i64, str, table, u32, u64} from '../fields.js';

/** Where and when the snapshot was taken, and what the program needs of a processor. */
export const machineTables = {
	machine: table('Where and when the snapshot was taken (exactly one row)', {
		realtime_ns: i64('CLOCK_REALTIME at the stop, nanoseconds'),
		monotonic_ns: i64('CLOCK_MONOTONIC at the stop as the target saw it, nanoseconds'),
		boottime_ns: i64('CLOCK_BOOTTIME at the stop as the target saw it, nanoseconds'),
		xcr0: u64('XCR0 of the machine: state components the kernel had enabled'),
		page_size: u32('Bytes per page'),
		root_task: u32('Row of `task` that is the root of the tree'),
		hostname: str('nodename of uname(2)'),
		kernel: str('release of uname(2)'),
		boot_id: str('/proc/sys/kernel/random/boot_id'),
		frore_version: str('Version of the freezer'),
		cpu: str('"model name" of /proc/cpuinfo'),
	}),
	xcomp: table('Layout of one XSAVE state component on the source machine (CPUID leaf 0xD)', {
		id: u32('Component number, 2..62'),
		offset: u32('Offset in the standard format, bytes'),
		size: u32('Bytes'),
		flags: u32('ECX of CPUID.0xD.n: bit 0 supervisor, bit 1 aligned, bit 2 XFD'),
	}),
	cpu_need: table('One processor feature the program was bound to', {
		leaf: u32('CPUID leaf (EAX)'),
		subleaf: u32('CPUID subleaf (ECX)'),
		reg: u32('0 EAX, 1 EBX, 2 ECX, 3 EDX'),
		bit: u32('Bit that must be set'),
		name: str('Name as in /proc/cpuinfo'),
	}),
	warning: table('What the target loses at resume, told at freeze time', {
		pid: u32('Pid of the task'),
		fd: u32('Descriptor, or 0xffffffff'),
		kind: str('Kind, as --allow takes it'),
		text: str('What will be different after the resume'),
	}),
	content: table(
		'Bytes that belong to no address space: shared memory, memfds, embedded files. Filled by runs of space CONTENT',
		{
			size: u64('Bytes'),
			kind: u32('CONTENT_*'),
			seals: u32('F_GET_SEALS of a memfd'),
			mode: u32('Permission bits'),
			memfd_flags: u32('Flags for memfd_create(2) without MFD_CLOEXEC'),
			uid: u32('Owner'),
			gid: u32('Group'),
			name: str('memfd name, or the path the file is recreated at when it is missing; "" for unnamed'),
			xattr: bytes('Reserved, empty'),
		},
	),
};
