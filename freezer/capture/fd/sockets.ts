import {bytesUnsent, bytesWaiting, eventsNow, POLLIN} from '../../sys/descriptors.js';
import {type Credentials, getSocketInt, peerName, SOL_SOCKET, socketName} from '../../sys/sockets.js';
import type {Fd} from '../../sys/types.js';
import {
	AF_INET,
	AF_INET6,
	AF_NETLINK,
	AF_PACKET,
	AF_UNIX,
	endpoint,
	hostOf,
	isLoopback,
	portOf,
	unixName,
} from './address.js';
import {lookIntoQueue} from './socket-queue.js';
import {
	isTold,
	isWithinMachine,
	listensAt,
	otherEnd,
	SENT_END,
	TCP,
	TcpRest,
	tcpInfo,
	tcpShutdown,
} from './socket-tcp.js';
import {findAccepted, peerOf} from './socket-unix.js';
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
const IPPROTO_UDP = 17;

export interface Message {
	readonly data: Buffer;
	readonly address: Buffer;
	readonly descriptions: readonly Description[];
	readonly credentials: Credentials | undefined;
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
	shutdown: number;
	readonly pathInode: number | undefined;
	readonly peerInode: number | undefined;
	readonly tcpState: number | undefined;
	/** Of a UNIX socket: who connected, or listens. */
	readonly credentials: Credentials | undefined;
	/** 'pair': the other end can be made together with it; 'pending': connected to a listener inside that has not accepted it yet. */
	state: 'listening' | 'unconnected' | 'connected' | 'pair' | 'pending' | 'outside' | 'dead' | 'unknown';
	/** Another connect(2) to `remote` brings back all there was. */
	reconnect: boolean;
	/** The other end inside; undefined in a pair whose other end has closed. */
	peer: Description | undefined;
	/** A listener has brought it forth: the other end connects. */
	accepted: boolean;
	/** The listener inside, of an accepted end and of a pending one. */
	listener: Description | undefined;
	/** Those inside whose connections wait to be accepted, the next one first. */
	readonly clients: Description[];
	messages: Message[];
	/** What the other end of a TCP connection still has in its send queue; data undefined: nobody may look at it. */
	unreceived: {data: Buffer | undefined} | undefined;
	/** What of its queues cannot be carried, in words. */
	lost: string | undefined;
}

/** All sockets of the target. Looking into queues may bring up descriptions that are only on their way. */
export class Sockets {
	readonly #facts = new Map<Description, SocketFacts>();
	readonly #peeked = new Set<SocketFacts>();
	readonly #rest = new TcpRest();
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
			this.#bringToRest();
			for (const [description, facts] of [...this.#facts]) {
				if (hasQueue(facts)) {
					this.#peek(description, facts);
				}
			}
		}

		this.#findPending();
		this.#findWidows();
		findAccepted(this.#facts);
		this.#chooseServers();
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
		const hasEnded = () => (eventsNow(fd, POLLIN) & POLLIN) !== 0;
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
			shutdown: unix?.shutdown ?? (tcp && !listening ? tcpShutdown(fd, tcp[0]!) : 0),
			pathInode: unix?.pathInode,
			peerInode: unix?.peer,
			tcpState: tcp?.[0],
			credentials: unix ? peerOf(this.survey.context, description, fd) : undefined,
			state: 'unconnected',
			reconnect: false,
			peer: undefined,
			accepted: false,
			listener: undefined,
			clients: [],
			messages: [],
			unreceived: undefined,
			lost: undefined,
		};
		facts.state = listening ? 'listening' : stateOf(facts, unix, hasEnded);
		if (facts.state === 'dead' && bytesWaiting(fd) > 0) {
			// Both directions are at their end, but not all has been read.
			facts.state = 'pair';
			facts.shutdown = 2;
		}

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

		for (const [description, facts] of this.#facts) {
			const unix = facts.domain === AF_UNIX;
			const peer = unix
				? byInode.get(facts.peerInode ?? -1)
				: byEnds.get(`${endpoint(facts.remote)} ${endpoint(facts.local)}`);
			const together = peer && peer !== description;
			const mutual = peer && this.facts(peer).peerInode === Number(description.stat.ino);
			if (together && facts.state === 'outside' && (mutual || facts.type !== SOCK_DGRAM)) {
				facts.peer = peer;
				facts.state = unix ? 'pair' : 'connected';
			} else if (together && unix && facts.reconnect && mutual) {
				// Datagram sockets that are connected to each other.
				facts.peer = peer;
				facts.state = 'pair';
				facts.reconnect = false;
			}
		}
	}

	/** Once what is on its way has arrived, both receive queues can be looked at. */
	#bringToRest(): void {
		for (const [description, facts] of this.#facts) {
			const other = facts.state === 'connected' && facts.peer ? this.facts(facts.peer) : undefined;
			if (!other || facts.unreceived || !facts.peer) {
				continue;
			}

			const rest = this.#rest.of(description, facts.peer, {one: hasSentEnd(facts), other: hasSentEnd(other)});
			facts.unreceived = {data: rest.one};
			other.unreceived = {data: rest.other};
		}
	}

	/** Connections to listeners inside that are not accepted yet. What has been sent through them nobody can look at. */
	#findPending(): void {
		const byInode = new Map([...this.#facts.keys()].map((description) => [Number(description.stat.ino), description]));
		for (const [listener, facts] of this.#facts) {
			if (facts.state !== 'listening' || facts.waiting === 0) {
				continue;
			}

			const unix = this.#unix?.get(Number(listener.stat.ino));
			const clients =
				facts.domain === AF_UNIX ? (unix?.clients ?? []).map((ino) => byInode.get(ino)) : this.#tcpClients(facts);
			for (const client of clients) {
				if (client) {
					this.#wait(client, listener);
				}
			}
		}
	}

	#tcpClients(listener: SocketFacts): Description[] {
		const clients = [...this.#facts].filter(
			([, facts]) =>
				facts.state === 'outside' &&
				facts.tcpState !== undefined &&
				listensAt(listener, facts.remote) &&
				otherEnd(facts)?.inode === 0,
		);
		return clients.map(([description]) => description);
	}

	#wait(client: Description, listener: Description): void {
		const facts = this.facts(client);
		facts.state = 'pending';
		facts.listener = listener;
		this.facts(listener).clients.push(client);
		const other = facts.domain === AF_UNIX ? undefined : otherEnd(facts);
		const sent = other ? other.waiting - (other.state === TCP.CLOSE_WAIT ? 1 : 0) : withPulled(client, bytesUnsent);
		if (sent > 0) {
			facts.lost = 'what it has sent through a connection that is not accepted yet';
		}
	}

	/** Connections whose other end has closed, which is known of this machine alone. */
	#findWidows(): void {
		for (const [description, facts] of this.#facts) {
			if (facts.state === 'outside' && facts.tcpState === TCP.CLOSE_WAIT && isWithinMachine(facts)) {
				if (isTold(facts) && (otherEnd(facts)?.inode ?? 0) === 0) {
					facts.state = 'pair';
					this.#peek(description, facts);
				}
			}
		}
	}

	/** Which end of a TCP connection is to be accepted: at a port where the target listens, else at the lower one. */
	#chooseServers(): void {
		const listeners = [...this.#facts].filter(([, {state, domain}]) => state === 'listening' && domain !== AF_UNIX);
		const listenerOf = ({local}: SocketFacts) => listeners.find(([, facts]) => listensAt(facts, local))?.[0];
		for (const facts of this.#facts.values()) {
			if (facts.domain === AF_UNIX || (facts.state !== 'connected' && facts.state !== 'pair')) {
				continue;
			}

			const other = facts.peer && this.facts(facts.peer);
			const listener = listenerOf(facts);
			const others = other && listenerOf(other);
			facts.listener = listener;
			facts.accepted =
				!other?.accepted && (listener !== undefined || (!others && portOf(facts.local) <= portOf(facts.remote)));
		}
	}

	/** The datagram socket inside that a message has come from. */
	senderOf({domain}: SocketFacts, {address}: Message): Description | undefined {
		for (const [description, facts] of this.#facts) {
			if (facts.domain === AF_UNIX && domain === AF_UNIX) {
				const name = facts.type === SOCK_DGRAM ? unixName(facts.local) : undefined;
				if (name !== undefined && name === unixName(address)) {
					return description;
				}
			} else if (facts.protocol === IPPROTO_UDP && domain !== AF_UNIX && listensAt(facts, address)) {
				return description;
			}
		}

		return undefined;
	}

	#peek(description: Description, facts: SocketFacts): void {
		if (this.#peeked.has(facts)) {
			return;
		}

		this.#peeked.add(facts);
		const {messages, incomplete} = withPulled(description, (fd) => lookIntoQueue(fd, facts.type));
		facts.lost ??= incomplete ? 'what waits in it, which cannot be duplicated' : undefined;
		facts.messages = messages.map(({data, address, fds, credentials}) => ({
			data,
			address,
			descriptions: fds.map((one) => this.survey.adopt(one)),
			credentials,
		}));
		const unreceived = facts.unreceived ? facts.unreceived.data : Buffer.alloc(0);
		if (!unreceived) {
			facts.lost = 'what is on its way to it, because its buffer is full';
		} else if (unreceived.length > 0) {
			facts.messages.push({data: unreceived, address: Buffer.alloc(0), descriptions: [], credentials: undefined});
		}
	}
}

const hasSentEnd = ({tcpState}: SocketFacts): boolean => SENT_END.includes(tcpState ?? 0);

/** Can something wait in it that is carried? */
function hasQueue({state, domain, type, protocol}: SocketFacts): boolean {
	return (
		state === 'pair' ||
		state === 'connected' ||
		(type === SOCK_DGRAM && (domain === AF_UNIX || protocol === IPPROTO_UDP))
	);
}

/** Has a datagram come from this machine, so that it can be sent once more from the same address? */
export const isLocalSender = ({domain, local}: SocketFacts, {address}: Message): boolean =>
	domain === AF_UNIX || address.length === 0 || isLoopback(address) || hostOf(local).equals(hostOf(address));

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
	{domain, type, remote, tcpState}: SocketFacts,
	unix: UnixFacts | undefined,
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
			if (tcpState === undefined || tcpState === TCP.LISTEN) {
				return type === SOCK_STREAM ? 'outside' : 'unconnected';
			}

			return tcpState === TCP.CLOSE ? (hasEnded() ? 'dead' : 'unconnected') : 'outside';
		case AF_NETLINK:
		case AF_PACKET:
			return 'unconnected';
		default:
			return 'unknown';
	}
}
