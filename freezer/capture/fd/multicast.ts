import type {RowOf} from '../../../builder/format/schema.js';
import {tryReadProcText} from '../../sys/procfs.js';
import {queryGroupFilter} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import {AF_INET, AF_INET6} from './address.js';

/**
 * Multicast memberships: the kernel lists the groups of the machine, and tells of one socket and one group whether it is a member
 * (net/ipv4/igmp.c, ip_mc_gsfget).
 */

export interface Group {
	readonly interface: number;
	/** struct sockaddr_in or sockaddr_in6. */
	readonly address: Buffer;
}

const MCAST_JOIN_GROUP = 42;
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
/** struct group_req: interface, then a sockaddr_storage. */
const GROUP_REQ_SIZE = 136;
/** The hosts of the link belong to these by themselves. */
const ALL_HOSTS = new Set(['010000E0', 'ff020000000000000000000000000001', 'ff010000000000000000000000000001']);

/** /proc/net/igmp: a line per interface, then one per group, in the byte order of the machine. */
export function parseIgmp(text: string): Group[] {
	const groups: Group[] = [];
	let index = 0;
	for (const line of text.split('\n').slice(1)) {
		const [, number] = /^(\d+)\s/.exec(line) ?? [];
		const [, group] = /^\s+([\dA-F]{8})\s/.exec(line) ?? [];
		if (number) {
			index = Number(number);
		} else if (group && !ALL_HOSTS.has(group)) {
			const address = Buffer.alloc(16);
			address.writeUInt16LE(AF_INET, 0);
			address.writeUInt32LE(Number.parseInt(group, 16), 4);
			groups.push({interface: index, address});
		}
	}

	return groups;
}

/** /proc/net/igmp6: index, name, address, users, flags, timer. */
export const parseIgmp6 = (text: string): Group[] =>
	[...text.matchAll(/^(\d+)\s+\S+\s+([\da-f]{32})\s/gm)]
		.filter(([, , group]) => !ALL_HOSTS.has(group!))
		.map(([, index, group]) => ({
			interface: Number(index),
			address: Buffer.concat([
				Buffer.from([AF_INET6, 0, 0, 0, 0, 0, 0, 0]),
				Buffer.from(group!, 'hex'),
				Buffer.alloc(4),
			]),
		}));

/** Memberships of sockets, as options that join the groups again. */
export class Memberships {
	readonly #groups = new Map<number, Group[]>();

	constructor(readonly pid: number) {}

	of(fd: Fd, domain: number): RowOf<'socket_option'>[] {
		const level = domain === AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
		return this.#of(domain)
			.filter((group) => queryGroupFilter(fd, level, group.interface, group.address))
			.map((group) => {
				const value = Buffer.alloc(GROUP_REQ_SIZE);
				value.writeUInt32LE(group.interface, 0);
				group.address.copy(value, 8);
				return {level, name: MCAST_JOIN_GROUP, when: 1, pad0: 0, value};
			});
	}

	#of(domain: number): Group[] {
		let groups = this.#groups.get(domain);
		if (!groups) {
			const read = (name: string) => tryReadProcText(`/proc/${this.pid}/net/${name}`) ?? '';
			groups = domain === AF_INET ? parseIgmp(read('igmp')) : domain === AF_INET6 ? parseIgmp6(read('igmp6')) : [];
			this.#groups.set(domain, groups);
		}

		return groups;
	}
}
