import {bytes, i32, i64, table, u32, u64} from '../fields.js';

/** System V IPC, sysvipc(7): comes back in an IPC namespace of the tree's own. */
export const ipcTables = {
	shm: table('One shared memory segment', {
		content: u32('Row of `content` of kind SEGMENT: size and bytes'),
		id: i32('Identifier'),
		key: i32('Key, 0 none'),
		mode: u32('Permission bits, SHM_DEST and SHM_LOCKED'),
		uid: u32('Owner'),
		gid: u32('Group'),
	}),
	sem: table('One set of semaphores', {
		id: i32('Identifier'),
		key: i32('Key, 0 none'),
		mode: u32('Permission bits'),
		uid: u32('Owner'),
		gid: u32('Group'),
		used: u32('1 when semop(2) has been called: sem_otime is not 0'),
		values: bytes('u16 for each semaphore'),
	}),
	msg: table('One message queue', {
		qbytes: u64('Most bytes it holds'),
		id: i32('Identifier'),
		key: i32('Key, 0 none'),
		mode: u32('Permission bits'),
		uid: u32('Owner'),
		gid: u32('Group'),
		first: u32('First row of `msg_message`'),
		count: u32('Rows'),
		pad0: u32('0'),
	}),
	msg_message: table('One message that waits in a queue', {
		type: i64('mtype'),
		data: bytes('Text'),
	}),
};
