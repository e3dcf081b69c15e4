import type {RowOf} from '../../../builder/format/schema.js';
import {closeFd} from '../../sys/pidfd.js';
import {
	getSocketFilter,
	getSocketInt,
	getSocketOption,
	openSocket,
	SO_PEEK_OFF,
	SOL_SOCKET,
} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import {AF_INET, AF_INET6, AF_NETLINK} from './address.js';

/** Options are carried when they differ from those of a fresh socket of the same sort. */

type Row = RowOf<'socket_option'>;
const BEFORE_BIND = 0;
const AT_LAST = 1;

const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_BUF_LOCK = 72;
const SO_ATTACH_FILTER = 26;
const SO_LOCK_FILTER = 44;

/** asm-generic/socket.h: DEBUG, REUSEADDR, DONTROUTE, BROADCAST, KEEPALIVE, OOBINLINE, NO_CHECK, PRIORITY, LINGER, REUSEPORT, PASSCRED,
 * RCVLOWAT, RCVTIMEO, SNDTIMEO, BINDTODEVICE, TIMESTAMP, PASSSEC, TIMESTAMPNS, MARK, TIMESTAMPING, RXQ_OVFL, WIFI_STATUS, NOFCS,
 * SELECT_ERR_QUEUE, BUSY_POLL, MAX_PACING_RATE, ZEROCOPY, TXTIME, PREFER_BUSY_POLL, BUSY_POLL_BUDGET, RESERVE_MEM, TXREHASH,
 * RCVMARK, PASSPIDFD, PASSRIGHTS, RCVPRIORITY. */
const SOCKET = [
	1, 2, 5, 6, 9, 10, 11, 12, 13, 15, 16, 18, 20, 21, 25, 29, 34, 35, 36, 37, 40, 41, 43, 45, 46, 47, 60, 61, 69, 70, 73,
	74, 75, 76, 83, 82,
];
/** linux/in.h: TOS, TTL, OPTIONS, RECVOPTS, RETOPTS, PKTINFO, MTU_DISCOVER, RECVERR, RECVTTL, RECVTOS, FREEBIND, TRANSPARENT,
 * ORIGDSTADDR, MINTTL, NODEFRAG, CHECKSUM, BIND_ADDRESS_NO_PORT, RECVFRAGSIZE, RECVERR_RFC4884, MULTICAST_IF, MULTICAST_TTL,
 * MULTICAST_LOOP, MULTICAST_ALL, UNICAST_IF, LOCAL_PORT_RANGE. */
const IP = [1, 2, 4, 6, 7, 8, 10, 11, 12, 13, 15, 19, 20, 21, 22, 23, 24, 25, 26, 32, 33, 34, 49, 50, 51];
/** linux/in6.h: V6ONLY, UNICAST_HOPS, MULTICAST_IF, MULTICAST_HOPS, MULTICAST_LOOP, ROUTER_ALERT_ISOLATE, MULTICAST_ALL,
 * MTU_DISCOVER, RECVERR, FLOWINFO_SEND, RECVPKTINFO, RECVHOPLIMIT, RECVRTHDR, RECVHOPOPTS, RECVDSTOPTS, RECVPATHMTU, DONTFRAG,
 * RECVTCLASS, TCLASS, AUTOFLOWLABEL, ADDR_PREFERENCES, MINHOPCOUNT, ORIGDSTADDR, TRANSPARENT, UNICAST_IF, RECVFRAGSIZE, FREEBIND. */
const IPV6 = [
	26, 16, 17, 18, 19, 29, 30, 23, 25, 33, 49, 51, 56, 53, 58, 60, 62, 66, 67, 70, 72, 73, 74, 75, 76, 77, 78,
];
/** linux/tcp.h: NODELAY, MAXSEG, KEEPIDLE, KEEPINTVL, KEEPCNT, SYNCNT, LINGER2, DEFER_ACCEPT, WINDOW_CLAMP, QUICKACK, CONGESTION,
 * THIN_LINEAR_TIMEOUTS, USER_TIMEOUT, FASTOPEN, NOTSENT_LOWAT, SAVE_SYN, FASTOPEN_CONNECT, FASTOPEN_NO_COOKIE, INQ, TX_DELAY. */
const TCP = [1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 16, 18, 23, 25, 27, 30, 34, 36, 37];
/** linux/udp.h: ENCAP, NO_CHECK6_TX, NO_CHECK6_RX, SEGMENT, GRO. */
const UDP = [100, 101, 102, 103, 104];
/** linux/netlink.h: PKTINFO, BROADCAST_ERROR, NO_ENOBUFS, LISTEN_ALL_NSID, CAP_ACK, EXT_ACK, GET_STRICT_CHK. */
const NETLINK = [3, 4, 5, 8, 10, 11, 12];
const CORK: Readonly<Record<number, number>> = {6: 3, 17: 1};

const IPPROTO_IP = 0;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_IPV6 = 41;
const SOL_NETLINK = 270;

/** Not settable on streams, whose accepted ones hold there what their first packet brought. */
const DATAGRAM_IP = new Set([32, 33, 34, 49]);
const DATAGRAM_IPV6 = new Set([17, 18, 19, 29]);
/** MAXSEG, WINDOW_CLAMP, QUICKACK: of a connection they tell how it went. */
const OF_CONNECTIONS = new Set([2, 10, 12]);
const SOCK_STREAM = 1;

export interface Sort {
	readonly domain: number;
	readonly type: number;
	readonly protocol: number;
	readonly connected?: boolean;
}

/** [level, option] pairs that a socket of this sort may have. */
export function optionsOf({domain, type, protocol, connected}: Sort): [level: number, name: number][] {
	const isIp = domain === AF_INET || domain === AF_INET6;
	const but = (names: readonly number[], drop: ReadonlySet<number>, when: boolean | undefined) =>
		when ? names.filter((name) => !drop.has(name)) : names;
	const stream = type === SOCK_STREAM;
	const at = (level: number, names: readonly number[]) => names.map((name): [number, number] => [level, name]);
	return [
		...at(SOL_SOCKET, SOCKET),
		...(isIp ? at(IPPROTO_IP, but(IP, DATAGRAM_IP, stream)) : []),
		...(domain === AF_INET6 ? at(IPPROTO_IPV6, but(IPV6, DATAGRAM_IPV6, stream)) : []),
		...(isIp && protocol === IPPROTO_TCP ? at(IPPROTO_TCP, but(TCP, OF_CONNECTIONS, connected)) : []),
		...(isIp && protocol === IPPROTO_UDP ? at(IPPROTO_UDP, UDP) : []),
		...(domain === AF_NETLINK ? at(SOL_NETLINK, NETLINK) : []),
	];
}

interface Fresh {
	readonly level: number;
	readonly name: number;
	readonly usual: Buffer | undefined;
}

/** Reads options of sockets; remembers what fresh ones have. */
export class SocketOptions {
	readonly #fresh = new Map<string, Fresh[]>();

	read(fd: Fd, sort: Sort): Row[] {
		const rows: Row[] = [];
		const add = (level: number, name: number, value: Uint8Array, when = BEFORE_BIND) =>
			void rows.push({level, name, when, pad0: 0, value: Uint8Array.from(value)});
		for (const {level, name, usual} of this.#defaults(sort)) {
			const value = getSocketOption(fd, level, name);
			if (value && !usual?.equals(value)) {
				add(level, name, value);
			}
		}

		for (const [name, bit] of [
			[SO_SNDBUF, 1],
			[SO_RCVBUF, 2],
		] as const) {
			const size = getSocketInt(fd, SOL_SOCKET, name);
			const locked = getSocketInt(fd, SOL_SOCKET, SO_BUF_LOCK) ?? 0;
			if (size !== undefined && locked & bit) {
				// The kernel doubles what it is given (net/core/sock.c).
				add(SOL_SOCKET, name, int(size / 2));
			}
		}

		const filter = getSocketFilter(fd);
		if (filter) {
			add(SOL_SOCKET, SO_ATTACH_FILTER, filter);
		}

		for (const [level, name, usual] of [
			[SOL_SOCKET, SO_LOCK_FILTER, 0],
			[SOL_SOCKET, SO_PEEK_OFF, -1],
			[sort.protocol, CORK[sort.protocol] ?? 0, 0],
		] as const) {
			const value = name === 0 ? usual : (getSocketInt(fd, level, name) ?? usual);
			if (value !== usual) {
				add(level, name, int(value), AT_LAST);
			}
		}

		return rows;
	}

	/** The options of a sort of socket with the values that fresh ones have. Those that even a fresh one does not know are left out. */
	#defaults(sort: Sort): Fresh[] {
		const key = `${sort.domain}:${sort.type}:${sort.protocol}:${sort.connected ?? false}`;
		let options = this.#fresh.get(key);
		if (!options) {
			const fd = openSocket(sort.domain, sort.type, sort.protocol);
			options = optionsOf(sort).map(([level, name]) => {
				const value = fd === undefined ? undefined : getSocketOption(fd, level, name);
				return {level, name, usual: value && Buffer.from(value)};
			});
			if (fd !== undefined) {
				options = options.filter(({usual}) => usual !== undefined);
				closeFd(fd);
			}

			this.#fresh.set(key, options);
		}

		return options;
	}
}

function int(value: number): Buffer {
	const buffer = Buffer.alloc(4);
	buffer.writeInt32LE(value);
	return buffer;
}
