import {closeSync, openSync, readSync} from 'node:fs';
import {dataExtents} from '../../sys/descriptors.js';
import {pidfdGetFd} from '../../sys/pidfd.js';
import type {ContentSource} from '../context.js';
import {type Description, isReadable} from './types.js';

/**
 * The bytes of a file or memfd. Read through a description of our own where it can be opened again; else through a duplicate of the
 * target's, whose offset pread(2) leaves alone but which cannot be asked for its holes.
 */
export function contentSource(description: Description): ContentSource {
	const size = Number(description.stat.size);
	const {fd, own} = openForReading(description);
	return {
		size,
		read: (offset, buffer) => readSync(fd, buffer, 0, buffer.length, offset),
		...(own ? {extents: () => dataExtents(fd, size)} : {}),
		close: () => closeSync(fd),
	};
}

function openForReading(description: Description): {fd: number; own: boolean} {
	const [holder] = description.holders;
	const path = holder ? `/proc/${holder.task.pid}/fd/${holder.fd}` : `/proc/self/fd/${description.inFlight}`;
	try {
		return {fd: openSync(path, 'r'), own: true};
	} catch (error) {
		if (!holder || !isReadable(description)) {
			throw error;
		}

		return {fd: pidfdGetFd(holder.task.pidfd, holder.fd), own: false};
	}
}
