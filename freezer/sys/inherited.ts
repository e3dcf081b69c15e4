/**
 * Which descriptors this process was started with. Node marks them all close-on-exec at its start (uv_disable_stdio_inheritance), so
 * they are told from its own by their nature. To be asked before anything is opened, standard output
 * as a stream included: that opens a spare descriptor, and makes pipes non-blocking for the children too.
 */
import {readdirSync, readlinkSync} from 'node:fs';

export function inheritedDescriptors(): number[] {
	const open = readdirSync('/proc/self/fd').map((name) => ({fd: Number(name), link: linkOf(name)}));
	const ends = (link: string): number => open.filter((other) => other.link === link).length;
	return open
		.filter(({fd, link}) => {
			if (fd <= 2) return link !== '';
			if (link === '' || link.startsWith('anon_inode:')) return false;
			// libuv's pipes have both ends here.
			return !link.startsWith('pipe:') || ends(link) === 1;
		})
		.map(({fd}) => fd);
}

function linkOf(name: string): string {
	try {
		return readlinkSync(`/proc/self/fd/${name}`);
	} catch {
		return '';
	}
}
