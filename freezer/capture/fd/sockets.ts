import {eventsNow, POLLIN} from '../../sys/descriptors.js';
import {getSocketInt, getSocketOption, peerName, SOL_SOCKET, socketName} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import {AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, endpoint, portOf, unixName} from './address.js';
import {lookIntoQueue} from './socket-queue.js';
import type {Survey} from './survey.js';
import {type Description, S_IFSOCK, typeOf, withPulled} from './types.js';
import {type UnixFacts, unixSockets} from './unix-diagnosis.js';

const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const IPPROTO_TCP = 6;
const TCP_INFO = 11;
const TCP_CLOSE = 7;
const TCP_LISTEN = 10;

export interface Message {
	readonly data: Buffer;
	readonly address: Buffer;
	readonly descriptions: readonly Description[];
}

/** What a socket is, and where its other end is. */
export interface SocketFacts {
	readonly domain: number;
	readonly type: number;
	readonly protocol: number;
	readonly local: Buffer;
	readonly remote: Buffer;
	readonly bound: boolean;
	readonly backlog: number;
	/** Connections that wait to be accepted. */
	readonly waiting: number;
	readonly shutdown: number;
	readonly pathInode: number | undefined;
	readonly peerInode: number | undefined;
	state: 'listening' | 'unconnected' | 'connected' | 'pair' | 'outside' | 'dead' | 'unknown';
	/** Another connect(2) to `remote` brings back all there was. */
	reconnect: boolean;
	/** The other end inside; undefined in a pair whose other end has closed. */
	peer: Description | undefined;
	messages: Message[];
	lostMessages: boolean;
}

/** All sockets of the target. Looking into queues may bring up descriptions that are only on their way. */
export class Sockets {
	readonly #facts = new Map<Description, SocketFacts>();
	#unix: Map<number, UnixFacts> | undefined;

	constructor(readonly survey: Survey) {
		let looked = 0;
		const {descriptions} = survey;
		while (looked < descriptions.length) {
			const fresh = descriptions
				.slice(looked)
				.filter((description) => typeOf(description) === S_IFSOCK && !description.link.startsWith('/'));
			looked = descriptions.length;
			for (const description of fresh) {
				this.#facts.set(
					description,
					withPulled(description, (fd) => this.#look(description, fd)),
				);
			}

			this.#findPeers();
			for (const description of fresh) {
				const facts = this.facts(description);
				if (
					facts.state === 'pair' ||
					facts.state === 'connected' ||
					(facts.domain === AF_UNIX && facts.type === SOCK_DGRAM)
				) {
					withPulled(description, (fd) => this.#peek(facts, fd));
				}
			}
		}
	}

	facts(description: Description): SocketFacts {
		return this.#facts.get(description)!;
	}

	isSocket = (description: Description): boolean => this.#facts.has(description);
	isOutside = (description: Description): boolean => this.#facts.get(description)?.state === 'outside';

	#look(description: Description, fd: Fd): SocketFacts {
		const read = (name: number) => getSocketInt(fd, SOL_SOCKET, name) ?? 0;
		const domain = read(SO_DOMAIN);
		const type = read(SO_TYPE);
		const local = socketName(fd) ?? Buffer.alloc(0);
		const remote = peerName(fd) ?? Buffer.alloc(0);
		const unix = domain === AF_UNIX ? this.#unixFacts(description) : undefined;
		const tcp = read(SO_PROTOCOL) === IPPROTO_TCP ? tcpInfo(fd) : undefined;
		const listening = read(SO_ACCEPTCONN) !== 0;
		const facts: SocketFacts = {
			domain,
			type,
			protocol: read(SO_PROTOCOL),
			local,
			remote,
			bound: isBound(domain, local),
			// struct tcp_info of a listener: tcpi_unacked waits, tcpi_sacked may (net/ipv4/tcp.c, tcp_get_info).
			backlog: listening ? (tcp && tcp.length >= 32 ? tcp.readUInt32LE(28) : (unix?.backlog ?? 4096)) : 0,
			waiting: listening ? (tcp && tcp.length >= 28 ? tcp.readUInt32LE(24) : (unix?.waiting ?? 0)) : 0,
			shutdown: unix?.shutdown ?? 0,
			pathInode: unix?.pathInode,
			peerInode: unix?.peer,
			state: 'unconnected',
			reconnect: false,
			peer: undefined,
			messages: [],
			lostMessages: false,
		};
		facts.state = listening
			? 'listening'
			: stateOf(facts, unix, tcp?.[0], () => (eventsNow(fd, POLLIN) & POLLIN) !== 0);
		facts.reconnect =
			facts.state === 'unconnected' &&
			remote.length > 0 &&
			(domain === AF_INET || domain === AF_INET6 || (domain === AF_UNIX && type === SOCK_DGRAM));
		return facts;
	}

	#unixFacts({stat}: Description): UnixFacts | undefined {
		this.#unix ??= unixSockets() ?? new Map<number, UnixFacts>();
		return this.#unix.get(Number(stat.ino));
	}

	#findPeers(): void {
		const byInode = new Map<number, Description>();
		const byEnds = new Map<string, Description>();
		for (const [description, {domain, local, remote}] of this.#facts) {
			byInode.set(Number(description.stat.ino), description);
			if (domain === AF_INET || domain === AF_INET6) {
				byEnds.set(`${endpoint(local)} ${endpoint(remote)}`, description);
			}
		}

		for (const facts of this.#facts.values()) {
			if (facts.state !== 'outside') {
				continue;
			}

			const unix = facts.domain === AF_UNIX;
			const peer = unix
				? byInode.get(facts.peerInode ?? -1)
				: byEnds.get(`${endpoint(facts.remote)} ${endpoint(facts.local)}`);
			if (peer) {
				facts.peer = peer;
				facts.state = unix ? 'pair' : 'connected';
			}
		}
	}

	#peek(facts: SocketFacts, fd: Fd): void {
		const {messages, incomplete} = lookIntoQueue(fd, facts.domain, facts.type);
		facts.lostMessages = incomplete;
		facts.messages = messages.map(({data, address, fds}) => ({
			data,
			address,
			descriptions: fds.map((one) => this.survey.adopt(one)),
		}));
	}
}

function tcpInfo(fd: Fd): Buffer | undefined {
	const info = getSocketOption(fd, IPPROTO_TCP, TCP_INFO);
	return info && Buffer.from(info);
}

function isBound(domain: number, local: Buffer): boolean {
	switch (domain) {
		case AF_UNIX:
			return unixName(local) !== undefined;
		case AF_INET:
		case AF_INET6:
			return portOf(local) !== 0;
		default:
			return true;
	}
}

function stateOf(
	{domain, type, remote}: SocketFacts,
	unix: UnixFacts | undefined,
	tcpState: number | undefined,
	hasEnded: () => boolean,
): SocketFacts['state'] {
	switch (domain) {
		case AF_UNIX:
			if (type === SOCK_DGRAM && unixName(remote) !== undefined) {
				return 'unconnected';
			}

			if (unix?.peer === undefined) {
				return remote.length > 0 ? 'outside' : 'unconnected';
			}

			return unix.peer === 0 ? 'pair' : 'outside';
		case AF_INET:
		case AF_INET6:
			if (tcpState === undefined || tcpState === TCP_LISTEN) {
				return type === SOCK_STREAM ? 'outside' : 'unconnected';
			}

			return tcpState === TCP_CLOSE ? (hasEnded() ? 'dead' : 'unconnected') : 'outside';
		case AF_NETLINK:
		case AF_PACKET:
			return 'unconnected';
		default:
			return 'unknown';
	}
}
